"""Encoding of typed sentences for a model: tokens to ids to batches.

Shapes: B rows, T tokens of the longest row.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch

from xlm_core.data.batch import Batch
from xlm_core.data.packed_sequences import PackedSequences, sentence_batch
from xlm_core.errors import CheckpointError, ConfigError
from xlm_core.languages import language_ids
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.text.vocabulary import Vocabulary

N_SPECIAL_PER_SENTENCE = 2  # </s> a </s>


@dataclass(frozen=True)
class SentenceEncoder:
    """A model with its vocabulary, for sentences of one language.

    model        in evaluation mode
    vocabulary   of the model
    language     code of the sentences
    language_id  row of the language embeddings
    objectives   of the model's training
    """

    model: Transformer
    vocabulary: Vocabulary
    language: str
    language_id: int
    objectives: tuple[str, ...]

    @classmethod
    def open(cls, model: Path, vocabulary: Path, language: str, device: torch.device) -> Self:
        """Read a model and its vocabulary.

        The language must be named: XLM learns one embedding per language, and has other states without it.

        Raises:
            CheckpointError: no such model, or it was trained with another vocabulary.
            CorpusError: no such vocabulary.
            ConfigError: the model was not trained on ``language``.
        """
        transformer, metadata = checkpoint.load(model)
        vocab = load_vocabulary(model, metadata, vocabulary)
        ids = language_ids(metadata["languages"])
        if language not in ids:
            raise ConfigError(f"language '{language}': {model} was trained on {', '.join(ids)}; name one of them")
        return cls(transformer.to(device).eval(), vocab, language, ids[language], tuple(metadata["objectives"]))

    @property
    def is_causal(self) -> bool:
        """Whether the model was trained by CLM alone, and attends to the left only."""
        return self.objectives == ("clm",)

    @property
    def max_pieces(self) -> int:
        """Ids that the model has positions for, end symbols left out."""
        return self.model.config.max_positions - N_SPECIAL_PER_SENTENCE

    def encode(self, tokenized: Sequence[str]) -> list[list[int]]:
        """Encode tokenized sentences without end symbols, truncated to ``max_pieces``."""
        return truncate(self.vocabulary.encode(tokenized, self.language), self.model)

    def batch(self, sentences: Sequence[Sequence[int]]) -> Batch:
        """Batch encoded sentences as ``</s> a </s>`` on the model's device."""
        return sentence_batch(PackedSequences.from_lists(sentences), self.language_id).to(self.model.output_bias.device)


def load_vocabulary(model: Path, metadata: Mapping[str, Any], path: Path) -> Vocabulary:
    """Read the vocabulary in ``path``, which must be the one in the ``metadata`` of the file ``model``.

    Raises:
        CheckpointError: the model was trained with another one.
        CorpusError: no such vocabulary.
    """
    vocab = Vocabulary.read(path)
    if vocab.digest != metadata["vocabulary"]:
        raise CheckpointError(
            f"{path} is vocabulary {vocab.digest}, but {model} was trained with {metadata['vocabulary']}; "
            f"give the file that belongs to the model"
        )
    return vocab


def truncate(encoded: Sequence[list[int]], model: Transformer) -> list[list[int]]:
    """Truncate sentences to the positions of a model, and log how many lose their ends."""
    max_pieces = model.config.max_positions - N_SPECIAL_PER_SENTENCE
    if n_truncated := sum(len(ids) > max_pieces for ids in encoded):
        logging.warning("%d sentences have more than %d pieces and lost their ends.", n_truncated, max_pieces)
    return [ids[:max_pieces] for ids in encoded]
