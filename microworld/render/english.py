"""English sentences: subject, verb, object, location."""

from functools import cache
from typing import NamedTuple

from microworld import lexicon
from microworld.lexicon import BE, Frame, Noun
from microworld.render.phrases import Words, count_words, finite_verb, inflected, location_phrase

LANGUAGE = "en"
GRAMMAR = lexicon.GRAMMARS[LANGUAGE]


class Clause(NamedTuple):
    """The words of a frame: who, the verb with its negation, the object or the predicate, and where."""

    subject: Words
    verb: Words
    complement: Words
    location: Words

    def words(self) -> list[str]:
        """Return all words in their order."""
        return [word for part in self for word in part]


def sentence(frame: Frame) -> list[str]:
    """Return the words of a frame; "do" carries the negation of every verb but "be"."""
    return [*clause(frame).words(), GRAMMAR["end"]]


def clause(frame: Frame) -> Clause:
    """Return the words of a frame, part by part."""
    finite, preposition = finite_verb(frame, LANGUAGE)
    verb = [finite]
    if frame.negated and frame.verb == BE:
        verb = [finite, GRAMMAR["negation"]]
    elif frame.negated:
        auxiliary = GRAMMAR["do"]["plural" if frame.subject.plural else "singular"]
        verb = [auxiliary, GRAMMAR["negation"], lexicon.verb_forms(frame.verb, LANGUAGE).plural]
    adjective = [lexicon.ADJECTIVES[frame.adjective][LANGUAGE]] if frame.adjective else []
    return Clause(
        subject=noun_phrase(frame.subject),
        verb=tuple(verb),
        complement=(*preposition.split(), *adjective, *(noun_phrase(frame.object) if frame.object else ())),
        location=_location(frame.location) if frame.location else (),
    )


@cache
def noun_phrase(noun: Noun) -> Words:
    """Return article, number, adjective, noun."""
    if noun.concept in lexicon.NAMES:
        return (noun.concept,)
    adjective = [lexicon.ADJECTIVES[noun.adjective][LANGUAGE]] if noun.adjective else []
    words = [*count_words(noun), *adjective, inflected(noun, LANGUAGE)]
    if noun.definite:
        return (GRAMMAR["definite"], *words)
    if noun.plural:
        return tuple(words)
    return (GRAMMAR["indefinite"]["vowel" if words[0][0] in GRAMMAR["vowels"] else "consonant"], *words)


@cache
def _location(concept: str) -> Words:
    return location_phrase(concept, LANGUAGE, lambda preposition, noun: (preposition, *noun_phrase(noun)))
