"""Training data of translators, micro-batch by micro-batch (paper, sections 4.2 and 4.3).

| objective | source | target |
|---|---|---|
| ae | a sentence with noise | the sentence |
| bt | the model's own translation of the sentence | the sentence |
| mt | a sentence | its translation |
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from xlm_core.config import ModelConfig, TranslationObjective, TranslationTraining
from xlm_core.data.batch import PackedSequences, sentence_batch
from xlm_core.data.buckets import LengthBucketedDataset, Records
from xlm_core.data.noise import add_noise
from xlm_core.errors import ConfigError
from xlm_core.history import ObjectiveKey
from xlm_core.languages import pair, sides
from xlm_core.metrics.loss import LossSum
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.objectives import translation_batch
from xlm_core.tasks.pretraining.data import TrainingCorpora
from xlm_core.tasks.pretraining.memory import micro_batch_size, micro_batches_per_update
from xlm_core.tasks.translation.generate import decode
from xlm_core.text.vocabulary import Vocabulary
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.loop import MicroBatch, dropout_seed
from xlm_core.train.optimization import loss_weight

LOG = logging.getLogger(__name__)
TAG = 6  # keeps these random numbers apart from those of other modules


@dataclass(frozen=True)
class TranslationBatches:
    """The training data of a translator: each batch is a function of the seed and of its number.

    objectives they take turns or make an update together
    sentences  language -> its sentences, for ae and bt
    pairs      pair -> sentences and their translations, for mt
    ids        language -> id
    vocab      the vocabulary
    settings   of the training
    seed       of the run
    """

    objectives: Sequence[TranslationObjective]
    sentences: Mapping[str, LengthBucketedDataset]
    pairs: Mapping[str, LengthBucketedDataset]
    ids: Mapping[str, int]
    vocab: Vocabulary
    settings: TranslationTraining
    seed: int

    def of_update(self, update: int) -> list[tuple[TranslationObjective, int, float]]:
        """The micro-batches of an update: objective, number of the batch among its own, weight of its loss.

        An objective whose weight has fallen to zero loses its turn.
        """
        weighted = [
            (objective, loss_weight(update, getattr(self.settings.loss_weights, objective.kind)))
            for objective in self.objectives
        ]
        active = [(objective, weight) for objective, weight in weighted if weight > 0]
        if not active:
            raise ConfigError(f"no objective has a weight above 0 at update {update}; see the weights of the training")
        turn = update
        if self.settings.updates == "round_robin":
            turn, index = divmod(update, len(active))
            active = [active[index]]
        numbers = range(turn * self.n_batches, (turn + 1) * self.n_batches)
        return [(objective, number, weight) for objective, weight in active for number in numbers]

    def check_processes(self, n_processes: int) -> None:
        """Refuse a training that has updates with fewer micro-batches than there are processes.

        Raises:
            ConfigError: at some update a process would have nothing to do.
        """
        weights = self.settings.loss_weights
        changes = {0, *(update for kind in ("ae", "bt", "mt") for update, _ in getattr(weights, kind))}
        sizes = [len(self.of_update(update)) for update in changes if update < self.settings.optim.max_updates]
        if min(sizes) < n_processes:
            raise ConfigError(
                f"translation: training.batch_tokens ({self.settings.batch_tokens}) is {min(sizes)} batches of at most "
                f"training.micro_batch_tokens ({self.settings.micro_batch_tokens}) tokens, but there are {n_processes} "
                f"processes; expected one for each: raise batch_tokens, lower micro_batch_tokens, or lower "
                f"compute.gpus or compute.processes"
            )

    @property
    def n_batches(self) -> int:
        """Micro-batches of an objective in an update, over all processes."""
        return micro_batches_per_update(self.settings)

    def texts(
        self, objective: TranslationObjective, batch_index: int
    ) -> tuple[PackedSequences | None, PackedSequences]:
        """Source and target of a batch; the source is None where the model is to make it itself."""
        if objective.kind == "mt":
            key = pair(objective.source, objective.target)
            pairs, columns = self.pairs[key], sides(key)
            numbers = pairs.indices(batch_index)
            first, second = (columns.index(language) for language in (objective.source, objective.target))
            return pairs.column(numbers, first), pairs.column(numbers, second)
        target = self.sentences[objective.target].column(self.sentences[objective.target].indices(batch_index))
        if objective.kind == "bt":
            return None, target
        rng = np.random.default_rng([self.seed, TAG, self.ids[objective.target], batch_index])
        return add_noise(target, self.vocab.begins_word(target.tokens), self.settings.noise, rng), target


def translation_batches(
    corpora: TrainingCorpora,
    objectives: Sequence[TranslationObjective],
    ids: Mapping[str, int],
    vocab: Vocabulary,
    model: ModelConfig,
    settings: TranslationTraining,
    seed: int,
) -> TranslationBatches:
    """The text of every objective, in batches."""
    languages = dict.fromkeys(objective.target for objective in objectives if objective.kind != "mt")
    translated = dict.fromkeys(
        pair(objective.source, objective.target) for objective in objectives if objective.kind == "mt"
    )
    return TranslationBatches(
        objectives=objectives,
        sentences={language: _sentences(corpora, language, ids, settings, model, seed) for language in languages},
        pairs={key: pairs_of(corpora, key, settings, model, seed) for key in translated},
        ids=ids,
        vocab=vocab,
        settings=settings,
        seed=seed,
    )


def _sentences(
    corpora: TrainingCorpora,
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
    corpora: TrainingCorpora, key: str, settings: TranslationTraining, model: ModelConfig, seed: int
) -> LengthBucketedDataset:
    """The sentences of one pair of languages."""
    stores = [(store, (0, 1)) for store in corpora.parallel[key]]
    return _buckets(stores, settings, model, (seed,), f"pairs of '{key}'")


def _buckets(
    records: Records, settings: TranslationTraining, model: ModelConfig, seed: tuple[int, ...], origin: str
) -> LengthBucketedDataset:
    """Records in batches; says how many of them are left out."""
    n_sides = len(records[0][1])
    buckets = LengthBucketedDataset(
        records,
        max_tokens=n_sides * settings.max_tokens,
        max_positions=min(settings.max_tokens, model.max_positions),
        micro_batch_tokens=n_sides * micro_batch_size(settings),
        seed=seed,
        name=origin,
    )
    if skipped := {reason: count for reason, count in buckets.n_filtered.items() if count}:
        LOG.warning("%s: %d are used, skipped are %s", origin, len(buckets), skipped)
    return buckets


def micro_batches_of(
    batches: TranslationBatches, translator: EncoderDecoder, loss: nn.Module, processes: DistributedContext
) -> Callable[[int], list[MicroBatch]]:
    """Make the function that prepares the micro-batches of an update, those of this process."""
    settings, device = batches.settings, processes.device
    n_per_update = len(batches.objectives) * batches.n_batches

    def back_translated(target: PackedSequences, objective: TranslationObjective) -> PackedSequences:
        translator.eval()
        source = sentence_batch(target, batches.ids[objective.target]).to(device)
        translations = decode(translator, source, batches.ids[objective.source], settings.decoding)
        translator.train()
        return PackedSequences.from_lists([best.tokens for (best,) in translations])

    def micro_batch(objective: TranslationObjective, batch_index: int, weight: float, number: int) -> MicroBatch:
        given, target = batches.texts(objective, batch_index)
        languages = (batches.ids[objective.source], batches.ids[objective.target])
        prepared = None if given is None else translation_batch(given, target, languages)

        def compute() -> LossSum:
            batch = prepared or translation_batch(back_translated(target, objective), target, languages)
            loss_sum: LossSum = loss(batch.to(device))
            return loss_sum

        count = int(target.lengths.sum()) + len(target.lengths)
        key = ObjectiveKey(objective.kind, (objective.source, objective.target))
        return MicroBatch(key, count, count, dropout_seed(batches.seed, number), compute, weight)

    def micro_batches(update: int) -> list[MicroBatch]:
        drawn = batches.of_update(update)
        return [
            micro_batch(*drawn[number], update * n_per_update + number) for number in processes.shard_range(len(drawn))
        ]

    return micro_batches
