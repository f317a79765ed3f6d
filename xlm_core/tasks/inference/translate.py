"""An interpreter: raw text in, raw text out; a translator with all that belongs to it.

What it does to a text is what was done to the texts that the translator learned from, and its translations are found
by the same search wherever they are needed: to score a test set, or for whoever uses the model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from sacremoses import MosesDetokenizer
from torch import Tensor

from xlm_core.config import DecodingConfig, Text, TranslationObjective
from xlm_core.data.batch import Batch
from xlm_core.errors import ConfigError
from xlm_core.languages import language_ids
from xlm_core.model import checkpoint
from xlm_core.model.decoding import Hypothesis, beam_search, greedy_search
from xlm_core.model.encoder_decoder import EncoderDecoder
from xlm_core.tasks.inference.encoder import load_vocabulary, truncate
from xlm_core.tasks.translation.generate import max_lengths, translate
from xlm_core.text.tokenize import normalize_letters, tokenize_line
from xlm_core.text.vocabulary import Vocabulary

UNSPACED = ("zh", "th")  # languages that write no blanks between words
DANDA = " ।"  # the full stop of Hindi and its relatives, which Moses does not know


class Translation(NamedTuple):
    """One translation: as tokens separated by blanks, as people write it, and its score (None where it is greedy)."""

    tokens: str
    text: str
    score: float | None


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
        """The best translations of raw sentences, of each ``decoding.n_best``; of one without any words, nothing.

        A sentence that has no room in the model loses its end, which is logged.

        Raises:
            ConfigError: the translator was not trained in this direction.
        """
        self.check(source, target)
        tokenized = [tokenize_line(sentence, source, self.text) for sentence in sentences]
        encoded = truncate(self.vocabulary.encode(tokenized, source), self.translator.encoder)
        filled = [number for number, ids in enumerate(encoded) if ids]
        positions = self.translator.decoder.config.max_positions
        lengths = np.array([len(encoded[number]) for number in filled], dtype=np.int64)
        device = self.translator.decoder.output_bias.device

        def decode(batch: Batch, limits: Tensor) -> list[list[Hypothesis]]:
            if decoding.beam_size == 1:
                return [
                    [Hypothesis(ids, np.nan)] for ids in greedy_search(self.translator, batch, self.ids[target], limits)
                ]
            return beam_search(self.translator, batch, self.ids[target], limits, decoding)

        found = translate(
            [encoded[number] for number in filled],
            max_lengths(lengths, decoding.max_length_a, decoding.max_length_b, positions),
            decode,
            language=self.ids[source],
            micro_batch_tokens=max(1, micro_batch_tokens // decoding.beam_size),
            device=device,
        )
        of = dict(zip(filled, found, strict=True))
        nothing = [Translation("", "", None)]
        return [
            [self._spoken(one, target) for one in of[number]] if number in of else nothing
            for number in range(len(sentences))
        ]

    def check(self, source: str, target: str) -> None:
        """Refuse a direction that the translator was not trained in."""
        if (source, target) not in self.directions:
            taught = ", ".join("-".join(direction) for direction in self.directions)
            raise ConfigError(f"from '{source}' to '{target}': the model was trained for {taught}; name one of these")

    def reference(self, sentence: str, target: str) -> tuple[str, str]:
        """A raw translation by people, as it is compared with tokens and with text: with the letters of the model's."""
        return tokenize_line(sentence, target, self.text), normalize_letters(sentence, target, self.text)

    def _spoken(self, hypothesis: Hypothesis, target: str) -> Translation:
        tokens = self.vocabulary.decode(hypothesis.tokens, target)
        score = None if np.isnan(hypothesis.score) else hypothesis.score
        return Translation(tokens, detokenized(tokens, target), score)


def detokenized(tokens: str, language: str) -> str:
    """Tokens separated by blanks, as people write them."""
    if language in UNSPACED:
        return tokens.replace(" ", "")
    return _detokenizer(language).detokenize(tokens.split(), unescape=False).replace(DANDA, DANDA.strip())


@cache
def _detokenizer(language: str) -> MosesDetokenizer:
    return MosesDetokenizer(language)
