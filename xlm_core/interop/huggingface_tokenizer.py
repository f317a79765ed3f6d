"""Write vocabularies as Hugging Face tokenizers, which ``AutoTokenizer`` loads, and read them.

| our vocabulary | their tokenizer | reads |
|---|---|---|
| sentencepiece, shared by all languages | ``PreTrainedTokenizerFast`` | tokenized text, as in our ``tokens/`` files |
| published codes | ``XLMTokenizer`` | raw text: it runs the published chain itself, with lower case and no accents |

Both put the symbols around a sentence that our models expect: ``</s> a </s>``, and ``</s> a </s> b </s>`` for a pair.
Names of special symbols in the text become those symbols there, as usual in that library; here they stay text. The mark
of a blank, ``▁``, becomes a blank there.

This module runs without PyTorch, and without the tokenizers package unless a sentencepiece vocabulary is written.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xlm_core.errors import ConfigError, CorpusError
from xlm_core.io import atomic, read_json, write_json
from xlm_core.text import fastbpe
from xlm_core.text.vocabulary import EOS, MASK, N_SPECIAL, PAD, SPECIAL, UNK, WORD_START, Vocabulary

SETTINGS, TOKENIZER = "tokenizer_config.json", "tokenizer.json"
OURS, PIECES, MERGES = "vocabulary.json", "vocab.json", "merges.txt"
TOKENIZER_FILES = (OURS, PIECES, MERGES)  # that ``read_tokenizer`` reads if they exist


def missing_extra(error: ImportError) -> ConfigError:
    """Return the error of an export without the packages of the extra ``interop``."""
    return ConfigError(
        f"Hugging Face folders are written with the package {error.name}, which is not installed; install it with: "
        "pip install -e '.[interop]'"
    )


def write_tokenizer(vocabulary: Vocabulary, folder: Path, languages: Sequence[str]) -> None:
    """Write the tokenizer's files, and our vocabulary beside them, from which ``read_tokenizer`` restores all of it.

    Raises:
        CorpusError: each language has its own encoding, which such a tokenizer cannot hold.
        ConfigError: the package tokenizers is not installed.
    """
    if len(vocabulary.models) != 1:
        raise CorpusError(
            f"{folder}: found {len(vocabulary.models)} encodings in the vocabulary, but a Hugging Face tokenizer holds "
            f"one; expected a vocabulary that all languages share (vocabulary.shared: true)"
        )
    folder.mkdir(parents=True, exist_ok=True)
    if vocabulary.kind == "fastbpe":
        _write_xlm_tokenizer(vocabulary, folder, languages)
    else:
        _write_fast_tokenizer(vocabulary, folder)
    vocabulary.write(folder / OURS)


def read_tokenizer(folder: Path, languages: Sequence[str]) -> Vocabulary:
    """Read the vocabulary of a folder: ours if it is there, else that of an ``XLMTokenizer``.

    The latter has no counts of pieces, which are zero.

    Raises:
        CorpusError: the folder has neither, or the pieces do not have the published ids.
    """
    if (folder / OURS).exists():
        return Vocabulary.read(folder / OURS)
    if not (folder / PIECES).exists() or not (folder / MERGES).exists():
        raise CorpusError(
            f"{folder}: found no tokenizer that can be read; expected {OURS}, or the {PIECES} and {MERGES} of an "
            f"XLMTokenizer"
        )
    ids = _read_ids(folder / PIECES)
    symbols = sorted(ids, key=ids.__getitem__)
    if tuple(symbols[:N_SPECIAL]) != SPECIAL or [ids[name] for name in symbols] != list(range(len(ids))):
        raise CorpusError(
            f"{folder / PIECES}: expected ids 0 to {len(ids) - 1}, the first of them {', '.join(SPECIAL)}; this is the "
            f"vocabulary of another model"
        )
    pieces = (*SPECIAL, *map(fastbpe.piece_of, symbols[N_SPECIAL:]))
    vocabulary = Vocabulary.from_codes(pieces, (folder / MERGES).read_bytes(), languages)
    try:
        vocabulary.check()
    except ValueError as error:
        raise CorpusError(f"{folder / MERGES} does not hold byte-pair codes ({error}); download it again") from error
    return vocabulary


def _read_ids(path: Path) -> dict[str, int]:
    try:
        return {str(name): int(id_) for name, id_ in read_json(path).items()}
    except (ValueError, AttributeError, TypeError, OverflowError, RecursionError) as error:
        raise CorpusError(f"{path} does not hold ids of pieces ({error}); download it again") from error


def _settings(tokenizer_class: str) -> dict[str, Any]:
    """Return the settings of both tokenizers: which symbols have which role."""
    ends = dict.fromkeys(("bos_token", "eos_token", "sep_token", "cls_token"), SPECIAL[EOS])
    others = {"pad_token": SPECIAL[PAD], "unk_token": SPECIAL[UNK], "mask_token": SPECIAL[MASK]}
    return {"tokenizer_class": tokenizer_class, **ends, **others, "clean_up_tokenization_spaces": False}


def _write_xlm_tokenizer(vocabulary: Vocabulary, folder: Path, languages: Sequence[str]) -> None:
    names = [*SPECIAL, *map(fastbpe.symbol_of, vocabulary.pieces[N_SPECIAL:])]
    write_json(folder / PIECES, {name: id_ for id_, name in enumerate(names)})
    with atomic(folder / MERGES) as partial:
        partial.write_bytes(vocabulary.models[0])
    ids = {language: number for number, language in enumerate(sorted(languages))}
    names_of = {str(number): language for language, number in ids.items()}
    settings = _settings("XLMTokenizer") | {"lang2id": ids, "id2lang": names_of, "do_lowercase_and_remove_accent": True}
    write_json(folder / SETTINGS, settings)


def _write_fast_tokenizer(vocabulary: Vocabulary, folder: Path) -> None:
    try:
        from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    except ImportError as error:
        raise missing_extra(error) from error
    ids = {name: id_ for id_, name in enumerate(vocabulary.pieces)}
    merges = _merges(vocabulary.pieces[N_SPECIAL:])
    tokenizer = Tokenizer(models.BPE(ids, merges, unk_token=SPECIAL[UNK], fuse_unk=True))
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.Replace(Regex(" +"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(WORD_START)
    end = SPECIAL[EOS]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=[end, "$A", end], pair=[end, "$A", end, "$B:0", end], special_tokens=[(end, EOS)]
    )
    tokenizer.decoder = decoders.Metaspace(WORD_START)
    with atomic(folder / TOKENIZER) as partial:
        partial.write_text(tokenizer.to_str(), encoding="utf-8")
    write_json(folder / SETTINGS, _settings("PreTrainedTokenizerFast"))


def _merges(pieces: Sequence[str]) -> list[tuple[str, str]]:
    """Return all pairs of pieces that join to a third, in the order of these, which is the order of their scores.

    A sentencepiece model merges any such pair.
    """
    known = set(pieces)
    splits = ((piece[:end], piece[end:]) for piece in pieces for end in range(1, len(piece)))
    return [(left, right) for left, right in splits if left in known and right in known]
