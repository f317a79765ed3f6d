"""Fine-tune one encoder on XNLI or on a task of GLUE (paper, section 5.1)."""

from functools import partial
from pathlib import Path
from typing import Any

from xlm_core import config
from xlm_core.tasks.classification import evaluate
from xlm_core.tasks.classification.finetune import FinetuneArgs, finetune
from xlm_core.workflow.step import actual_path, workflow_step

params, output = snakemake.params, snakemake.output


def finetune_on(selected: Path | None, **arguments: Any) -> None:
    """Fine-tune with what XNLI and GLUE have in common."""
    stores = {
        split: {name: actual_path(snakemake, path) for name, path in files.items()}
        for split, files in params.stores.items()
    }
    settings = config.parse(snakemake.config)  # of which only the precision, a parameter of the rule, changes a result
    args = FinetuneArgs(
        settings=config.read(config.Finetuning, params.finetuning, path="finetuning"),
        compute=settings.compute,
        seed=int(snakemake.wildcards.finetuning_seed),
        code_digest=params.code,
        checkpoint_minutes=settings.checkpoint_minutes,
        work=Path(params.work),
        **arguments,
    )
    files = {"output": Path(output.model), "selected": selected, "history": Path(output.history)}
    finetune(encoder=Path(snakemake.input.encoder), **stores, args=args, **files)


def finetune_xnli() -> None:
    """Fine-tune on the training sets of a protocol."""
    finetune_on(Path(output.selected), labels=params.classes, n_train=params.n_train)


def finetune_glue() -> None:
    """Fine-tune on a task of GLUE, whose metrics select the model."""
    task = snakemake.wildcards.task
    finetune_on(None, labels=evaluate.GLUE_TASKS[task].classes or [], metrics=partial(evaluate.glue_metrics, task))


with workflow_step(snakemake):
    {"xnli": finetune_xnli, "glue": finetune_glue}[params.dataset]()
