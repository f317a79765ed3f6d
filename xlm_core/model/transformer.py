"""The Transformer of the paper: post-layer-norm, GELU, learned positions, language embeddings (section 5.1).

Letters: B rows, T tokens, S tokens of a source, D dimensions, V tokens in the vocabulary.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from xlm_core.config import ModelConfig
from xlm_core.model.attention import CrossAttention, SelfAttention, select
from xlm_core.model.dropout import Dropout
from xlm_core.model.initialize import initialize
from xlm_core.text.vocabulary import PAD

NORM_EPSILON = 1e-12


class Inputs(Protocol):
    """What the model reads of a batch; shapes as in ``xlm_core.data.batch.Batch``."""

    @property
    def tokens(self) -> Tensor: ...  # noqa: D102
    @property
    def positions(self) -> Tensor: ...  # noqa: D102
    @property
    def languages(self) -> Tensor: ...  # noqa: D102
    @property
    def lengths(self) -> Tensor: ...  # noqa: D102
    @property
    def is_full(self) -> bool: ...  # noqa: D102


class Source(NamedTuple):
    """What a decoder reads of the sentences that it translates.

    states   (B, S, D) the encoder's last
    visible  (B, 1, 1, S) bool, false on padding; None where there is none
    """

    states: Tensor
    visible: Tensor | None


class Layer(nn.Module):
    """Self-attention, then a feed-forward network; each is added to its input, and the sum is normalized.

    Between them the layers of a decoder read the source, by attention as well.
    """

    def __init__(self, config: ModelConfig, reads_source: bool) -> None:
        super().__init__()
        self.attention = SelfAttention(config.dim, config.n_heads, config.attention_dropout)
        self.attention_norm = nn.LayerNorm(config.dim, NORM_EPSILON)
        self.source_attention: CrossAttention | None = None
        if reads_source:
            self.source_attention = CrossAttention(config.dim, config.n_heads, config.attention_dropout)
            self.source_norm = nn.LayerNorm(config.dim, NORM_EPSILON)
        self.wide = nn.Linear(config.dim, config.feedforward_dim)
        self.narrow = nn.Linear(config.feedforward_dim, config.dim)
        self.feedforward_norm = nn.LayerNorm(config.dim, NORM_EPSILON)
        self.dropout = Dropout(config.dropout)

    def forward(
        self, x: Tensor, visible: Tensor | None, causal: bool, at: Tensor | None = None, source: Source | None = None
    ) -> Tensor:
        """``x`` (B, T, D) to (B, T, D), or to (n, D) at some places; see ``SelfAttention`` for the other arguments."""
        here = at if source is None else None
        x = self.attention_norm(select(x, here) + self.dropout(self.attention(x, visible, causal, here)))
        if self.source_attention is not None:
            x = self.source_norm(select(x, at) + self.dropout(self.source_attention(x, *source, at)))
        return self.feed_forward(x)

    def feed_forward(self, x: Tensor) -> Tensor:
        """The feed-forward network: ``x`` (…, D) to (…, D)."""
        return self.feedforward_norm(x + self.dropout(self.narrow(functional.gelu(self.wide(x)))))


class Transformer(nn.Module):
    """An encoder, or with ``causal`` a left-to-right language model, over one vocabulary shared by all languages.

    One that ``reads_source`` is a decoder: left-to-right, and given the states of the sentences that it translates.

    ``gradient_checkpointing``: of each layer only the input is kept for the backward pass, which computes the layer
    again: a third more work for a fraction of the memory.
    """

    gradient_checkpointing = False

    def __init__(self, config: ModelConfig, n_tokens: int, n_languages: int, reads_source: bool = False) -> None:
        super().__init__()
        self.config = config
        self.n_tokens = n_tokens
        self.n_languages = n_languages
        self.embeddings = nn.Embedding(n_tokens, config.dim, padding_idx=PAD)
        self.position_embeddings = nn.Embedding(config.max_positions, config.dim)
        has_languages = config.language_embeddings and n_languages > 1
        self.language_embeddings = nn.Embedding(n_languages, config.dim) if has_languages else None
        self.embedding_norm = nn.LayerNorm(config.dim, NORM_EPSILON)
        self.dropout = Dropout(config.dropout)
        self.layers = nn.ModuleList(Layer(config, reads_source) for _ in range(config.n_layers))
        self.output_bias = nn.Parameter(torch.empty(n_tokens))  # the output's weight is the embedding itself
        initialize(self)

    def forward(
        self, batch: Inputs, causal: bool = False, at: Tensor | None = None, source: Source | None = None
    ) -> Tensor:
        """The last layer's states.

        Args:
            batch: B rows of T tokens.
            causal: each state sees what comes before it only.
            at: (n,) places, counted row after row, none of them padding: the only ones whose states are wanted. Most
                of the last layer is then computed there alone, which is exact, and saves as much of that layer as
                there are other places.
            source: what a decoder translates.

        Returns:
            (B, T, D), zero on padding; or (n, D).
        """
        return deque(self.states(batch, causal, at, source), maxlen=1).pop()

    def states(
        self, batch: Inputs, causal: bool = False, at: Tensor | None = None, source: Source | None = None
    ) -> Iterator[Tensor]:
        """The states after the embeddings, then after each layer, one by one, so that none need be kept.

        Args:
            batch, causal, at, source: as in ``forward``; ``at`` holds for the last layer alone.

        Yields:
            (B, T, D), zero on padding; at last (n, D), where only some places are wanted.
        """
        padding = None if batch.is_full else _padding(batch)
        visible = visible_of(batch)
        x = _without(self.embed(batch), padding)
        yield x
        *others, last = self.layers
        for layer in others:
            x = _without(self._through(layer, x, visible, causal, None, source), padding)
            yield x
        x = self._through(last, x, visible, causal, at, source)
        yield _without(x, padding) if at is None else x

    def _through(self, layer: nn.Module, *inputs: Tensor | bool | Source | None) -> Tensor:
        """The output of a layer, which keeps its activations for the backward pass or computes them again there."""
        if self.gradient_checkpointing and torch.is_grad_enabled():
            return checkpoint(layer, *inputs, use_reentrant=False)
        return layer(*inputs)

    def embed(self, batch: Inputs) -> Tensor:
        """The input of the first layer (B, T, D): token, position and language embeddings, normalized."""
        x = self.embeddings(batch.tokens) + self.position_embeddings(batch.positions)
        if self.language_embeddings is not None:
            x = x + self.language_embeddings(batch.languages)
        return self.dropout(self.embedding_norm(x))

    def predict(self, hidden: Tensor) -> Tensor:
        """Scores (n, V) of every token of the vocabulary, before the softmax, from states (n, D)."""
        return functional.linear(hidden, self.embeddings.weight, self.output_bias)


def visible_of(batch: Inputs) -> Tensor | None:
    """(B, 1, 1, T) bool, false on padding; None where there is none."""
    return None if batch.is_full else ~_padding(batch)[:, None, None, :]


def _padding(batch: Inputs) -> Tensor:
    """(B, T) bool, true on padding."""
    return torch.arange(batch.tokens.shape[1], device=batch.tokens.device) >= batch.lengths[:, None]


def _without(x: Tensor, padding: Tensor | None) -> Tensor:
    """``x`` (B, T, D) with zeros on padding."""
    return x if padding is None else x.masked_fill(padding[:, :, None], 0.0)
