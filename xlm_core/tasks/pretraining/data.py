"""Where the batches of pretraining come from: the stores of a run, drawn from objective by objective.

Every batch is a pure function of the seed and of its number, so a resumed run needs no more than a number.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xlm_core.config import Masking
from xlm_core.data.batch import Batch
from xlm_core.data.blocks import FixedLengthBlocks, TokenStream
from xlm_core.data.buckets import LengthBucketedDataset
from xlm_core.data.masking import weights
from xlm_core.data.sampling import BatchKey, TaskSampler
from xlm_core.data.tlm_pair import concat_pairs
from xlm_core.data.token_store import TokenStore
from xlm_core.errors import ConfigError, StoreError
from xlm_core.languages import language_ids, sides, smoothed
from xlm_core.objectives import clm_batch, mlm_batch, tlm_batch

LOG = logging.getLogger(__name__)
MASKING_TAG = 4  # keeps these random numbers apart from those of ``xlm_core.data``
VALIDATION_SEED = 0  # of every run, so that all runs are validated on the same batches
OBJECTIVES = ("clm", "mlm", "tlm")

Stores = Mapping[str, Sequence[Path]]  # language or pair -> stores


@dataclass(frozen=True)
class TrainingCorpora:
    """The stores that batches are made of, opened.

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

    def without_empty(self, place: str) -> "TrainingCorpora":
        """The languages and pairs that have any sentence; the others are named in the log."""
        sizes = {**self.sizes("mlm"), **self.sizes("tlm")}
        for key in (key for key, size in sizes.items() if not size):
            LOG.warning("no %s sentences of '%s': it is left out", place, key)
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


@dataclass(frozen=True)
class BatchingConfig:
    """How text becomes batches.

    seq_len          tokens of a window
    max_pair_tokens  of a joined pair; longer ones are skipped
    max_positions    of a sentence; pairs with a longer one are skipped
    batch_tokens     of a batch, padding counted
    masking          of MLM and TLM
    counts           (V,) how often each token of the vocabulary occurs
    seed             of all draws
    place            "training" or "validation", for messages
    """

    seq_len: int
    max_pair_tokens: int
    max_positions: int
    batch_tokens: int
    masking: Masking
    counts: np.ndarray
    seed: int
    place: str


class Source:
    """Batches of several objectives over the same corpora."""

    def __init__(
        self, corpora: TrainingCorpora, objectives: Sequence[str], languages: Sequence[str], cut: BatchingConfig
    ) -> None:
        """Prepare the batches of ``objectives``; ``languages`` are all those of the model.

        Raises:
            ConfigError: there is no text for an objective.
            CorpusError: the text of a language or a pair is empty.
        """
        self._ids = language_ids(languages)
        self._cut = cut
        self._weight = weights(cut.counts, cut.masking.frequency_exponent)
        self.windows: dict[tuple[str, str], FixedLengthBlocks] = {}
        self.buckets: dict[str, LengthBucketedDataset] = {}
        for objective in objectives:
            _refuse_nothing(corpora.sizes(objective), objective, cut.place)
            if objective == "tlm":
                self.buckets = {pair: self._pairs(pair, stores) for pair, stores in corpora.parallel.items()}
            else:
                for language, sides_of_stores in corpora.monolingual.items():
                    self.windows[objective, language] = self._stream(objective, language, sides_of_stores)

    def _stream(self, objective: str, language: str, stores: Sequence[tuple[TokenStore, int]]) -> FixedLengthBlocks:
        """The windows of one language; CLM and MLM see them in different orders."""
        seed = (self._cut.seed, OBJECTIVES.index(objective), self._ids[language])
        n_rows = max(1, self._cut.batch_tokens // self._cut.seq_len)
        place = f"{self._cut.place} text of '{language}'"
        return FixedLengthBlocks(TokenStream(stores), self._cut.seq_len, n_rows, seed, place)

    def _pairs(self, pair: str, stores: Sequence[TokenStore]) -> LengthBucketedDataset:
        """The batches of one pair; says how many of its pairs are left out."""
        place = f"{self._cut.place} pairs of '{pair}'"
        buckets = LengthBucketedDataset(
            [(store, (0, 1)) for store in stores],
            max_tokens=min(self._cut.max_pair_tokens, self._cut.batch_tokens),
            max_positions=self._cut.max_positions,
            micro_batch_tokens=self._cut.batch_tokens,
            seed=(self._cut.seed, *(self._ids[language] for language in sides(pair))),
            place=place,
        )
        reasons = {reason: count for reason, count in buckets.n_filtered.items() if count}
        if reasons:
            LOG.warning("%s: %d are used, skipped are %s", place, len(buckets), reasons)
        return buckets

    def batch(self, draw: BatchKey, number: int) -> Batch:
        """The batch that ``draw`` is about; ``number`` tells its random numbers from those of other batches."""
        rng = np.random.default_rng([self._cut.seed, MASKING_TAG, number])
        if draw.objective == "tlm":
            first, second = (self._ids[language] for language in sides(draw.key))
            joined = concat_pairs(self.buckets[draw.key], draw.batch_index, rng)
            return tlm_batch(joined, (first, second), self._weight, self._cut.masking, rng)
        window = self.windows[draw.objective, draw.key].batch(draw.batch_index)
        return self.window_batch(draw.objective, draw.key, window, rng)

    def window_batch(self, objective: str, language: str, window: np.ndarray, rng: np.random.Generator) -> Batch:
        """The CLM or MLM batch of ``window`` (B, T)."""
        if objective == "clm":
            return clm_batch(window, self._ids[language])
        return mlm_batch(window, self._ids[language], self._weight, self._cut.masking, rng)


def mixture(corpora: TrainingCorpora, objectives: Sequence[str], alpha: float, seed: int) -> TaskSampler:
    """Draws of the objectives in turn, and of their languages and pairs by smoothed sentence counts (section 3.1)."""
    return TaskSampler(
        objectives, {objective: smoothed(corpora.sizes(objective), alpha) for objective in objectives}, seed
    )


def validation_batches(
    corpora: TrainingCorpora, objectives: Sequence[str], languages: Sequence[str], cut: BatchingConfig, max_tokens: int
) -> list[tuple[str, Batch]]:
    """The batches that every evaluation uses, each with its name, such as "mlm.en" or "tlm.de-en".

    They are made as those of training (``cut``), but with a seed that all runs share. As published, every chosen
    token is hidden behind the mask symbol, and all tokens are chosen alike. Of each name random batches are taken
    until ``max_tokens`` are reached; how many of how many is logged.
    """
    corpora = corpora.without_empty("validation")
    hidden = Masking(mask_prob=cut.masking.mask_prob, mask=1.0, random=0.0, keep=0.0, frequency_exponent=0.0)
    cut = replace(cut, masking=hidden, seed=VALIDATION_SEED, place="validation")
    source = Source(corpora, [objective for objective in objectives if corpora.sizes(objective)], languages, cut)
    found = []
    for objective, language in source.windows:
        found += _validation_windows(source, objective, language, max_tokens)
    for pair in source.buckets:
        found += _validation_pairs(source, pair, max_tokens)
    return found


def _validation_windows(source: Source, objective: str, language: str, max_tokens: int) -> list[tuple[str, Batch]]:
    """Random windows of one language."""
    name = f"{objective}.{language}"
    windows = source.windows[objective, language]
    n_rows = min(windows.n_blocks, max(1, max_tokens // windows.seq_len))
    _tell_taken(name, n_rows, windows.n_blocks, f"windows of {windows.seq_len} tokens")
    rng = np.random.default_rng([VALIDATION_SEED, MASKING_TAG])
    rows = rng.permutation(windows.n_blocks)[:n_rows]
    batches = np.array_split(rows, -(-n_rows // windows.batch_size))
    return [(name, source.window_batch(objective, language, windows.rows(some), rng)) for some in batches]


def _validation_pairs(source: Source, pair: str, max_tokens: int) -> list[tuple[str, Batch]]:
    """Random batches of one pair."""
    name = f"tlm.{pair}"
    n_batches = source.buckets[pair].n_batches
    found: list[tuple[str, Batch]] = []
    n_tokens = 0
    while len(found) < n_batches and n_tokens < max_tokens:
        batch = source.batch(BatchKey("tlm", pair, len(found)), len(found))
        n_tokens += int(batch.lengths.sum())
        found.append((name, batch))
    _tell_taken(name, len(found), n_batches, f"batches, {n_tokens} tokens")
    return found


def _tell_taken(name: str, n_taken: int, n_all: int, what: str) -> None:
    """Say how much of the validation text is used: a part of it is never taken for the whole."""
    LOG.info("validation of %s uses %d of %d %s", name, n_taken, n_all, what)


def _refuse_nothing(sizes: Mapping[str, int], objective: str, place: str) -> None:
    """Refuse an objective that there is no text for."""
    if not sizes:
        kind = "parallel" if objective == "tlm" else "monolingual"
        raise ConfigError(
            f"objective '{objective}': found no {kind} {place} text, expected at least one corpus; "
            f"name one under '{kind}' of the setup, or take the objective out of the run"
        )
