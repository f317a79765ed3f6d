"""A process of its own for what happens on a pretended GPU."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.cpp_extension import include_paths, library_paths

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PYTORCH = (2, 13)  # whose interface of CUDA ``pretended.cpp`` implements


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """A function that runs a script of this folder and returns what it recorded."""
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

    def run(script: str) -> dict[str, Any]:
        command = [sys.executable, str(HERE / script), str(library)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "helpers")])}
        finished = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert finished.returncode == 0, finished.stderr[-4000:]
        recorded: dict[str, Any] = json.loads(finished.stdout)
        return recorded

    return run
