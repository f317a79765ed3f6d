"""Samples: sentences of a test set, their references and the translations of several systems, side by side."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from xlm_core.errors import CorpusError
from xlm_core.io import atomic
from xlm_core.report.rendering import render

N_SAMPLES = 20


class TextFiles(NamedTuple):
    """Files of lines: the sentences of a direction, their references, and hypotheses by the labels of the systems."""

    sources: Path
    references: Path
    hypotheses: Mapping[str, Path]


def make(directions: Mapping[str, TextFiles], output: Path) -> None:
    """Write a page of the first sentences of each direction.

    Raises:
        CorpusError: files of a direction have unequal numbers of lines.
    """
    samples = [(direction, *_samples(files)) for direction, files in directions.items()]
    with atomic(output) as partial:
        partial.write_text(render("samples", directions=samples), encoding="utf-8")


def _samples(files: TextFiles) -> tuple[list[str], list[tuple[str, ...]]]:
    """The labels of the texts, and these texts of each of the first sentences."""
    columns = {"source": files.sources, "reference": files.references, **files.hypotheses}
    lines = {label: _lines(path) for label, path in columns.items()}
    if len({len(texts) for texts in lines.values()}) != 1:
        counts = ", ".join(f"{len(lines[label])} in {path}" for label, path in columns.items())
        raise CorpusError(f"unequal numbers of lines: {counts}; score the translations again")
    return list(lines), list(zip(*(texts[:N_SAMPLES] for texts in lines.values()), strict=True))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
