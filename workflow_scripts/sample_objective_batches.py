"""Take one real row of a CLM, an MLM and a TLM batch."""

from pathlib import Path

from xlm_core import config
from xlm_core.tasks import objective_examples
from xlm_core.workflow.step import workflow_step

with workflow_step(snakemake):
    objective_examples.write_examples(
        stores={
            snakemake.params.language: [Path(path) for path in snakemake.input.monolingual],
            **{pair: [Path(path) for path in snakemake.input.parallel] for pair in snakemake.params.pairs},
        },
        vocabulary=Path(snakemake.input.vocabulary),
        languages=snakemake.params.languages,
        masking=config.read(config.Masking, snakemake.params.masking, path="pretraining.masking"),
        output=Path(snakemake.output[0]),
    )
