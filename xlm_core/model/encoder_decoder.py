"""The translator: an encoder and a decoder of the same shape (paper, sections 4.2 and 4.3).

Letters: B rows, T tokens, S tokens of a source, D dimensions.
"""

from typing import NamedTuple

from torch import Tensor, nn

from xlm_core.model.transformer import EncoderInput, EncoderOutput, Transformer, attention_mask_of

FULL_SHARE = 0.75  # of places that are not padding; a batch that has fewer is read in groups
GROUP = 16  # sentences


class EncoderDecoder(nn.Module):
    """Reads sentences with an encoder and writes their translations with a decoder."""

    def __init__(self, encoder: Transformer, decoder: Transformer) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, source: EncoderInput, target: EncoderInput, output_positions: Tensor | None = None) -> Tensor:
        """The decoder's last states (B, T, D) for ``target``, or (n, D) at some places of it."""
        return self.decoder(target, causal=True, output_positions=output_positions, source=self.read(source))

    def read(self, source: EncoderInput) -> EncoderOutput:
        """What the decoder needs of the sentences to translate, B rows of S tokens."""
        return EncoderOutput(self.encoder(source), attention_mask_of(source))

    def read_by_length(self, source: EncoderInput) -> EncoderOutput:
        """As ``read``, without dropout: sentences of like lengths are read together, so that little padding is.

        Reading is most of the work on the shorter half of a batch whose sentences were not sorted before.
        """
        if source.lengths.sum() >= FULL_SHARE * source.tokens.numel():
            return self.read(source)
        states = self.encoder.embeddings.weight.new_zeros((*source.tokens.shape, self.encoder.config.dim))
        for rows in source.lengths.argsort().split(GROUP):
            group = _Rows.of(source, rows)
            states[rows, : group.tokens.shape[1]] = self.encoder(group)
        return EncoderOutput(states, attention_mask_of(source))


class _Rows(NamedTuple):
    """Some sentences of a batch; what is in it as in ``EncoderInput``."""

    tokens: Tensor
    positions: Tensor
    languages: Tensor
    lengths: Tensor
    is_full: bool

    @classmethod
    def of(cls, source: EncoderInput, rows: Tensor) -> "_Rows":
        """The sentences ``rows`` (n,), as wide as the longest of them."""
        lengths = source.lengths[rows]
        width = int(lengths.max())
        tokens, positions, languages = (
            part[rows, :width] for part in (source.tokens, source.positions, source.languages)
        )
        return cls(tokens, positions, languages, lengths, bool(lengths.min() == width))
