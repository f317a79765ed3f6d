"""Vocabularies as Hugging Face tokenizers, which ``AutoTokenizer`` loads, and back.

| our vocabulary | their tokenizer | reads |
|---|---|---|
| sentencepiece, shared by all languages | ``PreTrainedTokenizerFast`` | tokenized text, as in our ``tokens/`` files |
| published codes | ``XLMTokenizer`` | raw text: it runs the published chain itself, with lower case and no accents |

Both put the symbols around a sentence that our models see: ``</s> a </s>``, and ``</s> a </s> b </s>`` around a pair.
Names of special symbols in the text become those symbols there, as usual with that library; with us they stay text.
The mark of a blank, ``▁``, is a blank there when it stands in the text.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xlm_core.errors import CorpusError
from xlm_core.io import atomic, read_json, write_json
from xlm_core.text import fastbpe
from xlm_core.text.vocabulary import EOS, MASK, N_SPECIAL, PAD, SPECIAL, UNK, Vocabulary

OURS, SETTINGS, FAST, PIECES, MERGES = (
    "vocabulary.json",
    "tokenizer_config.json",
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
)
BLANK = "▁"  # begins the pieces that begin a word


def write_tokenizer(vocabulary: Vocabulary, folder: Path, languages: Sequence[str]) -> None:
    """Write the tokenizer's files, and our own vocabulary beside them, from which ``read_tokenizer`` gets all of it.

    Raises:
        CorpusError: each language has an encoding of its own, which such a tokenizer cannot hold.
    """
    if len(vocabulary.models) != 1:
        raise CorpusError(
            f"{folder}: found {len(vocabulary.models)} encodings in the vocabulary, but a Hugging Face tokenizer holds "
            f"one; expected a vocabulary that all languages share (vocabulary.shared: true)"
        )
    folder.mkdir(parents=True, exist_ok=True)
    if vocabulary.kind == "fastbpe":
        _write_published(vocabulary, folder, languages)
    else:
        _write_fast(vocabulary, folder)
    vocabulary.write(folder / OURS)


def read_tokenizer(folder: Path, languages: Sequence[str]) -> Vocabulary:
    """The vocabulary of a folder: ours where there is one, else that of an ``XLMTokenizer``.

    The latter does not say how often a piece occurs; its counts are zero.

    Raises:
        CorpusError: the folder has neither, or the pieces have other ids than the published ones.
    """
    if (folder / OURS).exists():
        return Vocabulary.read(folder / OURS)
    if not (folder / PIECES).exists() or not (folder / MERGES).exists():
        raise CorpusError(
            f"{folder}: found no tokenizer that can be read; expected {OURS}, or the {PIECES} and {MERGES} of an "
            f"XLMTokenizer"
        )
    ids = _ids(folder / PIECES)
    symbols = sorted(ids, key=ids.__getitem__)
    if tuple(symbols[:N_SPECIAL]) != SPECIAL or [ids[name] for name in symbols] != list(range(len(ids))):
        raise CorpusError(
            f"{folder / PIECES}: expected ids 0 to {len(ids) - 1}, the first of them {', '.join(SPECIAL)}; this is the "
            f"vocabulary of another model"
        )
    pieces = (*SPECIAL, *map(fastbpe.piece_of, symbols[N_SPECIAL:]))
    codes = (folder / MERGES).read_bytes()
    of = dict.fromkeys(languages, 0)
    vocabulary = Vocabulary(pieces, np.zeros(len(pieces), dtype=np.int64), (codes,), (0,), of, "fastbpe")
    try:
        vocabulary.check()
    except ValueError as error:
        raise CorpusError(f"{folder / MERGES} does not hold byte-pair codes ({error}); download it again") from error
    return vocabulary


def _ids(path: Path) -> dict[str, int]:
    """The ids of symbols."""
    try:
        return {str(name): int(id_) for name, id_ in read_json(path).items()}
    except (ValueError, AttributeError, TypeError, OverflowError, RecursionError) as error:
        raise CorpusError(f"{path} does not hold ids of pieces ({error}); download it again") from error


def _settings(tokenizer_class: str) -> dict[str, Any]:
    """What both kinds of tokenizers are told: which symbols mean what to our models."""
    ends = dict.fromkeys(("bos_token", "eos_token", "sep_token", "cls_token"), SPECIAL[EOS])
    others = {"pad_token": SPECIAL[PAD], "unk_token": SPECIAL[UNK], "mask_token": SPECIAL[MASK]}
    return {"tokenizer_class": tokenizer_class, **ends, **others, "clean_up_tokenization_spaces": False}


def _write_published(vocabulary: Vocabulary, folder: Path, languages: Sequence[str]) -> None:
    """The files of an ``XLMTokenizer``."""
    names = [*SPECIAL, *map(fastbpe.symbol_of, vocabulary.pieces[N_SPECIAL:])]
    write_json(folder / PIECES, {name: id_ for id_, name in enumerate(names)})
    with atomic(folder / MERGES) as partial:
        partial.write_bytes(vocabulary.models[0])
    ids = {language: number for number, language in enumerate(sorted(languages))}
    names_of = {str(number): language for language, number in ids.items()}
    settings = _settings("XLMTokenizer") | {"lang2id": ids, "id2lang": names_of, "do_lowercase_and_remove_accent": True}
    write_json(folder / SETTINGS, settings)


def _write_fast(vocabulary: Vocabulary, folder: Path) -> None:
    """The files of a ``PreTrainedTokenizerFast``."""
    ids = {name: id_ for id_, name in enumerate(vocabulary.pieces)}
    ends = {"SpecialToken": {"id": SPECIAL[EOS], "type_id": 0}}
    sides = [{"Sequence": {"id": side, "type_id": 0}} for side in "AB"]
    description = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": id_,
                "content": name,
                "special": True,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
            }
            for id_, name in enumerate(SPECIAL)
        ],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Strip", "strip_left": True, "strip_right": True},
                {"type": "Replace", "pattern": {"Regex": " +"}, "content": " "},
            ],
        },
        "pre_tokenizer": {"type": "Metaspace", "replacement": BLANK, "prepend_scheme": "always", "split": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [ends, sides[0], ends],
            "pair": [ends, sides[0], ends, sides[1], ends],
            "special_tokens": {SPECIAL[EOS]: {"id": SPECIAL[EOS], "ids": [EOS], "tokens": [SPECIAL[EOS]]}},
        },
        "decoder": {"type": "Metaspace", "replacement": BLANK, "prepend_scheme": "always", "split": True},
        "model": {
            "type": "BPE",
            "unk_token": SPECIAL[UNK],
            "fuse_unk": True,
            "byte_fallback": False,
            "vocab": ids,
            "merges": _merges(vocabulary.pieces[N_SPECIAL:]),
        },
    }
    with atomic(folder / FAST) as partial:
        partial.write_text(json.dumps(description, ensure_ascii=False), encoding="utf-8")
    write_json(folder / SETTINGS, _settings("PreTrainedTokenizerFast"))


def _merges(pieces: Sequence[str]) -> list[list[str]]:
    """All pairs of pieces that join to a third, in the order of these: a sentencepiece model merges any of them.

    Its pieces stand in the order of their scores.
    """
    known = set(pieces)
    splits = ((piece[:place], piece[place:]) for piece in pieces for place in range(1, len(piece)))
    return [[left, right] for left, right in splits if left in known and right in known]
