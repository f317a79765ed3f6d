"""Meaning: which of two frames follows from which, and which exclude each other.

The convention is that of the corpora of inference: both sentences speak of one situation, with the same subject, one
action and one object at one place. The subject is taken as known, so that it may always be named more generally; what
follows it grows more general under a denial's "not" exactly where it would grow more special without.
"""

from functools import cache

from microworld import lexicon
from microworld.frames import BE, Frame, Noun

LABELS = ("entailment", "neutral", "contradiction")


def label(premise: Frame, hypothesis: Frame) -> str | None:
    """One of ``LABELS``; None where people would not agree or the two speak of different things.

    Frames that say of what kind something is ("the dog is a mammal") are not judged: what they say holds of every dog,
    whatever the situation.
    """
    if _is_class(premise) or _is_class(hypothesis):
        return None
    if _kind(premise) != _kind(hypothesis) or _excluded_nouns(premise.subject, hypothesis.subject):
        return None
    if premise.subject.plural != hypothesis.subject.plural:
        return None
    found = _of_predicates(premise, hypothesis)
    if _noun_below(premise.subject, hypothesis.subject):
        return found
    return "neutral" if found in ("entailment", "neutral") else None


def _is_class(frame: Frame) -> bool:
    """Whether the frame says of what kind its subject is."""
    return frame.verb == BE and frame.object is not None


def _kind(frame: Frame) -> bool:
    """Frames that say what something is like, against those that say what it does or where it is."""
    return frame.adjective is None


def _of_predicates(premise: Frame, hypothesis: Frame) -> str | None:
    """The label as far as everything but the subjects is concerned."""
    below, above = _predicate_below(premise, hypothesis), _predicate_below(hypothesis, premise)
    excluded = _excluded_predicates(premise, hypothesis)
    if excluded is None or (excluded and premise.negated and premise.adjective):
        return None  # what is not big may count as small, or not
    if premise.negated and hypothesis.negated:
        return "entailment" if above else "neutral"
    if premise.negated:
        return "contradiction" if above else "neutral"
    if hypothesis.negated:
        return "contradiction" if below else "entailment" if excluded else "neutral"
    return "entailment" if below else "contradiction" if excluded else "neutral"


@cache
def _noun_below(special: Noun, general: Noun) -> bool:
    """Whether whatever is called ``special`` may also be called ``general``."""
    same_sex = special.sex == general.sex or special.concept != general.concept
    return (
        general.concept in lexicon.ancestors(special.concept)
        and same_sex
        and special.plural == general.plural
        and general.adjective in (None, special.adjective)
        and general.count in (None, special.count)
    )


@cache
def _excluded_nouns(one: Noun, other: Noun) -> bool:
    """Whether nothing can be called both."""
    apart = one.concept not in lexicon.ancestors(other.concept) and other.concept not in lexicon.ancestors(one.concept)
    sexes = one.concept == other.concept and one.sex != other.sex
    counts = None not in (one.count, other.count) and one.count != other.count
    return apart or sexes or counts or _excluded_adjectives(one.adjective, other.adjective)


def _excluded_adjectives(one: str | None, other: str | None) -> bool:
    """Whether two adjectives are of one set, and not the same."""
    if one is None or other is None or one == other:
        return False
    return lexicon.adjective_set(one) == lexicon.adjective_set(other)


def _predicate_below(special: Frame, general: Frame) -> bool:
    """Whether what ``special`` says of its subject holds only where what ``general`` says holds."""
    if general.adjective:
        return special.adjective == general.adjective
    if general.place and (special.place is None or general.place not in lexicon.ancestors(special.place)):
        return False
    if general.verb == BE:
        return True
    if special.verb != general.verb:
        return False
    if general.object is None or special.object is None:
        return general.object is None
    return _noun_below(special.object, general.object)


def _excluded_predicates(one: Frame, other: Frame) -> bool | None:
    """Whether both cannot hold of one subject; None where that is not certain."""
    if one.adjective and other.adjective:
        return _excluded_adjectives(one.adjective, other.adjective)
    places = bool(one.place and other.place) and _excluded_places(one.place, other.place)
    if BE in (one.verb, other.verb):
        return places
    if one.verb != other.verb:
        verbs = lexicon.data()["verbs"]
        groups = {verbs[one.verb].get("set"), verbs[other.verb].get("set")}
        return True if len(groups) == 1 and None not in groups else None
    if one.object is None or other.object is None:
        return places
    if one.object.plural != other.object.plural or one.object.definite != other.object.definite:
        names = lexicon.names()
        if one.object.plural != other.object.plural or not {one.object.concept, other.object.concept} & set(names):
            return None
    return places or _excluded_nouns(one.object, other.object)


def _excluded_places(one: str | None, other: str | None) -> bool:
    """Whether one cannot be at both; a site can be in any city."""
    sites = lexicon.data()["sites"]
    if (one in sites) != (other in sites):
        return False
    return one not in lexicon.ancestors(str(other)) and other not in lexicon.ancestors(str(one))
