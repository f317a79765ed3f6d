"""What starts again, and how long it takes to find out, with text of the size of Wikipedias.

    python benchmarks/reruns.py                                # 1 GB: four languages of 16 shards each
    python benchmarks/reruns.py --megabytes 40 --shards 4      # a first look, in minutes

Text is made for four languages, and the XNLI table once with a model that learns nothing to speak of: the stages of the
text are what is tried. Then Snakemake is asked, by dry runs, what it would do: with everything as it was; with one
language's text touched; with a line more in it. The first two must start nothing, else this ends with an error.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from text import lines_of_size

ROOT = Path(__file__).parent.parent
LANGUAGES = ("de", "en", "es", "fr")
CHANGED = "fr"
# Everything is as small as it can be, but the text; and it counts as tokenized, for tokenizing takes long.
SETTINGS = {
    "name": "reruns",
    "languages": [*LANGUAGES],
    "corpora": {"wikipedia": {"format": "text", "keys": [*LANGUAGES], "path": "{key}.txt", "tokenized": True}},
    "monolingual": {language: ["wikipedia"] for language in LANGUAGES},
    "parallel": {},
    "microworld": {"documents": {}, "nli_train": 96, "nli_valid": 48, "nli_test": 60},
    "vocabulary": {"size": 1000, "sample_lines": 30_000},
    "model": {"dim": 16, "n_layers": 1, "n_heads": 2, "feedforward_dim": 32, "max_positions": 256},
    "pretraining": {
        "seq_len": 32,
        "batch_tokens": 512,
        "micro_batch_tokens": 512,
        "optim": {"learning_rate": 1e-3, "max_updates": 20, "warmup_updates": 4},
        "eval_interval": 10,
        "max_eval_tokens": 1000,
    },
    "runs": {"mlm": {"label": "XLM (MLM)", "objectives": ["mlm"]}},
    "xnli": {
        "languages": ["en", "fr"],
        "evaluation": {"microworld": "xnli"},
        "training": {"microworld": "xnli"},
        "runs": ["mlm"],
        "finetuning": {"learning_rates": [1e-3], "batch_size": 16, "epochs": 1},
    },
}


def main() -> None:
    """Make the text and the table, ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=1000, help="of all languages together")
    parser.add_argument("--shards", type=int, default=16, help="of each language")
    parser.add_argument("--folder", type=Path, help="empty, on a disk with room; a temporary one by default")
    parser.add_argument("--output", type=Path, help="JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        results = measure(Path(name), arguments.megabytes, arguments.shards)
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    for what in ("as it was", "touched"):
        if results[what]["jobs"]:
            sys.exit(f"{what}: expected no job")


def measure(folder: Path, megabytes: float, n_shards: int) -> dict[str, dict[str, float | dict[str, int]]]:
    """What was asked -> how long the answer took, and rule -> its jobs."""
    for language in LANGUAGES:
        with (folder / f"{language}.txt").open("w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines_of_size(None, megabytes * 1e6 / len(LANGUAGES)))
    (folder / "reruns.yaml").write_text(yaml.safe_dump(SETTINGS | {"text": {"n_shards": n_shards}}))
    text = folder / f"{CHANGED}.txt"
    after = {"at first": ask(folder)}
    start = time.perf_counter()
    snakemake(folder)
    print(f"{megabytes:.0f} MB, {n_shards} shards: {time.perf_counter() - start:.0f} s for the table", flush=True)
    after["as it was"] = ask(folder)
    os.utime(text)
    after["touched"] = ask(folder)
    with text.open("a", encoding="utf-8") as file:
        file.write("One line more.\n")
    after["a line more"] = ask(folder)
    for what, answer in after.items():
        print(f"{what:12s}{answer['seconds']:6.1f} s  {sum(answer['jobs'].values()):4d} jobs  {answer['jobs']}")
    return after


def ask(folder: Path) -> dict[str, float | dict[str, int]]:
    """What Snakemake would do, and how long it took to say so, from the command to its end."""
    start = time.perf_counter()
    said = snakemake(folder, "--dry-run", "--quiet", "rules")
    seconds = time.perf_counter() - start
    jobs = {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE)}
    jobs.pop("total", None)
    return {"seconds": seconds, "jobs": jobs}


def snakemake(folder: Path, *options: str) -> str:
    """Ask for the XNLI table, and return the output."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "xnli_table",
        "--snakefile",
        ROOT / "Snakefile",
        "--directory",
        folder,
    ]
    command += ["--workflow-profile", ROOT / "profiles" / "default", "--configfile", folder / "reruns.yaml", *options]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(run.stdout + run.stderr)
    return run.stdout + run.stderr


if __name__ == "__main__":
    main()
