"""What is behind a table, in a folder that is small enough to be read."""

import hashlib
import html
from dataclasses import asdict
from pathlib import Path

import pytest

from xlm_core import digests, io, results
from xlm_core.report import provenance
from xlm_core.results import Result

PRETRAINED, TUNED, SCORED = "runs/mlm/job.json", "runs/mlm/xnli/job.json", "results/mlm.job.json"
H100, CPU = {"cpu": "A", "cores": 16, "gpus": ["H100", "H100"]}, {"cpu": "B", "cores": 2, "gpus": []}
LIBRARIES = {"python": "3.11.7", "torch": "2.11.0"}


def result(column: str, value: float) -> Result:
    by = {"config_digest": "c0", "data_digest": "d0", "code_digest": "e0"}
    return Result("xnli", "mlm", "zero-shot", column, "accuracy", value, 60, 0, 0, signature="s", **by)


def attempt(seconds: float, gpus: int, machine: dict, finished: bool = True) -> dict:
    record = {"begun": "2026-01-01T00:00:00+00:00", "seconds": seconds, "finished": finished, "machines": 1}
    return {**record, "threads": 1, "gpus": gpus, "machine": machine, "libraries": LIBRARIES}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    """A table of two numbers, the three jobs that led to them, and the files that these began with."""
    monkeypatch.chdir(tmp_path)
    jobs = {
        PRETRAINED: ("pretrain", [attempt(3600, 2, H100, finished=False), attempt(1800, 2, H100)]),
        TUNED: ("finetune_xnli", [attempt(600, 1, H100)]),
        SCORED: ("score_xnli", [attempt(59.6, 0, CPU)]),
    }
    for path, (rule, attempts) in jobs.items():
        description = {"rule": rule, "wildcards": {"run": "mlm"}, "settings": {"code": f"of {rule}"}}
        io.write_json(Path(path), {**description, "attempts": attempts})
    results.write([result("en", 80.0), result("fr", 70.5)], Path("results/mlm.jsonl"))
    Path("tables").mkdir()
    Path("tables/xnli.tidy.csv").write_text("row,mean\nmlm,75.25\n")
    Path("own.txt").write_text("one line\n")
    record = {"url": "https://a.org/fr.gz", "sha256": "5a" * 32, "bytes": 20_000_000_000, "licence": "as it was then"}
    io.write_json(Path("records/fr.gz.json"), {**record, "retrieved_from": "mirror"})
    return tmp_path


def sources() -> list[dict[str, str]]:
    fetched = {"path": "web/fr.gz", "origin": "downloaded", "licence": "CC BY-SA 4.0"}  # is not there, and not read
    return [
        {**fetched, "url": "https://a.org/fr.gz", "record": "records/fr.gz.json"},
        {"path": "own.txt", "origin": "local", "licence": ""},
    ]


def make(which: list[dict[str, str]] | None = None) -> dict:
    provenance.make_manifest(
        "xnli",
        table=Path("tables/xnli.tidy.csv"),
        results={"results/mlm.jsonl": Path("results/mlm.jsonl")},
        jobs={path: Path(path) for path in (SCORED, TUNED, PRETRAINED)},
        jobs_of_results={"results/mlm.jsonl": [SCORED, TUNED, PRETRAINED]},
        sources=sources() if which is None else which,
        sums=Path("sums"),
        configuration="tiny",
        output=Path("tables/xnli.manifest.json"),
        page=Path("tables/xnli.manifest.html"),
    )
    return io.read_json(Path("tables/xnli.manifest.json"))


def test_numbers_lead_to_their_jobs_and_a_job_stands_there_once(folder: Path):
    manifest = make()
    assert manifest["numbers"] == [
        {**asdict(result("en", 80.0)), "jobs": [SCORED, TUNED, PRETRAINED]},
        {**asdict(result("fr", 70.5)), "jobs": [SCORED, TUNED, PRETRAINED]},
    ]
    assert list(manifest["jobs"]) == [SCORED, TUNED, PRETRAINED]
    assert manifest["table"]["sha256"] == hashlib.sha256(b"row,mean\nmlm,75.25\n").hexdigest()


def test_time_is_that_of_all_attempts_and_gpus_count_while_they_are_held(folder: Path):
    jobs = make()["jobs"]
    assert {path: (job["seconds"], job["gpu_hours"]) for path, job in jobs.items()} == {
        PRETRAINED: (5400, 3.0),  # two GPUs for an hour and for half of one
        TUNED: (600, 0.1667),
        SCORED: (59.6, 0),
    }
    assert len(jobs[PRETRAINED]["attempts"]) == 2 and jobs[PRETRAINED]["settings"] == {"code": "of pretrain"}


def test_a_download_has_the_sum_that_was_recorded_and_is_not_read(folder: Path):
    fetched, own = make()["sources"]
    assert fetched == {
        "path": "web/fr.gz",
        "origin": "downloaded",
        "licence": "CC BY-SA 4.0",  # as the configuration names it now
        "url": "https://a.org/fr.gz",
        "sha256": "5a" * 32,
        "bytes": 20_000_000_000,
        "retrieved_from": "mirror",
    }
    digest = hashlib.sha256(b"one line\n").hexdigest()
    assert own == {"path": "own.txt", "origin": "local", "licence": "", "sha256": digest, "bytes": 9}


def test_a_download_names_the_address_that_it_came_from(folder: Path):
    """Of several addresses the first may have been away."""
    record = io.read_json(Path("records/fr.gz.json")) | {"url": "https://b.org/fr.gz"}
    io.write_json(Path("records/fr.gz.json"), record)
    fetched = make()["sources"][0]
    assert fetched["url"] == "https://b.org/fr.gz"


def test_a_download_whose_record_is_lost_is_read(folder: Path):
    Path("records/fr.gz.json").unlink()
    Path("web").mkdir()
    Path("web/fr.gz").write_text("text")
    fetched = make()["sources"][0]
    assert fetched["sha256"] == hashlib.sha256(b"text").hexdigest() and fetched["url"] == "https://a.org/fr.gz"
    assert "record" not in fetched


def test_a_file_is_read_once_and_again_when_it_changes(folder: Path, monkeypatch):
    before = make()["sources"][1]["sha256"]
    read = []
    sha256 = digests.sha256
    monkeypatch.setattr(digests, "sha256", lambda path: read.append(str(path)) or sha256(path))
    assert make()["sources"][1]["sha256"] == before and read == ["tables/xnli.tidy.csv"]
    Path("own.txt").write_text("another line\n")
    assert make()["sources"][1]["sha256"] == hashlib.sha256(b"another line\n").hexdigest() and "own.txt" in read
    Path("own.txt").unlink()  # what it held is still known
    assert make()["sources"][1]["sha256"] == hashlib.sha256(b"another line\n").hexdigest()


def test_a_file_that_is_gone_and_was_never_read_is_told(folder: Path, caplog):
    Path("own.txt").unlink()
    assert make()["sources"][1] == {"path": "own.txt", "origin": "local", "licence": "", "sha256": None, "bytes": None}
    assert "own.txt is gone" in caplog.text
    assert "1 local, 0.0 B (no licence named); 1 of them are gone" in provenance.show({"xnli": "x"}, Path("tables"))


def test_a_path_of_any_form_has_its_sum_in_the_folder_of_sums(folder: Path):
    Path("in").mkdir()
    Path("in/own.txt").write_text("a")
    paths = ["in/../own.txt", str(folder / "in" / "own.txt")]
    sources = make([{"path": path, "origin": "local", "licence": ""} for path in paths])["sources"]
    assert [source["bytes"] for source in sources] == [9, 1] and len(list(Path("sums").iterdir())) == 2


def test_the_screen_shows_what_counts(folder: Path):
    make()
    assert provenance.show({"xnli": "xnli_table", "glue": "glue_table"}, Path("tables")) == (
        """\
xnli: tables/xnli.manifest.json
  numbers    2, systems: 1, seeds: 0.0
  files      1 downloaded, 20.0 GB (CC BY-SA 4.0)
  files      1 local, 9.0 B (no licence named)
  hardware   A, 16 cores, 2 x H100 (attempts: 3)
  hardware   B, 2 cores, no GPU (attempts: 1)
  libraries  python 3.11.7, torch 2.11.0
               number  attempts wall time  GPU hours              code
score_xnli          1         1   0:01:00       0.00     of score_xnli
finetune_xnli       1         1   0:10:00       0.17  of finetune_xnli
pretrain            1         2   1:30:00       3.00       of pretrain
together            3         4   1:41:00       3.17

glue: not made yet; snakemake glue_table makes it

all of them, each job once:
               number  attempts wall time  GPU hours              code
score_xnli          1         1   0:01:00       0.00     of score_xnli
finetune_xnli       1         1   0:10:00       0.17  of finetune_xnli
pretrain            1         2   1:30:00       3.00       of pretrain
together            3         4   1:41:00       3.17
"""
    )


def test_the_page_of_the_report_shows_the_same_lines(folder: Path):
    io.write_json(Path(SCORED), io.read_json(Path(SCORED)) | {"rule": "<b>"})
    make()
    page = Path("tables/xnli.manifest.html").read_text()
    shown = provenance.show({"xnli": "xnli_table"}, Path("tables")).partition("\n\n")[0]
    lines = html.unescape(page.partition("<pre>\n")[2].partition("\n</pre>")[0])
    assert lines == shown.partition("\n")[2] and "<b>" not in page
    assert "What is behind the table xnli of the configuration tiny" in page


def test_a_manifest_of_an_older_table_says_so(folder: Path):
    make()
    Path("tables/xnli.tidy.csv").write_text("row,mean\nmlm,99.0\n")
    shown = provenance.show({"xnli": "xnli_table"}, Path("tables"))
    assert "The manifest is of an older table than tables/xnli.tidy.csv; snakemake xnli_table makes it anew." in shown


def test_two_versions_of_code_are_both_shown(folder: Path):
    job = io.read_json(Path(TUNED))
    io.write_json(Path(SCORED), {**job, "settings": {"code": "newer"}})
    make()
    assert "newer, of finetune_xnli" in provenance.show({"xnli": "xnli_table"}, Path("tables"))


def test_without_any_table_nothing_is_counted(tmp_path: Path):
    assert provenance.show({"xnli": "xnli_table"}, tmp_path) == "xnli: not made yet; snakemake xnli_table makes it\n"
