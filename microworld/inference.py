"""Inference: labelled pairs of sentences, made as those of MultiNLI were.

To a premise belong three hypotheses: one that follows from it, one that it excludes, and one that may be so or not. One
of the three is kept. So the premise alone tells nothing of the label, and the hypothesis alone tells some of it, as in
MultiNLI (Gururangan et al. 2018): what follows is often more general, and what is open often says more.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from microworld import edits, lexicon
from microworld.drawing import action, attribute, chance, counted, described, name, pick, somewhere, thing
from microworld.frames import BE, Frame, Noun
from microworld.meaning import LABELS, label

NEGATED = 0.15  # share of the hypotheses drawn; premises affirm
SAME_PLACE = 0.05  # share that is kept of the hypotheses that change nothing about the place, on which the task dwells
HYPOTHESES = 60  # drawn for one premise, before another is tried
MAX_EDITS = 2


class Pair(NamedTuple):
    """A premise, a hypothesis and how they are related."""

    premise: Frame
    hypothesis: Frame
    label: str


def pairs(rng: np.random.Generator, n_pairs: int) -> Iterator[Pair]:
    """``n_pairs`` different pairs; the numbers of the labels differ by at most one."""
    seen: set[tuple[Frame, Frame]] = set()
    for wanted in _labels(rng, n_pairs):
        found = None
        while found is None or _as_read(found) in seen:
            found = one_of_each(rng)[wanted]
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


def one_of_each(rng: np.random.Generator) -> dict[str, Pair]:
    """A pair for each label, all with the same premise."""
    while True:
        premise, found = _premise(rng), {}
        for _ in range(HYPOTHESES):
            pair = _candidate(rng, premise)
            if pair:
                found.setdefault(pair.label, pair)
            if len(found) == len(LABELS):
                return found


def _candidate(rng: np.random.Generator, premise: Frame) -> Pair | None:
    """A random hypothesis with its label; None if it is not to be used, or people would not agree on one."""
    hypothesis = _edited(rng, premise)._replace(negated=chance(rng, NEGATED))
    if hypothesis == premise or awkward(hypothesis):
        return None
    if hypothesis.place == premise.place and not chance(rng, SAME_PLACE):
        return None
    relation = label(premise, hypothesis)
    return Pair(premise, hypothesis, relation) if relation else None


def _premise(rng: np.random.Generator) -> Frame:
    """A frame of any generality."""
    while True:
        found = anything(rng)
        for _ in range(int(rng.random() * 3)):
            found = edits.weaken(rng, found) or found
        if not awkward(found):
            return found


def anything(rng: np.random.Generator) -> Frame:
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


def awkward(frame: Frame) -> bool:
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
