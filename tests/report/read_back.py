"""Reads back what the tables show."""

import re


def grid(markdown, which=0):
    """Cells of the first table of a Markdown page, or of another, without the rule under its header."""
    block = [block for block in markdown.split("\n\n") if block.startswith("|")][which]
    lines = block.splitlines()
    assert len({len(line) for line in lines}) == 1, "the columns are not aligned"
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert all(re.fullmatch(":-+|-+:", cell) for cell in rows.pop(1))
    return rows
