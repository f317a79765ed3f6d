"""Makes tables, and reads back what they show."""

import re

from xlm_core import results
from xlm_core.report import tables

OUTPUTS = ("md", "html", "tex", "tidy", "differences")


def make_table(folder, measured, table, significance=()):
    """The five texts of a table of some results, by default on the paper's text."""
    results.write(measured, folder / "results.jsonl")
    outputs = {kind: folder / f"table.{kind}" for kind in OUTPUTS}
    tables.make({"is_paper_text": True, **table}, [folder / "results.jsonl"], outputs, significance)
    return {kind: path.read_text(encoding="utf-8") for kind, path in outputs.items()}


def grid(markdown, which=0):
    """Cells of the first table of a Markdown page, or of another, without the rule under its header."""
    block = [block for block in markdown.split("\n\n") if block.startswith("|")][which]
    lines = block.splitlines()
    assert len({len(line) for line in lines}) == 1, "the columns are not aligned"
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert all(re.fullmatch(":-+|-+:", cell) for cell in rows.pop(1))
    return rows
