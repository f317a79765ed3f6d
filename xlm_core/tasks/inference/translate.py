"""Translate raw text to raw text with a trained translator.

Text is prepared as the training text was. Test sets are scored with the same pipeline.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from sacremoses import MosesDetokenizer

from xlm_core.config import DecodingConfig, Text, TranslationObjective
from xlm_core.errors import ConfigError
from xlm_core.languages import language_ids
from xlm_core.model import checkpoint
from xlm_core.model.decoding import BeamHypothesis
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.tasks.inference.encoder import load_vocabulary, truncate
from xlm_core.tasks.translation.generate import generate
from xlm_core.text.tokenize import normalize_letters, tokenize_line
from xlm_core.text.vocabulary import Vocabulary

UNSPACED = ("zh", "th")  # languages that write no blanks between words
DANDA = " ।"  # the full stop of Hindi and its relatives, which Moses does not know


class Translation(NamedTuple):
    """One translation: as tokens separated by blanks, as people write it, and its score (None where it is greedy)."""

    tokens: str
    text: str
    score: float | None


EMPTY = Translation("", "", None)


@dataclass(frozen=True)
class TranslationPipeline:
    """A translator, its vocabulary, and how its text is to be prepared.

    translator  in evaluation mode
    vocabulary  the one that it was trained with
    ids         language -> row of the language embeddings
    text        what is done to letters
    directions  that it was trained in, source and target
    about       what its file says of it
    """

    translator: EncoderDecoder
    vocabulary: Vocabulary
    ids: dict[str, int]
    text: Text
    directions: tuple[tuple[str, str], ...]
    about: Mapping[str, Any]

    @classmethod
    def open(cls, model: Path, vocabulary: Path, device: torch.device) -> "TranslationPipeline":
        """Read the files of a translator and of its vocabulary.

        Raises:
            CheckpointError: no such model, a language model alone, or one with another vocabulary.
            CorpusError: no such vocabulary.
        """
        translator, about = checkpoint.load_translator(model)
        words = load_vocabulary(model, about, vocabulary)
        objectives = [TranslationObjective.model_validate(objective) for objective in about["objectives"]]
        directions = tuple(dict.fromkeys((one.source, one.target) for one in objectives if one.kind != "ae"))
        text = Text.model_validate(about["text"])
        return cls(translator.to(device).eval(), words, language_ids(about["languages"]), text, directions, about)

    def translate(
        self, sentences: Sequence[str], source: str, target: str, decoding: DecodingConfig, micro_batch_tokens: int
    ) -> list[list[Translation]]:
        """Translate raw sentences: the ``decoding.n_best`` best of each; of one without any words, an empty one.

        A sentence that has no room in the model loses its end, which is logged.

        Raises:
            ConfigError: the translator was not trained in this direction.
        """
        self.check(source, target)
        tokenized = [tokenize_line(sentence, source, self.text) for sentence in sentences]
        encoded = truncate(self.vocabulary.encode(tokenized, source), self.translator.encoder)
        filled = [number for number, ids in enumerate(encoded) if ids]
        translations = generate(
            self.translator,
            [encoded[number] for number in filled],
            (self.ids[source], self.ids[target]),
            decoding,
            micro_batch_tokens,
        )
        by_number = dict(zip(filled, translations, strict=True))
        return [
            [self._decoded(one, target) for one in by_number[number]] if number in by_number else [EMPTY]
            for number in range(len(sentences))
        ]

    def check(self, source: str, target: str) -> None:
        """Refuse a direction that the translator was not trained in."""
        if (source, target) not in self.directions:
            trained = ", ".join("-".join(direction) for direction in self.directions)
            raise ConfigError(f"from '{source}' to '{target}': the model was trained for {trained}; name one of these")

    def reference(self, sentence: str, target: str) -> tuple[str, str]:
        """A raw translation by people, as it is compared with tokens and with text: with the letters of the model's."""
        return tokenize_line(sentence, target, self.text), normalize_letters(sentence, target, self.text)

    def _decoded(self, hypothesis: BeamHypothesis, target: str) -> Translation:
        tokens = self.vocabulary.decode(hypothesis.tokens, target)
        return Translation(tokens, detokenized(tokens, target), hypothesis.score)


def detokenized(tokens: str, language: str) -> str:
    """Tokens separated by blanks, as people write them."""
    if language in UNSPACED:
        return tokens.replace(" ", "")
    text: str = _detokenizer(language).detokenize(tokens.split(), unescape=False)
    return text.replace(DANDA, DANDA.strip())


@cache
def _detokenizer(language: str) -> MosesDetokenizer:
    return MosesDetokenizer(language)
