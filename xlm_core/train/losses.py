"""Losses of the training objectives, and the precision that they are computed in (paper, section 3).

Shapes: B rows, D dimensions, V tokens in the vocabulary, n predicted tokens.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from xlm_core.data.batch import Batch
from xlm_core.data.objective_batches import TranslationBatch
from xlm_core.metrics.loss import LossSum
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.model.heads import Classifier, predict_tokens
from xlm_core.model.transformer import Transformer


def token_loss(model: Transformer, batch: Batch, causal: bool, precision: torch.dtype = torch.float32) -> LossSum:
    """Predict the labelled tokens: CLM when ``causal``, else MLM or TLM (sections 3.2 to 3.4).

    The last layer and the vocabulary are computed at the labelled positions only. Matrices are multiplied in
    ``precision``; with gradients, correct guesses are not counted.
    """
    with _autocast(batch.tokens.device, precision):
        return _prediction_loss(model, model(batch, causal, batch.predicted), batch)


def translation_loss(
    translator: EncoderDecoder, pair: TranslationBatch, precision: torch.dtype = torch.float32, smoothing: float = 0.0
) -> LossSum:
    """Predict each target token from the source and the tokens before it: AE, BT and MT (sections 4.2 and 4.3)."""
    with _autocast(pair.target.tokens.device, precision):
        hidden = translator(pair.source, pair.target, pair.target.predicted)
        return _prediction_loss(translator.decoder, hidden, pair.target, smoothing)


def _prediction_loss(model: Transformer, hidden: Tensor, batch: Batch, smoothing: float = 0.0) -> LossSum:
    """Predict the labels of ``batch`` from the states ``hidden`` (n, D) of ``model`` at the labelled positions."""
    labels = batch.labels.flatten().index_select(0, batch.predicted)  # (n,)
    hidden = model.transform_prediction(hidden)
    loss, n_correct = predict_tokens(hidden, model.embeddings.weight, model.output_bias, labels, smoothing)
    return LossSum(loss, len(labels), n_correct)


class LossModule(nn.Module):
    """A loss as a module that holds the model, as ``DistributedDataParallel`` needs; it reaches all trained weights."""

    def __init__(self, loss: Callable[..., LossSum], model: nn.Module, **settings: Any) -> None:
        """Prepare to call ``loss`` with ``model``, a micro-batch and the keywords ``settings``."""
        super().__init__()
        self.loss, self.model, self.settings = loss, model, settings

    def forward(self, *batch: Any) -> LossSum:
        """Compute the loss of one micro-batch."""
        return self.loss(self.model, *batch, **self.settings)


def freeze_unused_layers(model: Transformer, *, predicts: bool = False, pools: bool = False) -> None:
    """Leave out of training the layers of ``model`` that no loss reaches: several processes wait for all gradients.

    Args:
        predicts: a loss is of tokens that ``model`` predicts.
        pools: a loss is of a head that reads the pooled states of ``model``.
    """
    if not predicts:
        model.output_bias.requires_grad_(False)
        if model.prediction_transform is not None:
            model.prediction_transform.requires_grad_(False)
    if not pools and model.pooler is not None:
        model.pooler.requires_grad_(False)


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


def _autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    return torch.autocast(device.type, dtype=precision, enabled=precision != torch.float32)
