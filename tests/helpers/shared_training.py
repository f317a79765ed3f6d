"""Pretrainings in processes of their own: ``python shared_training.py ARGUMENTS.json`` does what the file says."""

import json
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

from xlm_core.config import Compute, ModelConfig, Pretraining
from xlm_core.tasks.pretraining.data import PretrainingArgs, Stores
from xlm_core.tasks.pretraining.train import pretrain
from xlm_core.train import distributed
from xlm_core.train.distributed import DistributedContext
from xlm_core.train.launcher import launch
from xlm_core.workflow.step import report_errors


def train_all(world: dict, runs: dict[str, dict], folder: Path) -> None:
    """One run after another, each in a folder of its name."""

    def stores(split: str) -> Stores:
        stores = {**world[f"monolingual{split}"], **world[f"parallel{split}"]}
        return {key: [Path(path) for path in paths] for key, paths in stores.items()}

    for name, run in runs.items():
        pretrain(
            training=stores(""),
            validation=stores("_valid"),
            vocabulary=Path(world["vocabulary"]),
            args=PretrainingArgs(
                languages=["en", "de"],
                objectives=run["objectives"],
                model=ModelConfig.model_validate(run["model"]),
                pretraining=Pretraining.model_validate(run["pretraining"]),
                compute=Compute.model_validate(run["compute"]),
                checkpoint_minutes=run["checkpoint_minutes"],
                n_threads=1,
                seed=0,
            ),
            code="c",
            output=folder / name / "model.safetensors",
            history=folder / name / "history.jsonl",
            work=folder / name / "work",
        )


def fall_silent(folder: Path) -> None:
    """Exchange numbers, which one process does not take part in, though it lives."""
    distributed.HOST_TIMEOUT = timedelta(seconds=2)
    processes = DistributedContext()
    processes.barrier()
    if processes.rank == 1:
        (folder / "silent").write_text(str(os.getpid()))
        time.sleep(600)
    processes.barrier()


def main(path: Path) -> None:
    arguments, folder = json.loads(path.read_text()), path.parent
    job = {"world": arguments["world"], "runs": arguments["runs"], "folder": folder}
    n_processes, log = arguments["n_processes"], folder / "log"
    launch(train_all, job, n_processes=n_processes, n_nodes=1, work=folder / "launch", log=log)


if __name__ == "__main__":
    from shared_training import main  # by its importable name, which other processes know it by

    with report_errors(Path(sys.argv[1]).parent / "log"):
        main(Path(sys.argv[1]))
