"""GLUE's official files to records: what is odd about each of them, by eye, and what is refused."""

import json
import zipfile
from pathlib import Path

import pytest

from xlm_core.config import GLUE_FILES
from xlm_core.errors import ArchiveError, CorpusError
from xlm_core.text.formats import glue

PAIR = "index\tsentence1\tsentence2"
QQP = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate"
STS = "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2"
MRPC = "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String"


def archive(path: Path, members: dict[str, list[str]]) -> list[Path]:
    with zipfile.ZipFile(path, "w") as file:
        for name, lines in members.items():
            file.writestr(name, "".join(line + "\n" for line in lines))
    return [path]


def run(folder: Path, task: str, part: str, files: list[Path]) -> list[str]:
    glue.extract(task, part, files, folder / "records.tsv", folder / "statistics.json")
    return (folder / "records.tsv").read_text(encoding="utf-8").split("\n")[:-1]


def counts(folder: Path) -> dict:
    return json.loads((folder / "statistics.json").read_text())


def test_cola_has_a_header_in_its_test_set_alone(tmp_path: Path):
    files = archive(
        tmp_path / "CoLA.zip",
        {
            "CoLA/": [],
            "CoLA/dev.tsv": ["gj04\t1\t\tHe sailed.", 'gj04\t0\t*\tSailed "he.'],
            "CoLA/test.tsv": ["index\tsentence", "0\tBill left."],
            "CoLA/original/raw/in_domain_dev.tsv": ["other"],
        },
    )
    assert run(tmp_path, "CoLA", "valid", files) == ["He sailed.\t\t1", 'Sailed "he.\t\t0']
    assert run(tmp_path, "CoLA", "test", files) == ["Bill left.\t\t-"]


def test_single_sentences_lose_the_blank_at_their_end(tmp_path: Path):
    files = archive(tmp_path / "SST-2.zip", {"SST-2/train.tsv": ["sentence\tlabel", "it 's fine . \t1"]})
    assert run(tmp_path, "SST-2", "train", files) == ["it 's fine .\t\t1"]


def mrpc(folder: Path, ids: str = "3\t4\n") -> list[Path]:
    paths = [folder / name for name in GLUE_FILES["MRPC"]]
    rows = ['1\t1\t2\tHe said " yes .\tHe agreed .', "0\t3\t4\tA b .\tC d .", "1\t5\t6\tE .\tF ."]
    paths[0].write_text("\n".join([MRPC, *rows]) + "\n", encoding="utf-8")
    paths[1].write_text("\r\n".join([MRPC, "1\t7\t8\tG .\tH ."]) + "\r\n", encoding="utf-8")
    paths[2].write_text(ids)
    return paths


def test_mrpc_begins_with_a_byte_order_mark_and_its_ids_say_what_validates(tmp_path: Path):
    files = mrpc(tmp_path)
    assert run(tmp_path, "MRPC", "train", files) == ['He said " yes .\tHe agreed .\t1', "E .\tF .\t1"]
    assert run(tmp_path, "MRPC", "valid", files) == ["A b .\tC d .\t0"]
    assert run(tmp_path, "MRPC", "test", files) == ["G .\tH .\t-"]


def test_an_id_without_its_pair_is_an_error(tmp_path: Path):
    with pytest.raises(CorpusError, match=r"1 of the 2 pairs listed in .*mrpc_dev_ids\.tsv; expected all"):
        run(tmp_path, "MRPC", "train", mrpc(tmp_path, "3\t4\n4\t3\n"))


def test_broken_lines_of_qqp_are_dropped_and_counted(tmp_path: Path):
    rows = [QQP, "1\t2\t3\tWho?\tWho then?\t1", "2\t4\t5\tWhat", "is it?\tWhat is?\t0", "3\t6\t7\tA?\tB?\t0"]
    files = archive(tmp_path / "QQP-clean.zip", {"QQP/train.tsv": rows})
    assert run(tmp_path, "QQP", "train", files) == ["Who?\tWho then?\t1", "A?\tB?\t0"]
    assert counts(tmp_path) == {"read": 4, "kept": 2, "dropped": {"too few columns": 2}}


def test_scores_stay_as_they_are(tmp_path: Path):
    files = archive(
        tmp_path / "STS-B.zip", {"STS-B/train.tsv": [STS + "\tscore", "0\tm\tf\t2012\t1\tn\tn\tA.\tB.\t3.800"]}
    )
    assert run(tmp_path, "STS-B", "train", files) == ["A.\tB.\t3.800"]


def test_mnli_has_two_halves_and_inference_has_diagnostics(tmp_path: Path):
    header = "index\tpromptID\tsentence1\tsentence2\tlabel1"
    files = archive(
        tmp_path / "MNLI.zip",
        {
            "MNLI/dev_matched.tsv": [header + "\tgold_label", "0\t1\tA\tB\tneutral\tentailment"],
            "MNLI/dev_mismatched.tsv": [header + "\tgold_label", "0\t1\tC\tD\tneutral\tneutral"],
            "MNLI/test_mismatched.tsv": ["index\tsentence1\tsentence2", "0\tE\tF"],
        },
    )
    extracted = [
        run(tmp_path, "MNLI", part, files) for part in ("valid_matched", "valid_mismatched", "test_mismatched")
    ]
    assert extracted == [["A\tB\tentailment"], ["C\tD\tneutral"], ["E\tF\t-"]]
    (tmp_path / "AX.tsv").write_text(f"{PAIR}\n0\tThe cat.\tA cat.\n")
    assert run(tmp_path, "AX", "test", [tmp_path / "AX.tsv"]) == ["The cat.\tA cat.\t-"]


@pytest.mark.parametrize(
    ("task", "part", "lines", "message"),
    [
        (
            "RTE",
            "train",
            [PAIR + "\tlabel", "0\ta\tb\tmaybe"],
            r"train\.tsv, line 2: label 'maybe', expected one of",
        ),
        ("RTE", "train", [PAIR + "\tlabel", "0\ta\tentailment"], r"line 2: 3 fields, expected 4 as in the header"),
        ("RTE", "train", [PAIR + "\tgold", "0\ta\tb\tentailment"], r"line 1: no column label; found index"),
        ("RTE", "train", [PAIR + "\tlabel"], r"RTE/train\.tsv: no example"),
        ("RTE", "valid", [PAIR + "\tlabel"], r"0 members RTE/dev\.tsv, expected 1"),
        ("RTE", "test", [PAIR, "0\ta\tb", "2\tc\td"], r"line 3: index '2', expected 1, the leaderboard counts"),
        ("CoLA", "train", ["gj04\t1\tHe sailed."], r"CoLA/train\.tsv, line 1: 3 fields, expected 4"),
        ("QQP", "train", [QQP, "1\t2\t3\ta\tb\t1\tmore"], r"line 2: 7 fields, expected 6"),
        ("QQP", "test", ["id\tquestion1\tquestion2", "0\ta"], r"line 2: 2 fields, expected 3"),
        ("STS-B", "train", [STS + "\tscore", "0\tm\tf\ty\t1\tn\tn\ta\tb\t5.2"], r"score '5.2', expected a number from"),
        ("STS-B", "train", [STS + "\tscore", "0\tm\tf\ty\t1\tn\tn\ta\tb\tnan"], r"score 'nan', expected a number from"),
    ],
)
def test_bad_tables_are_named_by_place_and_leave_nothing(tmp_path: Path, task, part, lines, message):
    name = "test.tsv" if part == "test" else "train.tsv"
    with pytest.raises((ArchiveError, CorpusError), match=message):
        run(tmp_path, task, part, archive(tmp_path / "x.zip", {f"{task}/{name}": lines}))
    assert not (tmp_path / "records.tsv").exists()


REDUCED = {
    "CoLA": (8551, 1043, 1063),
    "SST-2": (67349, 872, 1821),
    "MRPC": (3667, 408, 1725),
    "STS-B": (5749, 1500, 1379),
    "QNLI": (4370, 1093, 5463),
    "RTE": (2490, 277, 3000),
    "WNLI": (635, 71, 146),
}  # what a mirror of short files holds, to train, validate and test on


@pytest.mark.parametrize("task", REDUCED)
def test_official_files_are_read_to_their_last_line(mirror: Path, tmp_path: Path, task: str):
    host = mirror / "dl.fbaipublicfiles.com"
    folders = (host / "glue" / "data", host / "senteval" / "senteval_data")
    files = [next(f / name for f in folders if (f / name).exists()) for name in GLUE_FILES[task]]
    assert tuple(len(run(tmp_path, task, part, files)) for part in ("train", "valid", "test")) == REDUCED[task]


def test_every_task_has_a_form_and_its_files():
    assert list(glue.GLUE_TASKS) == list(GLUE_FILES)
