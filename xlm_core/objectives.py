"""The training objectives: how each makes a batch, and its loss (paper, section 3).

| objective | batch | model call |
|---|---|---|
| CLM | a block of text; each token is predicted from those before it | causal |
| MLM | a block of text with hidden tokens | bidirectional |
| TLM | a sentence and its translation with hidden tokens | bidirectional |
| AE | a noisy sentence; the target is the sentence | encoder, decoder |
| BT | the model's translation of a sentence; the target is the sentence | encoder, decoder |
| MT | a sentence; the target is its translation | encoder, decoder |

Shapes: B rows, T tokens, D dimensions, V tokens in the vocabulary, n predicted tokens.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from xlm_core.data.batch import IGNORE, Batch, PackedSequences, from_arrays, sentence_batch, target_batch
from xlm_core.data.buckets import LengthBucketedDataset
from xlm_core.data.masking import MaskSampler
from xlm_core.metrics.loss import LossSum
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.model.heads import Classifier, predict_tokens
from xlm_core.model.transformer import Transformer
from xlm_core.text.vocabulary import EOS, PAD


class TranslationBatch(NamedTuple):
    """B source and target sentences.

    source  input of the encoder
    target  input of the decoder, labelled with the next token
    """

    source: Batch
    target: Batch

    def to(self, device: torch.device) -> "TranslationBatch":
        """The same on ``device``."""
        return TranslationBatch(self.source.to(device), self.target.to(device))


CAUSAL = {"clm": True, "mlm": False, "tlm": False}


def clm_batch(block: np.ndarray, language: int) -> Batch:
    """Predict each next token of ``block`` (B, T); nothing follows the last one."""
    labels = np.full(block.shape, IGNORE)
    labels[:, :-1] = block[:, 1:]
    return from_arrays(block, np.arange(block.shape[1]), np.array(language), labels=labels)


def mlm_batch(block: np.ndarray, language: int, masks: MaskSampler, rng: np.random.Generator) -> Batch:
    """Predict hidden tokens of ``block`` (B, T)."""
    inputs, labels = masks.mask(block, rng)
    return from_arrays(inputs, np.arange(block.shape[1]), np.array(language), labels=labels)


def tlm_batch(
    pairs: LengthBucketedDataset,
    batch_index: int,
    languages: tuple[int, int],
    masks: MaskSampler,
    rng: np.random.Generator,
) -> Batch:
    """Predict hidden tokens of both sentences of each pair; a random half of the pairs begins with the second one.

    Args:
        pairs: of two columns.
        batch_index: number of the batch.
        languages: ids of the languages of the columns.
        masks, rng: choose the hidden tokens, and the order of the sentences.
    """
    indices = pairs.indices(batch_index)
    swapped = rng.random(len(indices)) < 0.5
    first, second = pairs.column(indices, swapped.astype(np.int64)), pairs.column(indices, 1 - swapped.astype(np.int64))
    tokens, positions, is_second, lengths = concat_pairs(first, second)
    inputs, labels = masks.mask(tokens, rng)
    token_languages = np.where(is_second != swapped[:, None], languages[1], languages[0])
    return from_arrays(inputs, positions, token_languages, lengths, labels)


def concat_pairs(
    first: PackedSequences, second: PackedSequences
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Concatenate the sentences of each pair: ``</s> a </s> </s> b </s>`` (section 3.4).

    Returns:
        Ids (B, T); positions (B, T), which restart at 0 in the second sentence; whether a token is in the second
        sentence, (B, T) bool; and tokens (B,) that are not padding.
    """
    start_of_second = (first.lengths + 2)[:, None]
    lengths = first.lengths + second.lengths + 4
    column = np.arange(lengths.max())[None, :]
    is_second, is_padding = column >= start_of_second, column >= lengths[:, None]
    tokens = np.where(is_padding, PAD, EOS)
    tokens[(column > 0) & (column < start_of_second - 1)] = first.tokens
    tokens[(column > start_of_second) & (column < lengths[:, None] - 1)] = second.tokens
    return tokens, np.where(is_padding, 0, column - start_of_second * is_second), is_second, lengths


def translation_batch(source: PackedSequences, target: PackedSequences, languages: tuple[int, int]) -> TranslationBatch:
    """Batch sources and targets; ``languages`` are the ids of both."""
    return TranslationBatch(sentence_batch(source, languages[0]), target_batch(target, languages[1]))


def token_loss(model: Transformer, batch: Batch, causal: bool, precision: torch.dtype = torch.float32) -> LossSum:
    """Predict the labelled tokens: CLM when ``causal``, else MLM or TLM (sections 3.2 to 3.4).

    The last layer and the vocabulary are computed at the labelled positions only. Matrices are multiplied in
    ``precision``; with gradients, correct guesses are not counted.
    """
    with _autocast(batch.tokens.device, precision):
        hidden = model(batch, causal, batch.predicted)  # (n, D)
        labels = batch.labels.flatten().index_select(0, batch.predicted)  # (n,)
        loss, n_correct = predict_tokens(hidden, model.embeddings.weight, model.output_bias, labels)
        return LossSum(loss, len(labels), n_correct)


def translation_loss(
    translator: EncoderDecoder, pair: TranslationBatch, precision: torch.dtype = torch.float32, smoothing: float = 0.0
) -> LossSum:
    """Predict each target token from the source and the tokens before it: AE, BT and MT (sections 4.2 and 4.3)."""
    with _autocast(pair.target.tokens.device, precision):
        decoder, target = translator.decoder, pair.target
        hidden = translator(pair.source, target, target.predicted)  # (n, D)
        labels = target.labels.flatten().index_select(0, target.predicted)  # (n,)
        loss, n_correct = predict_tokens(hidden, decoder.embeddings.weight, decoder.output_bias, labels, smoothing)
        return LossSum(loss, len(labels), n_correct)


class TokenLoss(nn.Module):
    """``token_loss`` as a module that holds the model, as ``DistributedDataParallel`` needs it."""

    def __init__(self, model: Transformer, precision: torch.dtype) -> None:
        super().__init__()
        self.model = model
        self.precision = precision

    def forward(self, batch: Batch, causal: bool) -> LossSum:
        """Compute the loss of one micro-batch."""
        return token_loss(self.model, batch, causal, self.precision)


class TranslationLoss(nn.Module):
    """``translation_loss`` as a module that holds the translator."""

    def __init__(self, translator: EncoderDecoder, precision: torch.dtype, smoothing: float) -> None:
        super().__init__()
        self.translator = translator
        self.precision = precision
        self.smoothing = smoothing

    def forward(self, pair: TranslationBatch) -> LossSum:
        """Compute the loss of one micro-batch."""
        return translation_loss(self.translator, pair, self.precision, self.smoothing)


def classification_loss(
    classifier: Classifier, batch: Batch, labels: Tensor, precision: torch.dtype = torch.float32
) -> LossSum:
    """Predict the class or the score of each row of ``batch``; ``labels`` (B,) as in ``head_loss``."""
    with _autocast(batch.tokens.device, precision):
        scores = classifier(batch).float()  # the loss is in float32 in every precision
    return head_loss(scores, labels)


def head_loss(scores: Tensor, labels: Tensor) -> LossSum:
    """Compute the loss of the outputs (B, n_classes) of a head: cross-entropy, or squared errors of a single output.

    Args:
        labels: (B,) int64 classes; or float scores, none of which counts as predicted right.
    """
    if scores.shape[1] == 1:
        errors = functional.mse_loss(scores[:, 0], labels.float(), reduction="sum")
        return LossSum(errors, len(labels), labels.new_zeros((), dtype=torch.int64))
    nll = functional.cross_entropy(scores, labels, reduction="sum")
    return LossSum(nll, len(labels), (scores.detach().argmax(dim=-1) == labels).sum())


def resolve_dtype(setting: str, device: torch.device) -> torch.dtype:
    """Choose the type of matrix products on ``device`` from "float32", "bfloat16" or "auto".

    "auto" is bfloat16 where the hardware multiplies in it, GPU or CPU, and float32 everywhere else.
    """
    if setting == "auto":
        setting = "bfloat16" if _has_bfloat16(device) else "float32"
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[setting]


def _has_bfloat16(device: torch.device) -> bool:
    """Tell whether the hardware multiplies in bfloat16; emulated products would be slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())  # its public name is younger than the PyTorch we require


def _autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    return torch.autocast(device.type, dtype=precision, enabled=precision != torch.float32)
