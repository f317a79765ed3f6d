"""Two processes train as one does, over Gloo: models and translators, with and without accumulation."""

import os
import sys
from pathlib import Path

import pytest
from shared_training import train_all
from small_translator import train_many
from small_world import COMPUTE, MODEL, SETTINGS

from xlm_core import history
from xlm_core.config import Optim, TranslationObjective, TranslationTraining
from xlm_core.errors import ConfigError
from xlm_core.tasks.translation.data import TranslatorSettings
from xlm_core.tasks.translation.train import TranslatorInputs
from xlm_core.train.launcher import launch

PRETRAINED = ("mlm",)  # robustness/test_many_processes.py has all objectives, on up to four processes
SUPERVISED = tuple(
    TranslationObjective(kind="mt", source=source, target=target) for source, target in (("en", "de"), ("de", "en"))
)
UNSUPERVISED = tuple(
    TranslationObjective(kind=kind, source=source, target=target)
    for kind, source, target in (("ae", "de", "de"), ("ae", "en", "en"), ("bt", "de", "en"), ("bt", "en", "de"))
)
TRANSLATORS = {"supervised": SUPERVISED, "unsupervised": UNSUPERVISED}
N_BATCHES = (2, 4)  # of an update, over all processes
TRAINING = TranslationTraining(
    max_tokens=38,
    batch_tokens=240,
    micro_batch_tokens=120,
    optim=Optim(learning_rate=0.01, warmup_updates=4, max_updates=8),
    eval_interval=4,
    max_valid_sentences=6,
)


def pretraining(objective: str, n_batches: int) -> dict:
    """What ``train_all`` needs of a pretraining whose updates are of so many batches."""
    settings = SETTINGS.model_copy(update={"micro_batch_tokens": SETTINGS.batch_tokens // n_batches}).model_dump()
    run = {"objectives": [objective], "pretraining": settings, "checkpoint_minutes": 60.0}
    return run | {"model": MODEL.model_dump(), "compute": COMPUTE.model_dump()}


def translator(name: str, n_batches: int) -> tuple:
    """What ``train_many`` needs of the training of a translator whose updates are of so many batches."""
    settings = TRAINING.model_copy(update={"micro_batch_tokens": TRAINING.batch_tokens // n_batches})
    return list(TRANSLATORS[name]), settings


@pytest.fixture(scope="module")
def finished(world: dict, small_corpus: dict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of each number of processes, with the same trainings."""
    folder = tmp_path_factory.mktemp("processes")
    runs = {f"{name}{n}": pretraining(name, n) for name in PRETRAINED for n in N_BATCHES}
    trainings = {f"{name}{n}": translator(name, n) for name in TRANSLATORS for n in N_BATCHES}
    inputs = TranslatorInputs(**small_corpus, encoder=None, decoder=None)
    for n_processes in (1, 2):
        here, processes = folder / str(n_processes), {"n_processes": n_processes, "n_nodes": 1}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # by which the processes find this folder
            for function, arguments in (
                (train_all, {"world": world, "runs": runs}),
                (train_many, {"inputs": inputs, "trainings": trainings}),
            ):
                launch(function, {**arguments, "folder": here}, **processes, work=folder / "w", log=folder / "log")
    return folder


def losses(folder: Path) -> list[float]:
    """Every loss of a training, of updates and of evaluations."""
    return [row.value for row in history.read(folder / "history.jsonl") if row.metric == "loss"]


@pytest.mark.parametrize("n_batches", N_BATCHES)
@pytest.mark.parametrize("name", [*PRETRAINED, *TRANSLATORS])
def test_two_processes_have_the_losses_of_one(finished: Path, name: str, n_batches: int):
    """Dropout belongs to the batch and not to the process."""
    expected, parallel = (losses(finished / n / f"{name}{n_batches}") for n in ("1", "2"))
    assert len(expected) >= 8
    assert parallel == pytest.approx(expected, rel=1e-4 if name in TRANSLATORS else 1e-5)


def test_a_translator_that_leaves_a_process_without_a_batch_is_refused():
    fading = TRAINING.model_copy(update={"micro_batch_tokens": 240, "updates": "joint"})
    weights = fading.loss_weights.model_copy(update={"ae": [(0, 1.0), (5, 0.0)]})
    fading = fading.model_copy(update={"loss_weights": weights})
    settings = TranslatorSettings(["en", "de"], UNSUPERVISED[:3], MODEL, fading, seed=0)
    settings.check_processes(1)
    with pytest.raises(ConfigError, match=r"training.batch_tokens \(240\) is 1 batches .* there are 2 processes"):
        settings.check_processes(2)
