"""Write the result tables of README.md and docs/results.md from result files, so that no figure is typed by hand.

    python benchmarks/readme_tables.py RESULTS... [--commit HASH] [--page FILE ...]

RESULTS are folders of runs, such as results/microworld; folders named single_<seed> are from
benchmarks/single_runs.py. A table stands in a page between two markers:

    <!-- table: xnli of microworld -->
    <!-- end of table -->

A table whose result files are not given stays as it is, and is listed. The commit is HEAD of the repository that holds
RESULTS, or the one given; it stands below the table.
"""

import argparse
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from xlm_core import published
from xlm_core.published import PublishedNumber

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "docs" / "results.md"]
BLOCK = re.compile(r"(<!-- table: (.+?) of (\S+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
TWO_DECIMALS = ("cosine", "L2", "relative L2", "Pearson", "bits per byte")


@dataclass(frozen=True)
class Pivot:
    """How a tidy table becomes a table of rows and columns: ``index`` names its rows, ``across`` its columns."""

    metrics: dict[str, str]  # metric -> suffix of its columns
    index: dict[str, str]  # field of the tidy table -> heading
    columns: tuple[str, ...] = ()  # empty: all


SYSTEM_AND_SETTING = {"system": "system", "setting": "setting"}
PIVOTS = {
    "xnli": Pivot({"accuracy": ""}, SYSTEM_AND_SETTING),
    "retrieval": Pivot({"accuracy": ""}, SYSTEM_AND_SETTING, columns=("fr", "es", "de", "avg")),
    "unsupervised_mt": Pivot({"BLEU": ""}, {"system": "encoder", "setting": "decoder"}),
    "supervised_mt": Pivot({"BLEU": ""}, {"system": "learned", "setting": "tested"}),
    "glue": Pivot(
        {"Matthews": " Matthews", "F1": " F1", "Pearson": " Pearson", "Spearman": " Spearman", "accuracy": "",
         "score": " score"},
        {"system": "system", "setting": "pretrained on"},
    ),
    "perplexity": Pivot(
        {"perplexity per word": " per word", "perplexity per piece": " per piece", "bits per byte": " bits per byte"},
        {"system": "text"},
    ),
    "ablation": Pivot({"accuracy": ""}, {"system": "system"}),
    "embeddings": Pivot(
        {name: f" {name}" for name in ("cosine", "L2", "relative L2", "Pearson", "P@1", "P@5", "P@1 CSLS")},
        {"system": "system", "setting": "words"}, columns=("avg",),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class PaperRow:
    """A table of the paper in the overview: its target, and one quantity, measured here and published."""

    paper: str
    target: str
    table: str
    metric: str
    quantity: str
    query: str  # selects the rows of the tidy table, in the order of the configuration
    published: tuple[tuple[str, str], ...]  # key and setting of each published row
    column: str = ""  # of the published rows; empty: the mean of all


PAPER = [
    PaperRow("Table 1: XNLI", "xnli_table", "xnli", "accuracy",
             "zero-shot, mean of all languages: MLM / MLM+TLM",
             "setting == 'zero-shot' and column == 'avg' and system in ('XLM (MLM)', 'XLM (MLM+TLM)')",
             (("xlm_mlm", "zero-shot"), ("xlm_mlm_tlm", "zero-shot"))),
    PaperRow("Table 2: unsupervised translation", "unsupervised_mt_table", "unsupervised_mt",
             "tokenized BLEU", "en-fr: no pretraining / EMB / CLM / MLM", "column == 'en-fr'",
             (("no_pretraining", "no_pretraining"), ("emb", "emb"), ("clm", "clm"), ("xlm_mlm", "xlm_mlm")), "en-fr"),
    PaperRow("Table 3: supervised translation", "supervised_mt_table", "supervised_mt", "tokenized BLEU",
             "back-translation, MLM (paper: ro-en; here: en-fr)",
             "system.str.endswith('+ BT') and column == 'XLM (MLM)'", (("back_translation", "ro-en"),), "xlm_mlm"),
    PaperRow("Table 4: low-resource perplexity", "perplexity_table", "perplexity", "perplexity per word",
             "alone / with unrelated / related / both", "column == column",
             tuple((key, "CLM") for key in ("ne", "ne_en", "ne_hi", "ne_en_hi")), "ne"),
    PaperRow("Table 5: word embeddings", "embedding_table", "embeddings", "cosine",
             "of translations: MUSE / Concat / MLM",
             "setting == 'all words' and column == 'avg' and system != 'XLM (MLM+TLM)'",
             tuple((key, "all words") for key in ("muse", "concat", "xlm_mlm")), "avg"),
]  # fmt: skip


def tidy(folder: Path, name: str) -> pd.DataFrame:
    """Read a table of a run; a missing file raises ``FileNotFoundError``."""
    return pd.read_csv(folder / "tables" / f"{name}.tidy.csv", keep_default_na=False, na_values=[""])


def in_digits(table: str, metric: str, value: float) -> str:
    """Format a number with the decimals of its metric; a missing one is empty."""
    two = metric in TWO_DECIMALS and table != "glue"  # which has correlations in percent
    return "" if pd.isna(value) else f"{value:.{2 if two else 1}f}"


def pivot(rows: pd.DataFrame, spec: Pivot) -> pd.DataFrame:
    """Spread a tidy table over columns, in the order of the file; means of several seeds show their spread."""
    rows = rows[rows["metric"].isin(spec.metrics)]
    rows = rows[rows["column"].isin(spec.columns)] if spec.columns else rows
    cells = [in_digits(*fields) for fields in zip(rows["table"], rows["metric"], rows["mean"], strict=True)]
    spreads = [in_digits(*fields) for fields in zip(rows["table"], rows["metric"], rows["spread"], strict=True)]
    cells = [f"{mean} ± {spread}" if spread else mean for mean, spread in zip(cells, spreads, strict=True)]
    names = rows["column"] + rows["metric"].map(spec.metrics)
    if spec.columns and len(spec.columns) == 1:
        names = rows["metric"].map(spec.metrics).str.strip()
    rows = rows.assign(name=names, cell=cells)
    fields = list(spec.index)
    table = rows.pivot(index=fields, columns="name", values="cell")
    table = table.reindex(index=pd.MultiIndex.from_frame(rows[fields].drop_duplicates()), columns=names.unique())
    return table.fillna("").reset_index().rename(columns=spec.index)


def published_number(row: PaperRow, key: tuple[str, str]) -> PublishedNumber:
    """Return a published number, or the mean of its row; a row without it raises ``KeyError``."""
    numbers = published.tables()[row.table].rows[key].numbers
    number = numbers[row.column, row.metric] if row.column else published.mean([*numbers.values()])
    if number is None:
        raise KeyError(key)
    return number


def job_minutes(folder: Path, name: str) -> float:
    """Return the wall time of the jobs behind a table, added up, without those that the XNLI table needs, too."""
    manifests = [folder / "tables" / f"{table}.manifest.json" for table in (name, "xnli")]
    jobs, shared = (json.loads(path.read_text(encoding="utf-8"))["jobs"] for path in manifests)
    return sum(job["seconds"] for record, job in jobs.items() if name == "xnli" or record not in shared) / 60


def overview(folder: Path) -> pd.DataFrame:
    """Return the tables of the paper with what they gave here and what was published; † marks a recalled number."""
    lines = []
    for row in PAPER:
        numbers = [published_number(row, key) for key in row.published]
        theirs = [in_digits(row.table, row.metric, n.value) + ("" if n.confirmed else "†") for n in numbers]
        means = tidy(folder, row.table).query(f"metric == '{row.metric}' and {row.query}")["mean"]
        ours = [in_digits(row.table, row.metric, mean) for mean in means]
        metric = row.metric.replace("perplexity per word", "perplexity")
        time, quantity = f"{job_minutes(folder, row.table):.0f} min", f"{metric}, {row.quantity}"
        lines.append((row.paper, f"`{row.target}`", time, quantity, " / ".join(ours), " / ".join(theirs)))
    return pd.DataFrame(lines, columns=["paper", "target", "job time", "quantity", "here", "published"])


def single_runs(folders: list[Path]) -> tuple[pd.DataFrame, str]:
    """Return zero-shot transfer of each single run, and a sentence on the order of its rows."""
    runs = {}
    for folder in folders:
        rows = tidy(folder, "xnli").query("column == 'transfer' and setting == 'zero-shot'")
        runs[folder.name.removeprefix("single_")] = rows.set_index("system")["mean"]
    table = pd.DataFrame(runs).T
    ordered = table.apply(lambda row: row.is_monotonic_increasing and row.is_unique, axis="columns")
    names = " < ".join(table.columns)
    shown = table.map("{:.1f}".format).rename_axis("world and seed").rename_axis(columns=None).reset_index()
    return shown, f"{names} in {ordered.sum()} of {len(table)} runs. "


def as_markdown(table: pd.DataFrame) -> str:
    """Format a table whose cells are text."""
    numeric = table.apply(lambda column: column.str.fullmatch(r"[-−+]?[\d.]*( ± [\d.]+)?").all())
    align = ["right" if each else "left" for each in numeric]
    return str(table.to_markdown(index=False, disable_numparse=True, colalign=align, tablefmt="pipe"))


def render(name: str, run: str, folders: list[Path], commit: str | None) -> str:
    """Return one table and its commit as Markdown; ``FileNotFoundError`` where its files are not given."""
    if name == "single runs":
        named = sorted(folder for folder in folders if re.fullmatch(r"single_\d+", folder.name))
        named = [folder for folder in named if (folder / "tables" / "xnli.tidy.csv").exists()]
    else:
        named = [folder for folder in folders if folder.name == run]
    if not named:
        raise FileNotFoundError(run)
    note = ""
    if name == "single runs":
        table, note = single_runs(named)
    else:
        table = overview(named[0]) if name == "paper" else pivot(tidy(named[0], name), PIVOTS[name])
    return f"{as_markdown(table)}\n\n{note}Made at commit `{head(named[0], commit)}`."


def rewrite(page: str, table: Callable[[str, str], str]) -> tuple[str, list[str]]:
    """Return a page with the tables between its markers written anew, and the names of those without results."""
    missing = []

    def replace(block: re.Match[str]) -> str:
        try:
            return f"{block[1]}{table(block[2], block[3])}\n{block[4]}"
        except FileNotFoundError:
            missing.append(f"{block[2]} of {block[3]}")
            return block[0]

    return BLOCK.sub(replace, page), missing


def head(folder: Path, commit: str | None) -> str:
    """Return the commit that is given, or HEAD of the repository that holds the folder."""
    if commit:
        return commit
    command = ["git", "-C", str(folder), "rev-parse", "--short", "HEAD"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"{folder} is in no repository: name the commit of the results with --commit")
    return run.stdout.strip()


def main() -> None:
    """Write the tables of all pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("--commit")
    parser.add_argument("--page", nargs="+", type=Path, default=PAGES)
    arguments = parser.parse_args()
    for path in arguments.page:
        text = path.read_text(encoding="utf-8")
        written, missing = rewrite(text, lambda name, run: render(name, run, arguments.results, arguments.commit))
        path.write_text(written, encoding="utf-8")
        print(f"{path.name}: {len(BLOCK.findall(text)) - len(missing)} tables written", *missing, sep="\n  as it was: ")


if __name__ == "__main__":
    main()
