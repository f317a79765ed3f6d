"""A pretraining in processes of its own: ``python shared_training.py ARGUMENTS.json`` runs what the file says."""

import json
import sys
from functools import partial
from pathlib import Path

from xlm_core.config import Compute, ModelConfig, Pretraining
from xlm_core.steps import step
from xlm_core.tasks.pretraining import pretrain
from xlm_core.train.launcher import launch


def stores(plain: dict) -> dict:
    return {key: [Path(path) for path in paths] for key, paths in plain.items()}


def main(path: Path) -> None:
    arguments = json.loads(path.read_text())
    folder = path.parent
    kinds = ("monolingual", "parallel", "monolingual_valid", "parallel_valid")
    job = partial(
        pretrain,
        **{kind: stores(arguments[kind]) for kind in kinds},
        vocabulary=Path(arguments["vocabulary"]),
        languages=["en", "de"],
        objectives=arguments["objectives"],
        model=ModelConfig.model_validate(arguments["model"]),
        pretraining=Pretraining.model_validate(arguments["pretraining"]),
        compute=Compute.model_validate(arguments["compute"]),
        save_minutes=arguments["save_minutes"],
        n_threads=1,
        seed=0,
        code="c",
        output=folder / "model.safetensors",
        history=folder / "history.jsonl",
        work=folder / "work",
    )
    launch(job, n_processes=arguments["n_processes"], n_nodes=1, work=folder / "work", log=folder / "log")


if __name__ == "__main__":
    with step(Path(sys.argv[1]).parent / "log"):
        main(Path(sys.argv[1]))
