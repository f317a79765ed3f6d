"""German sentences: the verb second, cases, and two negations: "kein" before an indefinite object, else "nicht"."""

from functools import cache

from microworld import lexicon
from microworld.lexicon import BE, Frame, Noun
from microworld.render.phrases import Words, contracted, count_words, finite_verb, location_phrase

LANGUAGE = "de"
GRAMMAR = lexicon.GRAMMARS[LANGUAGE]


def sentence(frame: Frame) -> list[str]:
    """Return the words of a frame: subject, verb, object, negation, location or predicate."""
    finite, preposition = finite_verb(frame, LANGUAGE)
    words = [*_noun_phrase(frame.subject, "nominative", False), finite]
    nicht = [GRAMMAR["negation"]] * frame.negated
    if frame.object:
        phrase, negated = _object(frame.object, frame.verb, preposition, frame.negated)
        nicht = [] if negated else nicht
        precedes = preposition or (frame.object.number is not None and not frame.object.definite)  # "nicht 9 Kiwis"
        words += [*nicht, *phrase] if precedes else [*phrase, *nicht]
    else:
        words += nicht
    words += [lexicon.ADJECTIVES[frame.adjective][LANGUAGE].split("/")[0]] if frame.adjective else []
    words += _location(frame.location) if frame.location else ()
    return [*words, GRAMMAR["end"]]


@cache
def _object(noun: Noun, verb: str, preposition: str, negated: bool) -> tuple[Words, bool]:
    """Return the phrase of the object, and whether it holds the negation."""
    if preposition:
        return contracted(preposition, _noun_phrase(noun, "dative", False), LANGUAGE), False
    kein = negated and not noun.definite and noun.number is None and noun.concept not in lexicon.NAMES
    if verb == BE:
        phrase = _noun_phrase(noun, "nominative", kein)
        return (phrase[1:] if lexicon.is_profession(noun) and not kein else phrase), kein
    return _noun_phrase(noun, "accusative", kein), kein


@cache
def _noun_phrase(noun: Noun, case: str, kein: bool) -> Words:
    """Return article, number, adjective, noun, all of them in the case."""
    if noun.concept in lexicon.NAMES:
        return (noun.concept,)
    forms = lexicon.noun_forms(noun, LANGUAGE)
    column = "p" if noun.plural else forms.gender
    articles, declension = _article(noun, case, column, kein)
    words = [*articles, *count_words(noun)]
    if noun.adjective:
        stem = lexicon.ADJECTIVES[noun.adjective][LANGUAGE].split("/")[-1]
        words += [stem + GRAMMAR["endings"][declension][case][column]]
    return (*words, _inflected(forms, noun.plural, case))


def _article(noun: Noun, case: str, column: str, kein: bool) -> tuple[list[str], str]:
    """Return the article, if there is one, and the declension of an adjective after it."""
    if noun.definite:
        return [GRAMMAR["definite"][case][column]], "definite"
    if kein and noun.plural:
        return [GRAMMAR["negative"]["plural"][case]], "indefinite"
    if noun.plural:
        return [], "bare"
    return [GRAMMAR["negative"]["prefix"] * kein + GRAMMAR["indefinite"][case][column]], "indefinite"


def _inflected(forms: lexicon.NounForms, plural: bool, case: str) -> str:
    """Return the noun: weak nouns end in -en outside the nominative, dative plurals in -n."""
    if plural:
        return forms.plural + ("n" if case == "dative" and forms.plural[-1] not in "ns" else "")
    return forms.singular if case == "nominative" else forms.oblique


@cache
def _location(concept: str) -> Words:
    return location_phrase(
        concept, LANGUAGE, lambda prep, noun: contracted(prep, _noun_phrase(noun, "dative", False), LANGUAGE)
    )
