"""The benchmarks run to their end, on next to nothing, and write down what they measure."""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from reduced import reduced

from xlm_core.io import write_text
from xlm_core.metrics import sample_statistics
from xlm_core.metrics.sample_statistics import SampleStatistics

TINY = Path(__file__).parent.parent / "tiny" / "config.yaml"
BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"
TEXT_STAGES = 6
# Benchmark -> its options, one figure that it writes, and how many times.
TRIALS = {
    "pretrain": (["--quick", "--objectives", "mlm", "tlm"], "ratio", 2),
    "finetune": (["--quick"], "ours_updates_per_s", 2),
    "memory": (["--vocabulary", "100", "--tokens", "512"], "ours_gb", 1),
    "decode": (["--quick", "--sentences", "4", "--longest", "8"], "ours_tokens_per_s", 1),
    "back_translation": (["--quick", "--tokens", "40"], "generating_seconds", 1),
    "text": (["--lines", "300"], "lines_per_s", TEXT_STAGES),
    "large_model": (["--vocabulary", "500", "--layers", "1", "--updates", "1", "--batch", "2"], "peak_gb", 2),
    "moses": (["--lines", "100"], "ratio", 5),
    "scale": (["--megabytes", "0.05", "0.1", "0.2"], "error", TEXT_STAGES),
    "reruns": (["--megabytes", "0.2", "--shards", "1"], "seconds", 4),
}


def figures(record: Any, name: str) -> Iterator[float]:
    """All numbers of a name, however deep they lie."""
    if isinstance(record, dict):
        for key, value in record.items():
            if key == name:
                yield value
            else:
                yield from figures(value, name)
    elif isinstance(record, list):
        for part in record:
            yield from figures(part, name)


def test_there_is_a_trial_of_every_benchmark():
    scripts = {path.stem for path in BENCHMARKS.glob("*.py") if "__main__" in path.read_text(encoding="utf-8")}
    assert scripts == set(TRIALS) | {"single_runs", "spelled_alike", "continue_xlmr", "readme_tables"}


@pytest.mark.parametrize("name", TRIALS)
def test_a_benchmark_measures(name: str, tmp_path: Path):
    options, figure, count = TRIALS[name]
    output = tmp_path / "found.json"
    command = [sys.executable, BENCHMARKS / f"{name}.py", *options, "--output", output]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    values = list(figures(json.loads(output.read_text(encoding="utf-8")), figure))
    assert len(values) == count and min(values) > 0, run.stdout


def test_single_runs_list_the_transfer_of_every_run(tmp_path: Path):
    tiny = yaml.safe_load(TINY.read_text(encoding="utf-8"))
    settings = reduced(tiny)
    settings["runs"]["none"] = tiny["runs"]["none"]
    settings["xnli"]["runs"] = ["none", "mlm"]
    write_text(tmp_path / "reduced.yaml", yaml.safe_dump(settings, allow_unicode=True))
    command = [sys.executable, BENCHMARKS / "single_runs.py", tmp_path]
    command += ["--seeds", "7-7", "--configfile", tmp_path / "reduced.yaml"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    table = (tmp_path / "results" / "single_7" / "tables" / "xnli.tidy.csv").read_text(encoding="utf-8")
    transfer = {
        row["system"]: float(row["mean"]) for row in csv.DictReader(table.splitlines()) if row["column"] == "transfer"
    }
    header, _, row, _, count = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in run.stdout.splitlines()
    )
    assert header == ["", *transfer, "in this order"]
    assert row[0] == "7" and [float(cell) for cell in row[1:-1]] == [round(mean, 1) for mean in transfer.values()]
    in_order = all(first < second for first, second in pairwise(transfer.values()))
    assert row[-1] == str(in_order) and count == [f"{int(in_order)} of 1 runs have the rows in this order."]


def test_pairs_are_told_apart_by_the_words_that_differ(tmp_path: Path):
    texts = {
        "en": ["Eva is in Paris.\tEva is in Rome.\tcontradiction", "A dog runs.\tAn animal runs.\tentailment"],
        "de": ["Eva ist in Paris.\tEva ist in Rom.\tcontradiction", "Ein Hund rennt.\tEin Tier rennt.\tentailment"],
    }
    for language, lines in texts.items():
        write_text(tmp_path / "store" / "base" / "xnli" / f"test.{language}.records.tsv", "\n".join(lines))
    for seed, right in {"0": [True, False], "1": [True, True]}.items():
        columns = {language: SampleStatistics("percent", np.array([right]).T) for language in texts}
        sample_statistics.write(tmp_path / "results" / "xnli" / f"base.mlm.{seed}.0.statistics.json", columns)
    command = [sys.executable, BENCHMARKS / "spelled_alike.py", tmp_path]
    shares, _, _, _, row = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert shares == "Pairs that are spelled alike: de 50 %"
    assert [cell.strip() for cell in row.split("|")[1:-1]] == ["mlm", "100.0 ± 0.0", "50.0 ± 70.7", "2"]
