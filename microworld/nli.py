"""Natural language inference: labelled pairs of sentences, made as those of MultiNLI were, in the layout of XNLI.

A premise has three hypotheses: one that follows from it, one that contradicts it, and one that is open; one of the
three is kept. So the premise alone does not reveal the label, and the hypothesis alone reveals some of it, as in
MultiNLI (Gururangan et al. 2018): what follows is often more general, and what is open is often more specific.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from microworld.entailment import LABELS, label
from microworld.lexicon import Frame
from microworld.perturbations import contradict, generalize, specialize, vary
from microworld.render import detokenized, text, tokens
from microworld.sampling import bernoulli, is_awkward, sample_frame
from xlm_core.config import Microworld

NEGATED = 0.15  # fraction of the hypotheses drawn that are negated; premises affirm
SAME_LOCATION = 0.05  # fraction kept of the hypotheses that do not change the location, which the task is centered on
HYPOTHESES = 60  # drawn for one premise, before another is tried
MAX_PERTURBATIONS = 2
EVALUATION_COLUMNS = (
    "language", "gold_label", "sentence1_binary_parse", "sentence2_binary_parse", "sentence1_parse", "sentence2_parse",
    "sentence1", "sentence2", "promptID", "pairID", "genre", "label1", "label2", "label3", "label4", "label5",
    "sentence1_tokenized", "sentence2_tokenized", "match",
)  # fmt: skip
ORIGINAL = "en"  # XNLI is translated from it, and to it
TRAINING_COLUMNS = ("premise", "hypo", "label")
TRAINING_LABELS = {"contradiction": "contradictory"}  # the published training tables have this spelling
Streams = Callable[[str], np.random.Generator]  # name -> random stream


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
    hypothesis = _perturbed(rng, premise)._replace(negated=bernoulli(rng, NEGATED))
    if hypothesis == premise or is_awkward(hypothesis):
        return None
    if hypothesis.location == premise.location and not bernoulli(rng, SAME_LOCATION):
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


def _perturbed(rng: np.random.Generator, frame: Frame) -> Frame:
    """Apply random perturbations, at most one of which contradicts the frame."""
    contradicted = False
    for _ in range(1 + int(rng.random() * MAX_PERTURBATIONS)):
        kind = rng.random()
        if kind < 0.25 and not contradicted:
            changed = contradict(rng, frame)
            contradicted = changed is not None
        else:
            changed = (generalize if kind < 0.45 else specialize if kind < 0.8 else vary)(rng, frame)
        frame = changed or frame
    return frame


def add_translation_errors(
    sentences: Sequence[Sequence[str]], rate: float, rng: np.random.Generator
) -> list[list[str]]:
    """Return right translations with the errors of a machine: words left out, misplaced and mistaken.

    Args:
        sentences: tokens, the last of each a full stop, which stays.
        rate: probability of an error at a word: it is left out, changes places with the next one, or becomes another
            word that occurs in ``sentences``.
        rng: draws the errors.
    """
    vocabulary = sorted({word for sentence in sentences for word in sentence[:-1]})
    return [_with_errors(sentence, rate, vocabulary, rng) for sentence in sentences]


def _with_errors(
    sentence: Sequence[str], rate: float, vocabulary: Sequence[str], rng: np.random.Generator
) -> list[str]:
    output: list[str] = []
    remaining = list(sentence[:-1])
    while remaining:
        word = remaining.pop(0)
        if rng.random() >= rate:
            output.append(word)
            continue
        kind = int(rng.random() * 3)
        if kind == 0 and remaining:
            output += [remaining.pop(0), word]
        elif kind == 1:
            output.append(vocabulary[int(rng.random() * len(vocabulary))])
    return [*(output or sentence[:1]), sentence[-1]]


def archives(world: Microworld, languages: Sequence[str], streams: Streams) -> dict[str, dict[str, str]]:
    """Return archive of XNLI, evaluation or training -> its members, by their names."""
    ends = np.cumsum([world.nli_valid, world.nli_test, world.nli_train])
    rows = list(pairs(streams("inference"), int(ends[-1])))
    valid, test, train = rows[: ends[0]], rows[ends[0] : ends[1]], rows[ends[1] :]
    evaluation = {
        "XNLI-1.0/xnli.dev.tsv": _evaluation_table(valid, languages, 0),
        "XNLI-1.0/xnli.test.tsv": _evaluation_table(test, languages, len(valid)),
    }
    training = {}
    for language in languages:
        rate = 0.0 if language == ORIGINAL else world.translation_errors
        sentences = _translated(train, language, rate, streams(f"train.{language}"))
        labels = [TRAINING_LABELS.get(row.label, row.label) for row in train]
        training[f"XNLI-MT-1.0/multinli/multinli.train.{language}.tsv"] = _table(sentences, labels, " ".join)
    for split, part in (("dev", valid), ("test", test)):
        for language in languages:
            if language != ORIGINAL:
                name = f"{split}.{language}.{ORIGINAL}"
                sentences = _translated(part, ORIGINAL, world.translation_errors, streams(name))
                training[f"XNLI-MT-1.0/xnli/xnli.{name}.tsv"] = _table(
                    sentences, [row.label for row in part], detokenized
                )
    return {"evaluation": evaluation, "training": training}


def _evaluation_table(rows: list[Pair], languages: Sequence[str], first: int) -> str:
    """Return all languages below each other, in the same order of pairs; ``first`` is the number of the first pair."""
    lines = ["\t".join(EVALUATION_COLUMNS)]
    for language in sorted(languages):
        for number, row in enumerate(rows, first + 1):
            values = dict.fromkeys(EVALUATION_COLUMNS, "") | {
                "language": language,
                "gold_label": row.label,
                "sentence1": text(row.premise, language),
                "sentence2": text(row.hypothesis, language),
                "promptID": str(number),
                "pairID": str(number),
                "genre": "microworld",
                "sentence1_tokenized": " ".join(tokens(row.premise, language)),
                "sentence2_tokenized": " ".join(tokens(row.hypothesis, language)),
                "match": "True",
            }
            values |= {f"label{judge}": row.label for judge in range(1, 6)}
            lines.append("\t".join(values.values()))
    return "\n".join(lines) + "\n"


def _translated(
    rows: list[Pair], language: str, rate: float, rng: np.random.Generator
) -> list[tuple[list[str], list[str]]]:
    """Return premise and hypothesis of every pair in ``language``, with errors."""
    sentences = [tokens(frame, language) for row in rows for frame in (row.premise, row.hypothesis)]
    translations = add_translation_errors(sentences, rate, rng)
    return list(zip(translations[::2], translations[1::2], strict=True))


def _table(sentences: list[tuple[list[str], list[str]]], labels: list[str], join: Callable[[list[str]], str]) -> str:
    """Return rows of premise, hypothesis and label below their header."""
    rows = [(*map(join, pair), label) for pair, label in zip(sentences, labels, strict=True)]
    return "".join("\t".join(row) + "\n" for row in (TRAINING_COLUMNS, *rows))
