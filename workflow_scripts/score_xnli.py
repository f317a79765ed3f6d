"""Measure the accuracy of a fine-tuned classifier on the test sets of a protocol."""

from pathlib import Path

from xlm_core.tasks.classification.evaluate import score_xnli
from xlm_core.workflow.step import result_context, workflow_step

selected = snakemake.input.get("selected")

with workflow_step(snakemake):
    score_xnli(
        model=Path(snakemake.input.model),
        selected=Path(selected) if selected else None,
        test=dict(zip(snakemake.params.languages, map(Path, snakemake.input.test), strict=True)),
        classes=snakemake.params.classes,
        context=result_context(snakemake),
        setting_selected=snakemake.params.setting_selected,
        output=Path(snakemake.output.results),
        confusion=Path(snakemake.output.confusion),
        statistics=Path(snakemake.output.statistics),
    )
