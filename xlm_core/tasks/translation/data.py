"""What a translator learns, micro-batch by micro-batch (paper, sections 4.2 and 4.3).

| step | source | target |
|---|---|---|
| ae | a sentence with noise | the sentence |
| bt | the model's own translation of the sentence | the sentence |
| mt | a sentence | its translation |
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import nn

from xlm_core.config import ModelConfig, TranslationTraining
from xlm_core.data.buckets import LengthBucketedDataset, Records
from xlm_core.data.noise import add_noise
from xlm_core.data.packed_sequences import PackedSequences, sentence_batch
from xlm_core.errors import ConfigError
from xlm_core.languages import pair, sides
from xlm_core.metrics.loss import LossSum
from xlm_core.model.decoding import greedy
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.objectives import translation_batch
from xlm_core.tasks.pretraining.data import Corpora
from xlm_core.tasks.pretraining.memory import parts_per_update, tokens_of_part
from xlm_core.tasks.translation.generate import limits_of
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.train import schedule
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.step import Part, dropout_seed

LOG = logging.getLogger(__name__)
TAG = 6  # keeps these random numbers apart from those of other modules


class Step(NamedTuple):
    """One objective in one direction; "ae" has one language as both."""

    kind: Literal["ae", "bt", "mt"]
    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.source}-{self.target}"

    @classmethod
    def parse(cls, text: str) -> "Step":
        """A step as ``str`` writes it."""
        kind, directions = text.split(".")
        source, target = directions.split("-")
        return cls(kind, source, target)


@dataclass(frozen=True)
class TranslationBatches:
    """What a translator learns, batch by batch; which batch is which depends on the seed and on numbers alone.

    steps      the objectives, which take turns or make an update together
    sentences  language -> its sentences, for ae and bt
    pairs      pair -> sentences and their translations, for mt
    ids        language -> id
    words      the vocabulary
    settings   of the training
    seed       of the run
    """

    steps: Sequence[Step]
    sentences: Mapping[str, LengthBucketedDataset]
    pairs: Mapping[str, LengthBucketedDataset]
    ids: Mapping[str, int]
    words: Vocabulary
    settings: TranslationTraining
    seed: int

    def of_update(self, update: int) -> list[tuple[Step, int, float]]:
        """The micro-batches of an update: step, number of the batch among those of its step, weight of its loss.

        A step whose weight has fallen to zero loses its turn.
        """
        weighted = [(step, schedule.weight(update, getattr(self.settings.weights, step.kind))) for step in self.steps]
        active = [(step, weight) for step, weight in weighted if weight > 0]
        if not active:
            raise ConfigError(f"no objective has a weight above 0 at update {update}; see the weights of the training")
        turn = update
        if self.settings.updates == "in_turn":
            turn, place = divmod(update, len(active))
            active = [active[place]]
        numbers = range(turn * self.n_batches, (turn + 1) * self.n_batches)
        return [(step, number, weight) for step, weight in active for number in numbers]

    @property
    def n_batches(self) -> int:
        """Micro-batches of a step in an update, over all processes."""
        return parts_per_update(self.settings)

    def texts(self, step: Step, ordinal: int) -> tuple[PackedSequences | None, PackedSequences]:
        """Source and target of a batch; the source is None where the model is to make it itself."""
        if step.kind == "mt":
            key = pair(step.source, step.target)
            pairs, columns = self.pairs[key], sides(key)
            numbers = pairs.batch(ordinal)
            return pairs.side(numbers, columns.index(step.source)), pairs.side(numbers, columns.index(step.target))
        target = self.sentences[step.target].side(self.sentences[step.target].batch(ordinal))
        if step.kind == "bt":
            return None, target
        rng = np.random.default_rng([self.seed, TAG, self.ids[step.target], ordinal])
        return add_noise(target, self.words.begins_word(target.tokens), self.settings.noise, rng), target


def training_objectives(
    corpora: Corpora,
    steps: Sequence[Step],
    ids: Mapping[str, int],
    words: Vocabulary,
    model: ModelConfig,
    settings: TranslationTraining,
    seed: int,
) -> TranslationBatches:
    """The text of every step, in batches."""
    spoken = dict.fromkeys(step.target for step in steps if step.kind != "mt")
    translated = dict.fromkeys(pair(step.source, step.target) for step in steps if step.kind == "mt")
    return TranslationBatches(
        steps=steps,
        sentences={language: _sentences(corpora, language, ids, settings, model, seed) for language in spoken},
        pairs={key: pairs_of(corpora, key, settings, model, seed) for key in translated},
        ids=ids,
        words=words,
        settings=settings,
        seed=seed,
    )


def _sentences(
    corpora: Corpora,
    language: str,
    ids: Mapping[str, int],
    settings: TranslationTraining,
    model: ModelConfig,
    seed: int,
) -> LengthBucketedDataset:
    """The sentences of one language."""
    stores = [(store, (column,)) for store, column in corpora.monolingual[language]]
    return _buckets(stores, settings, model, (seed, ids[language]), f"text of '{language}'")


def pairs_of(
    corpora: Corpora, key: str, settings: TranslationTraining, model: ModelConfig, seed: int
) -> LengthBucketedDataset:
    """The sentences of one pair of languages."""
    stores = [(store, (0, 1)) for store in corpora.parallel[key]]
    return _buckets(stores, settings, model, (seed,), f"pairs of '{key}'")


def _buckets(
    records: Records, settings: TranslationTraining, model: ModelConfig, seed: tuple[int, ...], place: str
) -> LengthBucketedDataset:
    """Records in batches; says how many of them are left out."""
    n_sides = len(records[0][1])
    buckets = LengthBucketedDataset(
        records,
        max_tokens=n_sides * settings.max_tokens,
        max_positions=min(settings.max_tokens, model.max_positions),
        micro_batch_tokens=n_sides * tokens_of_part(settings),
        seed=seed,
        place=place,
    )
    if skipped := {reason: count for reason, count in buckets.skipped.items() if count}:
        LOG.warning("%s: %d are used, skipped are %s", place, len(buckets), skipped)
    return buckets


def parts_of(
    lessons: TranslationBatches, translator: EncoderDecoder, loss: nn.Module, processes: DistributedContext
) -> Callable[[int], list[Part]]:
    """What gives the micro-batches of an update, those of this process; their texts are prepared when it is called."""
    settings, device = lessons.settings, processes.device
    most = len(lessons.steps) * lessons.n_batches  # micro-batches of an update

    def back_translated(target: PackedSequences, step: Step) -> PackedSequences:
        translator.eval()
        limits = limits_of(
            target.lengths, settings.max_length_a, settings.max_length_b, translator.decoder.config.max_positions
        )
        source = sentence_batch(target, lessons.ids[step.target]).to(device)
        made = greedy(translator, source, lessons.ids[step.source], torch.from_numpy(limits).to(device))
        translator.train()
        return PackedSequences.of(made)

    def part(step: Step, ordinal: int, weight: float, number: int) -> Part:
        given, target = lessons.texts(step, ordinal)
        languages = (lessons.ids[step.source], lessons.ids[step.target])
        prepared = None if given is None else translation_batch(given, target, languages)

        def compute() -> LossSum:
            batch = prepared or translation_batch(back_translated(target, step), target, languages)
            return loss(batch.to(device))

        count = int(target.lengths.sum()) + len(target.lengths)
        return Part(str(step), count, count, dropout_seed(lessons.seed, number), compute, weight)

    def parts(update: int) -> list[Part]:
        drawn = lessons.of_update(update)
        return [part(*drawn[number], update * most + number) for number in processes.share(len(drawn))]

    return parts
