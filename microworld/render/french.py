"""French sentences: subject, ne, verb, pas, object, location; elision and contraction join neighbors."""

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

LANGUAGE = "fr"
GRAMMAR = lexicon.GRAMMARS[LANGUAGE]


def sentence(frame: Frame) -> list[str]:
    """Return the words of a frame; an elided word ends with its apostrophe."""
    subject = frame.subject
    finite, preposition = finite_verb(frame, LANGUAGE)
    words = [finite]
    if frame.negated:
        negation = GRAMMAR["negation"]
        words = [negation["elided" if _is_elided_before(finite) else "before"], finite, negation["after"]]
    if frame.adjective:
        words += agreeing_adjective(frame.adjective, lexicon.gender(subject, LANGUAGE), subject.plural, LANGUAGE)
    if frame.object:
        words += _object(frame.object, frame.verb, preposition, frame.negated)
    words += _location(frame.location) if frame.location else ()
    return [*_noun_phrase(subject), *words, GRAMMAR["end"]]


def _is_elided_before(word: str) -> bool:
    """Return whether a word before this one is elided."""
    return word[0].lower() in GRAMMAR["vowels"]


@cache
def _object(noun: Noun, verb: str, preposition: str, negated: bool) -> Words:
    """Return a profession without article, "pas de" in place of an indefinite article, or the whole phrase."""
    phrase = _noun_phrase(noun)
    if verb == BE:
        return phrase[1:] if lexicon.is_profession(noun) else phrase
    if preposition:
        return _prepositional(preposition, phrase)
    if negated and not noun.definite and noun.concept not in lexicon.NAMES and noun.number is None:
        return _prepositional("de", phrase[1:])
    return phrase


def _prepositional(preposition: str, phrase: Words) -> Words:
    """Return a preposition and a phrase: contracted with an article, elided before a vowel."""
    partitive = GRAMMAR["partitive"]
    if preposition == partitive["full"] and phrase[0] in (GRAMMAR["indefinite"]["plural"], *partitive.values()):
        phrase = phrase[1:]  # "de des chiens" is "de chiens"
    if preposition == partitive["full"] and _is_elided_before(phrase[0]):
        return (partitive["elided"], *phrase)
    return contracted(preposition, phrase, LANGUAGE)


@cache
def _noun_phrase(noun: Noun) -> Words:
    """Return article, number, adjective before the noun, noun, adjective after it."""
    if noun.concept in lexicon.NAMES:
        return (noun.concept,)
    gender = lexicon.gender(noun, LANGUAGE)
    words = [inflected(noun, LANGUAGE)]
    precedes = False
    if noun.adjective:
        adjective = agreeing_adjective(noun.adjective, gender, noun.plural, LANGUAGE)
        precedes = lexicon.ADJECTIVES[noun.adjective][LANGUAGE].startswith("pre ")
        words = [*adjective, *words] if precedes else [*words, *adjective]
    words = [*count_words(noun), *words]
    return (*_article(noun, gender, words[0], precedes), *words)


def _article(noun: Noun, gender: str, next_word: str, adjective_precedes: bool) -> Words:
    """Return the article that fits the word after it."""
    if noun.definite and not noun.plural and _is_elided_before(next_word):
        return (GRAMMAR["definite"]["elided"],)
    if noun.definite:
        return (GRAMMAR["definite"]["plural" if noun.plural else gender],)
    if noun.number is not None:
        return ()
    if noun.plural and adjective_precedes:
        return (GRAMMAR["partitive"]["full"],)
    return (GRAMMAR["indefinite"]["plural" if noun.plural else gender],)


@cache
def _location(concept: str) -> Words:
    return location_phrase(concept, LANGUAGE, lambda preposition, noun: _prepositional(preposition, _noun_phrase(noun)))
