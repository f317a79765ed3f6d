"""The translator: an encoder and a decoder of the same shape (paper, sections 4.2 and 4.3).

Letters: B rows, T tokens, S tokens of a source, D dimensions.
"""

from torch import Tensor, nn

from xlm_core.model.transformer import Inputs, Source, Transformer, visible_of


class Translator(nn.Module):
    """Reads sentences with an encoder and writes their translations with a decoder."""

    def __init__(self, encoder: Transformer, decoder: Transformer) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, source: Inputs, target: Inputs, at: Tensor | None = None) -> Tensor:
        """The decoder's last states (B, T, D) for ``target``, or (n, D) at some places of it."""
        return self.decoder(target, causal=True, at=at, source=self.read(source))

    def read(self, source: Inputs) -> Source:
        """What the decoder needs of the sentences to translate, B rows of S tokens."""
        return Source(self.encoder(source), visible_of(source))
