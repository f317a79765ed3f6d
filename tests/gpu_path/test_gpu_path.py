"""The path of a GPU, on a pretended one: where the host waits, what is launched, and on which device tensors are."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.cpp_extension import include_paths, library_paths

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PYTORCH = (2, 13)  # whose interface of CUDA ``pretended.cpp`` implements
# Most launches of an update of two micro-batches and three layers, where PyTorch's attention counts as its parts.
LAUNCHES = {
    "clm": 800,
    "mlm": 760,
    "tlm": 810,
    "tlm, activations computed again": 1060,
    "translation": 2050,
    "classification": 800,
    "regression": 800,
}


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What ``scenarios.py`` recorded."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("no C++ compiler (g++), which the pretended GPU needs")
    if torch.version.cuda is not None or tuple(map(int, torch.__version__.split(".")[:2])) != PYTORCH:
        pytest.skip(f"PyTorch {torch.__version__}: the pretended GPU is made for a CPU build of {PYTORCH}")
    library = tmp_path_factory.mktemp("gpu") / "pretended.so"
    options = ["-shared", "-fPIC", "-O1", "-std=c++20", *(f"-I{path}" for path in include_paths())]
    folders = [option.format(path) for path in library_paths() for option in ("-L{}", "-Wl,-rpath,{}")]
    files = [str(HERE / "pretended.cpp"), "-o", str(library)]
    subprocess.run([compiler, *options, *files, *folders, "-ltorch_cpu", "-lc10"], check=True)
    run = subprocess.run(
        [sys.executable, str(HERE / "scenarios.py"), str(library)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert run.returncode == 0, run.stderr[-4000:]
    recorded: dict[str, Any] = json.loads(run.stdout)
    return recorded


@pytest.mark.parametrize("kind", LAUNCHES)
def test_an_update_never_waits_for_the_gpu(report: dict[str, Any], kind: str) -> None:
    assert report["updates"][kind]["waits"] == {}
    assert report["updates"][kind]["devices"] == ["cuda:0"]


@pytest.mark.parametrize("kind", LAUNCHES)
def test_an_update_launches_no_more_than_it_did(report: dict[str, Any], kind: str) -> None:
    assert 0.9 * LAUNCHES[kind] <= report["updates"][kind]["launches"] <= LAUNCHES[kind]  # lower: lower the limit, too


def test_what_waits_and_what_is_on_the_wrong_device_is_noticed(report: dict[str, Any]) -> None:
    assert report["noticed"] == {"a boolean mask": True, "a copy to the host": True, "nonzero": True}
    assert report["mixed devices are noticed"]


@pytest.mark.parametrize("beam_size", ["1", "4"])
def test_decoding_is_the_same_and_waits_at_most_twice_per_step(report: dict[str, Any], beam_size: str) -> None:
    decoding = report["decoding"][beam_size]
    assert decoding["equal"]
    assert decoding["mismatches"] == {}
    assert decoding["steps"] > 15
    assert sum(decoding["waits"].values()) <= 2 * decoding["steps"], decoding["waits"]


def test_perplexity_is_the_same(report: dict[str, Any]) -> None:
    assert report["scoring"] == {"equal": True, "mismatches": {}}
