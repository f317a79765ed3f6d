"""Tables of README and docs from result files: the cells, the order, and what stays as it is."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEADER = "table,system,setting,column,metric,mean,spread,low,high,n_seeds,n_items,published\n"

spec = importlib.util.spec_from_file_location("readme_tables", ROOT / "benchmarks" / "readme_tables.py")
readme_tables = importlib.util.module_from_spec(spec)
spec.loader.exec_module(readme_tables)


def write_table(folder: Path, name: str, rows: list[str]) -> Path:
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    (folder / "tables" / f"{name}.tidy.csv").write_text(HEADER + "".join(f"{name},{row}\n" for row in rows))
    return folder


def xnli(values: dict[str, float]) -> list[str]:
    return [f"{system},zero-shot,transfer,accuracy,{mean},,,,1,2000," for system, mean in values.items()]


@pytest.fixture
def results(tmp_path) -> list[Path]:
    rows = [
        "b,zero-shot,fr,accuracy,50.04,,,,1,9,",
        "b,zero-shot,en,accuracy,60.06,1.25,,,2,9,",
        "a,few,fr,accuracy,7,,,,1,9,",
    ]
    runs = {"210": {"none": 1, "mlm": 2, "tlm": 3}, "211": {"none": 1, "mlm": 3, "tlm": 2}}
    singles = [write_table(tmp_path / f"single_{seed}", "xnli", xnli(values)) for seed, values in runs.items()]
    return [write_table(tmp_path / "mine", "xnli", rows), *singles]


def cells(markdown: str) -> list[list[str]]:
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if ":-" not in line and "-:" not in line
    ]


def test_rows_and_columns_keep_the_order_of_the_file(results):
    assert cells(readme_tables.render("xnli", "mine", results, "abc")) == [
        ["system", "setting", "fr", "en"],
        ["b", "zero-shot", "50.0", "60.1 ± 1.2"],
        ["a", "few", "7.0", ""],
    ]


def test_single_runs_are_counted_by_the_order_of_their_rows(results):
    text = readme_tables.render("single runs", "single_*", results, "abc")
    assert cells(text)[1:] == [["210", "1.0", "2.0", "3.0"], ["211", "1.0", "3.0", "2.0"]]
    assert text.endswith("none < mlm < tlm in 1 of 2 runs. Made at commit `abc`.")


def test_only_tables_with_results_are_written(results):
    page = "".join(f"<!-- table: {name} -->\nold\n<!-- end of table -->\n" for name in ("xnli of mine", "glue of mine"))
    written, missing = readme_tables.rewrite(page, lambda name, run: readme_tables.render(name, run, results, "abc"))
    assert missing == ["glue of mine"] and written.count("old") == 1 and "Made at commit `abc`." in written
    again, _ = readme_tables.rewrite(written, lambda name, run: readme_tables.render(name, run, results, "abc"))
    assert again == written


def test_every_marker_of_the_pages_names_a_table():
    names = {name for page in readme_tables.PAGES for _, name, _, _ in readme_tables.BLOCK.findall(page.read_text())}
    assert names <= {"paper", "single runs", *readme_tables.PIVOTS} and len(names) > 8


def test_jobs_of_the_xnli_table_count_once(tmp_path):
    (tmp_path / "tables").mkdir()
    times = {"xnli": {"pretrain": 60, "score": 30}, "glue": {"pretrain": 60, "finetune": 120}}
    for name, jobs in times.items():
        manifest = {"jobs": {job: {"seconds": seconds} for job, seconds in jobs.items()}}
        (tmp_path / "tables" / f"{name}.manifest.json").write_text(json.dumps(manifest))
    assert [readme_tables.job_minutes(tmp_path, name) for name in times] == [1.5, 2]


def test_results_outside_a_repository_need_a_commit(tmp_path):
    with pytest.raises(SystemExit, match="--commit"):
        readme_tables.head(tmp_path, None)


def test_the_paper_s_averages_are_those_of_its_table():
    (row,) = (row for row in readme_tables.PAPER if row.table == "xnli")
    numbers = [readme_tables.published_number(row, key) for key in row.published]
    assert [round(number.value, 1) for number in numbers] == [71.5, 75.1] and all(n.confirmed for n in numbers)
    for row in readme_tables.PAPER:
        assert all(readme_tables.published_number(row, key) for key in row.published)
