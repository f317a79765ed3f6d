"""Every stage of the workflow once, from generated text to the last table, and what is refused before anything runs.

The whole tiny configuration, and which jobs run again after which change, are in tests/robustness.
"""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from project import Project

TABLES = {
    "xnli": 5 * 4, "retrieval": None, "glue": None, "unsupervised_mt": 2 * 3, "supervised_mt": 3, "embeddings": None,
    "perplexity": None, "ablation": None, "claims": 1,
}  # fmt: skip
FIGURES = (
    "xnli_heatmap", "confusions", "retrieval_by_layer", "training_curves", "objectives", "unsupervised_curves",
    "supervised_curves", "alignment", "claims",
)  # fmt: skip


@pytest.fixture(scope="session")
def results(quick_project: Project) -> Path:
    return quick_project.folder / "results" / "quick"


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_made_and_has_no_empty_cell(results: Path, table: str):
    """Rows of XNLI: two runs zero-shot, and one of them in three other settings; columns: two languages and means."""
    tidy = pd.read_csv(results / "tables" / f"{table}.tidy.csv")
    numbers = tidy["difference" if table == "claims" else "mean"]
    assert len(tidy) > 0 and numbers.notna().all()
    assert TABLES[table] in (None, len(tidy))
    for kind in ("md",) if table == "claims" else ("md", "html", "tex"):
        assert (results / "tables" / f"{table}.{kind}").stat().st_size > 0


def test_every_figure_is_drawn(results: Path):
    for name in FIGURES:
        assert "<svg" in (results / "figures" / f"{name}.svg").read_text()


def test_the_leaderboard_of_glue_gets_its_files(results: Path):
    (path,) = (results / "submissions" / "glue").iterdir()
    assert path.name == "base.mlm_tlm.0.0.zip"


def test_numbers_lead_to_their_jobs_and_their_sources(results: Path):
    manifest = json.loads((results / "tables" / "xnli.manifest.json").read_text())
    rules = {manifest["jobs"][job]["rule"] for number in manifest["numbers"] for job in number["jobs"]}
    assert rules == {"score_xnli", "finetune_xnli", "pretrain", "learn_bpe"}
    assert all(attempt["finished"] for job in manifest["jobs"].values() for attempt in job["attempts"])
    assert "own.fr.txt" in {source["path"] for source in manifest["sources"]}
    assert all(len(source["sha256"]) == 64 for source in manifest["sources"])


def test_text_is_accounted_for_at_every_step(results: Path):
    """What a step kept is what the next one read, from the generator to the stores."""
    for corpus, key in (("documents", "fr"), ("translations", "en-fr"), ("own", "fr")):
        extracted = json.loads((results / "text" / corpus / key / "statistics.json").read_text())
        tokenized = [json.loads(path.read_text()) for path in (results / "tokens/base" / corpus / key).glob("*.json")]
        stored = [json.loads(path.read_text()) for path in (results / "store/base" / corpus / key).glob("*/*.json")]
        assert len(tokenized) == len(stored) == 2
        assert extracted["kept"] == sum(counts["read"] for counts in tokenized) > 0
        assert sum(counts["kept"] for counts in tokenized) == sum(counts["read"] for counts in stored)


def test_a_second_run_has_nothing_to_do_and_another_learning_rate_has(quick_project: Project):
    assert quick_project.waiting_rules() == Counter()
    settings = quick_project.settings
    try:
        optim = settings["pretraining"]["optim"] | {"learning_rate": 0.002}
        quick_project.write_settings(settings | {"pretraining": settings["pretraining"] | {"optim": optim}})
        waiting = quick_project.waiting_rules()
    finally:
        quick_project.write_settings(settings)
    assert waiting["pretrain"] == 3 and waiting["finetune_xnli"] == 3
    assert not waiting.keys() & {"extract", "tokenize", "learn_bpe", "build_store"}


def test_the_report_holds_the_tables(quick_project: Project):
    run = quick_project.snakemake("all", "--report", "report.html")
    assert run.returncode == 0, run.stderr[-3000:]
    text = (quick_project.folder / "report.html").read_text()
    shown = ("xnli.html", "xnli_heatmap.svg", "objectives.svg", "unsupervised_mt.html", "glue.html")
    assert [name for name in shown if name not in text] == []


def test_prepare_data_leaves_no_step_of_the_data_to_do(quick_project: Project):
    steps = re.compile("download|generate_|extract|tokenize|mark_|sample_bpe|learn_|build_|import_")
    data, needed = (quick_project.waiting_rules(target, "--forceall") for target in ("prepare_data", "all"))
    assert [rule for rule in needed - data if steps.match(rule)] == []
    assert sum(data.values()) > 30 and "pretrain" not in data


def test_trainings_on_several_machines_are_refused_where_a_job_gets_one(
    quick_project: Project, unused: Project, monkeypatch: pytest.MonkeyPatch
):
    several = ("--config", "compute={nodes: 2}")
    monkeypatch.setenv("SLURM_JOB_NUM_NODES", "1")
    run = quick_project.snakemake("xnli_table", "--forcerun", "pretrain", *several)
    assert run.returncode == 1 and "compute.nodes is 2, and 2 trainings wait, but executor 'local'" in run.stderr
    assert "1 of " not in run.stderr and "Traceback" not in run.stderr
    assert quick_project.snakemake("xnli_table", *several).returncode == 0  # none waits
    monkeypatch.setenv("SLURM_JOB_NUM_NODES", "2")
    submitting = ("--executor", "cluster-generic", "--jobs", "1", "--cluster-generic-submit-cmd", "false")
    run = quick_project.snakemake("xnli_table", "--forcerun", "pretrain", *several, *submitting)
    assert run.returncode == 1 and "'cluster-generic' gives a job 1" in run.stderr
    monkeypatch.delenv("SLURM_JOB_NUM_NODES")
    run = unused.snakemake("xnli_table", "--touch", *several)  # runs nothing
    assert run.returncode == 0 and "results/tiny/tables/xnli.md: not here" in run.stdout


@pytest.mark.skipif(shutil.which("sbatch") is not None, reason="Slurm is here")
def test_slurm_is_refused_where_it_is_not(quick_project: Project):
    options = ("--forcerun", "make_retrieval_table", "--executor", "slurm", "--jobs", "1")
    run = quick_project.snakemake("xnli_table", *options)
    assert run.returncode == 1 and "found no sbatch on the PATH" in run.stderr and "FAILED" not in run.stderr


def test_the_screen_has_a_line_for_each_job_and_the_table_last(quick_project: Project):
    table = (quick_project.folder / "results" / "quick" / "tables" / "xnli.md").read_text().strip()
    again = quick_project.snakemake("xnli_table", "--forcerun", "make_retrieval_table")
    assert again.returncode == 0 and again.stdout.strip() == table
    _, count, *lines = again.stderr.splitlines()
    assert count == "3 jobs"
    patterns = (
        r"1 of 3  0:00:\d\d  Making the table of sentence retrieval",
        r"2 of 3  0:00:\d\d  Writing down .* retrieval",
        r"3 of 3  0:00:\d\d  xnli_table",
    )
    assert len(lines) == 3 and all(map(re.fullmatch, patterns, lines))
    nothing = quick_project.snakemake("xnli_table")
    assert nothing.returncode == 0 and "Nothing to be done" in nothing.stderr
    assert nothing.stderr.strip().endswith(table)


def test_a_failed_step_says_why_and_where_its_log_is(unused: Project):
    (unused.folder / "own.fr.txt").write_bytes(b"\xff\xfe\xff\n" * 3)
    run = unused.snakemake("results/tiny/text/own/fr/statistics.json")
    assert run.returncode == 1 and "Traceback" not in run.stderr
    _, count, why, *lines = run.stderr.splitlines()
    assert count == "1 job" and why.startswith("CorpusError: own.fr.txt")
    assert re.fullmatch(r"FAILED after 0:00:\d\d: Extracting own \(fr\) \(rule extract\)", lines[0])
    assert lines[1] == "    log: results/tiny/logs/extract/own/fr.log"


@pytest.mark.parametrize(
    ("laid_over", "target", "message"),
    [
        ("xnli: {finetuning: {batch_sise: 8}}", "all", "finetuning.batch_sise: unknown key (did you mean 'batch_size'"),
        ("corpora: {own: {format: text, keys: [fr], path: absent.txt}}", "all", "config.corpora.own.path: absent.txt"),
        ("seeds: {pretraining: [-1]}", "all", "config.seeds.pretraining.0: Input should be greater than or equal to 0"),
        ("glue: null\nclaims: []", "glue_table", "has no section glue, so there is no such table"),
    ],
)
def test_a_wrong_configuration_is_one_message_before_anything_runs(
    unused: Project, laid_over: str, target: str, message: str
):
    (unused.folder / "over.yaml").write_text(laid_over)
    run = unused.snakemake(target, "-n", configuration=["tiny.yaml", "over.yaml"])
    output = run.stdout + run.stderr
    assert run.returncode == 1 and message in output
    assert target != "all" or ("Building DAG" not in output and "Traceback" not in output)
