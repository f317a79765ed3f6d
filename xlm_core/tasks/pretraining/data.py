"""Batches of pretraining, sampled from the stores of monolingual and parallel text.

Every batch is a pure function of the seed and of its number, so a resumed run needs only a number.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xlm_core.config import Compute, Masking, ModelConfig, Pretraining
from xlm_core.data.batch import Batch
from xlm_core.data.blocks import FixedLengthBlocks, TokenStream
from xlm_core.data.buckets import LengthBucketedDataset
from xlm_core.data.masking import MaskSampler
from xlm_core.data.objective_batches import CAUSAL, clm_batch, mlm_batch, tlm_batch
from xlm_core.data.sampling import BatchKey, TaskSampler
from xlm_core.data.token_store import Records, TokenStore
from xlm_core.errors import ConfigError, StoreError
from xlm_core.history import ObjectiveKey
from xlm_core.languages import is_pair, language_ids, sides, smoothed
from xlm_core.tasks.pretraining.memory import micro_batch_size
from xlm_core.text.vocabulary import Vocabulary

LOG = logging.getLogger(__name__)
MASKING_TAG = 4  # keeps these random numbers apart from ``xlm_core.data``'s
VALIDATION_SEED = 0  # of every run, so that all runs are validated on the same batches

Stores = Mapping[str, Sequence[Path]]  # language or pair -> stores


class InitialModel(NamedTuple):
    """The files of the model that a pretraining begins with, and of its vocabulary."""

    model: Path
    vocabulary: Path


@dataclass(frozen=True)
class PretrainingArgs:
    """Settings of a pretraining.

    languages           all languages of the model
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

    stores  language -> stores that hold it in any column; pair -> stores whose columns have the order of the pair
    """

    stores: Mapping[str, Sequence[TokenStore]]

    @classmethod
    def open(cls, paths: Stores, vocabulary: str) -> "TrainingCorpora":
        """Open the stores of each language (a side of a parallel corpus, too) and of each pair.

        Raises:
            StoreError: one is damaged, has another ``vocabulary`` (a digest), or does not hold its language or pair.
        """
        return cls({key: [_open_store(path, key, vocabulary) for path in stores] for key, stores in paths.items()})

    def records(self, key: str) -> Records:
        """Return the stores of a language or a pair, each with the columns of its sides."""
        return [(store, [store.languages.index(side) for side in sides(key)]) for store in self.stores[key]]

    @property
    def digests(self) -> dict[str, list[str]]:
        """The digests of the content of all stores, by language and pair."""
        return {key: [store.digest for store in stores] for key, stores in self.stores.items()}

    def sizes(self, objective: str) -> dict[str, int]:
        """Count the sentences of each language, or the pairs of each pair, that ``objective`` learns from."""
        return {key: sum(map(len, self.stores[key])) for key in self.stores if is_pair(key) == (objective == "tlm")}

    def without_empty(self, split: str) -> "TrainingCorpora":
        """Return the languages and pairs that have any sentence, and name the others of ``split`` on the screen."""
        kept = {key: stores for key, stores in self.stores.items() if any(map(len, stores))}
        for key in (key for key in self.stores if key not in kept):
            LOG.warning("no %s sentences of '%s': it is left out", split, key, extra={"is_shown": True})
        return TrainingCorpora(kept)


def _open_store(path: Path, key: str, vocabulary: str) -> TokenStore:
    """Open a store that holds the language ``key``, or exactly the pair ``key``."""
    store = TokenStore.open(path, vocabulary)
    if key not in store.languages and sides(key) != store.languages:
        raise StoreError(f"{path}: found {'-'.join(store.languages)}, expected '{key}'; check the corpora's keys")
    return store


def group_by_length(records: Records, seed: Sequence[int], name: str, **limits: int) -> LengthBucketedDataset:
    """Group records by length; log how many are left out. The arguments are as in ``LengthBucketedDataset``."""
    dataset = LengthBucketedDataset(records, seed=seed, name=name, **limits)
    if skipped := {reason: count for reason, count in dataset.n_filtered.items() if count}:
        LOG.warning("%s: %d are used, skipped are %s", name, len(dataset), skipped)
    return dataset


class ObjectiveBatches:
    """Batches of each objective and each language or pair, of one split."""

    def __init__(
        self, corpora: TrainingCorpora, args: PretrainingArgs, masks: MaskSampler, split: str, seed: int
    ) -> None:
        """Prepare the batches of ``args.objectives``; ``split``, "training" or "validation", is for messages.

        Raises:
            ConfigError: there is no text for an objective.
            CorpusError: the text of a language or a pair is empty.
        """
        self._ids = language_ids(args.languages)
        self._masks, self._seed = masks, seed
        self.blocks: dict[tuple[str, str], FixedLengthBlocks] = {}
        self.pairs: dict[str, LengthBucketedDataset] = {}
        pretraining, micro_batch_tokens = args.pretraining, micro_batch_size(args.pretraining)
        for objective in args.objectives:
            keys = list(corpora.sizes(objective))
            if split == "training" and not keys:
                kind = "parallel" if objective == "tlm" else "monolingual"
                raise ConfigError(
                    f"objective '{objective}': found no {kind} {split} text, expected at least one corpus; "
                    f"name one under '{kind}' of the setup, or take the objective out of the run"
                )
            for key in keys:
                records, key_ids = corpora.records(key), [self._ids[language] for language in sides(key)]
                if objective == "tlm":
                    self.pairs[key] = group_by_length(
                        records, (seed, *key_ids), f"{split} pairs of '{key}'",
                        max_tokens=min(pretraining.max_pair_tokens, micro_batch_tokens),
                        max_positions=args.model.max_positions, micro_batch_tokens=micro_batch_tokens,
                    )  # fmt: skip
                else:  # CLM and MLM see the blocks of a language in different orders.
                    self.blocks[objective, key] = FixedLengthBlocks(
                        TokenStream(records, masks.symbols), pretraining.seq_len,
                        max(1, micro_batch_tokens // pretraining.seq_len),
                        (seed, list(CAUSAL).index(objective), *key_ids), f"{split} text of '{key}'",
                    )  # fmt: skip

    def batch(self, key: BatchKey, number: int) -> Batch:
        """Make the batch of ``key``; ``number`` makes its random numbers differ from other batches'."""
        rng = np.random.default_rng([self._seed, MASKING_TAG, number])
        if key.objective == "tlm":
            languages = [self._ids[language] for language in sides(key.key)]
            return tlm_batch(self.pairs[key.key], key.batch_index, languages, self._masks, rng)
        block = self.blocks[key.objective, key.key].batch(key.batch_index)
        return self.block_batch(key.objective, key.key, block, rng)

    def block_batch(self, objective: str, language: str, block: np.ndarray, rng: np.random.Generator) -> Batch:
        """Make the CLM or MLM batch of ``block`` (B, T)."""
        if objective == "clm":
            return clm_batch(block, self._ids[language])
        return mlm_batch(block, self._ids[language], self._masks, rng)

    def sample(self, max_tokens: int) -> Iterator[tuple[ObjectiveKey, Batch]]:
        """Yield random batches of about ``max_tokens`` of each objective and language or pair.

        The log says how much of the text they are, so that a sample is not taken for the whole.
        """
        message = "validation of %s uses %d of %d %s"
        for (objective, language), blocks in self.blocks.items():
            key = ObjectiveKey(objective, (language,))
            n_blocks = min(blocks.n_blocks, max(1, max_tokens // blocks.seq_len))
            LOG.info(message, key, n_blocks, blocks.n_blocks, f"windows of {blocks.seq_len} tokens")
            rng = np.random.default_rng([self._seed, MASKING_TAG])
            indices = rng.permutation(blocks.n_blocks)[:n_blocks]
            for chunk in np.array_split(indices, -(-n_blocks // blocks.batch_size)):
                yield key, self.block_batch(objective, language, blocks.blocks(chunk), rng)
        for pair, pairs in self.pairs.items():
            key, n_batches, n_tokens = ObjectiveKey("tlm", sides(pair)), 0, 0
            while n_batches < pairs.n_batches and n_tokens < max_tokens:
                batch = self.batch(BatchKey("tlm", pair, n_batches), n_batches)
                n_tokens += int(batch.lengths.sum())
                n_batches += 1
                yield key, batch
            LOG.info(message, key, n_batches, pairs.n_batches, f"batches, {n_tokens} tokens")


class PretrainingData:
    """Training and validation batches of a pretraining.

    baselines   objective -> loss of a model that ignores its input and guesses by frequency
    validation  the batches that every evaluation uses, each with its objective and languages
    """

    def __init__(
        self, training: TrainingCorpora, validation: TrainingCorpora, args: PretrainingArgs, vocabulary: Vocabulary
    ) -> None:
        """Prepare training and make the validation batches.

        Validation batches are made like training batches, but with a seed that all runs share. As published, every
        chosen token is hidden behind the mask symbol, and all tokens are chosen alike. Of each key random batches are
        taken until ``max_eval_tokens`` are reached; the log says how many of how many.

        Raises:
            ConfigError: there is no text for an objective, or none to select the best checkpoint by.
            CorpusError: the text of a language or a pair is empty.
        """
        masking, alpha = args.pretraining.masking, args.pretraining.language_sampling_alpha
        masks = MaskSampler(vocabulary.counts, masking, vocabulary.symbols)
        self.baselines = {}
        if vocabulary.counts.any():  # other programs' tokenizers have no known counts
            self.baselines = dict.fromkeys((ObjectiveKey("mlm"), ObjectiveKey("tlm")), masks.unigram_entropy())
        self._batches = ObjectiveBatches(training, args, masks, "training", args.seed)
        # Objectives take turns; languages and pairs are drawn by smoothed sentence counts (section 3.1).
        shares = {objective: smoothed(training.sizes(objective), alpha) for objective in args.objectives}
        self._sampler = TaskSampler(args.objectives, shares, args.seed)
        published = Masking(mask_prob=masking.mask_prob, mask=1.0, random=0.0, keep=0.0, frequency_exponent=0.0)
        masks = MaskSampler(vocabulary.counts, published, vocabulary.symbols)
        corpora = validation.without_empty("validation")
        batches = ObjectiveBatches(corpora, args, masks, "validation", VALIDATION_SEED)
        self.validation = list(batches.sample(args.pretraining.max_eval_tokens))
        if not self.validation:
            raise ConfigError(
                "no validation sentences of any language or pair, to select the best checkpoint by; raise "
                "text.valid_fraction, or give more text"
            )
        validated = {language for key, _ in self.validation for language in key.languages}
        if missing := set(args.pretraining.selection_languages) - validated:
            raise ConfigError(
                f"pretraining.selection_languages: there is no validation text of {', '.join(sorted(missing))}, to "
                f"select the best checkpoint; raise text.valid_fraction, or take the language out of the list"
            )

    def train(self, number: int) -> tuple[str, Batch]:
        """Return micro-batch ``number``, counted from 0 over the whole run and all processes, and its objective."""
        key = self._sampler.batch_key(number)
        return key.objective, self._batches.batch(key, number)
