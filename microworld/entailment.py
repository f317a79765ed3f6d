"""Entailment of two frames, and their similarity.

The convention is the usual one of natural language inference: both sentences describe one situation, with the same
subject, one action and one object at one location. The subject is known, so a hypothesis may always name it more
generally. A negation reverses the direction in which the rest may become more general.
"""

from functools import cache

from microworld import lexicon
from microworld.lexicon import BE, Frame, Noun

LABELS = ("entailment", "neutral", "contradiction")
MAX_SIMILARITY = 5.0
NEGATION_FACTOR = 0.6  # multiplies the similarity of two frames of which one is negated


def label(premise: Frame, hypothesis: Frame) -> str | None:
    """Return one of ``LABELS``; None where people would not agree or the two describe different things.

    Frames that name the class of something ("the dog is a mammal") have no label: they hold in every situation.
    """
    if any(frame.verb == BE and frame.object for frame in (premise, hypothesis)):
        return None
    if (premise.adjective is None) != (hypothesis.adjective is None):
        return None  # what something is like, against what it does or where it is
    if _nouns_exclude(premise.subject, hypothesis.subject) or premise.subject.plural != hypothesis.subject.plural:
        return None
    relation = _predicate_label(premise, hypothesis)
    if _noun_implies(premise.subject, hypothesis.subject):
        return relation
    return "neutral" if relation in ("entailment", "neutral") else None


def _predicate_label(premise: Frame, hypothesis: Frame) -> str | None:
    """Return the label as if both subjects were the same."""
    implies, implied = _predicate_implies(premise, hypothesis), _predicate_implies(hypothesis, premise)
    excludes = _predicates_exclude(premise, hypothesis)
    if excludes is None or (excludes and premise.negated and premise.adjective):
        return None  # what is not big may count as small, or not
    if premise.negated and hypothesis.negated:
        return "entailment" if implied else "neutral"
    if premise.negated:
        return "contradiction" if implied else "neutral"
    if hypothesis.negated:
        return "contradiction" if implies else "entailment" if excludes else "neutral"
    return "entailment" if implies else "contradiction" if excludes else "neutral"


@cache
def _noun_implies(special: Noun, general: Noun) -> bool:
    """Return whether everything called ``special`` may also be called ``general``."""
    return (
        general.concept in lexicon.ancestors(special.concept)
        and (special.sex == general.sex or special.concept != general.concept)
        and special.plural == general.plural
        and general.adjective in (None, special.adjective)
        and general.number in (None, special.number)
    )


@cache
def _nouns_exclude(first: Noun, second: Noun) -> bool:
    """Return whether nothing can be called both."""
    return (
        not _are_related(first.concept, second.concept)
        or (first.concept == second.concept and first.sex != second.sex)
        or (None not in (first.number, second.number) and first.number != second.number)
        or _adjectives_exclude(first.adjective, second.adjective)
    )


@cache
def _are_related(first: str, second: str) -> bool:
    """Return whether two concepts are the same, or one is above the other."""
    return first in lexicon.ancestors(second) or second in lexicon.ancestors(first)


def _adjectives_exclude(first: str | None, second: str | None) -> bool:
    """Return whether two adjectives are of one set, and not the same."""
    if first is None or second is None or first == second:
        return False
    return lexicon.ADJECTIVE_SETS[first] == lexicon.ADJECTIVE_SETS[second]


def _predicate_implies(special: Frame, general: Frame) -> bool:
    """Return whether the predicate of ``special`` holds only where the predicate of ``general`` holds."""
    if general.adjective:
        return special.adjective == general.adjective
    if general.location and (special.location is None or general.location not in lexicon.ancestors(special.location)):
        return False
    if general.verb == BE:
        return True
    if special.verb != general.verb:
        return False
    if general.object is None or special.object is None:
        return general.object is None
    return _noun_implies(special.object, general.object)


def _predicates_exclude(first: Frame, second: Frame) -> bool | None:
    """Return whether both predicates cannot hold of one subject; None where that is not certain."""
    if first.adjective and second.adjective:
        return _adjectives_exclude(first.adjective, second.adjective)
    locations = bool(first.location and second.location) and _locations_exclude(first.location, second.location)
    if BE in (first.verb, second.verb):
        return locations
    if first.verb != second.verb:
        groups = {lexicon.VERBS[frame.verb].get("set") for frame in (first, second)}
        return True if len(groups) == 1 and None not in groups else None
    if first.object is None or second.object is None:
        return locations
    if first.object.plural != second.object.plural:
        return None
    has_name = bool({first.object.concept, second.object.concept} & lexicon.NAMES.keys())
    if first.object.definite != second.object.definite and not has_name:
        return None
    return locations or _nouns_exclude(first.object, second.object)


def _locations_exclude(first: str | None, second: str | None) -> bool:
    """Return whether nobody can be at both; a site can be in any city."""
    if (first in lexicon.SITES) != (second in lexicon.SITES):
        return False
    return not _are_related(str(first), str(second))


def similarity(first: Frame, second: Frame) -> float:
    """Return how much two frames share, from 0 to ``MAX_SIMILARITY``.

    The parts are the subject, the verb, the object, the location and the attribute; the result is the share of those
    that agree, of all that either frame has. Related parts count half.
    """
    pairs: list[tuple[Noun | str | None, Noun | str | None]] = [
        (first.subject, second.subject),
        (first.verb, second.verb),
        (first.object, second.object),
        (first.location, second.location),
        (first.adjective, second.adjective),
    ]
    present = [pair for pair in pairs if pair != (None, None)]
    shared = sum(_part_similarity(*pair) for pair in present) / len(present)
    return MAX_SIMILARITY * shared * (NEGATION_FACTOR if first.negated != second.negated else 1.0)


def _part_similarity(first: Noun | str | None, second: Noun | str | None) -> float:
    """Return how much two frames share of one part, from 0 to 1."""
    if first is None or second is None:
        return 0.0
    if isinstance(first, Noun) and isinstance(second, Noun):
        same_form = (first.plural, first.number, first.adjective) == (second.plural, second.number, second.adjective)
        return _concept_similarity(first.concept, second.concept) * (1.0 if same_form else 0.75)
    return _concept_similarity(str(first), str(second))


def _concept_similarity(first: str, second: str) -> float:
    """Return 1 for the same concept, half for two of which one is above the other, or with the same parent."""
    if first == second:
        return 1.0
    parent = lexicon.PARENTS.get(first)
    return 0.5 if _are_related(first, second) or (parent and parent == lexicon.PARENTS.get(second)) else 0.0
