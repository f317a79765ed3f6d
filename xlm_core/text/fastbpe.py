"""Byte-pair encoding by the published files: fastBPE's codes and vocabulary (paper, section 3.1).

A codes file has one merge a line, ``left right count``, the first the most important one; a symbol that ends a word
carries ``</w>``. A vocabulary file has one piece a line, ``piece count``, the most frequent first; a piece that does
not end its word carries ``@@``. We only apply such codes: new ones are learned by sentencepiece.
"""

import itertools
import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from xlm_core.errors import CorpusError

LOG = logging.getLogger(__name__)
COUNT = re.compile("[0-9]{1,18}")  # fits into 64 bits
END, MORE = "</w>", "@@"  # of a word's last symbol; of a piece that is not its word's last
N_CACHED = 1 << 18  # words: the frequent ones make nearly all of a text


def symbol(piece: str) -> str:
    """A piece as it stands in the codes: ``the@@`` is ``the``, and ``the`` is ``the</w>``."""
    return piece.removesuffix(MORE) if piece.endswith(MORE) else piece + END


def piece(symbol: str) -> str:
    """The reverse of ``symbol``."""
    return symbol.removesuffix(END) if symbol.endswith(END) else symbol + MORE


class FastBpe:
    """Codes, and the ids of the pieces they lead to."""

    def __init__(self, codes: bytes, ids: dict[str, int], unknown: int) -> None:
        """Read ``codes``; ``ids`` are of pieces, and ``unknown`` is that of every other piece.

        Raises:
            ValueError: a line is no merge, or a merge stands there twice.
        """
        merges = [tuple(line.split(" ")[:2]) for line in codes.decode().split("\n") if line]
        self._ranks = {merge: rank for rank, merge in enumerate(merges)}
        if any(len(merge) != 2 for merge in merges) or len(self._ranks) < len(merges):
            raise ValueError("codes are lines 'left right count', each once")
        self._ids = {symbol(piece): id_ for piece, id_ in ids.items()}
        self._pieces = {id_: piece for piece, id_ in ids.items()}
        self._unknown = unknown
        self._encode_word = lru_cache(N_CACHED)(self._ids_of_word)

    def encode(self, sentences: Sequence[str]) -> list[list[int]]:
        """The ids of tokenized sentences, whose words are separated by blanks."""
        return [[id_ for word in text.split(" ") if word for id_ in self._encode_word(word)] for text in sentences]

    def decode(self, ids: Sequence[int]) -> str:
        """The tokenized text of ids."""
        return f"{' '.join(self._pieces[id_] for id_ in ids)} ".replace(f"{MORE} ", "").rstrip(" ")

    def _ids_of_word(self, word: str) -> list[int]:
        return [self._ids.get(symbol, self._unknown) for symbol in self.symbols(word)]

    def symbols(self, word: str) -> list[str]:
        """What is left of a word's characters when the most important merge has been made, again and again."""
        symbols = [*word[:-1], word[-1] + END]
        while len(symbols) > 1:
            pairs = itertools.pairwise(symbols)
            rank, best = min((self._ranks.get(pair, len(self._ranks)), pair) for pair in pairs)
            if rank == len(self._ranks):
                break
            symbols = _merged(symbols, *best)
        return symbols


def _merged(symbols: list[str], left: str, right: str) -> list[str]:
    """``symbols`` with every ``left`` that a ``right`` follows joined to it, from the first on."""
    found: list[str] = []
    for symbol in symbols:
        if symbol == right and found and found[-1] == left:
            found[-1] = left + right
        else:
            found.append(symbol)
    return found


def read_pieces(vocab: Path) -> tuple[list[str], list[int]]:
    """The pieces of a vocabulary file and how often each occurs.

    As in the published program, lines that are not a piece and a number are passed over, and so are pieces that have
    been there before: the ids of what follows depend on it. How many is logged.

    Raises:
        CorpusError: the file has no such line.
    """
    found: dict[str, int] = {}
    skipped = Counter[str]()
    for line in _lines(vocab):
        fields = line.split(" ")
        if len(fields) != 2 or not COUNT.fullmatch(fields[1]) or not fields[0]:
            skipped["not 'piece count'"] += 1
        elif fields[0] in found:
            skipped["repeated"] += 1
        else:
            found[fields[0]] = int(fields[1])
    if not found:
        raise CorpusError(
            f"{vocab}: found no line 'piece count'; give the file 'vocab' that was published beside the model"
        )
    if skipped:
        LOG.warning("%s: passed over %s", vocab, dict(skipped))
    return list(found), list(found.values())


def _lines(path: Path) -> Iterable[str]:
    """The lines of a file, cut at line feeds only: other separators may be pieces."""
    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            yield from (line.rstrip("\n") for line in file)
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path} is not UTF-8 text ({error}); download it again") from error
