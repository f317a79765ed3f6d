"""Plot the figure that the parameter ``figure`` of the rule names."""

from pathlib import Path

from xlm_core.report.plots import alignment, curves, objectives
from xlm_core.workflow.step import workflow_step

params = snakemake.params
inputs, outputs = ([Path(path) for path in paths] for paths in (snakemake.input, snakemake.output))


def labelled() -> dict[str, list[Path]]:
    """Return label -> input files; the parameter ``labels`` is name -> label."""
    return {label: [Path(path) for path in snakemake.input[name]] for name, label in params.labels.items()}


FIGURES = {
    "alignment": lambda: alignment.plot(inputs[0], params.labels, outputs),
    "bleu_curves": lambda: curves.plot_bleu(labelled(), outputs[0]),
    "objectives": lambda: objectives.plot(inputs[0], outputs[0]),
    "training_curves": lambda: curves.plot_training(labelled(), outputs[0]),
}

with workflow_step(snakemake):
    FIGURES[params.figure]()
