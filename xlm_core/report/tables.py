"""Tables: results in, the same table out as Markdown, HTML, LaTeX, and as tidy numbers in full precision."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from xlm_core import results
from xlm_core.files import atomic
from xlm_core.report import html, latex, markdown
from xlm_core.report.layout import Layout, lay_out
from xlm_core.report.summary import Shape, cells, select, tidy

RENDERINGS: Mapping[str, Callable[[Layout], str]] = {
    "md": markdown.render,
    "html": html.render,
    "tex": latex.render,
}

XNLI_SETTINGS: Mapping[str, str] = {"zero-shot": "zero-shot"}
RETRIEVAL_SETTINGS = ("raw", "centered")


def make_xnli(
    paths: Sequence[Path],
    rows: Mapping[str, str],
    columns: Sequence[str],
    outputs: Mapping[str, Path],
    caption: str,
    settings: Mapping[str, str] = XNLI_SETTINGS,
) -> None:
    """Make the table of cross-lingual classification (paper, Table 1).

    Args:
        paths: files of results, see ``xlm_core.results``; those of other tables are passed over.
        rows: run -> label, in the order shown; the published rows are found by their labels.
        columns: languages, in the order shown; their average is added.
        outputs: "md", "html", "tex", "tidy" -> file to write; any of them.
        caption: what was measured, and on which data.
        settings: setting of the results -> the published setting it is compared with; each is a row of every run.

    Raises:
        CorpusError: naming a cell that is missing, double, unexpected, or measured on another number of items.
    """
    languages = tuple(columns)
    shape = Shape("xnli", rows, settings, languages, {"avg": languages}, (*languages, "avg"))
    _make(paths, shape, outputs, caption, "avg: mean over the languages, seed by seed.")


def make_retrieval(
    paths: Sequence[Path],
    rows: Mapping[str, str],
    columns: Sequence[str],
    outputs: Mapping[str, Path],
    caption: str,
    pivot: str = "en",
) -> None:
    """Make the table of sentence retrieval, raw and centered: how often the nearest neighbor is the translation.

    A column is the mean of both directions between its language and ``pivot``; the directions themselves stand in
    the tidy table. ``pivot`` has no column, even where ``columns`` names it. See ``make_xnli`` for the rest.
    """
    languages = tuple(language for language in columns if language != pivot)
    directions = {language: (f"{pivot}-{language}", f"{language}-{pivot}") for language in languages}
    measured = tuple(direction for both in directions.values() for direction in both)
    settings = {setting: setting for setting in RETRIEVAL_SETTINGS}
    shape = Shape("retrieval", rows, settings, measured, {**directions, "avg": measured}, (*languages, "avg"))
    _make(paths, shape, outputs, caption, f"Columns: mean of both directions, from and to {pivot}; avg: their mean.")


def _make(paths: Sequence[Path], shape: Shape, outputs: Mapping[str, Path], caption: str, explanation: str) -> None:
    """Summarize results in the shape of a table and write every rendering that is asked for."""
    chosen = select(results.read(paths), shape)
    summary = cells(chosen, shape)
    table = lay_out(summary, chosen, shape, caption, explanation)
    for kind, path in outputs.items():
        text = tidy(summary, shape).to_csv(index=False) if kind == "tidy" else RENDERINGS[kind](table)
        with atomic(path) as partial:
            partial.write_text(text, encoding="utf-8")
