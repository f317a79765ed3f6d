"""Measure the accuracy of one pretrained model, fine-tuned by the protocols of its rows, on their test sets."""

from pathlib import Path

from xlm_core.tasks.classification.evaluate import XnliTest, score_xnli
from xlm_core.workflow.step import actual_path, result_context, workflow_step

with workflow_step(snakemake):
    score_xnli(
        tests=[
            XnliTest(
                setting=test["setting"],
                model=actual_path(snakemake, test["model"]),
                selected=actual_path(snakemake, test["selected"]) if test["selected"] else None,
                stores={language: actual_path(snakemake, store) for language, store in test["test"].items()},
            )
            for test in snakemake.params.tests
        ],
        classes=snakemake.params.classes,
        context=result_context(snakemake),
        setting_selected=snakemake.params.setting_selected,
        output=Path(snakemake.output.results),
        confusion=Path(snakemake.output.confusion),
        statistics=Path(snakemake.output.statistics),
    )
