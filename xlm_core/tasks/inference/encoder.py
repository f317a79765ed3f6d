"""Sentences that someone types, as a model reads them: cleaned, cut into tokens, encoded, batched.

Letters: B rows, T tokens of the longest row.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from xlm_core.data.batch import Batch
from xlm_core.data.packed_sequences import PackedSequences, sentence_batch
from xlm_core.errors import CheckpointError, ConfigError
from xlm_core.languages import language_ids
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.text.vocabulary import Vocabulary

N_ENDS = 2  # </s> a </s>


@dataclass(frozen=True)
class SentenceEncoder:
    """A model, and all that is needed to give it sentences of one language.

    model        in evaluation mode
    vocabulary   the one that it was trained with
    language     code of the sentences
    language_id  row of the language embeddings
    objectives   that the model was trained with
    """

    model: Transformer
    vocabulary: Vocabulary
    language: str
    language_id: int
    objectives: tuple[str, ...]

    @classmethod
    def open(cls, model: Path, vocabulary: Path, language: str, device: torch.device) -> "SentenceEncoder":
        """Read the files of a model and of its vocabulary.

        The language must be named: XLM learned one embedding per language, and gives other states without it.

        Raises:
            CheckpointError: no such model, or it was trained with another vocabulary.
            CorpusError: no such vocabulary.
            ConfigError: the model was not trained on ``language``.
        """
        transformer, about = checkpoint.load(model)
        words = vocabulary_of(model, about, vocabulary)
        ids = language_ids(about["languages"])
        if language not in ids:
            raise ConfigError(f"language '{language}': {model} was trained on {', '.join(ids)}; name one of them")
        return cls(transformer.to(device).eval(), words, language, ids[language], tuple(about["objectives"]))

    @property
    def is_causal(self) -> bool:
        """Whether the model learned to look to the left only (CLM and nothing else)."""
        return self.objectives == ("clm",)

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return self.model.output_bias.device

    def encode(self, tokenized: Sequence[str]) -> list[list[int]]:
        """The ids of tokenized sentences without end symbols; one with no room in the model loses its end."""
        return cut(self.vocabulary.encode(tokenized, self.language), self.model)

    def batch(self, sentences: Sequence[Sequence[int]]) -> Batch:
        """Encoded sentences as ``</s> a </s>``, on the model's device."""
        return sentence_batch(PackedSequences.of(sentences), self.language_id).to(self.device)


def vocabulary_of(model: Path, about: Mapping[str, Any], path: Path) -> Vocabulary:
    """The vocabulary in ``path``, if it is that of a model whose file says this ``about`` it.

    Raises:
        CheckpointError: the model was trained with another one.
        CorpusError: no such vocabulary.
    """
    words = Vocabulary.read(path)
    if words.digest != about["vocabulary"]:
        raise CheckpointError(
            f"{path} is vocabulary {words.digest}, but {model} was trained with {about['vocabulary']}; "
            f"give the file that belongs to the model"
        )
    return words


def cut(encoded: Sequence[list[int]], model: Transformer) -> list[list[int]]:
    """Sentences without the ends that have no room in a model; how many lose theirs is logged."""
    room = model.config.max_positions - N_ENDS
    if n_cut := sum(len(ids) > room for ids in encoded):
        logging.warning("%d sentences have more than %d pieces and lost their ends.", n_cut, room)
    return [ids[:room] for ids in encoded]
