"""Notes under a table: how its numbers came about, and what a reader must know before trusting them."""

from collections.abc import Callable, Mapping, Sequence

from xlm_core.report import published
from xlm_core.report.summary import METRIC, Cell, Place, Shape, place, places
from xlm_core.results import Result

DAGGER = "†"


def legend(summary: Mapping[Place, Cell], results: Sequence[Result], shape: Shape, explanation: str) -> list[str]:
    """Sentences that hold for the whole table; ``explanation`` says what its columns are."""
    seeds = sorted({result.seeds for result in results})
    spread = (
        f"mean ± sample standard deviation over {len(seeds)} seeds ({', '.join(seeds)})"
        if len(seeds) > 1
        else f"one seed ({seeds[0]}), hence no spread"
    )
    best = "; bold: the best of a column" if len(shape.rows) * len(shape.settings) > 1 else ""
    one_setting = f" Setting: {next(iter(shape.settings))}." if len(shape.settings) == 1 else ""
    return [
        f"{METRIC.capitalize()} in percent, {spread}{best}.{one_setting}",
        f"{explanation} {_sizes(results, shape)}",
        *_on_published(summary, shape),
        _provenance(results),
    ]


def cautions(results: Sequence[Result], shape: Shape) -> list[str]:
    """What makes the numbers of a table hard to compare: they come from different code, scorers, settings or data.

    Rows differ in their settings and columns in their data, by design. So code and scorer are compared in the whole
    table, settings within a row, data among the seeds of a cell.
    """
    row = _row_name(shape)
    tests: list[tuple[str, Callable[[Result], str], Callable[[Result], str]]] = [
        ("code versions", lambda result: result.code, lambda result: "this table"),
        ("scorers", lambda result: result.signature, lambda result: "this table"),
        ("settings", lambda result: result.config, row),
        ("data", lambda result: result.data, lambda result: f"{row(result)}, {result.column}"),
    ]
    found = []
    for what, digest, group in tests:
        groups: dict[str, set[str]] = {}
        for result in results:
            groups.setdefault(group(result), set()).add(digest(result))
        mixed = [f"{name} ({', '.join(sorted(digests))})" for name, digests in groups.items() if len(digests) > 1]
        if mixed:
            found.append(f"Caution: different {what} in {'; '.join(mixed)}.")
    return found


def footnotes(results: Sequence[Result], shape: Shape) -> tuple[list[str], dict[Place, int]]:
    """The remarks that results carry, such as a collapse to one class: one footnote for each row that has any.

    Returns:
        The footnotes, numbered from 1, with the columns and seeds of each remark; and the number each cell shows.
        A mean that is shown instead of its parts shows theirs.
    """
    order = {at: number for number, at in enumerate(places(shape, shape.measured))}
    remarked = sorted((r for r in results if r.note), key=lambda r: (order[place(r)], r.seeds))
    name = _row_name(shape)
    rows: dict[str, dict[str, dict[str, list[str]]]] = {}  # row -> remark -> column -> seeds
    marks: dict[Place, int] = {}
    for result in remarked:
        remarks = rows.setdefault(name(result), {})
        for note in result.note.split("; "):
            remarks.setdefault(note, {}).setdefault(result.column, []).append(result.seeds)
        marks[_shown_at(place(result), shape)] = len(rows)
    return [f"{row}: {'; '.join(_remark(note, where) for note, where in rows[row].items())}." for row in rows], marks


def _remark(note: str, where: Mapping[str, Sequence[str]]) -> str:
    """``collapsed to 'neutral' in hi (seeds 0.0, 1.0), sw (seed 0.0)``."""
    columns = (f"{col} (seed{'s' if len(seeds) > 1 else ''} {', '.join(seeds)})" for col, seeds in where.items())
    return f"{note} in {', '.join(columns)}"


def _shown_at(at: Place, shape: Shape) -> Place:
    """The printed cell that speaks for a measured one."""
    if at.column in shape.shown:
        return at
    return at._replace(column=next(column for column in shape.shown if at.column in shape.means.get(column, ())))


def _row_name(shape: Shape) -> Callable[[Result], str]:
    """How a result's row is called in a note: its label, with the setting where there are several."""
    several = len(shape.settings) > 1
    return lambda result: shape.rows[result.system] + (f" {result.setting}" if several else "")


def _sizes(results: Sequence[Result], shape: Shape) -> str:
    """How many items each measured number is a percentage of."""
    sizes = {result.column: result.n for result in results}
    if len(set(sizes.values())) == 1:
        return f"n = {results[0].n} items {'each' if len(sizes) > 1 else 'in all'}."
    return f"Items: {', '.join(f'{column} {sizes[column]}' for column in shape.measured)}."


def _on_published(summary: Mapping[Place, Cell], shape: Shape) -> list[str]:
    """Where the published numbers come from, and what a difference from them means."""
    table = published.tables().get(shape.name)
    if table is None:
        return []
    rows = {shape.rows[at.run]: False for at in summary}
    rows |= {shape.rows[at.run]: True for at, cell in summary.items() if cell.published}
    absent = [label for label, is_published in rows.items() if not is_published]
    lines = []
    if len(absent) < len(rows):
        lines.append(
            f"Published: {table['name']}, measured on the paper's data; averages over the same columns. "
            "Difference: ours minus published; it means something only for the paper's configuration. "
            f"Note that {table['protocol']}."
        )
    if any(cell.published and not cell.published.confirmed for cell in summary.values()):
        lines.append(f"{DAGGER} recalled, not confirmed against a public text.")
    if absent:
        lines.append(f"Without published numbers: {', '.join(absent)}.")
    return lines


def _provenance(results: Sequence[Result]) -> str:
    """How the scorer worked, and the digests of the code behind the numbers."""
    scorers = "; ".join(sorted({result.signature for result in results}))
    return f"Scorer: {scorers}. Code: {', '.join(sorted({result.code for result in results}))}."
