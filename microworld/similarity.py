"""Similarity: how much two frames share, from 0 to 5."""

from microworld import lexicon
from microworld.frames import Frame, Noun

HIGHEST = 5.0
DENIED = 0.6  # what is left of the similarity where one denies what the other says


def similarity(one: Frame, other: Frame) -> float:
    """The share of the parts that agree of those that either frame has, times five; half where they are related.

    A part is the subject, the verb, the object, the place, or what the subject is like.
    """
    pairs = [
        (one.subject, other.subject),
        (one.verb, other.verb),
        (one.object, other.object),
        (one.place, other.place),
        (one.adjective, other.adjective),
    ]
    there = [pair for pair in pairs if pair != (None, None)]
    shared = sum(_alike(*pair) for pair in there) / len(there)
    return HIGHEST * shared * (DENIED if one.negated != other.negated else 1.0)


def _alike(one: Noun | str | None, other: Noun | str | None) -> float:
    """How much of one part two frames share, from 0 to 1."""
    if one is None or other is None:
        return 0.0
    if isinstance(one, Noun) and isinstance(other, Noun):
        looks = (one.plural, one.count, one.adjective) == (other.plural, other.count, other.adjective)
        return _related(one.concept, other.concept) * (1.0 if looks else 0.75)
    return _related(str(one), str(other))


def _related(one: str, other: str) -> float:
    """1 for the same concept, half for one above the other, or for two directly below the same."""
    if one == other:
        return 1.0
    is_above = one in lexicon.ancestors(other) or other in lexicon.ancestors(one)
    above = lexicon.parent(one)
    return 0.5 if is_above or (above is not None and above == lexicon.parent(other)) else 0.0
