"""Byte-pair encoding, learned by sentencepiece (paper, section 3.1)."""

import io
from collections.abc import Iterator
from pathlib import Path

import sentencepiece

from xlm_core.errors import CorpusError
from xlm_core.io import atomic
from xlm_core.text.vocabulary import BOS, EOS, N_SPECIAL, PAD, SPECIAL, UNK

MAX_LINE_BYTES = 1 << 20  # sentencepiece passes over longer lines; tokenization has dropped those long ago


def learn(sample: Path, model: Path, *, size: int, character_coverage: float) -> None:
    """Learn the merges of frequent pieces.

    The text is taken as it is: normalization is a step of its own, before this one. The special symbols have the
    published ids, and no text becomes one of them.

    Args:
        sample: tokenized text, one sentence per line.
        model: the sentencepiece model.
        size: pieces, special symbols included.
        character_coverage: share of the characters, by occurrence, that get a piece.

    Raises:
        CorpusError: the sample is empty, holds fewer different pieces than ``size``, or more characters.
    """
    lines = _lines(sample)
    if not any(True for _ in _lines(sample)):
        raise CorpusError(f"{sample} is empty; expected tokenized text: look at the statistics of the steps before")
    trained = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=lines,
            model_writer=trained,
            model_type="bpe",
            vocab_size=size,
            character_coverage=character_coverage,
            normalization_rule_name="identity",
            max_sentence_length=MAX_LINE_BYTES,
            bos_id=BOS,
            eos_id=EOS,
            pad_id=PAD,
            unk_id=UNK,
            bos_piece=SPECIAL[BOS],
            eos_piece=SPECIAL[EOS],
            pad_piece=SPECIAL[PAD],
            unk_piece=SPECIAL[UNK],
            control_symbols=list(SPECIAL[UNK + 1 : N_SPECIAL]),
            num_threads=1,
            minloglevel=1,
        )
    except (RuntimeError, OSError) as error:
        raise CorpusError(
            f"{sample}: byte-pair encoding of {size} pieces could not be learned ({_first_line(error)}); "
            f"{_remedy(error)}"
        ) from error
    with atomic(model) as partial:
        partial.write_bytes(trained.getvalue())


def _lines(path: Path) -> Iterator[str]:
    with open(path, encoding="utf-8", newline="\n") as file:
        yield from (line.rstrip("\n") for line in file if line.strip())


def _remedy(error: Exception) -> str:
    """What to do: the size is too small for the characters alone, or too large for the text."""
    if "smaller than required_chars" in str(error):
        return "raise vocabulary.size or lower vocabulary.character_coverage"
    return "lower vocabulary.size or give more text"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["no reason given"])[0]
