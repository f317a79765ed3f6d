"""A translator of six words and three marks, trained in seconds, for the tests of what uses translators."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xlm_core.config import Compute, ModelConfig, Optim, Text, TranslationObjective, TranslationTraining
from xlm_core.data.token_store import TokenStoreWriter
from xlm_core.tasks.translation import train
from xlm_core.tasks.translation.data import TranslatorSettings
from xlm_core.text import bpe, vocabulary
from xlm_core.text.vocabulary import Vocabulary

DIRECTION = ("en", "de")
WORDS = {"ant": "ameise", "bee": "biene", "cat": "katze", "dog": "hund", "eel": "aal", "fox": "fuchs"}
WORDS |= {word.capitalize(): translated.capitalize() for word, translated in WORDS.items()}
MARKS = [",", ".", "!"]
MODEL = ModelConfig(dim=32, n_layers=1, n_heads=2, feedforward_dim=64, dropout=0, attention_dropout=0, max_positions=40)
SETTINGS = TranslationTraining(
    max_tokens=38,
    batch_tokens=600,
    micro_batch_tokens=600,
    optim=Optim(learning_rate=0.01, warmup_updates=20, max_updates=500, schedule="cosine"),
    eval_interval=100,
    max_valid_sentences=40,
)
SmallTraining = tuple[list[TranslationObjective], TranslationTraining, ModelConfig]
OUTPUTS = {"model": "model.safetensors", "vocabulary": "vocabulary.json", "history": "history.jsonl"}
TEXT = Text(lowercase=False, strip_accents=False)


def pairs(n, seed=0):
    """Tokenized German and English."""
    rng = np.random.default_rng(seed)
    english = [rng.choice([*WORDS, *MARKS], rng.integers(1, 9)).tolist() for _ in range(n)]
    return [(" ".join(WORDS.get(word, word) for word in words), " ".join(words)) for words in english]


def write_corpus(folder: Path) -> dict:
    """Texts, pairs and a vocabulary: the data arguments of ``train_translator``."""
    known = pairs(1500)
    sample, model, path = (folder / name for name in ("text", "model", "vocabulary.json"))
    sample.write_text("".join(f"{text}\n" for sides in known for text in sides))
    bpe.learn(sample, model, size=80, character_coverage=1.0)
    vocabulary.build(["de", "en"], [model] * 2, [sample] * 2, path, TEXT)
    words = Vocabulary.read(path)
    with TokenStoreWriter(folder / "train.store", ("de", "en"), words) as writer:
        for german, english in known:
            writer.add([words.encode([german], "de")[0], words.encode([english], "en")[0]])
    (folder / "valid.tsv").write_text("".join(f"{german}\t{english}\n" for german, english in pairs(40, seed=1)))
    return {
        "stores": {key: [folder / "train.store"] for key in ("de", "en", "de-en")},
        "valid": {"de-en": folder / "valid.tsv"},
        "vocabulary": path,
    }


def train_small(
    corpus: dict,
    folder: Path,
    objectives: Sequence[TranslationObjective],
    settings: TranslationTraining,
    model: ModelConfig = MODEL,
) -> None:
    """Train a translator into ``folder``."""
    train.train_translator(
        train.TranslatorInputs(**corpus, encoder=None, decoder=None),
        TranslatorSettings(["de", "en"], objectives, model, settings, seed=0),
        {name: folder / file for name, file in OUTPUTS.items()},
        work=folder / "work",
        compute=Compute(precision="float32"),
        checkpoint_minutes=60.0,
        n_threads=1,
        code="c",
    )


def train_many(inputs: train.TranslatorInputs, trainings: dict[str, SmallTraining], folder: Path) -> None:
    """Train one translator after another, each in a folder of its name."""
    corpus = {name: getattr(inputs, name) for name in ("stores", "valid", "vocabulary")}
    for name, training in trainings.items():
        train_small(corpus, folder / name, *training)


def write_translator(folder: Path) -> tuple[Path, Path]:
    """The translator and its vocabulary."""
    output = folder / "translator"
    train_small(write_corpus(folder), output, [TranslationObjective(kind="mt", source="en", target="de")], SETTINGS)
    return output / "model.safetensors", output / "vocabulary.json"
