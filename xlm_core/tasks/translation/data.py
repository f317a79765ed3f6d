"""Training and validation data of translators (paper, sections 4.2 and 4.3).

| objective | source | target |
|---|---|---|
| ae | a sentence with noise | the sentence |
| bt | the model's own translation of the sentence | the sentence |
| mt | a sentence | its translation |
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch

from xlm_core import tsv
from xlm_core.config import ModelConfig, TranslationObjective, TranslationTraining
from xlm_core.data.batch import PackedSequences, sentence_batch
from xlm_core.data.buckets import N_ENDS, LengthBucketedDataset
from xlm_core.data.noise import add_noise
from xlm_core.data.objective_batches import TranslationBatch, translation_batch
from xlm_core.errors import ConfigError
from xlm_core.history import ObjectiveKey
from xlm_core.languages import is_pair, language_ids, pair, sides
from xlm_core.metrics.loss import LossSum
from xlm_core.model.decoding import decode
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.tasks.pretraining.data import TrainingCorpora, group_by_length
from xlm_core.tasks.pretraining.memory import check_processes, micro_batch_size, micro_batches_per_update
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.loop import MicroBatch, dropout_seed
from xlm_core.train.optimization import loss_weight

LOG = logging.getLogger(__name__)
RANDOM_STREAM = 6  # each module that draws numbers has another
LOSS_BATCH_SIZE = 32  # validation sentences whose loss is computed at once


@dataclass(frozen=True)
class TranslatorSettings:
    """Everything but files that the weights of a translator depend on.

    languages   all languages of the model
    objectives  of the training
    """

    languages: Sequence[str]
    objectives: Sequence[TranslationObjective]
    model: ModelConfig
    training: TranslationTraining
    seed: int

    def batches_of_update(self, update: int) -> list[tuple[TranslationObjective, int, float]]:
        """List the micro-batches of an update: objective, number of the batch among its own, weight of its loss.

        An objective whose weight has fallen to zero loses its turn.

        Raises:
            ConfigError: all weights are zero.
        """
        weights = self.training.loss_weights
        weighted = [(objective, loss_weight(update, getattr(weights, objective.kind))) for objective in self.objectives]
        active = [(objective, weight) for objective, weight in weighted if weight > 0]
        if not active:
            raise ConfigError(f"no objective has a weight above 0 at update {update}; see the weights of the training")
        turn = update
        if self.training.updates == "round_robin":
            turn, index = divmod(update, len(active))
            active = [active[index]]
        n_batches = micro_batches_per_update(self.training)
        numbers = range(turn * n_batches, (turn + 1) * n_batches)
        return [(objective, number, weight) for objective, weight in active for number in numbers]

    def check_processes(self, n_processes: int) -> None:
        """Refuse a training that has updates with fewer micro-batches than there are processes.

        Raises:
            ConfigError: at some update a process would have nothing to do.
        """
        schedules = [getattr(self.training.loss_weights, kind) for kind in ("ae", "bt", "mt")]
        changes = {0, *(update for schedule in schedules for update, _ in schedule)}
        sizes = [len(self.batches_of_update(update)) for update in changes if update < self.training.optim.max_updates]
        check_processes("translation: training", self.training, min(sizes), n_processes)


class TranslationBatches:
    """The training data of a translator: each batch is a function of the seed and of its number."""

    def __init__(self, corpora: TrainingCorpora, vocab: Vocabulary, settings: TranslatorSettings) -> None:
        """Group the text of every objective by length.

        Raises:
            CorpusError: a text is empty.
        """
        self.settings, self.ids, self._vocab = settings, language_ids(settings.languages), vocab
        self._datasets: dict[str, LengthBucketedDataset] = {}  # of sentences of a language, or of pairs
        training = settings.training
        for key in dict.fromkeys(map(_corpus_key, settings.objectives)):
            n_sides = len(sides(key))
            self._datasets[key] = group_by_length(
                corpora.records(key),
                (settings.seed,) if is_pair(key) else (settings.seed, self.ids[key]),
                f"{'pairs' if is_pair(key) else 'text'} of '{key}'",
                max_tokens=n_sides * training.max_tokens,
                max_positions=min(training.max_tokens, settings.model.max_positions),
                micro_batch_tokens=n_sides * micro_batch_size(training),
            )

    def texts(
        self, objective: TranslationObjective, batch_index: int
    ) -> tuple[PackedSequences | None, PackedSequences]:
        """Return source and target of a batch; the source is None where the model has to make it itself."""
        key = _corpus_key(objective)
        dataset = self._datasets[key]
        indices = dataset.indices(batch_index)
        target = dataset.column(indices, sides(key).index(objective.target))
        if objective.kind == "mt":
            return dataset.column(indices, sides(key).index(objective.source)), target
        if objective.kind == "bt":
            return None, target
        rng = np.random.default_rng([self.settings.seed, RANDOM_STREAM, self.ids[objective.target], batch_index])
        return add_noise(target, self._vocab.begins_word(target.tokens), self.settings.training.noise, rng), target


def _corpus_key(objective: TranslationObjective) -> str:
    """Return the pair that ``objective`` learns from, or the language."""
    return pair(objective.source, objective.target) if objective.kind == "mt" else objective.target


def micro_batches_of(
    batches: TranslationBatches, translator: EncoderDecoder, loss: Callable[..., LossSum], processes: DistributedContext
) -> Callable[[int], list[MicroBatch]]:
    """Make the function that prepares this process's micro-batches of an update."""
    settings, ids, device = batches.settings, batches.ids, processes.device
    n_per_update = len(settings.objectives) * micro_batches_per_update(settings.training)

    def back_translated(target: PackedSequences, objective: TranslationObjective) -> PackedSequences:
        translator.eval()
        source = sentence_batch(target, ids[objective.target]).to(device)
        with torch.compiler.set_stance("force_eager"):
            translations = decode(translator, source, ids[objective.source], settings.training.decoding)
        translator.train()
        return PackedSequences.from_lists([best.tokens for (best,) in translations])

    def micro_batch(objective: TranslationObjective, batch_index: int, weight: float, number: int) -> MicroBatch:
        given, target = batches.texts(objective, batch_index)
        languages = (ids[objective.source], ids[objective.target])
        prepared = None if given is None else translation_batch(given, target, languages)

        def compute() -> LossSum:
            batch = prepared or translation_batch(back_translated(target, objective), target, languages)
            return loss(batch.to(device))

        count = int(target.lengths.sum()) + len(target.lengths)
        key = ObjectiveKey(objective.kind, (objective.source, objective.target))
        return MicroBatch(key, count, count, dropout_seed(settings.seed, number), compute, weight)

    def micro_batches(update: int) -> list[MicroBatch]:
        drawn = settings.batches_of_update(update)
        return [
            micro_batch(*drawn[number], update * n_per_update + number) for number in processes.shard_range(len(drawn))
        ]

    return micro_batches


@dataclass(frozen=True)
class ValidationSet:
    """Validation sentences of one direction.

    source      ids of the tokens of each sentence
    languages   ids of both languages
    references  tokenized text of their translations
    batches     for the loss
    """

    source: Sequence[Sequence[int]]
    languages: tuple[int, int]
    references: Sequence[str]
    batches: Sequence[TranslationBatch]

    @classmethod
    def open(
        cls, paths: Mapping[str, Path], direction: tuple[str, str], vocab: Vocabulary, settings: TranslatorSettings
    ) -> Self:
        """Read the first sentences of a validation set in ``direction``; those too long for training are truncated.

        Args:
            paths: pair -> records of tokenized sentences and their translations.

        Raises:
            ConfigError: there is no validation set for the direction.
        """
        key, training = pair(*direction), settings.training
        if key not in paths:
            raise ConfigError(f"no validation set for {'-'.join(direction)}, only for {', '.join(paths)}; name one")
        rows = list(tsv.read(paths[key], len(sides(key))))
        used = rows[: training.max_valid_sentences]
        source, references = ([row[sides(key).index(language)] for row in used] for language in direction)
        max_tokens = min(training.max_tokens, settings.model.max_positions) - N_ENDS
        sentences, translations = (
            [encoded[:max_tokens] for encoded in vocab.encode(texts, language)]
            for texts, language in zip((source, references), direction, strict=True)
        )
        n_cut = sum(len(encoded) == max_tokens for encoded in sentences)
        LOG.info("validation of %s-%s uses %d of %d pairs, %d at most cut", *direction, len(used), len(rows), n_cut)
        ids = language_ids(settings.languages)
        languages = ids[direction[0]], ids[direction[1]]

        def packed(side: Sequence[Sequence[int]], start: int) -> PackedSequences:
            return PackedSequences.from_lists(side[start : start + LOSS_BATCH_SIZE])

        starts = range(0, len(used), LOSS_BATCH_SIZE)
        batches = [translation_batch(packed(sentences, i), packed(translations, i), languages) for i in starts]
        return cls(sentences, languages, references, batches)
