"""The benchmarks run to their end, on next to nothing, and write down what they measure."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
TRIALS = {
    "pretrain": ["--shape", "microworld", "--turns", "1", "--precision", "float32"],
    "memory": ["--vocabulary", "100", "--tokens", "512"],
    "decode": ["--shape", "microworld", "--sentences", "4", "--longest", "8", "--turns", "1"],
    "back_translation": ["--shape", "microworld", "--tokens", "40", "--turns", "1"],
    "text": ["--lines", "300"],
    "scale": ["--megabytes", "0.05", "0.1", "0.2"],
    "reruns": ["--megabytes", "0.2", "--shards", "1"],
}


def figures(found: Any) -> Iterator[float]:
    """All numbers of what was written, however deep they lie."""
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, list):
        for one in found:
            yield from figures(one)
    elif isinstance(found, float):
        yield found


def test_there_is_a_trial_of_every_benchmark():
    scripts = {path.stem for path in BENCHMARKS.glob("*.py") if "__main__" in path.read_text(encoding="utf-8")}
    assert scripts == set(TRIALS)


@pytest.mark.parametrize("name", TRIALS)
def test_a_benchmark_measures(name: str, tmp_path: Path):
    output = tmp_path / "found.json"
    command = [sys.executable, BENCHMARKS / f"{name}.py", *TRIALS[name], "--output", output]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = list(figures(json.loads(output.read_text(encoding="utf-8"))))
    assert found and all(math.isfinite(number) for number in found), run.stdout
