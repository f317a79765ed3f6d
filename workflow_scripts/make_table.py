"""Make a table, and the figures of its numbers."""

from pathlib import Path

from xlm_core.report import tables
from xlm_core.report.plots import curves, heatmap
from xlm_core.workflow.step import workflow_step

params, inputs, outputs = snakemake.params, snakemake.input, snakemake.output
results = [Path(path) for path in inputs.results]


def make_table() -> None:
    """Write the table in every format that the rule names."""
    tables.make(
        params.table,
        results,
        outputs={name: Path(path) for name, path in outputs.items() if name in tables.KINDS},
        significance=[Path(path) for path in inputs.get("significance", [])],
        filter_statistics=[Path(path) for path in inputs.filter_statistics],
    )


def plot_xnli() -> None:
    """Draw the heat map and the confusions."""
    confusions = {label: [Path(path) for path in inputs[name]] for name, label in params.labels.items()}
    heatmap.plot_xnli(params.table, results, output=Path(outputs.heatmap))
    heatmap.plot_confusions(
        confusions, classes=params.classes, languages=params.languages, output=Path(outputs.confusions)
    )


def plot_retrieval() -> None:
    """Draw retrieval by layer."""
    curves.plot_layers(params.rows, params.n_layers, results, output=Path(outputs.by_layer))


FIGURES = {"xnli": plot_xnli, "retrieval": plot_retrieval}

with workflow_step(snakemake):
    make_table()
    if plot := FIGURES.get(params.table["name"]):
        plot()
