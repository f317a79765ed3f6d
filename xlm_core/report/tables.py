"""Tables: results in, the same table out as Markdown, HTML, LaTeX, and as tidy numbers in full precision."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from xlm_core import results
from xlm_core.io import atomic
from xlm_core.report import ablation, differences, html, latex, markdown, notes, shapes, summary
from xlm_core.report.layout import Layout, lay_out
from xlm_core.report.summary import Shape
from xlm_core.results import Result

RENDERINGS: Mapping[str, Callable[[Layout], str]] = {
    "md": markdown.render,
    "html": html.render,
    "tex": latex.render,
}


def make_xnli(
    paths: Sequence[Path],
    labels: Mapping[str, str],
    rows: Sequence[Sequence[str]],
    columns: Sequence[str],
    train: str,
    fewer_seeds: Mapping[str, Sequence[int]],
    outputs: Mapping[str, Path],
    caption: str,
    settings: Mapping[str, str],
) -> None:
    """Make the table of cross-lingual classification (paper, Table 1), and that of the differences between its rows.

    The differences stand under the table and in the same files, because they answer the question that the table
    raises, whether one row is really better than another; as tidy numbers they are a file of their own.

    Args:
        paths: files of results, see ``xlm_core.results``; those of other tables are passed over.
        labels, rows, columns, train, fewer_seeds: as in ``shapes.xnli``.
        outputs: "md", "html", "tex", "tidy", "differences" -> file to write; any of them.
        caption: what was measured, and on which data.
        settings: setting -> what it is, for the notes.

    Raises:
        CorpusError: naming a cell that is missing, double, unexpected, or measured on another number of items.
    """
    shape = shapes.xnli(labels, rows, columns, train, fewer_seeds)
    transfer = f"transfer: mean over the languages other than '{train}', seed by seed; " if len(shape.means) > 1 else ""
    about = f"Columns: {transfer}avg: mean over all languages, likewise."
    _make(results.read(paths), shape, outputs, caption, about, settings)


def make_retrieval(
    paths: Sequence[Path],
    labels: Mapping[str, str],
    columns: Sequence[str],
    pivot: str,
    fewer_seeds: Mapping[str, Sequence[int]],
    outputs: Mapping[str, Path],
    caption: str,
) -> None:
    """Make the table of sentence retrieval; see ``shapes.retrieval``, and ``make_xnli`` for the rest."""
    shape = shapes.retrieval(labels, columns, pivot, fewer_seeds)
    about = f"Columns: mean of both directions, from and to {pivot}; avg: their mean."
    _make(results.read(paths), shape, outputs, caption, about, {})


def make_translation(
    paths: Sequence[Path],
    table: Literal["unsupervised", "supervised"],
    labels: Mapping[str, str],
    rows: Sequence[Sequence[str]],
    columns: Sequence[str],
    significance: Sequence[Path],
    outputs: Mapping[str, Path],
    caption: str,
) -> None:
    """Make a table of translation; see ``shapes.translation``, and ``make_xnli`` for the rest.

    ``significance``: what ``xlm_core.metrics.bootstrap`` found about each row and the one that it is compared with.
    """
    shape = shapes.translation(table, labels, rows, columns)
    about = "Columns: directions." if table == "unsupervised" else "Columns: what encoder and decoder begin with."
    _make(results.read(paths), shape, outputs, caption, about, {}, notes.on_significance(significance, shape))


def make_perplexity(
    paths: Sequence[Path],
    labels: Mapping[str, str],
    settings: Sequence[str],
    language: str,
    outputs: Mapping[str, Path],
    caption: str,
) -> None:
    """Make the table of perplexity; see ``shapes.perplexity``, and ``make_xnli`` for the rest."""
    about = (
        "Columns: the same loss per word and per piece of the row's vocabulary, ends of sentences counted, and per "
        "byte; pieces of different vocabularies do not compare. SampleStatistics: words and ends of sentences."
    )
    _make(results.read(paths), shapes.perplexity(labels, settings, language), outputs, caption, about, {})


def make_ablation(
    paths: Sequence[Path],
    labels: Mapping[str, str],
    full: str,
    train: str,
    outputs: Mapping[str, Path],
    caption: str,
) -> None:
    """Make the table of the ablation; see ``ablation.compared`` and ``shapes.ablated``, ``make_xnli`` for the rest."""
    about = (
        f"Columns: {train}: with labels; transfer: mean over the other languages of the row; full system: that of the "
        f"full system on the same languages; difference: transfer less that, seed by seed."
    )
    _make(
        ablation.compared(results.read(paths), full, train), shapes.ablated(labels, train), outputs, caption, about, {}
    )


def make_glue(
    paths: Sequence[Path],
    labels: Mapping[str, str],
    rows: Sequence[Sequence[str]],
    columns: Mapping[str, Sequence[Sequence[str]]],
    missing: Sequence[str],
    fewer_seeds: Mapping[str, Sequence[int]],
    outputs: Mapping[str, Path],
    caption: str,
) -> None:
    """Make the table of GLUE; see ``shapes.glue``, and ``make_xnli`` for the rest.

    ``missing``: tasks of GLUE that the table lacks, which it says.
    """
    shape = shapes.glue(labels, rows, columns, fewer_seeds)
    about = (
        f"Columns: the official validation sets, which also select the models. GLUE score: mean over "
        f"{', '.join(columns)}, of each task the mean of its numbers."
    )
    remarks = [f"Tasks that are missing here, and in the score: {', '.join(missing)}."] if missing else []
    _make(results.read(paths), shape, outputs, caption, about, {}, remarks)


def make_embeddings(
    paths: Sequence[Path],
    labels: Mapping[str, str],
    directions: Sequence[str],
    rated: Sequence[str],
    fewer_seeds: Mapping[str, Sequence[int]],
    outputs: Mapping[str, Path],
    caption: str,
) -> None:
    """Make the table of cross-lingual word embeddings; see ``shapes.embeddings``, and ``make_xnli`` for the rest."""
    shape = shapes.embeddings(labels, directions, rated, fewer_seeds)
    about = (
        f"Columns: means over the directions {', '.join(directions)}"
        + (f", of Spearman's correlation with people's ratings over {', '.join(rated)}" if rated else "")
        + "; L2: of raw vectors, relative L2: by the mean distance of all words to all, of both less is better; P@1 "
        "and P@5: one of a word's translations is the nearest or among the five nearest words, by cosine or CSLS; "
        "coverage: pairs of the dictionary that a row alone has vectors for, all else being measured on those that "
        "every row has."
    )
    settings = {"spelled differently": "without the pairs whose words are spelled alike"}
    _make(results.read(paths), shape, outputs, caption, about, settings)


def _make(
    found: Sequence[Result],
    shape: Shape,
    outputs: Mapping[str, Path],
    caption: str,
    columns: str,
    settings: Mapping[str, str],
    remarks: Sequence[str] = (),
) -> None:
    """Summarize what was found in the shape of a table and write every rendering that is asked for."""
    chosen = summary.select(found, shape)
    cells, points = summary.cells(chosen, shape), differences.differences(chosen, shape)
    table = lay_out(cells, points, chosen, shape, caption, columns, settings, remarks)
    tidy = {"tidy": summary.tidy(cells, shape), "differences": differences.tidy(points, shape)}
    for kind, path in outputs.items():
        text = tidy[kind].to_csv(index=False) if kind in tidy else RENDERINGS[kind](table)
        with atomic(path) as partial:
            partial.write_text(text, encoding="utf-8")
