"""Tallies: summed loss and what it was summed over. Add them up, divide once, at the end."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class LossSum:
    """The result of predicting ``count`` tokens or sentences.

    nats     () float32 summed negative log-likelihood; differentiable until ``detach``
    count    predicted tokens or sentences
    correct  () how many were the most likely guess; zero in training, where tokens' guesses are not counted
    """

    nats: Tensor
    count: int
    correct: Tensor

    def __add__(self, other: "LossSum") -> "LossSum":
        return LossSum(self.nats + other.nats, self.count + other.count, self.correct + other.correct)

    def detach(self) -> "LossSum":
        """The same numbers, cut off from the computation that led to them."""
        return LossSum(self.nats.detach(), self.count, self.correct.detach())

    @property
    def mean_nats(self) -> float:
        """Negative log-likelihood per prediction; not a number where nothing was predicted."""
        return self.nats.item() / self.count if self.count else math.nan

    @property
    def perplexity(self) -> float:
        """The exponential of the mean nats; infinite where that is too large for a float."""
        try:
            return math.exp(self.mean_nats)
        except OverflowError:
            return math.inf

    @property
    def accuracy(self) -> float:
        """Percent of the predictions that were right; not a number where nothing was predicted."""
        return 100 * self.correct.item() / self.count if self.count else math.nan


def zero(device: torch.device | None = None) -> LossSum:
    """The tally of nothing, to add to."""
    return LossSum(torch.zeros((), device=device), 0, torch.zeros((), dtype=torch.int64, device=device))


def add(sums: dict[str, LossSum], tallies: Mapping[str, LossSum]) -> None:
    """Add each of ``tallies`` to that of the same name in ``sums``."""
    for name, tally in tallies.items():
        sums[name] = sums[name] + tally if name in sums else tally
