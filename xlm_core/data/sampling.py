"""Sample the objective and the language or pair of each micro-batch (paper, section 3.1)."""

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np

RANDOM_STREAM = 3  # each module that draws numbers has another
BLOCK = 1024  # draws that are made together
T = TypeVar("T")


def cached_by_epoch(function: Callable[[int], T]) -> Callable[[int], T]:
    """Keep the results of ``function`` for two epochs; threads that ask together wait for one computation.

    Where batches are made ahead by several threads, some are of this epoch and some of the next.
    """
    cached, lock = lru_cache(maxsize=2)(function), threading.Lock()

    def result(epoch: int) -> T:
        with lock:
            return cached(epoch)

    return result


class BatchKey(NamedTuple):
    """The objective and data of one micro-batch.

    objective    "clm", "mlm" or "tlm"
    key          language or pair
    batch_index  how many earlier micro-batches had this objective and this key
    """

    objective: str
    key: str
    batch_index: int


class TaskSampler:
    """Takes objectives in turn and their keys at random; a pure function of the number of the micro-batch."""

    def __init__(self, turns: Sequence[str], probabilities: Mapping[str, Mapping[str, float]], seed: int) -> None:
        """Prepare sampling.

        Args:
            turns: the objectives in the order of their turns; one that is named twice has two of them.
            probabilities: of each key, for each objective.
            seed: of the run.
        """
        self._turns = tuple(turns)
        self._samplers = {
            objective: _LanguageSampler(objective, keys, (seed, RANDOM_STREAM, lane))
            for lane, (objective, keys) in enumerate(probabilities.items())
        }

    def batch_key(self, number: int) -> BatchKey:
        """Return key ``number``, counted from 0 over all micro-batches of the run."""
        n_rounds, turn = divmod(number, len(self._turns))
        objective = self._turns[turn]
        earlier = n_rounds * self._turns.count(objective) + self._turns[:turn].count(objective)
        return self._samplers[objective].batch_key(earlier)


class _LanguageSampler:
    """Samples the keys of one objective; counts of each key before each block make it independent of history."""

    def __init__(self, objective: str, probabilities: Mapping[str, float], seed: tuple[int, ...]) -> None:
        self._objective = objective
        self._keys = list(probabilities)
        cumulated = np.cumsum(list(probabilities.values()))
        self._cumulated = cumulated / cumulated[-1]
        self._seed = seed
        self._before = [np.zeros(len(probabilities), dtype=np.int64)]
        self._lock = threading.Lock()  # of ``_before``, which grows
        self._block = cached_by_epoch(self._draws)  # one block serves many draws

    def batch_key(self, turn: int) -> BatchKey:
        block, within = divmod(turn, BLOCK)
        with self._lock:
            while len(self._before) <= block:
                drawn = np.bincount(self._draws(len(self._before) - 1), minlength=len(self._keys))
                self._before.append(self._before[-1] + drawn)
        draws = self._block(block)
        key = draws[within]
        batch_index = int(self._before[block][key] + np.count_nonzero(draws[:within] == key))
        return BatchKey(self._objective, self._keys[key], batch_index)

    def _draws(self, block: int) -> np.ndarray:
        """Draw the keys (BLOCK,) of a block, as indices."""
        return np.searchsorted(self._cumulated, np.random.default_rng([*self._seed, block]).random(BLOCK), side="right")
