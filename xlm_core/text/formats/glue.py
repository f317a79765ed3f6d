"""Extract the nine GLUE tasks, and its diagnostic set (AX), from their official files; write the leaderboard's files.

The official training, validation ("dev") and test sets are kept; the labels of the test sets are not public. The files
quote nothing and differ in all else. CoLA has a header only in its test set. MRPC is the corpus of its authors, with a
byte order mark, and a list of the training pairs that are held out for validation. STS-B has scores instead of classes.
Some lines of QQP were broken in two when it was made; such a pair is dropped and counted.

A record is the first sentence, the second sentence (empty for single-sentence tasks), and the label as the official
files spell it; "-" in test sets. The order of the rows is kept because the leaderboard depends on it.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from xlm_core import tsv
from xlm_core.errors import CorpusError
from xlm_core.io import remedy, write_zip
from xlm_core.text.formats.archive import member_with_suffix, open_lines
from xlm_core.tsv import FilterStats, clean_field

NO_LABEL = "-"
SCORED_TASK, MAX_SCORE = "STS-B", 5.0  # the task whose labels are scores, from 0 to this one
COLA_HEADER = ("source", "label", "mark", "sentence")  # the files have no names for these columns
MRPC_IDS = ("#1 ID", "#2 ID")


class GlueTask(NamedTuple):
    """The columns of a task's tables, and its labels.

    sentences   the columns of its sentences, one or two
    label       the column of its labels
    classes     its labels in the order of their ids; None if they are scores
    row_number  the column that counts the rows of the test set
    """

    sentences: tuple[str, ...]
    label: str = "label"
    classes: tuple[str, ...] | None = ("0", "1")
    row_number: str = "index"


PAIR = ("sentence1", "sentence2")
TWO_WAY = ("entailment", "not_entailment")
THREE_WAY = ("contradiction", "entailment", "neutral")
GLUE_TASKS = {
    "CoLA": GlueTask(("sentence",)),
    "SST-2": GlueTask(("sentence",)),
    "MRPC": GlueTask(("#1 String", "#2 String"), "Quality"),
    SCORED_TASK: GlueTask(PAIR, "score", None),
    "QQP": GlueTask(("question1", "question2"), "is_duplicate", row_number="id"),
    "MNLI": GlueTask(PAIR, "gold_label", THREE_WAY),
    "QNLI": GlueTask(("question", "sentence"), classes=TWO_WAY),
    "RTE": GlueTask(PAIR, classes=TWO_WAY),
    "WNLI": GlueTask(PAIR),
    "AX": GlueTask(PAIR, classes=THREE_WAY),
}


def extract(task: str, part: str, files: Sequence[Path], output: Path, statistics: Path) -> None:
    """Write the records of one part of a task.

    Args:
        task: one of ``GLUE_TASKS``.
        part: "train", "valid" or "test"; of MNLI also "valid_matched", "test_mismatched" and their like.
        files: the official files: an archive; of MRPC the training set, the test set, and the ids of the validation
            pairs; of AX its table.
        output: the records.
        statistics: JSON of records read, kept, and dropped as having "too few columns" (QQP only).

    Raises:
        ArchiveError: an archive is broken.
        CorpusError: a column is missing, a label is unknown, a row has another number of fields, or the rows of a test
            set are not in order.
    """
    stats = FilterStats()
    records = _mrpc_records(part, files, stats) if task == "MRPC" else _records(task, part, files, stats)
    tsv.write(records, [output])
    stats.write(statistics)


def _records(name: str, part: str, files: Sequence[Path], stats: FilterStats) -> Iterator[list[str]]:
    """Yield the records of one part of a task; older copies of it lie in further folders of some archives."""
    (path,) = files
    task, is_test = GLUE_TASKS[name], part.startswith("test")
    columns = (*task.sentences, task.row_number if is_test else task.label)
    header = COLA_HEADER if name == "CoLA" and not is_test else None
    short_rows = stats if name == "QQP" and not is_test else None
    member = None if name == "AX" else member_with_suffix(path, f"{name}/{part.replace('valid', 'dev')}.tsv")
    with open_lines(path, member) as (table, lines):
        for location, (*sentences, last) in tsv.read_table(table, lines, columns, header, short_rows):
            if is_test and last != str(stats.kept):
                raise CorpusError(
                    f"{location}: {task.row_number} {last!r}, expected {stats.kept}, the leaderboard counts the rows; "
                    f"{remedy(table)}"
                )
            stats.kept += 1
            yield _record(sentences, NO_LABEL if is_test else _checked_label(last, task, location))
    if not stats.read:
        raise CorpusError(f"{table}: no example; {remedy(table)}")


def _mrpc_records(part: str, files: Sequence[Path], stats: FilterStats) -> Iterator[list[str]]:
    """Yield the records of MRPC: pairs of its training file whose ids are listed are the validation set."""
    train, test, ids = files
    task, is_test = GLUE_TASKS["MRPC"], part == "test"
    with open_lines(ids) as (table, lines):
        listed = {tuple(values) for _, values in tsv.read_table(table, lines, MRPC_IDS, MRPC_IDS)}
    columns = (*task.sentences, *MRPC_IDS, task.label)
    n_listed = 0
    with open_lines(test if is_test else train) as (table, lines):
        for location, (first, second, *pair_ids, label) in tsv.read_table(table, lines, columns):
            is_listed = tuple(pair_ids) in listed
            n_listed += is_listed
            if is_test or is_listed == (part == "valid"):
                stats.kept += 1
                yield _record([first, second], NO_LABEL if is_test else _checked_label(label, task, location))
    if not is_test and n_listed != len(listed):
        raise CorpusError(
            f"{train}: {n_listed} of the {len(listed)} pairs listed in {ids}; expected all. {remedy(train)}"
        )


def _record(sentences: Sequence[str], label: str) -> list[str]:
    first, second = (*map(clean_field, sentences), "")[:2]
    return [first, second, label]


def _checked_label(label: str, task: GlueTask, location: str) -> str:
    """Return ``label`` if it is one of the task's."""
    if task.classes is None:
        if not re.fullmatch(r"\d+(\.\d+)?", label) or float(label) > MAX_SCORE:
            raise CorpusError(f"{location}: score {label!r}, expected a number from 0 to 5; {remedy(location)}")
    elif label not in task.classes:
        raise CorpusError(f"{location}: label {label!r}, expected one of {', '.join(task.classes)}; {remedy(location)}")
    return label


def write_submission(predictions: Sequence[Path], output: Path) -> None:
    """Write the predictions of test sets as the leaderboard takes them.

    Args:
        predictions: of each task the table that its scoring has kept (``xlm_core.tasks.classification.evaluate``).
        output: a zip of one table ``<set>.tsv`` for each set, with columns ``index`` and ``prediction``.

    Raises:
        CorpusError: the predictions of a set stand in two tables, or not in order.
    """
    tables: dict[str, list[str]] = {}
    for path in predictions:
        earlier = set(tables)
        with open_lines(path) as (table, lines):
            for location, row in tsv.read_table(table, lines, ("set", "split", "index", "prediction")):
                name, split, index, prediction = row
                if split != "test":
                    continue
                if name in earlier:
                    raise CorpusError(f"{path}: a second table with predictions of {name}; expected one of each task")
                rows = tables.setdefault(name, [])
                if index != str(len(rows)):
                    raise CorpusError(f"{location}: index {index}, expected {len(rows)}; remove the file and rerun")
                if name == SCORED_TASK:
                    prediction = f"{min(max(float(prediction), 0.0), MAX_SCORE):.3f}"
                rows.append(f"{index}\t{prediction}\n")
    write_zip(output, {f"{name}.tsv": "".join(["index\tprediction\n", *rows]) for name, rows in tables.items()})
