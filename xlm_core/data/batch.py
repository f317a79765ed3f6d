"""The batch: what every objective and every task hands to the model."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

IGNORE = -100  # the label of a position at which nothing is predicted


@dataclass(frozen=True)
class Batch:
    """B sequences of at most T tokens, padded on the right.

    What the host must know to prepare a step (``predicted``, ``is_full``) is found out when the batch is made, so
    that nothing has to be read back from the GPU.

    tokens     (B, T) int64  ids
    positions  (B, T) int64  place of each token in its sentence or window
    languages  (B, T) int64  id of each token's language
    lengths    (B,) int64    tokens of each row that are not padding
    labels     (B, T) int64  the id to predict at each position, ``IGNORE`` where nothing is predicted
    predicted  (n,) int64    the labelled positions, counted row after row
    is_full    no row has padding, so that no attention mask is needed
    """

    tokens: Tensor
    positions: Tensor
    languages: Tensor
    lengths: Tensor
    labels: Tensor
    predicted: Tensor
    is_full: bool

    def to(self, device: torch.device) -> "Batch":
        """The same batch on ``device``."""
        if device == self.tokens.device:
            return self
        return self._with(lambda tensor: tensor.to(device, non_blocking=True))

    def pinned(self) -> "Batch":
        """The same batch in memory that a GPU reads by itself, while it computes."""
        return self._with(lambda tensor: tensor.contiguous().pin_memory())

    def _with(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        names = ("tokens", "positions", "languages", "lengths", "labels", "predicted")
        changed: dict[str, Any] = {name: change(getattr(self, name)) for name in names}
        return replace(self, **changed)

    @property
    def n_predicted(self) -> int:
        """How many tokens are predicted."""
        return len(self.predicted)


def from_arrays(
    tokens: np.ndarray,
    positions: np.ndarray,
    languages: np.ndarray,
    lengths: np.ndarray | None = None,
    labels: np.ndarray | None = None,
) -> Batch:
    """A batch from arrays.

    Args:
        tokens: (B, T) ids.
        positions: anything that broadcasts to (B, T).
        languages: likewise.
        lengths: (B,) tokens that are not padding; None where every row is full.
        labels: (B, T) as in ``Batch``; None where nothing is predicted.
    """
    shape = tokens.shape
    if labels is None:
        labels = np.full(shape, IGNORE)
    if lengths is None:
        lengths = np.full(shape[0], shape[1])
    return Batch(
        tokens=_tensor(tokens, shape),
        positions=_tensor(positions, shape),
        languages=_tensor(languages, shape),
        lengths=_tensor(lengths, shape[:1]),
        labels=_tensor(labels, shape),
        predicted=torch.from_numpy(np.flatnonzero(labels != IGNORE)),
        is_full=bool((lengths == shape[1]).all()),
    )


def _tensor(values: np.ndarray, shape: tuple[int, ...]) -> Tensor:
    """``values`` as an int64 tensor of ``shape``; the memory is shared where the type allows it."""
    values = np.asarray(values, dtype=np.int64)
    if not values.flags.writeable:
        values = values.copy()
    return torch.from_numpy(values).expand(shape)
