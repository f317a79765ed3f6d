"""Inference: labelled pairs of sentences whose label cannot be guessed from either sentence alone.

The hypothesis is drawn first, then a premise. A pair is used only in company of pairs of the same form (which parts
premise and hypothesis have, how special they are) for the other labels, so that no form is more frequent under one
label. For the same reason the share of denials among the hypotheses is the same under each label.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from xlm_core.microworld import edits, lexicon
from xlm_core.microworld.drawing import action, attribute, chance, counted, described, name, pick, somewhere, thing
from xlm_core.microworld.frames import BE, Frame, Noun
from xlm_core.microworld.meaning import LABELS, label

HYPOTHESIS_NEGATED = 0.4  # share; premises affirm, because what a denial leaves to follow from it tells of the label
PREMISES = 4  # drawn for one hypothesis
MAX_EDITS = 4


class Pair(NamedTuple):
    """A premise, a hypothesis and how they are related."""

    premise: Frame
    hypothesis: Frame
    label: str


def pairs(rng: np.random.Generator, n_pairs: int) -> Iterator[Pair]:
    """``n_pairs`` different pairs; the numbers of the labels differ by at most one."""
    seen: set[tuple[Frame, Frame]] = set()
    waiting: dict[bool, dict[tuple, dict[str, Pair]]] = {False: {}, True: {}}
    for wanted in _labels(rng, n_pairs):
        negated = chance(rng, HYPOTHESIS_NEGATED)
        found = None
        while found is None or _as_read(found) in seen:
            found = _alike(rng, negated, waiting[negated])[wanted]
        seen.add(_as_read(found))
        yield found


def _as_read(pair: Pair) -> tuple[Frame, Frame]:
    """The sentences of a pair without the sex of people, which not every language tells.

    Pairs that differ in nothing else read alike in some language, and must not come to lie in two splits.
    """
    premise, hypothesis = (
        frame._replace(subject=frame.subject._replace(sex="m"), object=frame.object and frame.object._replace(sex="m"))
        for frame in (pair.premise, pair.hypothesis)
    )
    return premise, hypothesis


def _labels(rng: np.random.Generator, n_pairs: int) -> list[str]:
    """The labels in random order."""
    return [LABELS[i] for i in rng.permutation(np.arange(n_pairs) % len(LABELS))]


def _alike(rng: np.random.Generator, negated: bool, waiting: dict[tuple, dict[str, Pair]]) -> dict[str, Pair]:
    """One pair for each label, all of one form; ``negated`` are their hypotheses.

    Pairs are drawn until one completes its form; those of other forms stay in ``waiting`` for their turn.
    """
    while True:
        hypothesis = _hypothesis(rng, negated=negated)
        for _ in range(PREMISES):
            premise = _edited(rng, hypothesis)._replace(negated=False)
            if premise == hypothesis or _awkward(premise):
                continue
            relation = label(premise, hypothesis)
            if relation is None:
                continue
            form = (_form(premise), _form(hypothesis))
            alike = waiting.setdefault(form, {})
            alike[relation] = Pair(premise, hypothesis, relation)
            if len(alike) == len(LABELS):
                return waiting.pop(form)


def _hypothesis(rng: np.random.Generator, negated: bool) -> Frame:
    """A frame of any generality."""
    while True:
        found = _anything(rng)
        for _ in range(int(rng.random() * 3)):
            found = edits.weaken(rng, found) or found
        found = found._replace(negated=negated)
        if not _awkward(found):
            return found


def _anything(rng: np.random.Generator) -> Frame:
    """What somebody does, what something is like, or where it is."""
    if chance(rng, 0.25):
        subject = _subject(rng, ("animal", "person", "vehicle", "instrument", "device", "garment", "text", "fruit"))
        return attribute(rng, subject)
    subject = name(rng) if chance(rng, 0.4) else _subject(rng, ("animal", "person"))
    place = somewhere(rng) if chance(rng, 0.7) else None
    return Frame(subject, BE, place=place) if place and chance(rng, 0.2) else action(rng, subject, place)


def _subject(rng: np.random.Generator, kinds: tuple[str, ...]) -> Noun:
    """Something known, at times with an adjective or a number."""
    found = thing(rng, (pick(rng, kinds),))
    found = found if "person" in lexicon.ancestors(found.concept) else counted(rng, found, 0.25)
    return described(rng, found, 0.35)


def _awkward(frame: Frame) -> bool:
    """Whether the frame is better not said: an exact number under a denial, or nobody doing anything to themselves."""
    counted_denial = frame.negated and frame.object is not None and frame.object.count is not None
    return counted_denial or (frame.object is not None and frame.object.concept == frame.subject.concept)


def _edited(rng: np.random.Generator, frame: Frame) -> Frame:
    """A frame some random edits away, at most one of which excludes the original."""
    found = frame
    excluded = False
    for _ in range(1 + int(rng.random() * MAX_EDITS)):
        way = rng.random()
        if way < 0.25 and not excluded:
            changed = edits.exclude(rng, found)
            excluded = changed is not None
        else:
            changed = (edits.weaken if way < 0.45 else edits.strengthen if way < 0.8 else edits.turn)(rng, found)
        found = changed or found
    return found


def _form(frame: Frame) -> tuple:
    """What a reader of one sentence sees of its generality: its parts and how special they are."""
    place = frame.place and frame.place in lexicon.data()["countries"]
    return (frame.verb == BE, _noun_form(frame.subject), frame.object and _noun_form(frame.object), place)


def _noun_form(noun: Noun) -> tuple:
    """The parts of a noun phrase, and whether there is anything more general or more special than its noun."""
    is_top, is_leaf = lexicon.parent(noun.concept) is None, not lexicon.children(noun.concept)
    return (is_top, is_leaf, noun.concept in lexicon.names(), noun.adjective is None)
