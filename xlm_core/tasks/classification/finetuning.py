"""A fine-tuning, whatever it learns: how it goes, and the files that it leaves."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from xlm_core import digests
from xlm_core.config import Finetuning, to_dict
from xlm_core.io import atomic
from xlm_core.model import checkpoint
from xlm_core.model.transformer import Transformer
from xlm_core.tasks.classification import metadata, training
from xlm_core.tasks.classification.selection import BestCheckpoint
from xlm_core.tasks.classification.training import Data
from xlm_core.train.log import LOG_NAME


@dataclass(frozen=True)
class FinetuneArgs:
    """How a fine-tuning goes.

    settings      as in the section ``finetuning`` of the task
    precision     as in the section ``compute`` of the configuration
    seed          of the head's first weights, the order of the examples and dropout
    code          digest of the code
    checkpoint_minutes  between checkpoints
    work          folder for what must survive a killed job
    n_threads     to compute with
    """

    settings: Finetuning
    precision: str
    seed: int
    code: str
    checkpoint_minutes: float
    work: Path
    n_threads: int


def run(
    encoder: Transformer,
    about: Mapping[str, Any],
    data: Data,
    n_classes: int,
    course: FinetuneArgs,
    *,
    choices: Sequence[Any] = (),
    output: Path,
    history: Path,
) -> dict[str, BestCheckpoint]:
    """Fine-tune an encoder and keep the best evaluation.

    Args:
        encoder, about: a pretrained model, and what its file says of it.
        data: what it learns from and is judged by.
        n_classes: outputs of the head.
        course: how it goes.
        choices: what else the result depends on.
        output: the classifier.
        history: JSON lines of losses and validation metrics, of the learning rate that was kept.

    Returns:
        As ``classification.finetune``: the best evaluation of each language of ``data.test``.
    """
    torch.set_num_threads(course.n_threads)
    settings = course.settings
    metadata.warn_of_cuts("training", data.train, settings.max_tokens)
    known = metadata.about(about, data.train, [to_dict(settings), *choices, course.precision])
    digest = digests.of_value([known["config"], known["data"], course.code, known["seed"], course.seed])
    folder = course.work / digest
    classifier, rate, best = training.finetune(
        encoder,
        n_classes,
        data,
        settings,
        seed=course.seed,
        precision=course.precision,
        checkpoint_minutes=course.checkpoint_minutes,
        work=folder,
        digest=digest,
    )
    known |= {"learning_rate": rate, "max_tokens": settings.max_tokens}
    checkpoint.save(output, classifier.encoder, known, head=classifier.head)
    with atomic(history) as partial:
        shutil.copyfile(training.rate_folder(folder, rate) / LOG_NAME, partial)
    return best
