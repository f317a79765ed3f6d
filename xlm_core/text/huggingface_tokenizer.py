"""Tokenizers of Hugging Face folders (``tokenizer.json``), which read raw text: WordPiece, unigram, BPE."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xlm_core.config.pretrained import saving_call
from xlm_core.errors import CorpusError
from xlm_core.io import read_json
from xlm_core.text.special_symbols import SpecialSymbols

TOKENIZER, SETTINGS, WORD_PIECES = "tokenizer.json", "tokenizer_config.json", "vocab.txt"
USUAL = {"pad": ("<pad>", "[PAD]"), "unk": ("<unk>", "[UNK]"), "mask": ("<mask>", "[MASK]")}
INVALID = (ValueError, LookupError, TypeError, AttributeError)  # raised by JSON that is not of a tokenizer


class HuggingfaceTokenizer:
    """A tokenizer in memory; text never gets the id of a special symbol, except for unknown characters."""

    def __init__(self, content: bytes) -> None:
        """Read the content of a ``tokenizer.json``.

        Raises:
            ValueError: it is no tokenizer.
        """
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # each job has its threads already
        from tokenizers import Tokenizer  # not at the top, because few vocabularies are of this kind

        try:
            self.tokenizer: Tokenizer = Tokenizer.from_buffer(content)
        except Exception as error:  # the library raises this very class
            raise ValueError(str(error)) from error
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.tokenizer.encode_special_tokens = True
        added = self.tokenizer.get_added_tokens_decoder().items()
        self._special = {id_: token.content for id_, token in added if token.special}

    def encode(self, sentences: Sequence[str], unk: int) -> list[list[int]]:
        """Return the ids of sentences, without the symbols around them; ``unk`` is the id of unknown characters."""
        encoded = [encoding.ids for encoding in self.tokenizer.encode_batch_fast(sentences, add_special_tokens=False)]
        for index, sentence in enumerate(sentences):
            if any(name in sentence for name in self._special.values()):  # unigram models have them among their pieces
                encoded[index] = [unk if id_ in self._special else id_ for id_ in encoded[index]]
        return encoded

    def encode_with_symbols(self, sentence: str) -> list[int]:
        """Return the ids of a sentence in which names of special symbols, such as ``<mask>``, are those symbols."""
        self.tokenizer.encode_special_tokens = False
        ids: list[int] = self.tokenizer.encode(sentence, add_special_tokens=False).ids
        self.tokenizer.encode_special_tokens = True
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids."""
        text: str = self.tokenizer.decode(ids)
        return text

    @property
    def pieces(self) -> tuple[str, ...]:
        """The pieces by id.

        Raises:
            ValueError: an id has no piece.
        """
        ids = self.tokenizer.get_vocab(with_added_tokens=True)
        pieces = {id_: piece for piece, id_ in ids.items()}
        if sorted(pieces) != list(range(len(pieces))):
            raise ValueError(f"expected ids 0 to {len(pieces) - 1}, each of a piece")
        return tuple(pieces[id_] for id_ in range(len(pieces)))

    def symbols(self, settings: Mapping[str, Any]) -> SpecialSymbols:
        """Return the special symbols.

        Those around sentences are taken from an encoded pair, the others from ``settings``, or by their usual names.

        Raises:
            ValueError: there are not one symbol before a sentence and one after it, or a symbol is missing.
        """
        pair = self.tokenizer.encode("a", "b")
        first, second = (pair.sequence_ids.index(number) for number in (0, 1))
        last_of_first = second - 1 - pair.sequence_ids[:second][::-1].index(0)
        end_of_second = len(pair.ids) - pair.sequence_ids[::-1].index(1)
        before, after = pair.ids[:first], pair.ids[end_of_second:]
        if len(before) != 1 or len(after) != 1:
            raise ValueError(f"expected one symbol before a sentence and one after it, found {before} and {after}")
        named = {name: self._id(name, settings) for name in USUAL}
        between = pair.ids[last_of_first + 1 : second]
        return SpecialSymbols(
            **named,
            begin=before[0],
            end=after[0],
            between=between,
            has_segments=pair.type_ids[second] == 1,
            special=sorted({*self._special, *named.values(), *before, *after, *between}),
        )

    def _id(self, name: str, settings: Mapping[str, Any]) -> int:
        """Return the id of a symbol, whose name the settings tell as text or as an object with it as content."""
        told = settings.get(f"{name}_token")
        names = [told["content"] if isinstance(told, Mapping) else told] if told else USUAL[name]
        id_ = next((id_ for each in names if (id_ := self.tokenizer.token_to_id(each)) is not None), None)
        if id_ is None and name == "unk" and not told:  # of bytes, none of which is unknown
            return self._id("mask", settings)
        if id_ is None:
            raise ValueError(f"no {name}_token; found none of {', '.join(names)}")
        return id_


def read_tokenizer_json(folder: Path) -> tuple[bytes, Mapping[str, Any]]:
    """Read a folder's ``tokenizer.json``, or make one of its ``vocab.txt`` of word pieces, and its settings.

    Raises:
        CorpusError: it has neither.
    """
    settings = read_json(folder / SETTINGS) if (folder / SETTINGS).exists() else {}
    if (folder / TOKENIZER).exists():
        return (folder / TOKENIZER).read_bytes(), settings
    if (folder / WORD_PIECES).exists():
        from tokenizers import BertWordPieceTokenizer

        options = {"lowercase": "do_lower_case", "handle_chinese_chars": "tokenize_chinese_chars"}
        given = {ours: settings.get(theirs, True) for ours, theirs in options.items()}
        tokenizer = BertWordPieceTokenizer(
            str(folder / WORD_PIECES), strip_accents=settings.get("strip_accents"), **given
        )
        return tokenizer.to_str().encode(), settings
    raise CorpusError(
        f"{folder}: found no tokenizer that can be read; expected {TOKENIZER} or {WORD_PIECES}. This writes the first: "
        f"{saving_call('AutoTokenizer', folder)}"
    )
