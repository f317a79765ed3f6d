"""Plot the figure that the parameter ``figure`` of the rule names."""

from pathlib import Path

from xlm_core.report.plots import alignment, curves, heatmap, objectives
from xlm_core.workflow.step import workflow_step

params = snakemake.params
inputs, outputs = ([Path(path) for path in paths] for paths in (snakemake.input, snakemake.output))


def labelled() -> dict[str, list[Path]]:
    """Return label -> input files; the parameter ``labels`` is name -> label."""
    return {label: [Path(path) for path in snakemake.input[name]] for name, label in params.labels.items()}


def plot_xnli() -> None:
    """Draw the heat map and the confusions."""
    heatmap.plot_xnli(params.table, [Path(path) for path in snakemake.input.results], output=outputs[0])
    heatmap.plot_confusions(labelled(), classes=params.classes, languages=params.languages, output=outputs[1])


FIGURES = {
    "alignment": lambda: alignment.plot(inputs[0], params.labels, outputs),
    "bleu_curves": lambda: curves.plot_bleu(labelled(), outputs[0]),
    "objectives": lambda: objectives.plot(inputs[0], outputs[0]),
    "retrieval_by_layer": lambda: curves.plot_layers(params.rows, params.n_layers, inputs, output=outputs[0]),
    "training_curves": lambda: curves.plot_training(labelled(), outputs[0]),
    "xnli": plot_xnli,
}

with workflow_step(snakemake):
    FIGURES[params.figure]()
