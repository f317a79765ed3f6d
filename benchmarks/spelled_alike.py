"""List the zero-shot transfer on pairs whose label depends on a word that is spelled as in English, and on the others.

    python benchmarks/spelled_alike.py results/evidence

A pair of sentences counts as spelled alike in a language if one of the words by which its sentences differ there is
also one of the words by which they differ in English. A model needs no translation to know such a word.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from xlm_core.metrics import sample_statistics
from xlm_core.text.tokenize import lower_and_strip

PIVOT = "en"


def differing_words(table: Path) -> list[set[str]]:
    """Return for each pair the words, as models read them, that are in one of its sentences alone."""
    rows = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines()]
    words = [
        [set(lower_and_strip(text, lowercase=True, strip_accents=True).rstrip(".").split()) for text in row[:2]]
        for row in rows
    ]
    return [premise ^ hypothesis for premise, hypothesis in words]


def transfer(results: Path) -> pd.DataFrame:
    """Return a row for each fine-tuned model and kind of pair: run, seed, alike, accuracy (percent over languages)."""
    differing = {
        path.suffixes[0][1:]: differing_words(path)
        for path in (results / "store" / "base" / "xnli").glob("test.*.records.tsv")
    }
    alike = {
        language: np.array([bool(ours & theirs) for ours, theirs in zip(words, differing[PIVOT], strict=True)])
        for language, words in differing.items()
        if language != PIVOT
    }
    rows = []
    for path in sorted((results / "results" / "xnli").glob("base.*.statistics.json")):
        _, run, seed, *_ = path.name.split(".")
        correct = {language: each.statistics[:, 0] for language, each in sample_statistics.read(path).items()}
        for kind in (True, False):
            accuracies = [100 * correct[language][mask == kind].mean() for language, mask in alike.items()]
            rows.append({"run": run, "seed": seed, "alike": kind, "accuracy": np.mean(accuracies)})
    shares = ", ".join(f"{language} {100 * mask.mean():.0f} %" for language, mask in sorted(alike.items()))
    print(f"Pairs that are spelled alike: {shares}\n")
    return pd.DataFrame(rows)


def _mean_and_deviation(values: pd.Series) -> str:
    return f"{values.mean():.1f}" + (f" ± {values.std():.1f}" if len(values) > 1 else "")


def main() -> None:
    """Print mean and standard deviation over pretraining seeds, of each the mean over its fine-tunings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    accuracies = transfer(parser.parse_args().results)
    kinds = accuracies["alike"].map({True: "spelled alike", False: "spelled differently"})
    by_seed = accuracies.groupby(["run", kinds, "seed"])["accuracy"].mean()
    table = by_seed.groupby(["run", "alike"]).agg(_mean_and_deviation).unstack()
    print(table.assign(n=accuracies.groupby("run")["seed"].nunique()).to_markdown())


if __name__ == "__main__":
    main()
