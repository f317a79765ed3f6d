"""Batches: the input of the model and the labels of an objective, made of sentences of different lengths.

Shapes: B rows, T tokens of the longest row, n tokens of all sentences.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from xlm_core.text.special_symbols import PAD, XLM_SYMBOLS, SpecialSymbols

IGNORE = -100  # the label of a position at which nothing is predicted


@dataclass(frozen=True)
class EncoderInput:
    """B sequences of at most T tokens, padded on the right: what the model reads.

    tokens     (B, T) int64  ids
    positions  (B, T) int64  index of each token in its sentence or block
    languages  (B, T) int64  id of each token's language
    lengths    (B,) int64    tokens of each row that are not padding
    is_full    no row has padding, so that no attention mask is needed
    segments   (B, T) int64  1 in the second sentence of a pair, else 0; None: 0 everywhere
    """

    tokens: Tensor
    positions: Tensor
    languages: Tensor
    lengths: Tensor
    is_full: bool
    segments: Tensor | None = field(default=None, kw_only=True)

    def select(self, rows: Tensor) -> "EncoderInput":
        """Select ``rows`` (n,), as wide as the longest of them."""
        lengths = self.lengths[rows]
        width = int(lengths.max())
        tokens, positions, languages = (x[rows, :width] for x in (self.tokens, self.positions, self.languages))
        segments = None if self.segments is None else self.segments[rows, :width]
        return EncoderInput(tokens, positions, languages, lengths, bool(lengths.min() == width), segments=segments)


@dataclass(frozen=True)
class Batch(EncoderInput):
    """Sequences with labels.

    ``predicted`` and ``is_full`` are computed on the host when the batch is made, so that nothing has to be read back
    from the GPU to prepare a step.

    labels     (B, T) int64  the id to predict at each position, ``IGNORE`` where nothing is predicted
    predicted  (n,) int64    the labelled positions, counted row after row
    """

    labels: Tensor
    predicted: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Copy the batch to ``device``."""
        if device == self.tokens.device:
            return self
        return self._map(lambda tensor: tensor.to(device, non_blocking=True))

    def pinned(self) -> "Batch":
        """Copy the batch to page-locked memory, which a GPU reads while it computes."""
        return self._map(lambda tensor: tensor.contiguous().pin_memory())

    def _map(self, function: Callable[[Tensor], Tensor]) -> "Batch":
        tensors = {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}
        mapped: dict[str, Any] = {name: function(tensor) for name, tensor in tensors.items()}
        return replace(self, **mapped)


def from_arrays(
    tokens: np.ndarray,
    positions: np.ndarray,
    languages: np.ndarray,
    lengths: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    segments: np.ndarray | None = None,
) -> Batch:
    """Make a batch from arrays.

    Args:
        tokens: (B, T) ids.
        positions: of any shape that broadcasts to (B, T).
        languages: of any shape that broadcasts to (B, T).
        lengths: (B,) tokens that are not padding; None if every row is full.
        labels: (B, T) as in ``Batch``; None if nothing is predicted.
        segments: (B, T) as in ``EncoderInput``.
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
        segments=None if segments is None else _tensor(segments, shape),
    )


def _tensor(values: np.ndarray, shape: tuple[int, ...]) -> Tensor:
    """Return ``values`` as an int64 tensor of ``shape``; the memory is shared if the type allows it."""
    return torch.from_numpy(np.require(values, np.int64, ["WRITEABLE"])).expand(shape)


class PackedSequences(NamedTuple):
    """Sentences of different lengths, back to back in one array.

    tokens   (n,) int64 ids, without special symbols
    lengths  (B,) int64 tokens of each
    """

    tokens: np.ndarray
    lengths: np.ndarray

    @classmethod
    def from_lists(cls, sentences: Sequence[Sequence[int] | np.ndarray]) -> "PackedSequences":
        """Pack lists or arrays of ids."""
        tokens = np.concatenate([np.zeros(0, dtype=np.int64), *sentences])
        return cls(tokens.astype(np.int64), np.array([len(sentence) for sentence in sentences], dtype=np.int64))


def gather_indices(begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the indices (n,) of all elements of slices that begin at ``begins`` (B,) and have ``lengths`` (B,)."""
    return np.repeat(begins - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())


def sentence_batch(
    sentences: PackedSequences,
    language: int | np.ndarray,
    symbols: SpecialSymbols = XLM_SYMBOLS,
    starts_of_second: np.ndarray | None = None,
) -> Batch:
    """Batch sentences as an encoder reads them: of XLM ``</s> a </s>``.

    Args:
        sentences: sentences, or pairs with the symbols between them.
        language: an id, or the id (B, 1) of each.
        symbols: of the vocabulary.
        starts_of_second: (B, 1) column of each row in which the second sentence of a pair begins.
    """
    lengths = sentences.lengths + 2
    column = np.arange(lengths.max())[None, :]
    is_token = column < lengths[:, None]
    tokens = np.where(is_token, symbols.end, symbols.pad)
    tokens[:, 0] = symbols.begin
    tokens[(column > 0) & (column <= sentences.lengths[:, None])] = sentences.tokens
    segments = None
    if symbols.has_segments and starts_of_second is not None:
        segments = (is_token & (column >= starts_of_second)).astype(np.int64)
    return from_arrays(tokens, np.where(is_token, column, 0), np.array(language), lengths, segments=segments)


def target_batch(sentences: PackedSequences, language: int) -> Batch:
    """Batch sentences of a language (an id) as a decoder is trained on them: ``</s> a``, labelled with ``a </s>``."""
    tokens, lengths = sentence_batch(sentences, language).tokens.numpy(), sentences.lengths + 1
    column = np.arange(lengths.max())[None, :]
    is_token = column < lengths[:, None]
    inputs, labels = np.where(is_token, tokens[:, :-1], PAD), np.where(is_token, tokens[:, 1:], IGNORE)
    return from_arrays(inputs, np.where(is_token, column, 0), np.array(language), lengths, labels)
