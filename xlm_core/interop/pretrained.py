"""Use given vocabularies and token stores, identified by their SHA-256, instead of making them.

Given models are read by ``xlm_core.interop.convert``; this module runs without PyTorch.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from xlm_core import digests
from xlm_core.config import Text
from xlm_core.config.pretrained import PretrainedFiles, PretrainedVocabulary
from xlm_core.data.token_store import TokenStore
from xlm_core.errors import CorpusError, PretrainedError, StoreError
from xlm_core.io import atomic_many, read_json, read_problem, write_json
from xlm_core.text import fastbpe
from xlm_core.text.huggingface_tokenizer import TOKENIZER
from xlm_core.text.special_symbols import N_SPECIAL, SPECIAL
from xlm_core.text.vocabulary import PREPARATION, Vocabulary

# How the text of the published models was prepared (paper, section 5.2: the released preprocessing).
PUBLISHED_TEXT = Text(lowercase=True, strip_accents=True, moses="published")
OURS, PIECES, MERGES = "vocabulary.json", "vocab.json", "merges.txt"


def check_files(pretrained: PretrainedFiles, files: Sequence[Path]) -> dict[str, Any]:
    """Refuse files that do not have their named checksum; return the record of all.

    Args:
        pretrained: the section, which names their checksums, or none.
        files: in one folder.

    Raises:
        PretrainedError: a file is missing, has another sum, or would be read although it has no sum.
    """
    for path in map(files[0].with_name, pretrained.known_files if pretrained.is_folder else ()):
        if path.exists() and path not in files:
            raise PretrainedError(
                f"{path} would be read, but its SHA-256 is not in the configuration; expected all of "
                f"{', '.join(pretrained.known_files)} that are there; add its sum, or move it away"
            )
    return _check_sums(pretrained.format, {path: pretrained.sha256.get(path.name) for path in files})


def _check_sums(format: str, sums: Mapping[Path, str | None]) -> dict[str, Any]:  # noqa: A002
    """Refuse files that do not have their SHA-256, where it is known; return their record: format, names, checksums."""
    actual = {}
    for path, expected in sums.items():
        try:
            actual[path.name] = digests.sha256(path)
        except OSError as error:
            raise PretrainedError(f"{path} {read_problem(path, error)}; expected a pretrained file there") from error
        if expected and actual[path.name] != expected:
            raise PretrainedError(
                f"{path}: found SHA-256 {actual[path.name]}, expected {expected}; take a whole copy of it, or, where "
                f"this one is wanted, put its sum into the configuration"
            )
    return {"format": format, "sha256": actual}


def import_vocabulary(
    pretrained: PretrainedVocabulary,
    files: Sequence[Path],
    *,
    languages: Sequence[str],
    size: int,
    text: Text,
    output: Path,
    origin: Path,
) -> None:
    """Write a given vocabulary as the file that learning would have made.

    Args:
        pretrained: its format, and the checksums of its files.
        files: of format ``xlm_core`` (a vocabulary.json), ``published`` (codes and vocabulary of
            fastBPE, of which the first ``size`` pieces are used) or ``huggingface`` (a folder with a tokenizer).
        languages: that must be encoded.
        size: number of pieces, special symbols included.
        text: how text is prepared for it.
        output: the vocabulary.
        origin: JSON: format and checksums.

    Raises:
        PretrainedError: a file is not the named one, or the vocabulary lacks a language or has another size.
        CorpusError: a file is damaged.
    """
    path, record = files[0], check_files(pretrained, files)
    if pretrained.codes and pretrained.vocab:  # of the format published
        codes, vocab = path.parent / pretrained.codes, path.parent / pretrained.vocab
        vocabulary = Vocabulary.from_fastbpe(codes, vocab, sorted(languages), size)
    elif pretrained.format == "huggingface":
        vocabulary = read_tokenizer(path.parent, sorted(languages))
    else:
        vocabulary = Vocabulary.read(path)
    if missing := set(languages) - vocabulary.model_of.keys():
        raise PretrainedError(
            f"{path} encodes {', '.join(vocabulary.model_of)}, but not {', '.join(sorted(missing))}; give a vocabulary "
            "of all languages of the setup"
        )
    if len(vocabulary) != size:
        raise PretrainedError(
            f"{path} has {len(vocabulary)} pieces, special symbols included, expected {size}; write vocabulary.size: "
            f"{len(vocabulary)}, or give the right file"
        )
    named, wanted = (each and each.model_dump(include=PREPARATION) for each in (vocabulary.text, text))
    if named and named != wanted:
        raise PretrainedError(f"{path} is for text that is prepared by {named}, but the section text says {wanted}")
    if vocabulary.kind == "huggingface" and text.tokenization != "none":
        raise PretrainedError(f"{path} is a tokenizer that reads raw text; write text.tokenization: none")
    replace(vocabulary, text=text).write(output)
    write_json(origin, record | {"vocabulary": vocabulary.digest})


def read_tokenizer(folder: Path, languages: Sequence[str]) -> Vocabulary:
    """Read the vocabulary of a folder: ours if it is there, else of an ``XLMTokenizer`` or a ``tokenizer.json``.

    The last two have no counts of pieces, which are zero.

    Raises:
        CorpusError: the folder has none of them, or the pieces of an ``XLMTokenizer`` do not have the published ids.
    """
    if (folder / OURS).exists():
        return Vocabulary.read(folder / OURS)
    if not (folder / PIECES).exists() or not (folder / MERGES).exists():
        return Vocabulary.from_tokenizer(folder, languages)
    try:
        ids = {str(name): int(id_) for name, id_ in read_json(folder / PIECES).items()}
    except (ValueError, AttributeError, TypeError, OverflowError, RecursionError) as error:
        raise CorpusError(f"{folder / PIECES} does not hold ids of pieces ({error}); download it again") from error
    symbols = sorted(ids, key=ids.__getitem__)
    if tuple(symbols[:N_SPECIAL]) != SPECIAL and (folder / TOKENIZER).exists():  # byte-pair encoding of RoBERTa
        return Vocabulary.from_tokenizer(folder, languages)
    if tuple(symbols[:N_SPECIAL]) != SPECIAL or [ids[name] for name in symbols] != list(range(len(ids))):
        raise CorpusError(
            f"{folder / PIECES}: expected ids 0 to {len(ids) - 1}, the first of them {', '.join(SPECIAL)}; this is the "
            f"vocabulary of another model"
        )
    pieces = (*SPECIAL, *map(fastbpe.piece_of, symbols[N_SPECIAL:]))
    return replace(Vocabulary.from_codes(pieces, [0] * len(pieces), folder / MERGES, languages), text=PUBLISHED_TEXT)


def import_store(
    sums: Mapping[Path, str], outputs: Sequence[Path], *, languages: Sequence[str], vocabulary: Path, statistics: Path
) -> None:
    """Copy the given stores of one shard of a corpus to the paths of built ones.

    Args:
        sums: the given stores and their SHA-256.
        outputs: the path of each.
        languages: of their columns.
        vocabulary: of the models that read them.
        statistics: JSON: numbers of records, format and checksums.

    Raises:
        PretrainedError: a file is not the named one, is damaged, was built with another vocabulary, or holds other
            data than sentences of ``languages``.
    """
    digest = Vocabulary.read(vocabulary).digest
    origin = _check_sums("store", sums) | {"vocabulary": digest}
    n_records = sum(len(_open_store(path, digest, languages)) for path in sums)
    with atomic_many(outputs) as partials:
        for path, partial in zip(sums, partials, strict=True):
            shutil.copyfile(path, partial)
    write_json(statistics, {"read": n_records, "kept": n_records, "dropped": {}, "origin": origin})


def _open_store(path: Path, vocabulary: str, languages: Sequence[str]) -> TokenStore:
    """Open a store and check its vocabulary and columns."""
    try:
        store = TokenStore.open(path, vocabulary)
    except StoreError as error:
        reason, _, _ = str(error).partition(";")
        raise PretrainedError(
            f"{reason}: this is not a token store for the vocabulary in use; give, as vocabulary.pretrained, the one "
            f"that it was built with, or a whole copy of it"
        ) from error
    if store.languages != tuple(languages) or store.labels is not None:
        kind = "labelled " if store.labels is not None else ""
        raise PretrainedError(
            f"{path}: found {kind}text in {'-'.join(store.languages)}, expected plain text in "
            f"{'-'.join(languages)}; check the corpus's keys and path"
        )
    return store
