"""A sample of all languages, for learning the vocabulary (paper, section 3.1).

How many lines a language gives follows its smoothed share of all lines, so that small languages are not cut into
characters. Two passes over the text, one to count and one to draw, at constant memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xlm_core import tsv
from xlm_core.errors import CorpusError
from xlm_core.io import atomic, write_json
from xlm_core.languages import smoothed
from xlm_core.text.split import split_of_record


@dataclass(frozen=True)
class TokenFile:
    """A file of tokenized records.

    languages  of its fields: ("fr",) for text, ("en", "fr") for pairs
    """

    path: Path
    languages: tuple[str, ...]


def sample(
    files: Mapping[str, Sequence[TokenFile]],
    output: Path,
    *,
    n_lines: int,
    alpha: float,
    valid_fraction: float,
    test_fraction: float,
    seed: int,
    statistics: Path,
) -> None:
    """Write about ``n_lines`` training lines, language after language in alphabetical order.

    A language that has fewer lines than its share asks for gives each of them as often as it takes.

    Args:
        files: language -> where its lines are.
        output: plain text, one line per sentence.
        n_lines: the sample's size.
        alpha: smoothing exponent of the languages' shares.
        valid_fraction, test_fraction: of the lines that are held out, and not drawn.
        seed: of the draw.
        statistics: JSON: per language, lines there are and lines drawn.

    Raises:
        CorpusError: a language has no training line.
    """
    shares = (valid_fraction, test_fraction)
    available = {language: sum(1 for _ in _lines(language, parts, shares)) for language, parts in sorted(files.items())}
    for language, count in available.items():
        if not count:
            raise CorpusError(
                f"language '{language}': no training line in {len(files[language])} files of its corpora; "
                f"look at the statistics beside them, or take the language out of the configuration"
            )
    wanted = quotas(available, n_lines, alpha, seed)
    with atomic(output) as partial, open(partial, "w", encoding="utf-8", newline="\n") as file:
        for number, (language, count) in enumerate(available.items(), 1):  # [seed, 0] would repeat the quotas' stream
            rng = np.random.default_rng([seed, number])
            for line in draw(_lines(language, files[language], shares), count, wanted[language], rng):
                file.write(line + "\n")
    write_json(statistics, {lang: {"lines": available[lang], "drawn": wanted[lang]} for lang in available})


def quotas(available: Mapping[str, int], n_lines: int, alpha: float, seed: int) -> dict[str, int]:
    """Lines to draw of each language: multinomial, with the smoothed shares of ``available``."""
    shares = smoothed(available, alpha)
    drawn = np.random.default_rng(seed).multinomial(n_lines, list(shares.values()))
    return dict(zip(shares, drawn.tolist(), strict=True))


def draw(lines: Iterator[str], n_available: int, n_wanted: int, rng: np.random.Generator) -> Iterator[str]:
    """Draw exactly ``n_wanted`` of ``n_available`` lines as they stream by, each equally likely (selection sampling).

    Beyond ``n_available`` every line comes ``n_wanted // n_available`` times, and the rest is drawn.
    """
    repeats, missing = divmod(n_wanted, n_available)
    for position, line in enumerate(lines):
        is_drawn = rng.random() * (n_available - position) < missing
        missing -= is_drawn
        for _ in range(repeats + is_drawn):
            yield line


def _lines(language: str, files: Sequence[TokenFile], shares: tuple[float, float]) -> Iterator[str]:
    """The training lines of a language."""
    for file in files:
        column = file.languages.index(language)
        for fields in tsv.read(file.path, len(file.languages)):
            if split_of_record(fields, file.languages, *shares) == "train":
                yield fields[column]
