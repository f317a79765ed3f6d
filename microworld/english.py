"""English sentences: subject, verb, object, place."""

from functools import cache
from typing import NamedTuple

from microworld import lexicon, phrases
from microworld.frames import BE, Frame, Noun

LANGUAGE = "en"


class Clause(NamedTuple):
    """The words of a frame: who, the verb with its negation, what or what it is like, and where."""

    subject: tuple[str, ...]
    verb: tuple[str, ...]
    rest: tuple[str, ...]
    place: tuple[str, ...]


def sentence(frame: Frame) -> list[str]:
    """The words of a frame; "do" carries the negation of every verb but "be"."""
    return [word for part in clause(frame) for word in part] + [lexicon.grammar(LANGUAGE)["end"]]


def clause(frame: Frame) -> Clause:
    """The words of a frame, part by part."""
    grammar = lexicon.grammar(LANGUAGE)
    number = "plural" if frame.subject.plural else "singular"
    rest = [lexicon.adjectives()[frame.adjective][LANGUAGE]] if frame.adjective else []
    if frame.verb == BE:
        verb = [grammar["be"][number]] + [grammar["negation"]] * frame.negated
    else:
        forms = lexicon.verb(frame.verb, LANGUAGE)
        finite = forms.plural if frame.subject.plural else forms.singular
        verb = [grammar["do"][number], grammar["negation"], forms.plural] if frame.negated else [finite]
        rest = forms.preposition.split() + rest
    return Clause(
        subject=noun_phrase(frame.subject),
        verb=tuple(verb),
        rest=(*rest, *(noun_phrase(frame.object) if frame.object else ())),
        place=place(frame.place) if frame.place else (),
    )


@cache
def noun_phrase(noun: Noun) -> tuple[str, ...]:
    """Article, number, adjective, noun."""
    if phrases.is_name(noun):
        return (noun.concept,)
    grammar = lexicon.grammar(LANGUAGE)
    forms = phrases.forms_of(noun, LANGUAGE)
    words = [str(noun.count)] * (noun.count is not None)
    words += [lexicon.adjectives()[noun.adjective][LANGUAGE]] if noun.adjective else []
    words += [forms.plural if noun.plural else forms.singular]
    if noun.definite:
        return (grammar["definite"], *words)
    if noun.plural:
        return tuple(words)
    return (grammar["indefinite"]["vowel" if words[0][0] in grammar["vowels"] else "consonant"], *words)


@cache
def place(concept: str) -> tuple[str, ...]:
    """Where it happens."""
    return phrases.place(concept, LANGUAGE, lambda preposition, noun: (preposition, *noun_phrase(noun)))
