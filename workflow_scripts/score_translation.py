"""Translate a test set in one direction, and score what was said."""

from pathlib import Path

from xlm_core import config
from xlm_core.tasks.translation import evaluate
from xlm_core.workflow.step import result_context, workflow_step

params = snakemake.params

with workflow_step(snakemake):
    evaluate.score(
        model=Path(snakemake.input.model),
        vocabulary=Path(snakemake.input.vocabulary),
        test=Path(snakemake.input.test),
        direction=(snakemake.wildcards.source, snakemake.wildcards.target),
        decoding=config.read(config.DecodingConfig, params.decoding, path="translation.decoding"),
        micro_batch_tokens=params.micro_batch_tokens,
        context=result_context(snakemake),
        column=params.cell["column"],
        outputs={name: Path(path) for name, path in snakemake.output.items()},
    )
