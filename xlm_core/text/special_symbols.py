"""Special symbols of a vocabulary: their ids, and which of them stand around sentences.

| vocabulary | one sentence | a pair |
|---|---|---|
| XLM | ``</s> a </s>`` | ``</s> a </s> b </s>`` |
| RoBERTa, XLM-R | ``<s> a </s>`` | ``<s> a </s> </s> b </s>`` |
| BERT | ``[CLS] a [SEP]`` | ``[CLS] a [SEP] b [SEP]``, the second sentence in segment 1 |
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field

from xlm_core.config.strict_model import StrictModel

BOS, EOS, PAD, UNK, SEPARATOR, MASK = range(6)  # of XLM
SPECIAL = ("<s>", "</s>", "<pad>", "<unk>", *(f"<special{number}>" for number in range(10)))
N_SPECIAL = len(SPECIAL)


class SpecialSymbols(StrictModel):
    """Ids of special symbols; by default XLM's.

    pad, unk, mask  padding, an unknown character, and a hidden token
    begin, end      before and after a sentence
    between         between the sentences of a pair
    has_segments    the second sentence of a pair is of another segment than the first
    special         all ids that stand for no text: they are neither hidden by frequency, nor drawn, nor proposed
    """

    pad: int = PAD
    unk: int = UNK
    mask: int = MASK
    begin: int = EOS
    end: int = EOS
    between: list[int] = Field([EOS])
    has_segments: bool = False
    special: list[int] = Field(list(range(N_SPECIAL)))

    @classmethod
    def of_model(cls, metadata: Mapping[str, Any]) -> Self:
        """Return the symbols that the metadata of a model name; files of XLM that name none have its own."""
        return cls.model_validate(metadata.get("symbols", {}))

    @property
    def n_pair(self) -> int:
        """Special symbols of a pair."""
        return 2 + len(self.between)


XLM_SYMBOLS = SpecialSymbols()
