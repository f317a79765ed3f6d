"""Hindi sentences: subject, place, object, negation, verb; postpositions take the oblique case.

Names, cities and digits stay in the Latin script: they are what this distant language shares with the others.
"""

from functools import cache

from microworld import lexicon, phrases
from microworld.frames import BE, Frame, Noun

LANGUAGE = "hi"


def sentence(frame: Frame) -> list[str]:
    """The words of a frame, in the present habitual."""
    grammar = lexicon.grammar(LANGUAGE)
    subject = frame.subject
    gender = phrases.gender(subject, LANGUAGE)
    be = grammar["be"]["plural" if subject.plural else "singular"]
    words = [*_noun_phrase(subject, False)]
    words += _place(frame.place) if frame.place else ()
    words += [_agreeing(frame.adjective, gender, subject.plural)] if frame.adjective else []
    nahin = [grammar["negation"]] * frame.negated
    if frame.verb == BE:
        words += _class(frame.object, frame.negated) if frame.object else ()
        return [*words, *nahin, be, grammar["end"]]
    forms = lexicon.verb(frame.verb, LANGUAGE)
    words += _object(frame.object, forms.preposition, frame.negated) if frame.object else ()
    *before, stem = forms.singular.split()
    finite = stem + _ending("habitual", gender, subject.plural)
    return [*words, *before, *nahin, finite, be, grammar["end"]]


def _ending(table: str, gender: str, plural: bool) -> str:
    """The ending of a verb or an adjective."""
    return lexicon.grammar(LANGUAGE)[table]["m plural" if plural and gender == "m" else gender]


def _agreeing(adjective: str, gender: str, masculine_plural: bool) -> str:
    """An adjective in the form of its noun; only those in -ā decline."""
    word = lexicon.adjectives()[adjective][LANGUAGE]
    ending = lexicon.grammar(LANGUAGE)["adjective"]["m"]
    return word.removesuffix(ending) + _ending("adjective", gender, masculine_plural) if word.endswith(ending) else word


def _class(noun: Noun, negated: bool) -> tuple[str, ...]:
    """What somebody is: "one" stands neither before a profession nor with a negation."""
    phrase = _noun_phrase(noun, False)
    return phrase[1:] if phrases.is_profession(noun) or negated else phrase


@cache
def _object(noun: Noun, postposition: str, negated: bool) -> tuple[str, ...]:
    """The object: oblique before a postposition, which people and animals already spoken of have; else direct."""
    kinds = lexicon.ancestors(noun.concept)
    if not postposition and ("person" in kinds or ("animal" in kinds and noun.definite)):
        postposition = lexicon.grammar(LANGUAGE)["object"]
    phrase = _noun_phrase(noun, bool(postposition) or lexicon.SITE in kinds)
    if negated and not noun.definite and not noun.plural and not phrases.is_name(noun):
        phrase = phrase[1:]  # "does not buy a car" is said without "one"
    return (*phrase, *postposition.split())


@cache
def _noun_phrase(noun: Noun, oblique: bool) -> tuple[str, ...]:
    """Number or "one", adjective, noun; there is no definite article."""
    if phrases.is_name(noun):
        return (noun.concept,)
    forms = phrases.forms_of(noun, LANGUAGE)
    words = [] if noun.definite or noun.plural else [lexicon.grammar(LANGUAGE)["indefinite"]]
    words += [str(noun.count)] * (noun.count is not None)
    words += [_agreeing(noun.adjective, forms.gender, noun.plural or oblique)] if noun.adjective else []
    return (*words, *_inflected(forms, noun.plural, oblique).split())


def _inflected(forms: lexicon.NounForms, plural: bool, oblique: bool) -> str:
    """The noun itself."""
    if not oblique:
        return forms.plural if plural else forms.singular
    if plural:
        for ending, other in lexicon.grammar(LANGUAGE)["oblique"]:
            if forms.plural.endswith(ending):
                return forms.plural.removesuffix(ending) + other
    declines = forms.gender == "m" and forms.singular != forms.plural
    return forms.plural if declines else forms.singular


@cache
def _place(concept: str) -> tuple[str, ...]:
    """Where it happens."""
    words = phrases.place(concept, LANGUAGE, lambda post, noun: (*_noun_phrase(noun, True), post))
    return words[::-1] if concept in lexicon.data()["cities"] else words
