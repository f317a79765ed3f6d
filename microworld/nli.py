"""Natural language inference: labelled pairs of sentences, made as MultiNLI was made, and errors of translation.

A premise has three hypotheses: one that follows from it, one that contradicts it, and one that is open; one of the
three is kept. So the premise alone does not reveal the label, and the hypothesis alone reveals some of it, as in
MultiNLI (Gururangan et al. 2018): what follows is often more general, and what is open is often more specific. No
sentence has a negation: the labels depend on content words, and not on how a language denies.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from microworld.entailment import LABELS, label
from microworld.lexicon import Frame
from microworld.sampling import choice, contradict, generalize, is_awkward, sample_frame, specialize, vary

HYPOTHESES = 60  # drawn for one premise, before another is tried


class Pair(NamedTuple):
    """A premise, a hypothesis and how they are related."""

    premise: Frame
    hypothesis: Frame
    label: str


def pairs(rng: np.random.Generator, n_pairs: int) -> Iterator[Pair]:
    """Yield ``n_pairs`` different pairs in random order; the numbers of the labels differ by at most one."""
    seen: set[tuple[Frame, Frame]] = set()
    for number in rng.permutation(np.arange(n_pairs) % len(LABELS)):
        pair = None
        while pair is None or _without_sex(pair) in seen:
            pair = pairs_of_premise(rng)[LABELS[number]]
        seen.add(_without_sex(pair))
        yield pair


def _without_sex(pair: Pair) -> tuple[Frame, Frame]:
    """Return the sentences of a pair without the sex of people, which not every language marks.

    Pairs that differ in nothing else have the same text in some language, and must not be in two splits.
    """
    premise, hypothesis = (
        frame._replace(subject=frame.subject._replace(sex="m"), object=frame.object and frame.object._replace(sex="m"))
        for frame in (pair.premise, pair.hypothesis)
    )
    return premise, hypothesis


def pairs_of_premise(rng: np.random.Generator) -> dict[str, Pair]:
    """Return a pair for each label, all with the same premise."""
    while True:
        premise = _premise(rng)
        by_label: dict[str, Pair] = {}
        for _ in range(HYPOTHESES):
            pair = _candidate(rng, premise)
            if pair:
                by_label.setdefault(pair.label, pair)
            if len(by_label) == len(LABELS):
                return by_label


def _candidate(rng: np.random.Generator, premise: Frame) -> Pair | None:
    """Return a random hypothesis with its label; None if it is rejected, or people would not agree on a label."""
    hypothesis = _perturbed(rng, premise)
    if hypothesis is None or is_awkward(hypothesis):
        return None
    relation = label(premise, hypothesis)
    return Pair(premise, hypothesis, relation) if relation else None


def _premise(rng: np.random.Generator) -> Frame:
    """Sample a frame of any generality."""
    while True:
        frame = sample_frame(rng)
        for _ in range(int(rng.random() * 3)):
            frame = generalize(rng, frame) or frame
        if not is_awkward(frame):
            return frame


def _perturbed(rng: np.random.Generator, frame: Frame) -> Frame | None:
    """Apply a random perturbation; None where it does not apply."""
    kind = rng.random()
    perturbation = contradict if kind < 0.25 else generalize if kind < 0.45 else specialize if kind < 0.8 else vary
    return perturbation(rng, frame)


def add_translation_errors(
    sentences: Sequence[Sequence[str]], rate: float, rng: np.random.Generator
) -> Iterator[list[str]]:
    """Yield right translations with the errors of a machine: words left out, misplaced and mistaken.

    Args:
        sentences: tokens, the last of each a full stop, which stays.
        rate: probability of an error at a word: it is left out, changes places with the next one, or becomes another
            word that occurs in ``sentences``.
        rng: draws the errors.
    """
    vocabulary = sorted({word for sentence in sentences for word in sentence[:-1]})
    for *remaining, end in sentences:
        first, output = remaining[:1], list[str]()
        while remaining:
            word = remaining.pop(0)
            kind = int(rng.random() * 3) if rng.random() < rate else None
            if kind is None:
                output.append(word)
            elif kind == 0 and remaining:
                output += [remaining.pop(0), word]
            elif kind == 1:
                output.append(choice(rng, vocabulary))
        yield [*(output or first), end]
