"""XNLI's labelled sentence pairs, per split and language."""

from pathlib import Path

from xlm_core.text import nli
from xlm_core.workflow.step import step

with step(snakemake.log[0]):
    outputs = {key.replace("_", "."): Path(path) for key, path in snakemake.output.items()}
    statistics = outputs.pop("statistics")
    nli.extract(
        evaluation=Path(snakemake.input.evaluation[0]),
        training=Path(snakemake.input.training[0]),
        outputs=outputs,
        statistics=statistics,
        labels=snakemake.params.labels,
    )
