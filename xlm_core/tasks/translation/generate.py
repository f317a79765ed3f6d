"""Translating many sentences: batches of similar length, the order kept.

Letters: N sentences.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from xlm_core.data.batch import Batch
from xlm_core.data.packed_sequences import PackedSequences, sentence_batch

Found = TypeVar("Found")
N_ENDS = 2  # </s> a </s>


def max_lengths(lengths: np.ndarray, factor: float, extra: int, max_positions: int) -> np.ndarray:
    """Most tokens (N,) of the translations of sentences of ``lengths`` (N,): ``factor`` times as many and ``extra``.

    A translation is never longer than what a model with so many positions can read, end symbols included.
    """
    return np.minimum((factor * lengths).astype(np.int64) + extra, max_positions - N_ENDS)


def translate(
    sentences: Sequence[Sequence[int]],
    limits: np.ndarray,
    decode: Callable[[Batch, Tensor], Sequence[Found]],
    *,
    language: int,
    micro_batch_tokens: int,
    device: torch.device,
) -> list[Found]:
    """What ``decode`` finds for each of ``sentences``, in their order.

    The longest sentences come first, so that lack of memory shows at once.

    Args:
        sentences: ids.
        limits: (N,) most tokens of each translation.
        decode: gives the translations of a batch with its limits, such as ``decoding.greedy`` of a model.
        language: id of that of the sentences.
        micro_batch_tokens: bound of a batch, padding counted.
        device: of the batches.
    """
    lengths = np.array([len(sentence) for sentence in sentences], dtype=np.int64)
    order = np.argsort(-lengths, kind="stable")
    found: list[tuple[int, Found]] = []
    start = 0
    while start < len(order):
        numbers = order[start : start + max(1, micro_batch_tokens // (int(lengths[order[start]]) + 2))]
        source = sentence_batch(PackedSequences.from_lists([sentences[number] for number in numbers]), language).to(
            device
        )
        found += zip(numbers.tolist(), decode(source, torch.from_numpy(limits[numbers]).to(device)), strict=True)
        start += len(numbers)
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]
