"""A small model with random weights and its vocabulary, as files: for the tests of what reads such files."""

from collections.abc import Sequence
from pathlib import Path

import torch

from xlm_core.config import ModelConfig, Text
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.text import bpe, vocabulary
from xlm_core.text.vocabulary import Vocabulary

TEXT = ["the cat sees the dog .", "the dog sees a cat .", "le chat voit le chien .", "un chien dort ."] * 20
LANGUAGES = ("en", "fr")
CONFIG = ModelConfig(dim=16, n_layers=2, n_heads=2, feedforward_dim=64, max_positions=20)


def write_vocabulary(folder: Path, text: Text | None = Text()) -> Path:  # noqa: B008 (a frozen value)
    """A vocabulary that both languages share."""
    sample, model, output = (folder / name for name in ("text.txt", "bpe.model", "vocabulary.json"))
    sample.write_text("\n".join(TEXT) + "\n")
    bpe.learn(sample, model, size=60, character_coverage=1.0)
    vocabulary.build(LANGUAGES, [model] * 2, [sample] * 2, output, text)
    return output


def write_model(path: Path, words: Path, objectives: Sequence[str] = ("mlm",), likely: str | None = None) -> Path:
    """A model that was "trained" with ``objectives``, and expects the piece ``likely`` everywhere."""
    digest, pieces = Vocabulary.read(words).digest, Vocabulary.read(words).pieces
    torch.manual_seed(0)
    model = Transformer(CONFIG, len(pieces), len(LANGUAGES))
    if likely is not None:
        with torch.no_grad():
            model.output_bias[pieces.index(likely)] = 30.0
    metadata = {"languages": list(LANGUAGES), "objectives": list(objectives), "vocabulary": digest}
    metadata |= {"seed": 0, "config": "config", "data": "data"}
    checkpoint.save(path, model, metadata)
    return path
