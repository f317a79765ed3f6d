"""Spanish sentences: subject, no, verb, object, location; two copulas, and "a" before people."""

from functools import cache

from microworld import lexicon
from microworld.lexicon import BE, Frame, Noun
from microworld.render.phrases import (
    Words,
    agreeing_adjective,
    contracted,
    count_words,
    finite_verb,
    inflected,
    location_phrase,
)

LANGUAGE = "es"
GRAMMAR = lexicon.GRAMMARS[LANGUAGE]


def sentence(frame: Frame) -> list[str]:
    """Return the words of a frame."""
    subject = frame.subject
    finite, preposition = (_copula(frame), "") if frame.verb == BE else finite_verb(frame, LANGUAGE)
    words = [*[GRAMMAR["negation"]] * frame.negated, finite]
    if frame.adjective:
        words += agreeing_adjective(frame.adjective, lexicon.gender(subject, LANGUAGE), subject.plural, LANGUAGE)
    if frame.object:
        words += _object(frame.object, frame.verb, preposition)
    words += _location(frame.location) if frame.location else ()
    return [*_noun_phrase(subject), *words, GRAMMAR["end"]]


def _copula(frame: Frame) -> str:
    """Return the form of "estar" for locations and states, of "ser" for everything else."""
    is_state = frame.adjective and lexicon.ADJECTIVES[frame.adjective][LANGUAGE].startswith("estar ")
    verb = GRAMMAR["estar" if frame.location or is_state else "ser"]
    return str(verb["plural" if frame.subject.plural else "singular"])


@cache
def _object(noun: Noun, verb: str, preposition: str) -> Words:
    """Return a profession without article, or the phrase with its preposition, which people always have."""
    phrase = _noun_phrase(noun)
    if verb == BE:
        return phrase[1:] if lexicon.is_profession(noun) else phrase
    if not preposition and lexicon.is_person(noun.concept):
        preposition = GRAMMAR["personal"]
    return contracted(preposition, phrase, LANGUAGE) if preposition else phrase


@cache
def _noun_phrase(noun: Noun) -> Words:
    """Return article, number, noun, adjective."""
    if noun.concept in lexicon.NAMES:
        return (noun.concept,)
    gender = lexicon.gender(noun, LANGUAGE)
    words = [*count_words(noun), inflected(noun, LANGUAGE)]
    if noun.adjective:
        words += agreeing_adjective(noun.adjective, gender, noun.plural, LANGUAGE)
    if noun.definite:
        return (GRAMMAR["definite"][gender + " plural" * noun.plural], *words)
    return tuple(words) if noun.plural else (GRAMMAR["indefinite"][gender], *words)


@cache
def _location(concept: str) -> Words:
    return location_phrase(
        concept, LANGUAGE, lambda preposition, noun: contracted(preposition, _noun_phrase(noun), LANGUAGE)
    )
