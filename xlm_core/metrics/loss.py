"""Sums of losses, with the number of predictions that they are summed over. Add sums up, divide once, at the end."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from xlm_core.history import ObjectiveKey


@dataclass(frozen=True)
class LossSum:
    """The loss of ``count`` predictions of tokens, classes or scores.

    loss_sum   () float32 summed negative log-likelihoods or squared errors; differentiable until ``detach``
    count      predictions
    n_correct  () how many were the most likely guess; zero in training, where guesses of tokens are not counted
    """

    loss_sum: Tensor
    count: int
    n_correct: Tensor

    def __add__(self, other: "LossSum") -> "LossSum":
        return LossSum(self.loss_sum + other.loss_sum, self.count + other.count, self.n_correct + other.n_correct)

    @classmethod
    def zero(cls, device: torch.device | None = None) -> Self:
        """Return the sum of nothing, to add to."""
        return cls(torch.zeros((), device=device), 0, torch.zeros((), dtype=torch.int64, device=device))

    def detach(self) -> "LossSum":
        """Return the same numbers without the graph of their computation."""
        return LossSum(self.loss_sum.detach(), self.count, self.n_correct.detach())

    def cpu(self) -> "LossSum":
        """Return the same numbers in the memory of the host."""
        return LossSum(self.loss_sum.cpu(), self.count, self.n_correct.cpu())

    @property
    def mean_loss(self) -> float:
        """Loss per prediction; not a number where nothing was predicted."""
        return self.loss_sum.item() / self.count if self.count else math.nan

    @property
    def perplexity(self) -> float:
        """Exponential of the mean loss; infinite where that is too large for a float."""
        try:
            return math.exp(self.mean_loss)
        except OverflowError:
            return math.inf

    @property
    def accuracy(self) -> float:
        """Percentage of correct predictions; not a number where nothing was predicted."""
        return 100 * self.n_correct.item() / self.count if self.count else math.nan

    @property
    def metrics(self) -> dict[str, float]:
        """All numbers by the names that a history gives them."""
        return {
            "loss": self.mean_loss,
            "perplexity": self.perplexity,
            "accuracy": self.accuracy,
            "count": self.count,
        }


def add_losses(sums: dict[ObjectiveKey, LossSum], losses: Mapping[ObjectiveKey, LossSum]) -> None:
    """Add each of ``losses`` to the sum of its key in ``sums``."""
    for key, loss in losses.items():
        sums[key] = sums[key] + loss if key in sums else loss
