"""Learn byte-pair encoding with sentencepiece, on a smoothed sample of all languages (paper, section 3.1).

The number of lines per language follows its smoothed share of all lines, so that the words of small languages are not
cut into characters. The text is read twice, once to count and once to draw, at constant memory.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sentencepiece

from xlm_core import tsv
from xlm_core.errors import CorpusError
from xlm_core.io import atomic, write_json
from xlm_core.languages import smoothed
from xlm_core.text.special_symbols import BOS, EOS, N_SPECIAL, PAD, SPECIAL, UNK
from xlm_core.text.vocabulary import nonblank_lines

MAX_LINE_BYTES = 1 << 20  # sentencepiece skips longer lines; tokenization has dropped those before


class TokenFile(NamedTuple):
    """A file of tokenized records.

    languages  of its fields: ("fr",) for text, ("en", "fr") for pairs
    """

    path: Path
    languages: tuple[str, ...]


def sample_for_bpe(
    files: Mapping[str, Sequence[TokenFile]],
    output: Path,
    *,
    n_lines: int,
    alpha: float,
    valid_fraction: float,
    test_fraction: float,
    statistics: Path,
) -> None:
    """Write about ``n_lines`` training lines, language after language in alphabetical order.

    Lines of a language that has fewer than its share asks for are repeated. The same text gives the same sample.

    Args:
        files: language -> the files with its lines.
        output: plain text, one line per sentence.
        n_lines: size of the sample.
        alpha: smoothing exponent of the languages' shares.
        valid_fraction, test_fraction: fractions of the lines that are held out, and not sampled.
        statistics: JSON: per language, the numbers of training lines and of sampled lines.

    Raises:
        CorpusError: a language has no training line.
    """
    shares = (valid_fraction, test_fraction)
    available = {lang: sum(1 for _ in _training_lines(lang, parts, shares)) for lang, parts in sorted(files.items())}
    for language, count in available.items():
        if not count:
            raise CorpusError(
                f"language '{language}': no training line in {len(files[language])} files of its corpora; "
                f"look at the statistics beside them, or take the language out of the configuration"
            )
    drawn = np.random.default_rng(0).multinomial(n_lines, list(smoothed(available, alpha).values()))
    wanted = dict(zip(available, drawn.tolist(), strict=True))
    with atomic(output) as partial, open(partial, "w", encoding="utf-8", newline="\n") as file:
        for number, (language, count) in enumerate(available.items(), 1):  # [0, 0] would repeat the stream above
            rng = np.random.default_rng([0, number])
            lines = _training_lines(language, files[language], shares)
            file.writelines(f"{line}\n" for line in draw_lines(lines, count, wanted[language], rng))
    write_json(statistics, {lang: {"lines": available[lang], "drawn": wanted[lang]} for lang in available})


def draw_lines(lines: Iterator[str], n_available: int, n_wanted: int, rng: np.random.Generator) -> Iterator[str]:
    """Draw exactly ``n_wanted`` of ``n_available`` lines from a stream, each equally likely (selection sampling).

    Beyond ``n_available`` every line is repeated ``n_wanted // n_available`` times, and the rest is drawn.
    """
    repeats, missing = divmod(n_wanted, n_available)
    for position, line in enumerate(lines):
        is_drawn = rng.random() * (n_available - position) < missing
        missing -= is_drawn
        for _ in range(repeats + is_drawn):
            yield line


def _training_lines(language: str, files: Sequence[TokenFile], shares: tuple[float, float]) -> Iterator[str]:
    for file in files:
        column = file.languages.index(language)
        for fields in tsv.read(file.path, len(file.languages)):
            if tsv.split_of_record(fields, file.languages, *shares) == "train":
                yield fields[column]


def learn(sample: Path, model: Path, *, size: int, character_coverage: float) -> None:
    """Learn the merges of frequent pieces.

    The text is not normalized here, because normalization is an earlier step. The special symbols have the published
    ids, and no text is encoded as one of them.

    Args:
        sample: tokenized text, one sentence per line.
        model: the sentencepiece model.
        size: number of pieces, special symbols included.
        character_coverage: share of the characters, by occurrence, that get a piece.

    Raises:
        CorpusError: the sample is empty, or has fewer different pieces, or more characters, than ``size``.
    """
    if not any(True for _ in nonblank_lines(sample)):
        raise CorpusError(f"{sample} is empty; expected tokenized text: look at the statistics of the steps before")
    trained = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=nonblank_lines(sample),
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
        reason = (str(error).splitlines() or ["no reason given"])[0]
        remedy = "lower vocabulary.size or give more text"
        if "smaller than required_chars" in str(error):
            remedy = "raise vocabulary.size or lower vocabulary.character_coverage"
        raise CorpusError(
            f"{sample}: byte-pair encoding of {size} pieces could not be learned ({reason}); {remedy}"
        ) from error
    with atomic(model) as partial:
        partial.write_bytes(trained.getvalue())
