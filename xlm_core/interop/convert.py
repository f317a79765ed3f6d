"""Convert models, with their vocabularies, from and to other programs: published checkpoints, Hugging Face folders.

A converted model is a folder with ``model.safetensors`` (see ``xlm_core.model.checkpoint``) and ``vocabulary.json``.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from xlm_core import digests
from xlm_core.config import ModelConfig, to_dict
from xlm_core.errors import CheckpointError
from xlm_core.interop import huggingface, original_xlm
from xlm_core.interop.huggingface_tokenizer import TOKENIZER_FILES, read_tokenizer, write_tokenizer
from xlm_core.interop.pretrained import check_all_named, check_sha256, origin_of
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.text.vocabulary import Vocabulary

LOG = logging.getLogger(__name__)
MODEL, VOCABULARY = "model.safetensors", "vocabulary.json"
LANGUAGES, POSITIONS = "language_embeddings.weight", "position_embeddings.weight"
DROPOUT = ("dropout", "attention_dropout")  # settings that no weight depends on


def import_original(original: Path, codes: Path, vocab: Path, output: Path) -> None:
    """Convert a published checkpoint and its byte-pair codes.

    Args:
        original: a ``.pth`` file; see ``xlm_core.interop.original_xlm``.
        codes, vocab: the files of fastBPE that were published with it; the vocabulary is truncated to the trained part.
        output: the folder.

    Raises:
        CheckpointError: the checkpoint cannot be used, or the vocabulary is not the one that it was trained with.
        CorpusError: codes or vocabulary are damaged.
    """
    loaded = original_xlm.read_checkpoint(original)
    vocabulary = Vocabulary.from_fastbpe(codes, vocab, loaded.languages, loaded.model.vocab_size)
    _check_pieces(vocabulary.pieces, loaded.pieces, vocab, original)
    origin = {"format": "published checkpoint", "file": original.name, "sha256": _sha256(original)}
    _save_folder(loaded.model, vocabulary, loaded.languages, loaded.objectives, origin, output)


def import_huggingface(folder: Path, output: Path) -> None:
    """Convert a Hugging Face folder of an ``XLMWithLMHeadModel``.

    Raises:
        CheckpointError: the model is not one of the paper, or model and tokenizer do not belong together.
        CorpusError: the tokenizer is damaged, or of another kind.
    """
    model, languages, is_causal = huggingface.import_model(folder)
    vocabulary = read_tokenizer(folder, languages)
    if len(vocabulary) != model.vocab_size:
        raise CheckpointError(
            f"{folder}: a tokenizer of {len(vocabulary)} pieces beside a model of {model.vocab_size}; "
            f"put the tokenizer there that the model was trained with"
        )
    origin = {"format": "Hugging Face folder", "file": folder.name, "sha256": _sha256(folder / huggingface.WEIGHTS)}
    _save_folder(model, vocabulary, languages, _objectives(is_causal), origin, output)


def export_huggingface(model: Path, vocabulary: Path, output: Path, labels: Sequence[str] | None) -> None:
    """Write a model and its tokenizer into a folder that ``from_pretrained`` loads.

    Args:
        model: an encoder, or with ``labels`` a fine-tuned classifier.
        vocabulary: the model's.
        output: the folder.
        labels: names of the classes, in the order of their ids; None for a language model.

    Raises:
        CheckpointError: the model is damaged, has another vocabulary, or transformers cannot represent it.
        CorpusError: transformers cannot represent the vocabulary.
        ConfigError: the packages of the extra ``interop`` are not installed.
    """
    vocab = Vocabulary.read(vocabulary)
    if labels is None:
        encoder, metadata = checkpoint.load(model)
        _check_digest(vocab, vocabulary, metadata, model)
        is_causal = metadata["objectives"] == ["clm"]
        huggingface.export_model(encoder, metadata["languages"], output, causal=is_causal)
    else:
        classifier, metadata = checkpoint.load_classifier(model)
        _check_digest(vocab, vocabulary, metadata, model)
        huggingface.export_classifier(classifier, metadata["languages"], labels, output)
    write_tokenizer(vocab, output, metadata["languages"])


class LoadedModel(NamedTuple):
    """A model as it was read.

    languages  sorted
    metadata   of a model of this program, else None
    """

    model: Transformer
    languages: Sequence[str]
    objectives: Sequence[str]
    metadata: Mapping[str, Any] | None = None


def import_model(
    sums: Mapping[Path, str],
    *,
    format: str,  # noqa: A002
    vocabulary: Path,
    languages: Sequence[str],
    model: ModelConfig,
    output: Path,
) -> None:
    """Write a given model as the file that pretraining would have made.

    Its languages are reduced to ``languages``; dropout is that of ``model``.

    Args:
        sums: the files and their SHA-256.
        format: ``xlm_core`` (a model.safetensors), ``published`` (a ``.pth``) or ``huggingface`` (a folder of
            transformers with its tokenizer).
        vocabulary: the one in use, which must be the model's.
        languages: of the setup.
        model: the shape that it must have.
        output: the model's file.

    Raises:
        PretrainedError: a file is not the named one.
        CheckpointError: it is damaged or not a model, has another vocabulary or shape, or lacks a language.
    """
    check_sha256(sums)
    path = next(iter(sums))
    vocab = Vocabulary.read(vocabulary)
    if format == "huggingface":
        path = path.parent
        loaded = _load_huggingface(path, vocab, sums)
    elif format == "published":
        original = original_xlm.read_checkpoint(path)
        _check_pieces(vocab.pieces, original.pieces, vocabulary, path)
        loaded = LoadedModel(original.model, original.languages, original.objectives)
    else:
        own, metadata = checkpoint.load(path)
        _check_digest(vocab, vocabulary, metadata, path)
        loaded = LoadedModel(own, sorted(metadata["languages"]), metadata["objectives"], metadata)
    _check_shape(loaded.model.config, model, path)
    reduced = _reduce_languages(loaded, model, sorted(languages), path)
    origin = origin_of(format, sums) | {"languages": list(loaded.languages)}
    origin |= {"about": loaded.metadata} if loaded.metadata else {}
    checkpoint.save(output, reduced, _metadata(reduced, vocab.digest, languages, loaded.objectives, origin))


def _load_huggingface(folder: Path, vocab: Vocabulary, sums: Mapping[Path, str]) -> LoadedModel:
    check_all_named(folder, (huggingface.CONFIG, huggingface.WEIGHTS, *TOKENIZER_FILES), sums)
    model, languages, is_causal = huggingface.import_model(folder)
    tokenizer = read_tokenizer(folder, list(vocab.model_of))
    if tokenizer.digest != vocab.digest or len(vocab) != model.vocab_size:
        raise CheckpointError(
            f"{folder}: a model of {model.vocab_size} pieces whose tokenizer is vocabulary {tokenizer.digest}, but the "
            f"one in use is {vocab.digest} of {len(vocab)} pieces; use the folder's, as vocabulary.pretrained of "
            f"format huggingface"
        )
    return LoadedModel(model, languages, _objectives(is_causal))


def _objectives(is_causal: bool) -> list[str]:
    """Return the objectives of a Hugging Face model, whose configuration does not tell MLM from TLM."""
    return ["clm"] if is_causal else ["mlm"]


def _check_shape(actual: ModelConfig, expected: ModelConfig, path: Path) -> None:
    """Refuse a model of another shape than its setup's, which checks and captions depend on."""
    theirs, ours = to_dict(actual), to_dict(expected)
    if wrong := [key for key in theirs if key not in DROPOUT and theirs[key] != ours[key]]:
        listed = [", ".join(f"{key}: {values[key]}" for key in wrong) for values in (theirs, ours)]
        raise CheckpointError(
            f"{path}: found a model of {listed[0]}; expected {listed[1]}, as the section 'model' of its setup says; "
            f"write there what was found, or give the run a setup of its own"
        )


def _reduce_languages(loaded: LoadedModel, config: ModelConfig, languages: Sequence[str], path: Path) -> Transformer:
    """Return the model of ``languages`` alone, with the settings of ``config``.

    A model of one language has no language embeddings: the row of the language is added to the positions instead.
    """
    if missing := [language for language in languages if language not in loaded.languages]:
        raise CheckpointError(
            f"{path}: a model of {', '.join(loaded.languages)}, but not of {', '.join(missing)}; expected all "
            f"languages of its setup; leave these out there"
        )
    if removed := [language for language in loaded.languages if language not in languages]:
        LOG.info("%s: languages that the setup does not have are removed: %s", path, ", ".join(removed))
    state = loaded.model.state_dict()
    if (table := state.pop(LANGUAGES, None)) is not None:
        rows = table[[list(loaded.languages).index(language) for language in languages]]
        state |= {LANGUAGES: rows} if len(languages) > 1 else {POSITIONS: state[POSITIONS] + rows}
    with torch.device("meta"):  # no weights are drawn only to be replaced
        model = Transformer(config, loaded.model.vocab_size, len(languages))
    model.load_state_dict(state, assign=True)
    return model.eval()


def _save_folder(
    model: Transformer,
    vocabulary: Vocabulary,
    languages: Sequence[str],
    objectives: Sequence[str],
    origin: Mapping[str, Any],
    output: Path,
) -> None:
    """Write vocabulary and model; the model last, so that a folder with one is complete."""
    vocabulary.write(output / VOCABULARY)
    checkpoint.save(output / MODEL, model, _metadata(model, vocabulary.digest, languages, objectives, origin))


def _metadata(
    model: Transformer,
    vocabulary: str,
    languages: Sequence[str],
    objectives: Sequence[str],
    origin: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the metadata of a converted model: those of a pretrained one, and its ``origin``.

    Its seed is unknown, and the digest of its source files replaces that of its training data.
    """
    trained = {"languages": sorted(languages), "objectives": list(objectives)}
    return {
        **trained,
        "seed": None,
        "vocabulary": vocabulary,
        "config": digests.of_value({**trained, "model": to_dict(model.config), "pretraining": None}),
        "data": digests.of_value([vocabulary, origin["sha256"]]),
        "origin": dict(origin),
    }


def _check_pieces(pieces: Sequence[str], expected: Sequence[str], vocab: Path, original: Path) -> None:
    """Compare the vocabulary's file with the one inside the checkpoint.

    Raises:
        CheckpointError: they differ.
    """
    if len(pieces) != len(expected):
        raise CheckpointError(
            f"{vocab} has {len(pieces)} pieces, special symbols included; {original} was trained with "
            f"{len(expected)}; give the file that was published with it"
        )
    for number, (here, there) in enumerate(zip(pieces, expected, strict=True)):
        if here != there:
            raise CheckpointError(
                f"{vocab}: piece {number} is {here!r}; {original} was trained with {there!r} there; "
                f"give the file that was published with it"
            )


def _check_digest(vocab: Vocabulary, path: Path, metadata: Mapping[str, Any], model: Path) -> None:
    """Compare a vocabulary with the one that a model of this program was trained with.

    Raises:
        CheckpointError: they differ.
    """
    if vocab.digest != metadata["vocabulary"]:
        raise CheckpointError(
            f"{path} is vocabulary {vocab.digest}, but {model} was trained with {metadata['vocabulary']}; "
            f"give the file that belongs to the model"
        )


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
