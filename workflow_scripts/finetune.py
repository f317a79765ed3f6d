"""Fine-tune one encoder on XNLI or on a task of GLUE (paper, section 5.1)."""

from functools import partial
from pathlib import Path

from xlm_core import config
from xlm_core.tasks.classification import evaluate
from xlm_core.tasks.classification.finetune import FinetuneArgs, finetune
from xlm_core.workflow.step import workflow_step

params, output, task = snakemake.params, snakemake.output, snakemake.wildcards.get("task")  # a task is one of GLUE

with workflow_step(snakemake):
    stores = {split: {name: Path(path) for name, path in files.items()} for split, files in params.stores.items()}
    finetune(
        encoder=Path(snakemake.input.encoder),
        train=stores["train"],
        valid=stores["valid"],
        test=stores["test"],
        args=FinetuneArgs(
            settings=config.read(config.Finetuning, params.finetuning, path="finetuning"),
            n_classes=evaluate.n_outputs(task) if task else len(params.classes),
            precision=params.precision,
            seed=int(snakemake.wildcards.finetuning_seed),
            code_digest=params.code,
            # Not a parameter of the rule, because it changes no result.
            checkpoint_minutes=config.parse(snakemake.config).checkpoint_minutes,
            work=Path(params.work),
            n_train=params.get("n_train", {}),
            metrics=partial(evaluate.glue_metrics, task) if task else None,
        ),
        output=Path(output.model),
        selected=Path(output.selected) if output.get("selected") else None,
        history=Path(output.history),
    )
