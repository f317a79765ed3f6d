"""GLUE: nine tasks of English out of their official files, and the sentences that diagnose models of inference.

What is official is kept: the sets to train on, those to validate on ("dev"), and those to test on, whose labels nobody
gives. The files quote nothing, and differ in all else. CoLA has no header, but for its test set. MRPC is the corpus of
its authors, with a byte order mark, and a list of the training pairs that are to validate on. STS-B has scores instead
of classes. Some lines of QQP were broken in two when it was made; such a pair is dropped, and counted.

A record is the first sentence, the second one (empty for tasks of single sentences), and the label as the official
files spell it; "-" in test sets. The order of the rows is kept: the leaderboard goes by it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from xlm_core import tsv
from xlm_core.errors import CorpusError
from xlm_core.text import tsv_reader
from xlm_core.text.lines import clean_field
from xlm_core.text.tsv_reader import Table

NO_LABEL = "-"
INDEX = "index"
ACCURACY = "accuracy"
BROKEN = "too few columns"
SCORES = (0.0, 5.0)  # the least and the highest one of STS-B
NUMBER = r"\d+(\.\d+)?"
MEMBERS = {
    "train": "train.tsv",
    "valid": "dev.tsv",
    "valid_matched": "dev_matched.tsv",
    "valid_mismatched": "dev_mismatched.tsv",
    "test": "test.tsv",
    "test_matched": "test_matched.tsv",
    "test_mismatched": "test_mismatched.tsv",
}  # part -> its file in the archive of a task
COLA_HEADER = ("source", "label", "mark", "sentence")  # our names
MRPC_IDS = ("#1 ID", "#2 ID")


class Form(NamedTuple):
    """What the tables of a task are like.

    sentences  the columns of its sentences, one or two
    label      the column of its labels
    classes    its labels in the order of their ids; None where they are scores
    index      the column that counts the rows of the test set
    metrics    those of the leaderboard, in its order
    """

    sentences: tuple[str, ...]
    label: str = "label"
    classes: tuple[str, ...] | None = ("0", "1")
    index: str = INDEX
    metrics: tuple[str, ...] = (ACCURACY,)

    @property
    def is_single(self) -> bool:
        """Whether the task is about single sentences."""
        return len(self.sentences) == 1


PAIR = ("sentence1", "sentence2")
TWO_WAY = ("entailment", "not_entailment")
THREE_WAY = ("contradiction", "entailment", "neutral")
FORMS = {
    "CoLA": Form(("sentence",), metrics=("Matthews",)),
    "SST-2": Form(("sentence",)),
    "MRPC": Form(("#1 String", "#2 String"), "Quality", metrics=("F1", ACCURACY)),
    "STS-B": Form(PAIR, "score", None, metrics=("Pearson", "Spearman")),
    "QQP": Form(("question1", "question2"), "is_duplicate", index="id", metrics=("F1", ACCURACY)),
    "MNLI": Form(PAIR, "gold_label", THREE_WAY),
    "QNLI": Form(("question", "sentence"), classes=TWO_WAY),
    "RTE": Form(PAIR, classes=TWO_WAY),
    "WNLI": Form(PAIR),
    "AX": Form(PAIR, classes=THREE_WAY, metrics=()),
}


def extract(task: str, part: str, files: list[Path], output: Path, statistics: Path) -> None:
    """Write the records of one part of a task.

    Args:
        task: one of ``FORMS``.
        part: one of ``MEMBERS``.
        files: what is official of it: its archive; of MRPC the training set, the test set, and the ids of the
            validation pairs; of AX its table.
        output: the records.
        statistics: JSON: how many were read, kept, and dropped as having "too few columns", which only QQP's may.

    Raises:
        ArchiveError: an archive is broken.
        CorpusError: with its place, at a missing column, an unknown label, a row of another width, or a test set whose
            rows are not in order.
    """
    counts = tsv.Counts()
    tsv.write(_records(task, part, files, counts), [output])
    counts.write(statistics)


def _records(task: str, part: str, files: list[Path], counts: tsv.Counts) -> Iterator[list[str]]:
    """The records of one part of a task."""
    if task == "MRPC":
        yield from _paraphrases(part, files, counts)
        return
    is_test = part.startswith("test")
    form = FORMS[task]
    columns = (*form.sentences, form.index if is_test else form.label)
    header = COLA_HEADER if task == "CoLA" and not is_test else None
    with _table(task, part, files) as table:
        for place, values in tsv_reader.rows(table, columns, header, broken=task == "QQP" and not is_test):
            if values is None:
                counts.read += 1
                counts.drop(BROKEN)
                continue
            *sentences, last = values
            if is_test and last != str(counts.read):
                raise CorpusError(
                    f"{place}: {form.index} {last!r}, expected {counts.read}, the leaderboard counts the rows; "
                    "fetch the file again"
                )
            counts.read += 1
            yield _record(sentences, NO_LABEL if is_test else _label(last, form, place))
    if not counts.read:
        raise CorpusError(f"{table.place}: no example; fetch the file again")


@contextmanager
def _table(task: str, part: str, files: list[Path]) -> Iterator[Table]:
    """The table of one part of a task; older copies of it lie in further folders of some archives."""
    (path,) = files
    with tsv_reader.file(path) if task == "AX" else tsv_reader.member(path, f"{task}/{MEMBERS[part]}") as table:
        yield table


def _paraphrases(part: str, files: list[Path], counts: tsv.Counts) -> Iterator[list[str]]:
    """MRPC: a pair of its training set is to train on or, if its ids are listed, to validate on."""
    train, test, ids = files
    form = FORMS["MRPC"]
    wanted = set() if part == "test" else _listed(ids)
    found = 0
    with tsv_reader.file(test if part == "test" else train) as table:
        for place, values in tsv_reader.rows(table, (*form.sentences, *MRPC_IDS, form.label)):
            assert values is not None, "no row of this table is broken"
            first, second, *both, label = values
            is_listed = tuple(both) in wanted
            found += is_listed
            if part == "test" or is_listed == (part == "valid"):
                counts.read += 1
                yield _record([first, second], NO_LABEL if part == "test" else _label(label, form, place))
    if found != len(wanted):
        raise CorpusError(
            f"{train}: {found} of the {len(wanted)} pairs that are listed in {ids}; expected all, fetch both again"
        )


def _listed(path: Path) -> set[tuple[str, ...]]:
    """The pairs of ids in a list."""
    with tsv_reader.file(path) as table:
        return {tuple(values) for _, values in tsv_reader.rows(table, MRPC_IDS, header=MRPC_IDS) if values is not None}


def _record(sentences: list[str], label: str) -> list[str]:
    """A record of one or two sentences."""
    first, second = (*map(clean_field, sentences), "")[:2]
    return [first, second, label]


def _label(word: str, form: Form, place: str) -> str:
    """A label, if it is one of the task."""
    if form.classes is not None:
        if word not in form.classes:
            raise CorpusError(
                f"{place}: label {word!r}, expected one of {', '.join(form.classes)}; fetch the file again"
            )
        return word
    if not re.fullmatch(NUMBER, word) or not SCORES[0] <= float(word) <= SCORES[1]:
        raise CorpusError(f"{place}: score {word!r}, expected a number from 0 to 5; fetch the file again")
    return word
