"""The Transformer of the paper: post-layer-norm, GELU, learned positions, language embeddings (section 5.1).

Shapes: B rows, T tokens, S tokens of a source, D dimensions, V tokens in the vocabulary.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional, init
from torch.utils.checkpoint import checkpoint

from xlm_core.config import ModelConfig
from xlm_core.data.batch import EncoderInput
from xlm_core.model.attention import CrossAttention, LayerCache, SelfAttention, select_positions
from xlm_core.model.cpu_kernels import Dropout
from xlm_core.model.encoder import Encoder, padding_of
from xlm_core.text.special_symbols import PAD


class EncoderOutput(NamedTuple):
    """Encoded source sentences, which a decoder attends to.

    states          (B, S, D) of the encoder's last layer
    attention_mask  (B, 1, 1, S) bool, false on padding; None where there is none
    """

    states: Tensor
    attention_mask: Tensor | None


class TransformerLayer(nn.Module):
    """Self-attention, in a decoder cross-attention, and a feed-forward network; each followed by add and norm.

    Modules have the names of the tensors in model files.
    """

    def __init__(self, config: ModelConfig, is_decoder: bool) -> None:
        super().__init__()
        self.attention = SelfAttention(config.dim, config.n_heads, config.attention_dropout)
        self.attention_norm = nn.LayerNorm(config.dim, config.norm_epsilon)
        self.source_attention: CrossAttention | None = None
        if is_decoder:
            self.source_attention = CrossAttention(config.dim, config.n_heads, config.attention_dropout)
            self.source_norm = nn.LayerNorm(config.dim, config.norm_epsilon)
        self.wide = nn.Linear(config.dim, config.feedforward_dim)
        self.narrow = nn.Linear(config.feedforward_dim, config.dim)
        self.feedforward_norm = nn.LayerNorm(config.dim, config.norm_epsilon)
        self.dropout = Dropout(config.dropout)

    def forward(
        self,
        x: Tensor,
        attention_mask: Tensor | None,
        causal: bool,
        output_positions: Tensor | None = None,
        source: EncoderOutput | None = None,
        cache: LayerCache | None = None,
    ) -> Tensor:
        """Map ``x`` (B, T, D) to (B, T, D), or to (n, D) at some positions; see ``SelfAttention`` for the arguments.

        A decoder attends to ``source``; or with a ``cache``, which holds the source and the tokens so far, it maps the
        next token of each row, ``x`` (R, D), to (R, D).
        """
        here = output_positions if self.source_attention is None else None
        context = self.attention.step(x, cache) if cache else self.attention(x, attention_mask, causal, here)
        x = self.attention_norm(select_positions(x, here) + self.dropout(context))
        if self.source_attention is not None:
            if cache:
                context = self.source_attention.step(x, cache)
            else:
                assert source is not None, "a decoder attends to an encoder's output"
                context = self.source_attention(x, *source, output_positions)
            x = self.source_norm(select_positions(x, output_positions) + self.dropout(context))
        output: Tensor = self.feedforward_norm(x + self.dropout(self.narrow(functional.gelu(self.wide(x)))))
        return output


class PredictionTransform(nn.Sequential):
    """What BERT and its relatives do to a state before they compare it with the embeddings of all tokens."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(nn.Linear(config.dim, config.dim), nn.GELU(), nn.LayerNorm(config.dim, config.norm_epsilon))


class Transformer(Encoder):
    """An encoder, or with ``causal`` a left-to-right language model, over one vocabulary shared by all languages.

    With ``is_decoder`` it is left-to-right and each layer also attends to an encoder's output.

    With ``gradient_checkpointing`` only the input of each layer is kept for the backward pass, which computes the layer
    again: a third more work for a fraction of the memory.
    """

    gradient_checkpointing = False

    def __init__(self, config: ModelConfig, vocab_size: int, n_languages: int, is_decoder: bool = False) -> None:
        super().__init__()
        self.config = config
        self.vocab_size = vocab_size
        self.n_languages = n_languages
        self.embeddings = nn.Embedding(vocab_size, config.dim)
        self.position_embeddings = nn.Embedding(config.max_positions, config.dim)
        has_languages = config.language_embeddings and n_languages > 1
        self.language_embeddings = nn.Embedding(n_languages, config.dim) if has_languages else None
        self.segment_embeddings = nn.Embedding(config.n_segments, config.dim) if config.n_segments else None
        self.embedding_norm = nn.LayerNorm(config.dim, config.norm_epsilon)
        self.dropout = Dropout(config.dropout)
        self.layers = nn.ModuleList(TransformerLayer(config, is_decoder) for _ in range(config.n_layers))
        self.prediction_transform = PredictionTransform(config) if config.prediction_transform else None
        self.output_bias = nn.Parameter(torch.empty(vocab_size))  # the output's weight is the embedding itself
        self.pooler = nn.Linear(config.dim, config.dim) if config.pooler else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every weight from PyTorch's random generator.

        | weights | distribution |
        |---|---|
        | embeddings | normal, of deviation ``embedding_init_std``; the row of XLM's padding symbol is zero |
        | linear layers, their biases, the output's bias | uniform within 1 / sqrt(inputs), PyTorch's own rule |
        | layer normalization | scale one, shift zero |
        """
        std = self.config.embedding_init_std or self.config.dim**-0.5
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                init.normal_(module.weight, std=std)
            elif isinstance(module, nn.Linear | nn.LayerNorm):
                module.reset_parameters()
        init.zeros_(self.embeddings.weight[PAD])  # XLM's padding, as published
        bound = self.config.dim**-0.5
        init.uniform_(self.output_bias, -bound, bound)

    def freeze(self, n_layers: int) -> None:
        """Leave the embeddings and the first ``n_layers`` layers out of training: they get no gradients."""
        tables = [self.embeddings, self.position_embeddings, self.language_embeddings, self.segment_embeddings]
        for module in [*tables, self.embedding_norm, *self.layers[:n_layers]]:
            if module is not None:
                module.requires_grad_(False)

    def average_language_embeddings(self) -> None:
        """Give all languages the mean of their embeddings, which is not trained, so that none is told from another."""
        if self.language_embeddings is not None:
            weight = self.language_embeddings.weight.requires_grad_(False)
            weight[:] = weight.mean(dim=0)

    def forward(
        self,
        batch: EncoderInput,
        causal: bool = False,
        output_positions: Tensor | None = None,
        source: EncoderOutput | None = None,
    ) -> Tensor:
        """Compute the last layer's states.

        Args:
            batch: B rows of T tokens.
            causal: each state sees what comes before it only.
            output_positions: (n,) positions, counted row after row, none of them padding; only their states are
                returned. Most of the last layer is then computed at these positions alone, which is exact.
            source: the encoder output that a decoder attends to.

        Returns:
            (B, T, D), zero on padding; or (n, D).
        """
        return deque(self.states(batch, causal, output_positions, source), maxlen=1).pop()

    def states(
        self,
        batch: EncoderInput,
        causal: bool = False,
        output_positions: Tensor | None = None,
        source: EncoderOutput | None = None,
    ) -> Iterator[Tensor]:
        """Yield the states after the embeddings, then after each layer, one at a time.

        Args:
            batch, causal, output_positions, source: as in ``forward``; positions are selected in the last layer alone.

        Yields:
            (B, T, D), zero on padding; the last one (n, D) if positions are selected.
        """
        padding = None if batch.is_full else padding_of(batch)
        attention_mask = attention_mask_of(batch)
        x = _zero_padding(self.embed(batch), padding)
        yield x
        *others, last = self.layers
        for layer in others:
            x = _zero_padding(self._apply_layer(layer, x, attention_mask, causal, None, source), padding)
            yield x
        x = self._apply_layer(last, x, attention_mask, causal, output_positions, source)
        yield _zero_padding(x, padding) if output_positions is None else x

    def _apply_layer(self, layer: nn.Module, *inputs: Tensor | bool | EncoderOutput | None) -> Tensor:
        """Apply a layer, with gradient checkpointing where it is on."""
        if self.gradient_checkpointing and torch.is_grad_enabled():
            output: Tensor = checkpoint(layer, *inputs, use_reentrant=False)
        else:
            output = layer(*inputs)
        return output

    def embed(self, batch: EncoderInput) -> Tensor:
        """Sum the embeddings of each token and normalize: the first layer's input (B, T, D)."""
        x = self.embeddings(batch.tokens) + self.position_embeddings(batch.positions)
        if self.language_embeddings is not None:
            x = x + self.language_embeddings(batch.languages)
        if self.segment_embeddings is not None:
            x = x + self.segment_embeddings(
                torch.zeros_like(batch.tokens) if batch.segments is None else batch.segments
            )
        embedded: Tensor = self.dropout(self.embedding_norm(x))
        return embedded

    def predict(self, hidden: Tensor) -> Tensor:
        """Compute scores (n, V) of every token of the vocabulary, before the softmax, from states (n, D)."""
        return functional.linear(self.transform_prediction(hidden), self.embeddings.weight, self.output_bias)

    def transform_prediction(self, hidden: Tensor) -> Tensor:
        """Map states (n, D) to what is compared with the embeddings (n, D): in XLM the states themselves."""
        transformed: Tensor = hidden if self.prediction_transform is None else self.prediction_transform(hidden)
        return transformed

    def pool(self, first: Tensor) -> Tensor:
        """Map first states (B, D) to what a classification head reads (B, D): in XLM the states themselves."""
        return first if self.pooler is None else torch.tanh(self.pooler(first))


def attention_mask_of(batch: EncoderInput) -> Tensor | None:
    """Make the mask (B, 1, 1, T) bool, false on padding; None where there is no padding."""
    return None if batch.is_full else ~padding_of(batch)[:, None, None, :]


def _zero_padding(x: Tensor, padding: Tensor | None) -> Tensor:
    """Set ``x`` (B, T, D) to zero on padding."""
    return x if padding is None else x.masked_fill(padding[:, :, None], 0.0)
