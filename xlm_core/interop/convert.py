"""Convert models, with their vocabularies, from and to other programs: published checkpoints, Hugging Face folders.

A converted model is a folder with ``model.safetensors`` (see ``xlm_core.model.checkpoint``) and ``vocabulary.json``.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch

from xlm_core import digests
from xlm_core.config import ModelConfig, to_dict
from xlm_core.config.pretrained import PretrainedModel
from xlm_core.errors import CheckpointError, ConfigError
from xlm_core.interop import bert, encoders, huggingface, original_xlm
from xlm_core.interop.model_card import CARD, ModelCard, read_records
from xlm_core.interop.original_xlm import ImportedModel
from xlm_core.interop.pretrained import PUBLISHED_TEXT, check_files, read_tokenizer
from xlm_core.interop.tokenizer_files import check_tokenizer, write_tokenizer
from xlm_core.io import write_json, write_text
from xlm_core.model import checkpoint
from xlm_core.model.encoder import Encoder
from xlm_core.model.transfer import check_shape, transfer_languages
from xlm_core.model.transformer import Transformer
from xlm_core.text.special_symbols import XLM_SYMBOLS
from xlm_core.text.vocabulary import Vocabulary

LOG = logging.getLogger(__name__)
MODEL, VOCABULARY = "model.safetensors", "vocabulary.json"


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
    imported = original_xlm.read_checkpoint(original)
    vocabulary = Vocabulary.from_fastbpe(codes, vocab, imported.languages, imported.model.vocab_size)
    vocabulary = replace(vocabulary, text=PUBLISHED_TEXT)
    _check_pieces(vocabulary.pieces, imported.pieces, vocab, original)
    origin = {"format": "published checkpoint", "file": original.name, "sha256": digests.sha256(original)}
    _save_folder(imported, vocabulary, origin, output)


def import_huggingface(folder: Path, languages: Sequence[str], output: Path) -> None:
    """Convert a Hugging Face folder of XLM or of a model of the BERT family; a classifier stays one.

    Args:
        folder: with the model and its tokenizer.
        languages: that a model reads which does not tell languages apart; else none.
        output: the folder.

    Raises:
        ConfigError: no languages are given, or some although the model has its own.
        CheckpointError: the model is not one of the paper, or model and tokenizer do not belong together.
        CorpusError: the tokenizer is damaged, or of another kind.
    """
    imported = huggingface.import_model(folder)
    if bool(imported.languages) == bool(languages):
        problem = "has languages of its own; leave out" if languages else "has none of its own; name yours with"
        raise ConfigError(f"{folder}: the model {problem} --languages")
    imported = imported._replace(languages=imported.languages or sorted(languages))
    vocabulary = read_tokenizer(folder, imported.languages)
    if len(vocabulary) != imported.model.vocab_size:
        raise CheckpointError(
            f"{folder}: a tokenizer of {len(vocabulary)} pieces beside a model of {imported.model.vocab_size}; "
            f"put the tokenizer there that the model was trained with"
        )
    sha256 = digests.sha256(folder / huggingface.WEIGHTS)
    _save_folder(imported, vocabulary, {"format": "Hugging Face folder", "file": folder.name, "sha256": sha256}, output)


def export_huggingface(
    model: Path,
    vocabulary: Path,
    output: Path,
    language: str | None = None,
    license: str = "other",  # noqa: A002
) -> None:
    """Write a model, its tokenizer and its model card into a folder that ``from_pretrained`` loads.

    Args:
        model: an encoder or a fine-tuned classifier.
        vocabulary: the model's.
        output: the folder.
        language: whose embedding is added to the position embeddings, so that the model reads this language alone and
            need not be told it; None: the model is told the language of each token. Where a classifier has the same
            embedding for all languages, it is added so for all of them.
        license: its name on the Hugging Face hub.

    Raises:
        CheckpointError: the model is damaged, has another vocabulary, or transformers cannot represent it.
        CorpusError: transformers cannot represent the vocabulary.
        ConfigError: the model was not trained on ``language``.
    """
    encoder, head, metadata = checkpoint.load_any(model)
    vocab = checkpoint.load_vocabulary(vocabulary, model, metadata)
    check_tokenizer(vocab, output)
    if language is not None and language not in metadata["languages"]:
        raise ConfigError(f"--language {language}: {model} was trained on {', '.join(metadata['languages'])}")
    languages = metadata["languages"] if language is None else [language]
    encoder = _add_language(encoder, language, metadata["languages"], model)
    labels = metadata.get("labels") or ["score"]
    if _is_xlm(encoder.config, vocab):
        is_causal = metadata["objectives"] == ["clm"]
        exported = huggingface.export_model(encoder, languages, causal=is_causal, head=head, labels=labels)
    else:
        model_type = metadata.get("origin", {}).get("model_type") or bert.type_of(vocab.symbols)
        exported = bert.export_model(encoder, vocab.symbols, model_type, head, labels)
    card = ModelCard(
        name=output.absolute().name,
        settings=exported.settings,
        vocabulary=vocab,
        languages=languages,
        metadata=metadata,
        records=read_records(model, metadata),
        license=license,
        has_linear_pooler=head is not None and exported.settings["model_type"] != "xlm" and not encoder.config.pooler,
    )
    text = card.render()
    length = encoder.config.max_positions if head is None else metadata["max_tokens"]
    huggingface.write_weights(exported.weights, output)
    write_tokenizer(vocab, output, languages, length)
    write_text(output / CARD, text)
    write_json(output / huggingface.CONFIG, exported.settings)  # the last file: a folder with it is complete


def _add_language(encoder: Transformer, language: str | None, languages: Sequence[str], path: Path) -> Transformer:
    """Return an encoder that is told no language: it reads ``language``, or languages that have one embedding."""
    table = encoder.language_embeddings
    if language is None and (table is None or not torch.equal(table.weight, table.weight[:1].expand_as(table.weight))):
        return encoder
    config = encoder.config.model_copy(update={"language_embeddings": False})
    imported = ImportedModel(encoder, sorted(languages), ())
    return _reduce_languages(imported, config, [language or min(languages)], path)


def _is_xlm(config: ModelConfig, vocabulary: Vocabulary) -> bool:
    """Return whether a model has XLM's special symbols, and none of BERT's options."""
    has_options = config.n_segments or config.prediction_transform or config.pooler
    return vocabulary.symbols == XLM_SYMBOLS and not has_options


def import_model(
    pretrained: PretrainedModel,
    files: Sequence[Path],
    *,
    vocabulary: Path,
    languages: Sequence[str],
    model: ModelConfig,
    output: Path,
) -> None:
    """Write a given model as the file that pretraining would have made.

    Its languages are reduced to ``languages``, and it gets the dropout of ``model``.

    Args:
        pretrained: its format, and the checksums of its files.
        files: of format ``xlm_core`` (a model.safetensors), ``published`` (a ``.pth``), ``huggingface`` or
            ``transformers`` (a folder of transformers with its tokenizer).
        vocabulary: the one in use, which must be the model's.
        languages: of the setup.
        model: the shape that it must have.
        output: the model's file.

    Raises:
        PretrainedError: a file is not the named one.
        CheckpointError: it is damaged or not a model, has another vocabulary or shape, or lacks a language.
    """
    path, origin = files[0], check_files(pretrained, files)
    origin |= {"hub": pretrained.hub, "revision": pretrained.revision or "main"} if pretrained.hub else {}
    if pretrained.is_folder:
        path, vocab = path.parent, Vocabulary.read(vocabulary)
        if is_theirs := pretrained.format == "transformers":
            theirs = encoders.read_folder(path, model, len(languages))
            imported = ImportedModel(theirs, sorted(languages), [], model_type=theirs.settings["model_type"])
        else:
            imported = huggingface.import_model(path)
        _check_pieces_of_folder(imported.model, vocab, path, may_be_fewer=is_theirs)
    elif pretrained.format == "published":
        imported, vocab = original_xlm.read_checkpoint(path), Vocabulary.read(vocabulary)
        _check_pieces(vocab.pieces, imported.pieces, vocabulary, path)
    else:
        encoder, metadata = checkpoint.load(path)
        vocab = checkpoint.load_vocabulary(vocabulary, path, metadata)
        model_type = metadata.get("origin", {}).get("model_type", "xlm")
        languages_of = sorted(metadata["languages"])
        imported = ImportedModel(encoder, languages_of, metadata["objectives"], model_type=model_type)
        origin["about"] = metadata
    check_shape(imported.model.config, model, path)
    if isinstance(imported.model, Transformer):
        origin["languages"] = list(imported.languages)
        reduced = _reduce_languages(imported, model, sorted(languages), path)
        imported = ImportedModel(reduced, sorted(languages), imported.objectives, model_type=imported.model_type)
    _save(imported, vocab, origin, output)


def _check_pieces_of_folder(model: Encoder, vocab: Vocabulary, folder: Path, *, may_be_fewer: bool) -> None:
    """Refuse a folder whose tokenizer is not the vocabulary in use, or has another number of pieces than its model.

    The table of embeddings of some models is longer than their vocabulary, to be of a round size.
    """
    tokenizer, n_pieces = read_tokenizer(folder, list(vocab.model_of)), len(vocab)
    fits = n_pieces <= model.vocab_size if may_be_fewer else n_pieces == model.vocab_size
    if tokenizer.digest != vocab.digest or not fits:
        raise CheckpointError(
            f"{folder}: a model of {model.vocab_size} pieces whose tokenizer is vocabulary {tokenizer.digest}, but the "
            f"one in use is {vocab.digest} of {n_pieces} pieces; use the folder's, as vocabulary.pretrained of "
            f"format huggingface"
        )


def _reduce_languages(
    imported: ImportedModel, config: ModelConfig, languages: Sequence[str], path: Path
) -> Transformer:
    """Return the model of ``languages`` alone, with the settings of ``config``."""
    known = imported.languages
    if known and (missing := [language for language in languages if language not in known]):
        raise CheckpointError(
            f"{path}: a model of {', '.join(known)}, but not of {', '.join(missing)}; expected all "
            f"languages of its setup; leave these out there"
        )
    if removed := [language for language in known if language not in languages]:
        LOG.info("%s: languages that the setup does not have are removed: %s", path, ", ".join(removed))
    with torch.device("meta"):  # no weights are drawn only to be replaced
        model = Transformer(config, imported.model.vocab_size, len(languages))
    has_embeddings = model.language_embeddings is not None
    state = transfer_languages(imported.model.state_dict(), known, languages, has_embeddings=has_embeddings)
    model.load_state_dict(state, assign=True)
    return model.eval()


def _save_folder(imported: ImportedModel, vocabulary: Vocabulary, origin: Mapping[str, Any], output: Path) -> None:
    """Write vocabulary and model; the model last, so that a folder with one is complete."""
    vocabulary.write(output / VOCABULARY)
    _save(imported, vocabulary, origin, output / MODEL)


def _save(imported: ImportedModel, vocabulary: Vocabulary, origin: Mapping[str, Any], output: Path) -> None:
    """Write a model with the metadata of a pretrained one, and its ``origin``.

    Its seed is unknown, and the digest of its source files replaces the digest of its training data.
    """
    trained = {"languages": list(imported.languages), "objectives": list(imported.objectives)}
    settings = {"model": to_dict(imported.model.config), "pretraining": None}
    metadata = checkpoint.make_metadata(trained, settings, None, vocabulary, [vocabulary.digest, origin["sha256"]])
    if imported.head is not None:
        max_tokens = imported.model.config.max_positions
        metadata |= {"labels": list(imported.labels), "max_tokens": max_tokens}
    named = {**origin, "model_type": imported.model_type}
    checkpoint.save(output, imported.model, metadata | {"origin": named}, head=imported.head)


def _check_pieces(pieces: Sequence[str], expected: Sequence[str], vocab: Path, original: Path) -> None:
    """Compare the vocabulary's file with the one inside the checkpoint.

    Raises:
        CheckpointError: they differ.
    """
    for number, (here, there) in enumerate(zip_longest(pieces, expected)):
        if here != there:
            raise CheckpointError(
                f"{vocab} has {len(pieces)} pieces, special symbols included, and piece {number} is {here!r}; "
                f"{original} was trained with {len(expected)} pieces, and with {there!r} there; "
                f"give the file that was published with it"
            )
