"""Notes under a table: how its numbers came about, and what a reader must know before trusting them."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from xlm_core.report import foreign, published
from xlm_core.report.differences import Contrast, Difference
from xlm_core.report.summary import Cell, Place, Row, Shape, place, places
from xlm_core.results import Result

DAGGER = "†"
LEVEL = 0.05  # of significance


def legend(
    summary: Mapping[Place, Cell],
    others: Sequence[foreign.Row],
    results: Sequence[Result],
    shape: Shape,
    columns: str,
    settings: Mapping[str, str],
) -> list[str]:
    """Sentences that hold for the whole table, whose last rows are ``others``.

    ``columns`` says what the columns are, ``settings`` what each setting is, where that needs to be said.
    """
    of_rows = [row.setting for row in shape.rows]
    has_rivals = len(set(of_rows)) < len(of_rows)
    among = "among the rows of a setting" if shape.is_by_setting else ""
    best = f"; bold: the best of a column {among}".rstrip() if has_rivals or not shape.is_by_setting else ""
    return [
        f"{shape.unit}, {_seeds(results, shape)}{best}.",
        f"{columns} {_sizes(results, shape)}",
        *(f"{setting}: {about}." for setting, about in settings.items()),
        *_on_published(summary, others, shape),
        _provenance(results, shape),
    ]


def _seeds(results: Sequence[Result], shape: Shape) -> str:
    """How many seeds a number is the mean of; some rows may have fewer than others."""
    seeds: dict[str, set[str]] = {}
    for result in results:
        seeds.setdefault(shape.title(place(result).row), set()).add(result.seed)
    most = sorted(max(seeds.values(), key=len))
    fewer: dict[str, list[str]] = {}
    for row, some in seeds.items():
        if len(some) < len(most):
            fewer.setdefault(f"{len(some)} ({', '.join(sorted(some))})", []).append(f"'{row}'")
    if len(most) == 1:
        return f"one seed ({most[0]}), hence no spread"
    exceptions = "".join(f"; {some} in {', '.join(settings)}" for some, settings in fewer.items())
    return f"mean ± sample standard deviation over {len(most)} seeds ({', '.join(most)}){exceptions}"


def on_contrasts(found: Mapping[Contrast, Difference]) -> str:
    """What the numbers in the table of differences are; empty where there is none."""
    if not found:
        return ""
    if all(difference.n_seeds == 1 for difference in found.values()):
        return "Differences in the units of the table; a single seed, hence no spread."
    return (
        "Points: mean ± sample standard deviation of the differences between equal seeds. "
        "Seeds: how many of the differences have the sign of their mean."
    )


def on_significance(paths: Sequence[Path], shape: Shape) -> list[str]:
    """Which rows are no more than by chance unlike the one they are compared with, by the tests in ``paths``."""
    tests = [row for path in paths for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())]
    if not tests:
        return []
    bases = {shape.title(Row(test["minus_row"], test["minus_setting"])) for test in tests}
    base = f"'{min(bases)}'" if len(bases) == 1 else "what they are compared with below"
    unlike = f"differ from {base} by more than chance (paired bootstrap over the sentences, p < {LEVEL:g})"
    chance: dict[str, list[str]] = {}
    for test in tests:
        if float(test["p"]) >= LEVEL:
            where = f"{test['column']} (seed {test['seed']}, p = {float(test['p']):.3f})"
            chance.setdefault(shape.title(Row(test["row"], test["setting"])), []).append(where)
    if not chance:
        return [f"All other rows {unlike}, in every column and with every seed."]
    exceptions = "; ".join(f"'{row}' in {', '.join(places)}" for row, places in chance.items())
    return [f"All other rows {unlike}, but for: {exceptions}."]


def cautions(results: Sequence[Result], shape: Shape) -> list[str]:
    """What makes the numbers of a table hard to compare: they come from different code, scorers, settings or data.

    Settings of a table differ in how they score, rows in the settings of their training, and columns in their data, by
    design. So code is compared in the whole table, scorers within a setting, settings of a training within a row, or
    within a cell where each column has a model of its own, data among the seeds of a cell.
    """

    def row(result: Result) -> str:
        return shape.title(place(result).row)

    def cell(result: Result) -> str:
        return f"{row(result)}, {result.column}"

    tests: list[tuple[str, Callable[[Result], str], Callable[[Result], str]]] = [
        ("code versions", lambda result: result.code_digest, lambda result: "this table"),
        ("scorers", lambda result: result.signature, lambda result: _scored(result, shape)),
        (
            "settings",
            lambda result: result.config_digest,
            lambda result: cell(result) if result.setting in shape.by_column else row(result),
        ),
        ("data", lambda result: result.data_digest, cell),
    ]
    found = []
    for what, digest, group in tests:
        groups = _grouped(results, group, digest)
        mixed = [f"{name} ({', '.join(sorted(digests))})" for name, digests in groups.items() if len(digests) > 1]
        if mixed:
            found.append(f"Caution: different {what} in {'; '.join(sorted(mixed))}.")
    return found


def _scored(result: Result, shape: Shape) -> str:
    """What was scored alike: a setting or the whole table, and where a table has several metrics, one of them."""
    metric = f", {result.metric}" if len(shape.metrics) > 1 else ""
    return (f"setting '{result.setting}'" if shape.is_by_setting else "this table") + metric


def footnotes(results: Sequence[Result], shape: Shape) -> tuple[list[str], dict[Place, int]]:
    """The remarks that results carry, such as a collapse to one class: one footnote for each row that has any.

    Returns:
        The footnotes, numbered from 1, with the columns and seeds of each remark, named once for all metrics; and the
        number each cell shows. A mean that is shown instead of its parts shows theirs.
    """
    order = {at: number for number, at in enumerate(places(shape, shape.measured))}
    remarked = sorted((r for r in results if r.warnings), key=lambda r: (order[place(r)], r.seed))
    rows: dict[str, dict[str, dict[str, list[str]]]] = {}  # row -> remark -> column -> seeds
    marks: dict[Place, int] = {}
    for result in remarked:
        remarks = rows.setdefault(shape.title(place(result).row), {})
        for note in result.warnings:
            seeds = remarks.setdefault(note, {}).setdefault(shape.taken_apart(result.column)[0], [])
            seeds.extend([result.seed] if result.seed not in seeds else [])
        marks |= dict.fromkeys(_shown_at(place(result), shape), len(rows))
    return [f"{row}: {'; '.join(_remark(note, where) for note, where in rows[row].items())}." for row in rows], marks


def _remark(note: str, where: Mapping[str, Sequence[str]]) -> str:
    """``collapsed to 'neutral' in hi (seeds 0.0, 1.0), sw (seed 0.0)``."""
    columns = (f"{col} (seed{'s' if len(seeds) > 1 else ''} {', '.join(seeds)})" for col, seeds in where.items())
    return f"{note} in {', '.join(columns)}"


def _shown_at(at: Place, shape: Shape) -> list[Place]:
    """The printed cell that speaks for a measured one; none where it stands in the tidy table only."""
    if at.column in shape.shown:
        return [at]
    return [at._replace(column=column) for column in shape.shown if at.column in shape.means.get(column, ())][:1]


def _grouped(
    results: Sequence[Result], group: Callable[[Result], str], value: Callable[[Result], str]
) -> dict[str, set[str]]:
    """Name of a group of results -> the values in it."""
    groups: dict[str, set[str]] = {}
    for result in results:
        groups.setdefault(group(result), set()).add(value(result))
    return groups


def _sizes(results: Sequence[Result], shape: Shape) -> str:
    """How many items each measured number is a percentage of, where this does not differ between the settings."""
    if shape.own_items:
        return "How many items each number was measured on stands in the tidy table."
    of = {result.column: result.n for result in results}
    sizes = {shape.taken_apart(column)[0]: of[column] for column in shape.measured if column not in shape.uneven}
    if len(set(sizes.values())) == 1:
        return f"n = {results[0].n} items {'each' if len(sizes) > 1 else 'in all'}."
    return f"SampleStatistics: {', '.join(f'{column} {size}' for column, size in sizes.items())}."


def _on_published(summary: Mapping[Place, Cell], others: Sequence[foreign.Row], shape: Shape) -> list[str]:
    """Where the published numbers come from, and what a difference from them means."""
    table = published.tables().get(shape.name)
    if table is None:
        return []
    beside = {at.row for at, cell in summary.items() if cell.published}
    absent = [shape.title(row) for row in shape.rows if row not in beside]
    numbers = [cell.published for cell in summary.values()] + [cell for other in others for cell in other.cells]
    lines = []
    if any(numbers):
        lines.append(
            f"Published: {table['name']}, measured on the paper's data; averages over the same columns. "
            "Difference: ours minus published; it means something only for the paper's configuration. "
            f"Note that {table['protocol']}."
        )
    if any(number and not number.confirmed for number in numbers):
        lines.append(f"{DAGGER} recalled, not confirmed against a public text.")
    if absent:
        lines.append(f"Without published numbers: {'; '.join(absent)}.")
    return lines


def _provenance(results: Sequence[Result], shape: Shape) -> str:
    """How the scorer worked, in which settings if not in all, and the digests of the code behind the numbers."""
    scorers = _grouped(results, lambda result: result.signature, lambda result: result.setting)
    settings = list(dict.fromkeys(row.setting for row in shape.rows))
    named = [
        signature if len(where) == len(settings) else f"{signature} ({', '.join(s for s in settings if s in where)})"
        for signature, where in sorted(scorers.items())
    ]
    return f"Scorer: {'; '.join(named)}. Code: {', '.join(sorted({result.code_digest for result in results}))}."
