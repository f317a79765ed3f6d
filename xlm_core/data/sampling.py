"""Which objective and which language or pair a micro-batch is about (paper, section 3.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

TAG = 3  # keeps these random numbers apart from those of the other modules
BLOCK = 1024  # draws that are made together


@dataclass(frozen=True)
class BatchKey:
    """What one micro-batch is about.

    objective  "clm", "mlm" or "tlm"
    key        language or pair
    batch_index    how many earlier micro-batches had this objective and this key: the number of the batch among its own
    """

    objective: str
    key: str
    batch_index: int


class TaskSampler:
    """Draws of a run: objectives in turn, keys at random; draw ``number`` is the same for every caller."""

    def __init__(self, turns: Sequence[str], probabilities: Mapping[str, Mapping[str, float]], seed: int) -> None:
        """Prepare the draws.

        Args:
            turns: the objectives in the order of their turns; one that is named twice has two of them.
            probabilities: of each key, for each objective.
            seed: of the run.
        """
        self._turns = tuple(turns)
        self._lanes = {
            objective: _LanguageSampler(objective, list(keys), np.cumsum(list(keys.values())), (seed, TAG, lane))
            for lane, (objective, keys) in enumerate(probabilities.items())
        }

    def at(self, number: int) -> BatchKey:
        """BatchKey ``number``, counted from 0 over all micro-batches of the run."""
        n_rounds, place = divmod(number, len(self._turns))
        objective = self._turns[place]
        earlier = n_rounds * self._turns.count(objective) + self._turns[:place].count(objective)
        return self._lanes[objective].at(earlier)


class _LanguageSampler:
    """The draws of one objective. How often each key was drawn before a block is kept, so a draw costs no history."""

    def __init__(self, objective: str, keys: list[str], cumulated: np.ndarray, seed: tuple[int, ...]) -> None:
        self._objective = objective
        self._keys = keys
        self._cumulated = cumulated / cumulated[-1]
        self._seed = seed
        self._before = [np.zeros(len(keys), dtype=np.int64)]
        self._block: tuple[int, np.ndarray] = (-1, np.empty(0))

    def at(self, turn: int) -> BatchKey:
        block, within = divmod(turn, BLOCK)
        while len(self._before) <= block:
            drawn = np.bincount(self._draws(len(self._before) - 1), minlength=len(self._keys))
            self._before.append(self._before[-1] + drawn)
        if self._block[0] != block:
            self._block = (block, self._draws(block))
        draws = self._block[1]
        key = draws[within]
        batch_index = int(self._before[block][key] + np.count_nonzero(draws[:within] == key))
        return BatchKey(self._objective, self._keys[key], batch_index)

    def _draws(self, block: int) -> np.ndarray:
        """The keys (BLOCK,) of a block, as numbers."""
        return np.searchsorted(self._cumulated, np.random.default_rng([*self._seed, block]).random(BLOCK), side="right")
