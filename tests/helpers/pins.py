"""Record what a finished run of the tiny configuration holds, and compare two runs, number by number.

A change of the code that is not to change results is checked by:

    git worktree add ../before <commit before the change>
    (cd ../before && snakemake all --configfile tests/tiny/config.yaml)
    snakemake all --configfile tests/tiny/config.yaml
    python tests/helpers/pins.py compare ../before/results/tiny results/tiny

``compare`` takes folders of results, or files that ``record`` has written. Both runs belong on one machine: the numbers
of trainings depend on the instructions of its processor. What is the same on every machine (texts, vocabularies,
stores, lists of jobs) is in ``tests/helpers/pins.json``, which ``tests/test_pins.py`` checks; to write it anew, after
a change that must change it:

    python tests/helpers/pins.py record results/tiny tests/helpers/pins.json

Contents are compared without the names of their files, tensors without their own names: both may be renamed.
A rule, a column or a word of a table that has another name than before belongs in ``RULES``, ``COLUMNS`` or ``WORDS``.
"""

import argparse
import csv
import hashlib
import json
import math
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATIONS = ("tests/tiny/config.yaml", "configs/small.yaml", "configs/paper.yaml")
PORTABLE = ("texts", "tokens", "vocabularies", "stores", "jobs")  # the same on every machine

# Old name -> new name. Several old rules may have become one.
RULES: dict[str, str] = {
    "sample_text": "sample_bpe_text",
    "build_labelled_store": "build_xnli_store",
    "train_embeddings": "train_subword_vectors",
    "place_words": "project_words",
    "draw_xnli_heatmap": "plot_xnli_heatmap",
    "draw_confusions": "plot_confusions",
    "draw_retrieval_by_layer": "plot_retrieval_by_layer",
    "draw_training_curves": "plot_training_curves",
    "draw_objectives": "plot_objectives",
    "draw_bleu_curves": "plot_bleu_curves",
    "draw_alignment": "plot_alignment",
    "make_samples": "show_translations",
    "judge_claims": "test_claims",
    "compare_translations": "bootstrap_translations",
    "make_examples": "sample_objective_batches",
    "initialize": "init_random_model",
}
COLUMNS: dict[str, str] = {"verdict": "decision", "row": "system", "minus_row": "minus_system"}
WORDS: dict[str, str] = {
    "little": "low_resource",
    "little_both": "low_resource_both",
    "holds": "supported",
    "does not hold": "not supported",
    "cannot tell": "inconclusive",
    "XLM (MLM)": "mlm",  # the tests of translation name runs instead of their labels
    "no pretraining": "none",
    "base.mlm_tlm": "mlm_tlm",
    "english.mlm": "english/mlm",
}
# Columns of CSV files that are compared; all others are the key of their row, except those left out.
VALUES = {"mean", "spread", "n_seeds", "n_items", "published", "difference", "low", "high", "minus_n_seeds"}
VALUES |= {"a", "b", "margin", "decision", "bleu", "minus_bleu", "p"}
LEFT_OUT: set[str] = set()


def record(results: Path) -> dict[str, Any]:
    """Everything that must not change in a folder of results, as JSON, without the lists of jobs."""
    assert results.is_dir(), f"{results} is no folder; expected the results of a finished run"
    return {
        "texts": {
            path: digest
            for pattern in ("text/**/*.tsv", "words/**/*.tsv", "store/**/*.records.tsv")
            for path, digest in digests(results, pattern, file_digest).items()
        },
        "tokens": digests(results, "tokens/**/*.tsv", file_digest),
        "vocabularies": digests(results, "bpe/*/vocabulary.json", file_digest),
        "stores": digests(results, "store/**/*.store", store_digest),
        "models": digests(results, "**/model.safetensors", tensor_digest),
        "translations": digests(results, "translations/**/*.txt", file_digest),
        "tables": {path.stem: table(path) for path in sorted((results / "tables").glob("*.csv"))},
    }


def digests(folder: Path, pattern: str, digest: Any) -> dict[str, str]:
    """Path within ``folder`` -> digest of its content, of all files that match ``pattern`` and are not temporary."""
    files = sorted(path for path in folder.glob(pattern) if path.relative_to(folder).parts[0] != "work")
    return {str(path.relative_to(folder)): digest(path) for path in files}


def file_digest(path: Path) -> str:
    """Digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def store_digest(path: Path) -> str:
    """Digest of the arrays of a token store; its description, which holds names and digests, is left out."""
    content = path.read_bytes()
    length = int.from_bytes(content[-16:-8], "little")
    arrays = json.loads(content[-16 - length : -16])["arrays"]
    digest = hashlib.sha256()
    for _, (dtype, start, count) in sorted(arrays.items()):
        digest.update(dtype.encode() + content[start : start + count * np.dtype(dtype).itemsize])
    return digest.hexdigest()[:16]


def tensor_digest(path: Path) -> str:
    """Digest of the tensors of a model, whatever their names; its description, which holds digests, is left out."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = []
    for tensor in header.values():
        start, end = tensor["data_offsets"]
        shape = json.dumps([tensor["dtype"], tensor["shape"]]).encode()
        tensors.append(hashlib.sha256(shape + content[8 + length + start : 8 + length + end]).hexdigest())
    return hashlib.sha256("".join(sorted(tensors)).encode()).hexdigest()[:16]


def table(path: Path) -> dict[str, dict[str, str]]:
    """Text columns of a row, in the order of the columns' names -> its values."""
    rows: dict[str, dict[str, str]] = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            cells = {COLUMNS.get(name, name): WORDS.get(text, text) for name, text in row.items()}
            cells = {name: text for name, text in sorted(cells.items()) if name not in LEFT_OUT}
            key = " | ".join(text for name, text in cells.items() if name not in VALUES)
            assert key not in rows, f"{path}: two rows '{key}'"
            rows[key] = {name: text for name, text in cells.items() if name in VALUES}
    return rows


def job_list(configuration: str, root: Path = ROOT) -> dict[str, int]:
    """Rule -> number of jobs that the target ``all`` of a configuration has, where nothing is finished."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["all", "-n", "--quiet", "rules", "--directory", folder, "--snakefile", str(root / "Snakefile")]
        command = [sys.executable, "-m", "snakemake", *arguments, "--configfile", str(root / configuration)]
        run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    output = run.stdout + run.stderr
    stats = re.search(r"Job stats:\njob +count\n[- ]+\n(.+?)\ntotal", output, re.DOTALL)
    assert run.returncode == 0 and stats, output
    return {rule: int(count) for rule, count in map(str.split, stats.group(1).splitlines())}


def renamed(jobs: dict[str, int]) -> dict[str, int]:
    """A list of jobs with today's names of rules."""
    counts: Counter[str] = Counter()
    for rule, count in jobs.items():
        counts[RULES.get(rule, rule)] += count
    return dict(counts)


def differences(before: dict[str, Any], after: dict[str, Any], kinds: tuple[str, ...] | None = None) -> list[str]:
    """What differs between two records, one line each."""
    messages = []
    for kind in kinds or tuple(before):
        if kind == "jobs":
            messages += job_differences(before[kind], after[kind])
        elif kind == "tables":
            messages += table_differences(before[kind], after[kind])
        else:
            messages += content_differences(kind, before[kind], after[kind])
    return messages


def content_differences(kind: str, before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Contents that only one of two records has; the names of the files do not count."""
    missing, added = (
        Counter(before.values()) - Counter(after.values()),
        Counter(after.values()) - Counter(before.values()),
    )
    lines = [f"{kind}: content of {name} is gone" for name, digest in before.items() if digest in missing]
    return lines + [f"{kind}: content of {name} is new" for name, digest in after.items() if digest in added]


def table_differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Rows and numbers of tables that differ."""
    messages = [f"tables: {name} is gone" for name in before if name not in after]
    for name in before.keys() & after.keys():
        old, new = before[name], after[name]
        messages += [f"{name}: row '{key}' is gone" for key in old if key not in new]
        messages += [f"{name}: row '{key}' is new" for key in new if key not in old]
        for key in old.keys() & new.keys():
            for column, value in old[key].items():
                if number(new[key].get(column, "")) != number(value):
                    messages.append(f"{name}: '{key}', {column}: {value} -> {new[key].get(column)}")
    return messages


def number(value: str) -> float | str:
    """The number of a cell to twelve digits; its text where it is no number or nan, which so equals itself."""
    try:
        return value if math.isnan(float(value)) else float(f"{float(value):.12g}")
    except ValueError:
        return value


def job_differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Rules that have another number of jobs."""
    messages = []
    for name in before.keys() & after.keys():
        old, new = renamed(before[name]), renamed(after[name])
        rules = sorted(old.keys() | new.keys())
        messages += [
            f"jobs of {name}: {r} {old.get(r, 0)} -> {new.get(r, 0)}" for r in rules if old.get(r) != new.get(r)
        ]
    return messages


def read(path: Path) -> dict[str, Any]:
    """A record, of a folder or from a file."""
    if path.is_dir():
        return record(path)
    return json.loads(path.read_text(encoding="utf-8"))


def main() -> int:
    """Run one of the verbs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    recording = verbs.add_parser("record", help="write what is the same on every machine into a JSON file")
    recording.add_argument("results", type=Path)
    recording.add_argument("file", type=Path)
    recording.add_argument("--all", action="store_true", help="also what depends on the processor")
    comparing = verbs.add_parser("compare", help="compare two folders of results, or files")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    arguments = parser.parse_args()
    if arguments.verb == "record":
        pins = record(arguments.results) | {"jobs": {name: job_list(name) for name in CONFIGURATIONS}}
        pins = pins if arguments.all else {kind: pins[kind] for kind in PORTABLE}
        arguments.file.write_text(json.dumps(pins, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        return 0
    before, after = read(arguments.before), read(arguments.after)
    kinds = tuple(kind for kind in before if kind in after)
    messages = differences(before, after, kinds)
    print("\n".join(messages) or f"Equal: {', '.join(kinds)}.")
    return bool(messages)


if __name__ == "__main__":
    sys.exit(main())
