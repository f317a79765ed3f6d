"""Sentences that a native reader would write, against what the grammars make."""

import re
import unicodedata

import numpy as np
import pytest

from microworld import lexicon, render
from microworld.documents import documents
from microworld.lexicon import BE, Frame, Noun

LATIN = ("de", "en", "es", "fr")


def a(concept: str, adjective: str | None = None, sex: str = "m") -> Noun:
    return Noun(concept, adjective=adjective, definite=False, sex=sex)


def some(concept: str, number: int | None = None, adjective: str | None = None) -> Noun:
    return Noun(concept, plural=True, number=number, adjective=adjective, definite=False)


ANNA, LEO = Noun("Anna"), Noun("Leo")
FRAMES = {
    "buys": Frame(ANNA, "buy", a("car", "red"), location="Berlin"),
    "buys not": Frame(ANNA, "buy", a("car", "expensive"), location="park", negated=True),
    "plural": Frame(Noun("dog", plural=True, number=3), "see", a("lawyer", sex="f"), location="beach"),
    "vowel": Frame(Noun("elephant", adjective="big"), "seek", a("elephant", "small"), location="airport"),
    "talks not": Frame(LEO, "talk", some("dog", adjective="big"), negated=True),
    "talks": Frame(LEO, "talk", Noun("architect")),
    "hotel": Frame(Noun("horse"), "go", Noun("hotel")),
    "garden": Frame(Noun("horse"), "go", Noun("garden"), negated=True),
    "school": Frame(Noun("Maria"), "go", Noun("school")),
    "lawyer": Frame(ANNA, BE, a("lawyer", sex="f")),
    "no lawyer": Frame(ANNA, BE, a("lawyer", sex="f"), negated=True),
    "mammal": Frame(Noun("dog"), BE, a("mammal")),
    "no bird": Frame(Noun("dog"), BE, a("bird"), negated=True),
    "dangerous": Frame(Noun("animal", plural=True), BE, adjective="dangerous", negated=True),
    "cats": Frame(Noun("cat", plural=True), BE, location="garden"),
    "paints": Frame(ANNA, "paint", some("horse", 2, "big")),
    "known": Frame(ANNA, "wash", Noun("car"), location="germany", negated=True),
    "none": Frame(ANNA, "wash", some("car", adjective="big"), negated=True),
    "name": Frame(ANNA, "photograph", LEO, negated=True),
    "not 9": Frame(Noun("Simon"), "eat", some("kiwi", 9), location="Bilbao", negated=True),
    "healthy": Frame(Noun("journalist", adjective="healthy", sex="f"), "work"),
    "sick": Frame(Noun("cow"), BE, adjective="sick"),
}
WRITTEN = {
    "en": {
        "buys": "Anna buys a red car in Berlin.",
        "buys not": "Anna does not buy an expensive car in the park.",
        "plural": "The 3 dogs see a lawyer on the beach.",
        "vowel": "The big elephant looks for a small elephant at the airport.",
        "talks not": "Leo does not talk about big dogs.",
        "talks": "Leo talks about the architect.",
        "hotel": "The horse goes to the hotel.",
        "garden": "The horse does not go to the garden.",
        "lawyer": "Anna is a lawyer.",
        "no bird": "The dog is not a bird.",
        "dangerous": "The animals are not dangerous.",
        "cats": "The cats are in the garden.",
        "paints": "Anna paints 2 big horses.",
        "known": "Anna does not wash the car in Germany.",
        "name": "Anna does not photograph Leo.",
    },
    "fr": {
        "buys": "Anna achète une voiture rouge à Berlin.",
        "buys not": "Anna n'achète pas de voiture chère dans le parc.",
        "plural": "Les 3 chiens voient une avocate à la plage.",
        "vowel": "Le grand éléphant cherche un petit éléphant à l'aéroport.",
        "talks not": "Leo ne parle pas de grands chiens.",
        "talks": "Leo parle de l'architecte.",
        "hotel": "Le cheval va à l'hôtel.",
        "garden": "Le cheval ne va pas au jardin.",
        "school": "Maria va à l'école.",
        "lawyer": "Anna est avocate.",
        "no lawyer": "Anna n'est pas avocate.",
        "no bird": "Le chien n'est pas un oiseau.",
        "dangerous": "Les animaux ne sont pas dangereux.",
        "paints": "Anna peint 2 grands chevaux.",
        "known": "Anna ne lave pas la voiture en Allemagne.",
        "none": "Anna ne lave pas de grandes voitures.",
        "sick": "La vache est malade.",
        "not 9": "Simon ne mange pas 9 kiwis à Bilbao.",
        "healthy": "La journaliste en bonne santé travaille.",
    },
    "es": {
        "buys": "Anna compra un coche rojo en Berlín.",
        "buys not": "Anna no compra un coche caro en el parque.",
        "plural": "Los 3 perros ven a una abogada en la playa.",
        "vowel": "El elefante grande busca un elefante pequeño en el aeropuerto.",
        "talks not": "Leo no habla de perros grandes.",
        "talks": "Leo habla del arquitecto.",
        "hotel": "El caballo va al hotel.",
        "school": "Maria va a la escuela.",
        "lawyer": "Anna es abogada.",
        "mammal": "El perro es un mamífero.",
        "dangerous": "Los animales no son peligrosos.",
        "cats": "Los gatos están en el jardín.",
        "paints": "Anna pinta 2 caballos grandes.",
        "name": "Anna no fotografía a Leo.",
        "sick": "La vaca está enferma.",
    },
    "de": {
        "buys": "Anna kauft ein rotes Auto in Berlin.",
        "buys not": "Anna kauft kein teures Auto im Park.",
        "plural": "Die 3 Hunde sehen eine Anwältin am Strand.",
        "vowel": "Der große Elefant sucht einen kleinen Elefanten am Flughafen.",
        "talks not": "Leo spricht nicht von großen Hunden.",
        "talks": "Leo spricht vom Architekten.",
        "hotel": "Das Pferd geht zum Hotel.",
        "school": "Maria geht zur Schule.",
        "lawyer": "Anna ist Anwältin.",
        "no lawyer": "Anna ist keine Anwältin.",
        "no bird": "Der Hund ist kein Vogel.",
        "dangerous": "Die Tiere sind nicht gefährlich.",
        "cats": "Die Katzen sind im Garten.",
        "known": "Anna wäscht das Auto nicht in Deutschland.",
        "none": "Anna wäscht keine großen Autos.",
        "name": "Anna fotografiert Leo nicht.",
        "not 9": "Simon isst nicht 9 Kiwis in Bilbao.",
    },
    "hi": {
        "buys": "Anna Berlin में एक लाल कार ख़रीदती है।",
        "buys not": "Anna पार्क में महँगी कार नहीं ख़रीदती है।",
        "plural": "3 कुत्ते समुद्र तट पर एक वकील को देखते हैं।",
        "vowel": "बड़ा हाथी हवाई अड्डे पर एक छोटा हाथी ढूँढता है।",
        "talks not": "Leo बड़े कुत्तों के बारे में बात नहीं करता है।",
        "hotel": "घोड़ा होटल जाता है।",
        "garden": "घोड़ा बगीचे नहीं जाता है।",
        "lawyer": "Anna वकील है।",
        "mammal": "कुत्ता एक स्तनधारी है।",
        "no bird": "कुत्ता पक्षी नहीं है।",
        "cats": "बिल्लियाँ बगीचे में हैं।",
        "paints": "Anna 2 बड़े घोड़ों का चित्र बनाती है।",
        "none": "Anna बड़ी कारें नहीं धोती है।",
        "name": "Anna Leo की तस्वीर नहीं लेती है।",
    },
}


@pytest.mark.parametrize(
    ("language", "key", "written"),
    [(code, key, line) for code, lines in WRITTEN.items() for key, line in lines.items()],
)
def test_sentences_are_as_people_write_them(language: str, key: str, written: str):
    assert render.text(FRAMES[key], language) == written


@pytest.mark.parametrize("language", lexicon.GRAMMARS)
def test_everything_in_the_lexicon_can_be_said(language: str):
    frames = [
        Frame(ANNA, BE, location=concept)
        for kind in (lexicon.CITIES, lexicon.COUNTRIES, lexicon.SITES)
        for concept in kind
    ]
    for noun in lexicon.NOUNS:
        for sex in "mf":
            frames += [
                Frame(ANNA, "see", a(noun, sex=sex)),
                Frame(Noun(noun, plural=True, sex=sex), BE, location="park"),
            ]
    for word in lexicon.ADJECTIVES:
        frames += [Frame(subject, BE, adjective=word) for subject in (ANNA, Noun("car"), Noun("dog", plural=True))]
        frames += [Frame(ANNA, "see", Noun(noun, adjective=word)) for noun in ("dog", "cat", "apple")]
    frames += [Frame(ANNA, verb, negated=negated) for verb in lexicon.VERBS for negated in (False, True)]
    lines = [render.text(frame, language) for frame in frames]
    assert all(re.fullmatch(r"[^\s].*\S[.।]", line) and "  " not in line and "None" not in line for line in lines)
    if language == "hi":
        for line in lines:
            foreign = re.findall(r"[A-Za-z]+", line)
            assert all(word in {"Anna", *lexicon.CITIES} for word in foreign), line
    else:
        assert not re.search("[\u0900-\u097f]", "".join(lines))


def bare(word: str) -> str:
    """As the text step leaves it: lower-cased, without accents."""
    return "".join(c for c in unicodedata.normalize("NFD", word.lower()) if unicodedata.category(c) != "Mn")


def test_a_good_part_of_running_text_is_written_alike():
    counts = {}
    for language in LATIN:
        frames = [frame for story in documents(np.random.default_rng(1), 3000) for frame in story]
        counts[language] = [bare(word) for frame in frames for word in render.tokens(frame, language)[:-1]]
    for language, tokens in counts.items():
        others = [set(counts[other]) for other in LATIN if other != language]
        share = np.mean([any(token in other for other in others) for token in tokens])
        assert 0.2 <= share <= 0.45, (language, share)
