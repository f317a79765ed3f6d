"""A finished model, ours or another program's, instead of one that is pretrained."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from xlm_core import artifact
from xlm_core.config import ModelConfig, to_dict
from xlm_core.errors import CheckpointError
from xlm_core.model import checkpoint, huggingface, published
from xlm_core.model.interop import about_imported, check_digest, check_pieces
from xlm_core.model.transformer import Transformer
from xlm_core.text.huggingface import MERGES, OURS, PIECES, read_tokenizer
from xlm_core.text.vocabulary import Vocabulary

LOG = logging.getLogger(__name__)
LANGUAGES, POSITIONS = "language_embeddings.weight", "position_embeddings.weight"
DROPOUT = ("dropout", "attention_dropout")  # settings that no weight depends on


class Found(NamedTuple):
    """A model as it was read; ``languages`` are sorted, and ``about`` is what one of ours says of itself."""

    model: Transformer
    languages: Sequence[str]
    objectives: Sequence[str]
    about: Mapping[str, Any] | None = None


def import_model(
    sums: Mapping[Path, str],
    *,
    format: str,  # noqa: A002
    vocabulary: Path,
    languages: Sequence[str],
    model: ModelConfig,
    output: Path,
) -> None:
    """Turn a finished model into the file that pretraining would have made.

    Of its languages those that are asked for are kept; dropout is that of ``model``.

    Args:
        sums: the files and their SHA-256.
        format: ``xlm_core`` (a model.safetensors), ``published`` (a ``.pth``) or ``huggingface`` (a folder of
            transformers with its tokenizer).
        vocabulary: the one in use, which must be the model's.
        languages: of the setup.
        model: the shape that it must have.
        output: the model's file.

    Raises:
        ArtifactError: a file is not the one that was named.
        CheckpointError: it is damaged or no such model, has another vocabulary or shape, or lacks a language.
    """
    artifact.check(sums)
    place = next(iter(sums)) if format != "huggingface" else next(iter(sums)).parent
    words = Vocabulary.read(vocabulary)
    readers = {"xlm_core": _read_ours, "published": _read_published}
    found = readers[format](place, words, vocabulary) if format in readers else _read_folder(place, words, sums)
    _check_shape(found.model.config, model, place)
    kept = _with_languages(found, model, sorted(languages), place)
    origin = artifact.origin(format, sums) | {"languages": list(found.languages)}
    origin |= {"about": found.about} if found.about else {}
    checkpoint.save(output, kept, about_imported(kept, words.digest, languages, found.objectives, origin))


def _read_ours(path: Path, words: Vocabulary, vocabulary: Path) -> Found:
    model, about = checkpoint.load(path)
    check_digest(words, vocabulary, about, path)
    return Found(model, sorted(about["languages"]), about["objectives"], about)


def _read_published(path: Path, words: Vocabulary, vocabulary: Path) -> Found:
    found = published.read_checkpoint(path)
    check_pieces(words.pieces, found.pieces, vocabulary, path)
    return Found(found.model, found.languages, found.objectives)


def _read_folder(folder: Path, words: Vocabulary, sums: Mapping[Path, str]) -> Found:
    read = (huggingface.CONFIG, huggingface.WEIGHTS, OURS, PIECES, MERGES)
    artifact.check_unnamed(folder, read, sums)
    model, languages, is_causal = huggingface.import_model(folder)
    tokenizer = read_tokenizer(folder, list(words.model_of))
    if tokenizer.digest != words.digest or len(words) != model.vocab_size:
        raise CheckpointError(
            f"{folder}: a model of {model.vocab_size} pieces whose tokenizer is vocabulary {tokenizer.digest}, but the "
            f"one in use is {words.digest} of {len(words)} pieces; use the folder's, as vocabulary.imported of format "
            f"huggingface"
        )
    return Found(model, languages, ["clm"] if is_causal else ["mlm"])


def _check_shape(found: ModelConfig, expected: ModelConfig, place: Path) -> None:
    """Refuse a model of another shape than the setup says: checks and captions go by that."""
    theirs, ours = to_dict(found), to_dict(expected)
    if wrong := [key for key in theirs if key not in DROPOUT and theirs[key] != ours[key]]:
        shown = [", ".join(f"{key}: {values[key]}" for key in wrong) for values in (theirs, ours)]
        raise CheckpointError(
            f"{place}: found a model of {shown[0]}; expected {shown[1]}, as the section 'model' of its setup says; "
            f"write there what was found, or give the run a setup of its own"
        )


def _with_languages(found: Found, config: ModelConfig, languages: Sequence[str], place: Path) -> Transformer:
    """The model of ``languages`` alone, with the settings of ``config``.

    A model of one language has no table of languages: what its row adds everywhere is added to the positions.
    """
    if missing := [language for language in languages if language not in found.languages]:
        raise CheckpointError(
            f"{place}: a model of {', '.join(found.languages)}, but not of {', '.join(missing)}; expected all "
            f"languages of its setup; leave these out there"
        )
    if left_aside := [language for language in found.languages if language not in languages]:
        LOG.info("%s: languages that the setup has not are left aside: %s", place, ", ".join(left_aside))
    state = found.model.state_dict()
    if (table := state.pop(LANGUAGES, None)) is not None:
        rows = table[[list(found.languages).index(language) for language in languages]]
        state |= {LANGUAGES: rows} if len(languages) > 1 else {POSITIONS: state[POSITIONS] + rows}
    with torch.device("meta"):  # no weights are drawn only to be replaced
        model = Transformer(config, found.model.vocab_size, len(languages))
    model.load_state_dict(state, assign=True)
    return model.eval()
