"""Test which rows of a table of translation differ from their baseline by more than chance."""

from pathlib import Path

from xlm_core.metrics.bootstrap import TranslationComparison, write_paired_tests
from xlm_core.workflow.step import workflow_step

params, inputs = snakemake.params, snakemake.input

with workflow_step(snakemake):
    comparisons = [
        TranslationComparison(**cell, system=Path(system), baseline=Path(baseline))
        for cell, system, baseline in zip(params.cells, inputs.systems, inputs.baselines, strict=True)
    ]
    write_paired_tests(f"{snakemake.wildcards.table}_mt", comparisons, Path(snakemake.output[0]))
