"""Batches of pretraining, sampled from the stores of monolingual and parallel text.

Every batch is a pure function of the seed and of its number, so a resumed run needs only a number.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xlm_core.config import Compute, Masking, ModelConfig, Pretraining
from xlm_core.data.batch import Batch
from xlm_core.data.blocks import FixedLengthBlocks, TokenStream
from xlm_core.data.buckets import LengthBucketedDataset
from xlm_core.data.masking import MaskSampler
from xlm_core.data.sampling import BatchKey, TaskSampler
from xlm_core.data.token_store import TokenStore
from xlm_core.errors import ConfigError, StoreError
from xlm_core.history import ObjectiveKey
from xlm_core.languages import language_ids, sides, smoothed
from xlm_core.objectives import clm_batch, mlm_batch, tlm_batch
from xlm_core.tasks.pretraining.memory import micro_batch_size

LOG = logging.getLogger(__name__)
MASKING_TAG = 4  # keeps these random numbers apart from those of ``xlm_core.data``
VALIDATION_SEED = 0  # of every run, so that all runs are validated on the same batches
OBJECTIVES = ("clm", "mlm", "tlm")

Stores = Mapping[str, Sequence[Path]]  # language or pair -> stores


@dataclass(frozen=True)
class StorePaths:
    """The stores of one split.

    monolingual  language -> stores that hold it in any column
    parallel     pair -> stores
    """

    monolingual: Stores
    parallel: Stores


@dataclass(frozen=True)
class PretrainingArgs:
    """What is trained, on what, and how.

    languages           all those of the model
    objectives          in the order of their turns
    model               section ``model`` of the configuration
    pretraining         section ``pretraining``
    compute             section ``compute``
    checkpoint_minutes  between checkpoints
    n_threads           of each process
    seed                of weights, batches and dropout
    """

    languages: Sequence[str]
    objectives: Sequence[str]
    model: ModelConfig
    pretraining: Pretraining
    compute: Compute
    checkpoint_minutes: float
    n_threads: int
    seed: int


@dataclass(frozen=True)
class TrainingCorpora:
    """Opened stores of one split.

    monolingual  language -> stores, each with the column of that language
    parallel     pair -> stores, their columns in the order of the pair
    """

    monolingual: Mapping[str, Sequence[tuple[TokenStore, int]]]
    parallel: Mapping[str, Sequence[TokenStore]]

    @classmethod
    def open(cls, monolingual: Stores, parallel: Stores, vocabulary: str) -> "TrainingCorpora":
        """Open the stores of each language (a side of a parallel corpus, too) and of each pair.

        Raises:
            StoreError: one is damaged, has another ``vocabulary`` (a digest), or does not hold its language or pair.
        """
        return cls(
            {
                language: [_with_column(path, TokenStore.open(path, vocabulary), language) for path in paths]
                for language, paths in monolingual.items()
            },
            {
                pair: [_with_sides(path, TokenStore.open(path, vocabulary), pair) for path in paths]
                for pair, paths in parallel.items()
            },
        )

    @property
    def digests(self) -> dict[str, list[str]]:
        """Digests of the content of all stores, by language and pair."""
        monolingual = {language: [store.digest for store, _ in stores] for language, stores in self.monolingual.items()}
        return monolingual | {pair: [store.digest for store in stores] for pair, stores in self.parallel.items()}

    def sizes(self, objective: str) -> dict[str, int]:
        """Sentences of each language, or pairs of each pair, that ``objective`` learns from."""
        if objective == "tlm":
            return {pair: sum(map(len, stores)) for pair, stores in self.parallel.items()}
        return {language: sum(len(store) for store, _ in stores) for language, stores in self.monolingual.items()}

    def without_empty(self, origin: str) -> "TrainingCorpora":
        """The languages and pairs that have any sentence; the others are named in the log."""
        sizes = {**self.sizes("mlm"), **self.sizes("tlm")}
        for key in (key for key, size in sizes.items() if not size):
            LOG.warning("no %s sentences of '%s': it is left out", origin, key)
        return TrainingCorpora(
            {language: stores for language, stores in self.monolingual.items() if sizes[language]},
            {pair: stores for pair, stores in self.parallel.items() if sizes[pair]},
        )


def _with_column(path: Path, store: TokenStore, language: str) -> tuple[TokenStore, int]:
    """A store and its column of ``language``."""
    if language not in store.languages:
        raise StoreError(f"{path}: found {', '.join(store.languages)}, expected '{language}'; check the corpora's keys")
    return store, store.languages.index(language)


def _with_sides(path: Path, store: TokenStore, pair: str) -> TokenStore:
    """A store whose columns are the sides of ``pair``."""
    if store.languages != sides(pair):
        raise StoreError(f"{path}: found {'-'.join(store.languages)}, expected '{pair}'; check the corpora's keys")
    return store


class ObjectiveBatches:
    """Batches of each objective and each language or pair of some corpora."""

    def __init__(
        self, corpora: TrainingCorpora, args: PretrainingArgs, masks: MaskSampler, split: str, seed: int
    ) -> None:
        """Prepare the batches of ``args.objectives``; ``split``, "training" or "validation", is for messages.

        Raises:
            ConfigError: there is no text for an objective.
            CorpusError: the text of a language or a pair is empty.
        """
        self._ids = language_ids(args.languages)
        self._args, self._masks, self._split, self._seed = args, masks, split, seed
        self._batch_tokens = micro_batch_size(args.pretraining)
        self.blocks: dict[tuple[str, str], FixedLengthBlocks] = {}
        self.pairs: dict[str, LengthBucketedDataset] = {}
        for objective in args.objectives:
            if split == "validation" and not corpora.sizes(objective):
                continue
            _check_not_empty(corpora.sizes(objective), objective, split)
            if objective == "tlm":
                self.pairs = {pair: self._bucketed(pair, stores) for pair, stores in corpora.parallel.items()}
            else:
                for language, stores in corpora.monolingual.items():
                    self.blocks[objective, language] = self._blocks(objective, language, stores)

    def _blocks(self, objective: str, language: str, stores: Sequence[tuple[TokenStore, int]]) -> FixedLengthBlocks:
        """Cut the text of one language; CLM and MLM see its blocks in different orders."""
        seed = (self._seed, OBJECTIVES.index(objective), self._ids[language])
        seq_len = self._args.pretraining.seq_len
        batch_size = max(1, self._batch_tokens // seq_len)
        return FixedLengthBlocks(TokenStream(stores), seq_len, batch_size, seed, f"{self._split} text of '{language}'")

    def _bucketed(self, pair: str, stores: Sequence[TokenStore]) -> LengthBucketedDataset:
        """Group the sentences of one pair by length; log how many are left out."""
        name = f"{self._split} pairs of '{pair}'"
        pairs = LengthBucketedDataset(
            [(store, (0, 1)) for store in stores],
            max_tokens=min(self._args.pretraining.max_pair_tokens, self._batch_tokens),
            max_positions=self._args.model.max_positions,
            micro_batch_tokens=self._batch_tokens,
            seed=(self._seed, *(self._ids[language] for language in sides(pair))),
            name=name,
        )
        reasons = {reason: count for reason, count in pairs.n_filtered.items() if count}
        if reasons:
            LOG.warning("%s: %d are used, skipped are %s", name, len(pairs), reasons)
        return pairs

    def batch(self, key: BatchKey, number: int) -> Batch:
        """Make the batch of ``key``; ``number`` tells its random numbers from those of other batches."""
        rng = np.random.default_rng([self._seed, MASKING_TAG, number])
        if key.objective == "tlm":
            first, second = (self._ids[language] for language in sides(key.key))
            return tlm_batch(self.pairs[key.key], key.batch_index, (first, second), self._masks, rng)
        block = self.blocks[key.objective, key.key].batch(key.batch_index)
        return self.block_batch(key.objective, key.key, block, rng)

    def block_batch(self, objective: str, language: str, block: np.ndarray, rng: np.random.Generator) -> Batch:
        """Make the CLM or MLM batch of ``block`` (B, T)."""
        if objective == "clm":
            return clm_batch(block, self._ids[language])
        return mlm_batch(block, self._ids[language], self._masks, rng)


class PretrainingData:
    """All batches of a pretraining."""

    def __init__(
        self, training: TrainingCorpora, validation: TrainingCorpora, args: PretrainingArgs, counts: np.ndarray
    ) -> None:
        """Prepare training; ``counts`` (V,) of each token of the vocabulary.

        Raises:
            ConfigError: there is no text for an objective.
            CorpusError: the text of a language or a pair is empty.
        """
        self._validation, self._args, self._counts = validation, args, counts
        self._masks = MaskSampler(counts, args.pretraining.masking)
        self._batches = ObjectiveBatches(training, args, self._masks, "training", args.seed)
        # Objectives take turns; languages and pairs are drawn by smoothed sentence counts (section 3.1).
        alpha = args.pretraining.language_sampling_alpha
        shares = {objective: smoothed(training.sizes(objective), alpha) for objective in args.objectives}
        self._sampler = TaskSampler(args.objectives, shares, args.seed)

    @property
    def baselines(self) -> dict[ObjectiveKey, float]:
        """Objective -> loss of a model that ignores its input and guesses by frequency."""
        return dict.fromkeys((ObjectiveKey("mlm"), ObjectiveKey("tlm")), self._masks.unigram_entropy())

    def train(self, number: int) -> tuple[str, Batch]:
        """Return micro-batch ``number``, counted from 0 over the whole run and all processes, and its objective."""
        key = self._sampler.batch_key(number)
        return key.objective, self._batches.batch(key, number)

    def validation(self) -> list[tuple[ObjectiveKey, Batch]]:
        """Make the batches that every evaluation uses, each with its objective and languages.

        They are made as those of training, but with a seed that all runs share. As published, every chosen token is
        hidden behind the mask symbol, and all tokens are chosen alike. Of each key random batches are taken until
        ``max_eval_tokens`` are reached; the log says how many of how many.
        """
        masking = Masking(
            mask_prob=self._args.pretraining.masking.mask_prob, mask=1.0, random=0.0, keep=0.0, frequency_exponent=0.0
        )
        masks = MaskSampler(self._counts, masking)
        corpora = self._validation.without_empty("validation")
        batches = ObjectiveBatches(corpora, self._args, masks, "validation", VALIDATION_SEED)
        max_tokens = self._args.pretraining.max_eval_tokens
        samples = []
        for objective, language in batches.blocks:
            samples += _sample_blocks(batches, objective, language, max_tokens)
        for pair in batches.pairs:
            samples += _sample_pairs(batches, pair, max_tokens)
        return samples


def _sample_blocks(
    batches: ObjectiveBatches, objective: str, language: str, max_tokens: int
) -> list[tuple[ObjectiveKey, Batch]]:
    """Take random blocks of one language."""
    key = ObjectiveKey(objective, (language,))
    blocks = batches.blocks[objective, language]
    n_blocks = min(blocks.n_blocks, max(1, max_tokens // blocks.seq_len))
    _log_sample(key, n_blocks, blocks.n_blocks, f"windows of {blocks.seq_len} tokens")
    rng = np.random.default_rng([VALIDATION_SEED, MASKING_TAG])
    indices = rng.permutation(blocks.n_blocks)[:n_blocks]
    chunks = np.array_split(indices, -(-n_blocks // blocks.batch_size))
    return [(key, batches.block_batch(objective, language, blocks.blocks(chunk), rng)) for chunk in chunks]


def _sample_pairs(batches: ObjectiveBatches, pair: str, max_tokens: int) -> list[tuple[ObjectiveKey, Batch]]:
    """Take random batches of one pair."""
    key = ObjectiveKey("tlm", sides(pair))
    n_batches = batches.pairs[pair].n_batches
    samples: list[tuple[ObjectiveKey, Batch]] = []
    n_tokens = 0
    while len(samples) < n_batches and n_tokens < max_tokens:
        batch = batches.batch(BatchKey("tlm", pair, len(samples)), len(samples))
        n_tokens += int(batch.lengths.sum())
        samples.append((key, batch))
    _log_sample(key, len(samples), n_batches, f"batches, {n_tokens} tokens")
    return samples


def _log_sample(key: ObjectiveKey, n_used: int, n_all: int, unit: str) -> None:
    """Log how much of the validation text is used, so that a sample is not taken for the whole."""
    LOG.info("validation of %s uses %d of %d %s", key, n_used, n_all, unit)


def _check_not_empty(sizes: Mapping[str, int], objective: str, split: str) -> None:
    """Refuse an objective that has no text."""
    if not sizes:
        kind = "parallel" if objective == "tlm" else "monolingual"
        raise ConfigError(
            f"objective '{objective}': found no {kind} {split} text, expected at least one corpus; "
            f"name one under '{kind}' of the setup, or take the objective out of the run"
        )
