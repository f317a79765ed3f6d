"""Write tokenizers as the files that Hugging Face's ``AutoTokenizer`` reads.

| our vocabulary | their tokenizer | reads |
|---|---|---|
| sentencepiece, shared by all languages | ``PreTrainedTokenizerFast`` | text as in our ``tokens/`` files |
| published codes | ``XLMTokenizer`` | raw text: it runs the published chain itself, with lower case and no accents |
| of a folder of transformers | ``PreTrainedTokenizerFast`` with the same ``tokenizer.json`` | raw text |

Where the text of a sentencepiece vocabulary is not tokenized, its tokenizer cleans raw text as the workflow does.

All put the symbols around a sentence that the model expects, such as ``</s> a </s>``, and ``</s> a </s> b </s>`` for a
pair. Names of special symbols in the text become those symbols there, as usual in that library; here they stay text.
The mark of a blank, ``▁``, becomes a blank there.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xlm_core.errors import CorpusError
from xlm_core.interop.huggingface import language_settings
from xlm_core.interop.pretrained import MERGES, OURS, PIECES, PUBLISHED_TEXT
from xlm_core.io import atomic, write_json, write_text
from xlm_core.text import fastbpe
from xlm_core.text.huggingface_tokenizer import SETTINGS, TOKENIZER
from xlm_core.text.special_symbols import EOS, N_SPECIAL, SPECIAL, UNK
from xlm_core.text.vocabulary import PREPARATION, WORD_START, Vocabulary

# What ``xlm_core.tsv.clean_field`` does. Python counts four control characters as white space that expressions do not.
BLANKS = r"[\s\x{1c}-\x{1f}]"
INVISIBLE = rf"[[\p{{Cc}}\p{{Cf}}]&&[^\x{{200c}}\x{{200d}}]&&[^{BLANKS}]]"


def reads_raw_text(vocabulary: Vocabulary) -> bool:
    """Return whether the exported tokenizer prepares raw text as the vocabulary says, for all languages."""
    if vocabulary.text is None:
        return False
    if vocabulary.kind == "fastbpe":
        named, published = (text.model_dump(include=PREPARATION) for text in (vocabulary.text, PUBLISHED_TEXT))
        return named == published
    return vocabulary.text.tokenization == "none"


def check_tokenizer(vocabulary: Vocabulary, folder: Path) -> None:
    """Refuse a vocabulary that a tokenizer cannot hold.

    Raises:
        CorpusError: each language has its own encoding.
    """
    if len(vocabulary.models) != 1:
        raise CorpusError(
            f"{folder}: found {len(vocabulary.models)} encodings in the vocabulary, but a Hugging Face tokenizer holds "
            f"one; expected a vocabulary that all languages share (vocabulary.shared: true)"
        )


def write_tokenizer(
    vocabulary: Vocabulary, folder: Path, languages: Sequence[str], max_positions: int | None = None
) -> None:
    """Write the tokenizer's files, and our vocabulary beside them, from which ``read_tokenizer`` restores all of it.

    Args:
        max_positions: tokens that the model has positions for, to which texts are cut on demand; None: not known.

    Raises:
        CorpusError: as ``check_tokenizer``.
    """
    check_tokenizer(vocabulary, folder)
    folder.mkdir(parents=True, exist_ok=True)
    if vocabulary.kind == "fastbpe":
        settings = _settings(vocabulary, "XLMTokenizer", max_positions)
        _write_xlm_tokenizer(vocabulary, folder, settings | language_settings(languages))
    else:
        is_theirs = vocabulary.kind == "huggingface"
        content = vocabulary.models[0].decode() if is_theirs else _fast_tokenizer(vocabulary).to_str()
        # Older versions of the library set what the tokenizer does before a text to what the settings say.
        begins = (json.loads(content)["pre_tokenizer"] or {}).get("add_prefix_space", False)
        settings = _settings(vocabulary, "PreTrainedTokenizerFast", max_positions)
        write_text(folder / TOKENIZER, content)
        write_json(folder / SETTINGS, settings | {"add_prefix_space": begins})
    vocabulary.write(folder / OURS)


def _settings(vocabulary: Vocabulary, tokenizer_class: str, max_positions: int | None) -> dict[str, Any]:
    """Return the settings of all tokenizers: which symbols have which role, the longest input, and a model's inputs.

    XLM adds the embeddings of words to its input where it gets numbers of segments, as BERT adds those of segments.
    """
    symbols, pieces = vocabulary.symbols, vocabulary.pieces
    segments = ["token_type_ids"] if symbols.has_segments else []
    return {
        "tokenizer_class": tokenizer_class,
        **dict.fromkeys(("bos_token", "cls_token"), pieces[symbols.begin]),
        **dict.fromkeys(("eos_token", "sep_token"), pieces[symbols.end]),
        **{f"{name}_token": pieces[getattr(symbols, name)] for name in ("pad", "unk", "mask")},
        **({"model_max_length": max_positions} if max_positions else {}),
        "model_input_names": ["input_ids", *segments, "attention_mask"],
        "clean_up_tokenization_spaces": False,
    }


def _write_xlm_tokenizer(vocabulary: Vocabulary, folder: Path, settings: dict[str, Any]) -> None:
    names = [*SPECIAL, *map(fastbpe.symbol_of, vocabulary.pieces[N_SPECIAL:])]
    write_json(folder / PIECES, {name: id_ for id_, name in enumerate(names)})
    with atomic(folder / MERGES) as partial:
        partial.write_bytes(vocabulary.models[0])
    write_json(folder / SETTINGS, settings | {"do_lowercase_and_remove_accent": True})


def _fast_tokenizer(vocabulary: Vocabulary) -> Any:
    """Make a tokenizer of a sentencepiece vocabulary, which also cleans the text if it is not to be tokenized."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    ids = {name: id_ for id_, name in enumerate(vocabulary.pieces)}
    merges = _merges(vocabulary.pieces[N_SPECIAL:])
    tokenizer = Tokenizer(models.BPE(ids, merges, unk_token=SPECIAL[UNK], fuse_unk=True))
    tokenizer.add_special_tokens(list(SPECIAL))
    blanks = [normalizers.Strip(), normalizers.Replace(Regex(" +"), " ")]
    if reads_raw_text(vocabulary):
        replaced = {"\u200b": " ", INVISIBLE: "", BLANKS: " "}.items()
        blanks = [normalizers.NFC(), *(normalizers.Replace(Regex(old), new) for old, new in replaced), *blanks]
    tokenizer.normalizer = normalizers.Sequence(blanks)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(WORD_START)
    end = SPECIAL[EOS]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=[end, "$A", end], pair=[end, "$A", end, "$B:0", end], special_tokens=[(end, EOS)]
    )
    tokenizer.decoder = decoders.Metaspace(WORD_START)
    return tokenizer


def _merges(pieces: Sequence[str]) -> list[tuple[str, str]]:
    """Return all pairs of pieces that join to a third, in the order of these, which is the order of their scores.

    A sentencepiece model merges any such pair.
    """
    known = set(pieces)
    splits = ((piece[:end], piece[end:]) for piece in pieces for end in range(1, len(piece)))
    return [(left, right) for left, right in splits if left in known and right in known]
