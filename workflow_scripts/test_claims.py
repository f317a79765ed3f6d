"""Compare systems, and say which of the paper's claims hold."""

from pathlib import Path

from xlm_core.tasks import claims
from xlm_core.workflow.step import workflow_step


def by_seed(key: str, n_seeds: int) -> list[list[Path]]:
    """The files of one system, those of each pretraining seed together."""
    paths = [Path(path) for path in snakemake.input[key]]
    n = len(paths) // n_seeds
    return [paths[first : first + n] for first in range(0, len(paths), n)]


with workflow_step(snakemake.log[0]):
    judged: dict[str, list[claims.Comparison]] = {}
    for number, (statement, table, a, b, margin, columns, n_seeds) in enumerate(snakemake.params.compared):
        items = [by_seed(f"{side}_{number}", n_seeds) for side in "ab"]
        judged.setdefault(statement, []).append(claims.Comparison(table, a, b, margin, *items, columns))
    claims.judge(judged, Path(snakemake.output[0]))
