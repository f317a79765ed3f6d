"""Models from and for other programs, with their vocabularies: published checkpoints, Hugging Face folders.

A folder of ours holds ``model.safetensors`` (see ``xlm_core.model.checkpoint``) and ``vocabulary.json``.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xlm_core import digests
from xlm_core.config import to_dict
from xlm_core.errors import CheckpointError
from xlm_core.model import checkpoint, huggingface, published
from xlm_core.model.transformer import Transformer
from xlm_core.text.huggingface import read_tokenizer, write_tokenizer
from xlm_core.text.vocabulary import Vocabulary

MODEL, VOCABULARY = "model.safetensors", "vocabulary.json"


def import_published(original: Path, codes: Path, vocab: Path, output: Path) -> None:
    """Turn a published checkpoint and its byte-pair codes into a folder of ours.

    Args:
        original: a ``.pth`` file; see ``xlm_core.model.published``.
        codes, vocab: the files of fastBPE that were published with it; the vocabulary is cut to what was trained.
        output: the folder.

    Raises:
        CheckpointError: the checkpoint cannot be used, or the vocabulary is not the one that it was trained with.
        CorpusError: codes or vocabulary are damaged.
    """
    found = published.read_checkpoint(original)
    vocabulary = Vocabulary.from_fastbpe(codes, vocab, found.languages, found.model.vocab_size)
    check_pieces(vocabulary.pieces, found.pieces, vocab, original)
    origin = {"format": "published checkpoint", "file": original.name, "sha256": _sha256(original)}
    _save(found.model, vocabulary, found.languages, found.objectives, origin, output)


def import_huggingface(folder: Path, output: Path) -> None:
    """Turn a Hugging Face folder of an ``XLMWithLMHeadModel`` into a folder of ours.

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
    # A configuration does not tell MLM from TLM; both fill masks, and nothing else here depends on it.
    _save(model, vocabulary, languages, ["clm"] if is_causal else ["mlm"], origin, output)


def export_huggingface(model: Path, vocabulary: Path, output: Path, labels: Sequence[str] | None) -> None:
    """Write a model of ours and its tokenizer into a folder that ``from_pretrained`` loads.

    Args:
        model: an encoder, or with ``labels`` a fine-tuned classifier.
        vocabulary: the model's.
        output: the folder.
        labels: names of the classes, in the order of their ids; None for a language model.

    Raises:
        CheckpointError: the model is damaged, has another vocabulary, or transformers cannot represent it.
        CorpusError: transformers cannot represent the vocabulary.
    """
    words = Vocabulary.read(vocabulary)
    if labels is None:
        encoder, about = checkpoint.load(model)
        check_digest(words, vocabulary, about, model)
        huggingface.export_model(encoder, about["languages"], output, causal=about["objectives"] == ["clm"])
    else:
        classifier, about = checkpoint.load_classifier(model)
        check_digest(words, vocabulary, about, model)
        huggingface.export_classifier(classifier, about["languages"], labels, output)
    write_tokenizer(words, output, about["languages"])


def _save(
    model: Transformer,
    vocabulary: Vocabulary,
    languages: Sequence[str],
    objectives: Sequence[str],
    origin: dict[str, str],
    output: Path,
) -> None:
    """Write a folder of ours; the model last, so that a folder with one is whole."""
    vocabulary.write(output / VOCABULARY)
    checkpoint.save(output / MODEL, model, about_imported(model, vocabulary.digest, languages, objectives, origin))


def about_imported(
    model: Transformer,
    vocabulary: str,
    languages: Sequence[str],
    objectives: Sequence[str],
    origin: Mapping[str, Any],
) -> dict[str, Any]:
    """What the file of an imported model says about it: what that of a pretrained one does, and its ``origin``.

    Its seed is not known, and instead of a digest of its training data stands one of the files that it was read from.
    """
    shown = {"languages": sorted(languages), "objectives": list(objectives)}
    return {
        **shown,
        "seed": None,
        "vocabulary": vocabulary,
        "config": digests.of_value({**shown, "model": to_dict(model.config), "pretraining": None}),
        "data": digests.of_value([vocabulary, origin["sha256"]]),
        "origin": origin,
    }


def check_pieces(found: Sequence[str], expected: Sequence[str], vocab: Path, original: Path) -> None:
    """Compare the vocabulary's file with the one within the checkpoint: other pieces would be other words.

    Raises:
        CheckpointError: they differ.
    """
    if len(found) != len(expected):
        raise CheckpointError(
            f"{vocab} has {len(found)} pieces, special symbols included; {original} was trained with "
            f"{len(expected)}; give the file that was published with it"
        )
    for number, (here, there) in enumerate(zip(found, expected, strict=True)):
        if here != there:
            raise CheckpointError(
                f"{vocab}: piece {number} is {here!r}; {original} was trained with {there!r} there; "
                f"give the file that was published with it"
            )


def check_digest(vocabulary: Vocabulary, path: Path, about: dict[str, Any], model: Path) -> None:
    """Compare a vocabulary with the one that a model of ours says it was trained with.

    Raises:
        CheckpointError: they differ.
    """
    if vocabulary.digest != about["vocabulary"]:
        raise CheckpointError(
            f"{path} is vocabulary {vocabulary.digest}, but {model} was trained with {about['vocabulary']}; "
            f"give the file that belongs to the model"
        )


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
