"""Tables: results in, the same table out as Markdown, HTML, LaTeX, and as tidy numbers in full precision."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xlm_core import results
from xlm_core.io import atomic
from xlm_core.report import notes, specs, summary
from xlm_core.report.rendering import render_table
from xlm_core.report.table import printed


def make(
    table: Mapping[str, Any],
    results_paths: Sequence[Path],
    outputs: Mapping[str, Path],
    significance: Sequence[Path] = (),
) -> None:
    """Make a table, and that of the differences between its rows.

    The differences are below the table and in the same files, because they answer the question that the table raises,
    whether one row is really better than another; as tidy numbers they are a file of their own.

    Args:
        table: what it shows, as plain data:
            "name": one of ``specs.SPECS``;
            "contents": the arguments of its function there;
            "caption": what was measured, and on which data;
            "settings": setting -> what it is, for the notes; may be left out;
            "remarks": further notes; may be left out;
            "full": of the ablation, the system that the others are compared with.
        results_paths: files of results, see ``xlm_core.results``; those of other tables are passed over.
        outputs: "md", "html", "tex", "tidy", "differences" -> file to write; any of them.
        significance: the tests of ``xlm_core.metrics.bootstrap`` of each row and the one that it is compared with.

    Raises:
        CorpusError: naming a cell that is missing, double, unexpected, or measured on another number of items.
    """
    spec = specs.spec(table)
    found = results.read(results_paths)
    if "full" in table:
        found = summary.ablation_results(found, table["full"], table["contents"]["train"])
    frame = summary.select(found, spec)
    cells, differences = summary.cells(frame, spec), summary.differences(frame, spec)
    remarks = [*table.get("remarks", []), *notes.on_significance(significance, spec)]
    page = printed(frame, cells, differences, spec, table["caption"], table.get("settings", {}), remarks)
    tidy = {"tidy": summary.tidy_cells(cells, spec), "differences": summary.tidy_differences(differences, spec)}
    for kind, path in outputs.items():
        text = tidy[kind].to_csv(index=False) if kind in tidy else render_table(page, kind)
        with atomic(path) as partial:
            partial.write_text(text, encoding="utf-8")
