"""Run the default with ten seeds, each on another world, and list the zero-shot transfer of every run.

    python benchmarks/single_runs.py FOLDER [--seeds 210-219] [--cores 2] [--precision float32] [--configfile FILE]

Each run is what a reader of the one-seed table sees: world, pretraining and fine-tuning have one number as their seed.
Runs that are there already are read again.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).parent.parent
ZERO_SHOT_ALONE = {
    "selected_on_training_language": [], "selected_per_language": [], "few_shot": {"runs": []}, "translate_test": [],
    "translate_train": [], "translate_train_all": [],
}  # fmt: skip


def run(arguments: argparse.Namespace, seed: int) -> pd.Series:
    """Make the XNLI table of one seed and return system -> transfer, in percent."""
    folder, precision = arguments.folder, arguments.precision
    name = f"single_{seed}" if precision == "auto" else f"single_{seed}_{precision}"
    seeds = {"pretraining": [seed], "finetuning": [seed], "other_protocols": [seed]}
    laid_over = {"name": name, "microworld": {"seed": seed}, "seeds": seeds, "xnli": ZERO_SHOT_ALONE}
    laid_over["compute"] = {"precision": precision}
    path, table = folder / f"{name}.yaml", folder / "results" / name / "tables" / "xnli.tidy.csv"
    path.write_text(yaml.safe_dump(laid_over))
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), str(table.relative_to(folder))]
    command += ["--cores", str(arguments.cores), "--quiet", "all"]
    command += ["--configfile", str(arguments.configfile.resolve()), str(path.resolve())]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    tidy = pd.read_csv(table).query("column == 'transfer'")
    return tidy.set_index("system")["mean"].rename(seed)


def main() -> None:
    """Run all seeds, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", default="210-219")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--precision", default="auto", choices=["auto", "float32", "bfloat16"])
    parser.add_argument("--configfile", type=Path, default=ROOT / "config.yaml")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    first, last = map(int, arguments.seeds.split("-"))
    rows = []
    for seed in range(first, last + 1):
        rows.append(run(arguments, seed))
        print(f"{seed}: {rows[-1].round(1).to_dict()}", file=sys.stderr, flush=True)
    runs = pd.DataFrame(rows)
    runs["in this order"] = runs.apply(lambda row: row.is_monotonic_increasing and row.is_unique, axis="columns")
    print(runs.round(1).to_markdown())
    print(f"\n{runs['in this order'].sum()} of {len(runs)} runs have the rows in this order.")


if __name__ == "__main__":
    main()
