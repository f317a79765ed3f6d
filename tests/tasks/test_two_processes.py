"""Two processes train as one does, over Gloo: everything that is trained, with and without accumulation."""

import os
import sys
from pathlib import Path

import pytest
import torch
from all_trainings import N_UPDATES, OF_BERT, OPTIM, TRANSLATION, train_everything
from safetensors.torch import load_file
from small_translator import MODEL as TRANSLATOR
from small_translator import SmallTraining
from small_world import COMPUTE, MODEL, SETTINGS

from xlm_core import history
from xlm_core.config import TranslationObjective
from xlm_core.errors import ConfigError
from xlm_core.io import read_json
from xlm_core.tasks.translation.data import TranslatorSettings
from xlm_core.tasks.translation.train import TranslatorInputs
from xlm_core.train.launcher import launch

N_BATCHES = (2, 4)  # of each objective in an update, over all processes


def objectives(*names: str) -> list[TranslationObjective]:
    """By kind, source and target: ``bt-de-en``."""
    return [
        TranslationObjective(kind=kind, source=source, target=target)
        for kind, source, target in (name.split("-") for name in names)
    ]


AE, BT, MT = ("ae-de-de", "ae-en-en"), ("bt-de-en", "bt-en-de"), ("mt-en-de", "mt-de-en")
PRETRAINED = {  # objectives, changes of the model, and of how it is computed
    "clm": (["clm"], {}, {}),
    "mlm": (["mlm"], {}, {}),
    "tlm": (["tlm"], {"language_embeddings": False}, {"activation_checkpointing": True}),
    "all": (["clm", "mlm", "tlm"], OF_BERT, {"zero_stage1": True}),
}
TRANSLATORS = {  # objectives, changes of the training, and of the model
    "ae_mt": (objectives(*AE, *MT), {}, {}),
    "bt": (objectives(*BT), {"updates": "round_robin"}, {}),
    "all_shared": (objectives(*AE, *BT, *MT), {"tie_encoder_decoder_embeddings": True}, OF_BERT),
}
CLASSIFIERS = {"classification": 3, "regression": 1}  # outputs


def pretraining(name: str, n_batches: int) -> dict:
    """What ``train_all`` needs of a pretraining whose updates are of so many batches."""
    tasks, parts, changes = PRETRAINED[name]
    size = SETTINGS.batch_tokens // n_batches
    settings = SETTINGS.model_copy(update={"micro_batch_tokens": size, "optim": OPTIM, "eval_interval": N_UPDATES})
    run = {"objectives": tasks, "pretraining": settings.model_dump(), "checkpoint_minutes": 60.0}
    model, compute = MODEL.model_copy(update=parts), COMPUTE.model_copy(update=changes)
    return run | {"model": model.model_dump(), "compute": compute.model_dump()}


def translator(name: str, n_batches: int) -> SmallTraining:
    """What ``train_many`` needs of the training of a translator whose updates are of so many batches."""
    learned, changes, parts = TRANSLATORS[name]
    size = TRANSLATION.batch_tokens // n_batches
    settings = TRANSLATION.model_copy(update={"micro_batch_tokens": size, **changes})
    return learned, settings, TRANSLATOR.model_copy(update=parts)


@pytest.fixture(scope="module")
def finished(world: dict, small_corpus: dict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of each number of processes, with the same trainings; they are started once for all."""
    folder = tmp_path_factory.mktemp("processes")
    arguments = {
        "world": world,
        "runs": {f"{name}{n}": pretraining(name, n) for name in PRETRAINED for n in N_BATCHES},
        "inputs": TranslatorInputs(**small_corpus, encoder=None, decoder=None),
        "translators": {f"{name}{n}": translator(name, n) for name in TRANSLATORS for n in N_BATCHES},
        "classifiers": {f"{name}{n}": (n_classes, n) for name, n_classes in CLASSIFIERS.items() for n in N_BATCHES},
    }
    for n in (1, 2):
        here, processes = folder / str(n), {"n_processes": n, "n_nodes": 1}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # by which the processes find this folder
            launch(train_everything, {**arguments, "folder": here}, **processes, work=folder / "w", log=folder / "log")
    return folder


@pytest.mark.parametrize("n_batches", N_BATCHES)
@pytest.mark.parametrize("name", [*PRETRAINED, *TRANSLATORS, *CLASSIFIERS])
def test_two_processes_have_the_weights_of_one(finished: Path, name: str, n_batches: int):
    """Dropout belongs to the batch and not to the process."""
    expected, parallel = (load_file(finished / n / f"{name}{n_batches}" / "model.safetensors") for n in ("1", "2"))
    torch.testing.assert_close(parallel, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("n_batches", N_BATCHES)
@pytest.mark.parametrize("name", [*PRETRAINED, *TRANSLATORS])
def test_two_processes_have_the_losses_of_one(finished: Path, name: str, n_batches: int):
    """Those of updates and of evaluations."""
    expected, parallel = (
        [
            row.value
            for row in history.read(finished / n / f"{name}{n_batches}" / "history.jsonl")
            if row.metric == "loss"
        ]
        for n in ("1", "2")
    )
    assert len(expected) > N_UPDATES
    assert parallel == pytest.approx(expected, rel=1e-5)


def test_processes_that_share_a_validation_set_have_the_translations_and_scores_of_one(finished: Path):
    expected, *parallel = (
        read_json(finished / name) for name in ("1/validation.0.json", "2/validation.0.json", "2/validation.1.json")
    )
    assert parallel == [expected] * 2


def test_a_translator_that_leaves_a_process_without_a_batch_is_refused():
    fading = TRANSLATION.model_copy(update={"micro_batch_tokens": 240})
    weights = fading.loss_weights.model_copy(update={"ae": [(0, 1.0), (2, 0.0)]})
    fading = fading.model_copy(update={"loss_weights": weights})
    settings = TranslatorSettings(["en", "de"], objectives(*AE, BT[0]), MODEL, fading, seed=0)
    settings.check_processes(1)
    with pytest.raises(ConfigError, match=r"training.batch_tokens \(240\) is 1 batches .* there are 2 processes"):
        settings.check_processes(2)
