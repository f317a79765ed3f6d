"""Hindi sentences: subject, location, object, negation, verb; postpositions take the oblique case.

Names, cities and digits stay in the Latin script: they are what this distant language shares with the others.
"""

from functools import cache

from microworld import lexicon
from microworld.lexicon import BE, Frame, Noun
from microworld.render.phrases import Words, count_words, location_phrase

LANGUAGE = "hi"
GRAMMAR = lexicon.GRAMMARS[LANGUAGE]


def sentence(frame: Frame) -> list[str]:
    """Return the words of a frame, in the present habitual."""
    subject = frame.subject
    gender = lexicon.gender(subject, LANGUAGE)
    words = [*_noun_phrase(subject, False)]
    words += _location(frame.location) if frame.location else ()
    words += [_agreeing(frame.adjective, gender, subject.plural)] if frame.adjective else []
    words += _object(frame) if frame.object else ()
    nahin = [GRAMMAR["negation"]] * frame.negated
    end = [GRAMMAR["be"]["plural" if subject.plural else "singular"], GRAMMAR["end"]]
    if frame.verb == BE:
        return [*words, *nahin, *end]
    *before, stem = lexicon.verb_forms(frame.verb, LANGUAGE).singular.split()
    return [*words, *before, *nahin, stem + _ending("habitual", gender, subject.plural), *end]


def _ending(table: str, gender: str, plural: bool) -> str:
    """Return the ending of a verb or an adjective."""
    return str(GRAMMAR[table]["m plural" if plural and gender == "m" else gender])


def _agreeing(adjective: str, gender: str, masculine_plural: bool) -> str:
    """Return an adjective in the form of its noun; only those in -ā decline."""
    word = lexicon.ADJECTIVES[adjective][LANGUAGE]
    ending = GRAMMAR["adjective"]["m"]
    return word.removesuffix(ending) + _ending("adjective", gender, masculine_plural) if word.endswith(ending) else word


def _object(frame: Frame) -> Words:
    """Return the object: oblique before a postposition, else direct; after "be" without one before a profession."""
    noun = frame.object
    assert noun is not None
    if frame.verb == BE:
        phrase = _noun_phrase(noun, False)
        return phrase[1:] if lexicon.is_profession(noun) or frame.negated else phrase
    return _verb_object(noun, lexicon.verb_forms(frame.verb, LANGUAGE).preposition, frame.negated)


@cache
def _verb_object(noun: Noun, postposition: str, negated: bool) -> Words:
    """Return the object of a verb; people, and animals mentioned before, always have a postposition."""
    kinds = lexicon.ancestors(noun.concept)
    if not postposition and ("person" in kinds or ("animal" in kinds and noun.definite)):
        postposition = GRAMMAR["object"]
    phrase = _noun_phrase(noun, bool(postposition) or lexicon.SITE in kinds)
    if negated and not noun.definite and not noun.plural and noun.concept not in lexicon.NAMES:
        phrase = phrase[1:]  # "does not buy a car" has no "one"
    return (*phrase, *postposition.split())


@cache
def _noun_phrase(noun: Noun, oblique: bool) -> Words:
    """Return number or "one", adjective, noun; there is no definite article."""
    if noun.concept in lexicon.NAMES:
        return (noun.concept,)
    forms = lexicon.noun_forms(noun, LANGUAGE)
    words = [] if noun.definite or noun.plural else [GRAMMAR["indefinite"]]
    words += count_words(noun)
    words += [_agreeing(noun.adjective, forms.gender, noun.plural or oblique)] if noun.adjective else []
    return (*words, *_inflected(forms, noun.plural, oblique).split())


def _inflected(forms: lexicon.NounForms, plural: bool, oblique: bool) -> str:
    """Return the noun in its number and case."""
    if not oblique:
        return forms.plural if plural else forms.singular
    if plural:
        for ending, replacement in GRAMMAR["oblique"]:
            if forms.plural.endswith(ending):
                return forms.plural.removesuffix(ending) + str(replacement)
    declines = forms.gender == "m" and forms.singular != forms.plural
    return forms.plural if declines else forms.singular


@cache
def _location(concept: str) -> Words:
    words = location_phrase(concept, LANGUAGE, lambda post, noun: (*_noun_phrase(noun, True), post))
    return words[::-1] if concept in lexicon.CITIES else words
