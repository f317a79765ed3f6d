"""GLUE: examples of its nine tasks in the files that are official of each, and sentences that diagnose."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from microworld.understanding import Example, examples
from xlm_core.config import GLUE_FILES, Microworld
from xlm_core.io import atomic, write_zip

MNLI_COLUMNS = (
    "index", "promptID", "pairID", "genre", "sentence1_binary_parse", "sentence2_binary_parse", "sentence1_parse",
    "sentence2_parse", "sentence1", "sentence2",
)  # fmt: skip
STS_COLUMNS = (
    "index", "genre", "filename", "year", "old_index", "source1", "source2", "sentence1", "sentence2",
)  # fmt: skip
MRPC_COLUMNS = ("Quality", "#1 ID", "#2 ID", "#1 String", "#2 String")
BYTE_ORDER_MARK = "\ufeff"
GENRE = "microworld"
FIRST_ID = 1000  # of the sentences of MRPC and QQP
SPLITS = {"train": "train.tsv", "dev": "dev.tsv", "test": "test.tsv"}
Rows = Sequence[Example]
Columns = Mapping[str, Callable[[int, Example], str]]


def write(world: Microworld, stream: Callable[[str], np.random.Generator], outputs: Mapping[str, Path]) -> None:
    """Write official files.

    Args:
        world: the sizes.
        stream: gives a task the random stream of its name.
        outputs: name of an official file -> where to write it.

    Raises:
        ConfigError: there are not so many different examples of a task.
    """
    for task, files in GLUE_FILES.items():
        wanted = {file: outputs[file] for file in files if file in outputs}
        if not wanted:
            continue
        if task == "MRPC":
            for file, text in _mrpc(_splits(world, stream(task), task)).items():
                _write(wanted.get(file), text)
        elif task == "AX":
            _write(outputs[files[0]], _table(examples(stream(task), "MNLI", world.glue_test), _pair("test")))
        else:
            tables = _mnli(world, stream) if task == "MNLI" else _tables(task, _splits(world, stream(task), task))
            write_zip(outputs[files[0]], {f"{task}/{name}": text for name, text in tables.items()})


def _write(path: Path | None, text: str) -> None:
    """A table that is a file by itself, if it is wanted."""
    if path is not None:
        with atomic(path) as partial:
            partial.write_text(text, encoding="utf-8", newline="\n")


def _splits(world: Microworld, rng: np.random.Generator, task: str) -> dict[str, Rows]:
    """Different examples to validate, to test and to train on."""
    ends = np.cumsum([world.glue_valid, world.glue_test, world.glue_train])
    found = examples(rng, task, int(ends[-1]))
    return {"train": found[ends[1] :], "dev": found[: ends[0]], "test": found[ends[0] : ends[1]]}


def _tables(task: str, splits: Mapping[str, Rows]) -> dict[str, str]:
    """The tables of a task that has one of each split."""
    columns = {"CoLA": _cola, "SST-2": _sst, "STS-B": _sts, "QQP": _qqp, "QNLI": _qnli}.get(task, _pair)
    return {
        name: _table(splits[split], columns(split), has_header=task != "CoLA" or split == "test")
        for split, name in SPLITS.items()
    }


def _table(rows: Rows, columns: Columns, has_header: bool = True) -> str:
    """Rows below their header."""
    lines = [[value(number, row) for value in columns.values()] for number, row in enumerate(rows)]
    return "".join("\t".join(line) + "\n" for line in ([[*columns]] if has_header else []) + lines)


def _number(number: int, row: Example) -> str:
    return str(number)


def _label(number: int, row: Example) -> str:
    return row.label


def _first(number: int, row: Example) -> str:
    return row.sentences[0]


def _second(number: int, row: Example) -> str:
    return row.sentences[1]


def _nothing(number: int, row: Example) -> str:
    return ""


def _cola(split: str) -> Columns:
    if split == "test":
        return {"index": _number, "sentence": _first}
    mark = {"mark": lambda number, row: "" if row.label == "1" else "*"}
    return {"source": lambda number, row: GENRE, "label": _label, **mark, "sentence": _first}


def _sst(split: str) -> Columns:
    return {"index": _number, "sentence": _first} if split == "test" else {"sentence": _first, "label": _label}


def _sts(split: str) -> Columns:
    filled = {"index": _number, "genre": lambda number, row: GENRE, "sentence1": _first, "sentence2": _second}
    score = {} if split == "test" else {"score": _label}
    return {name: filled.get(name, lambda number, row: "none") for name in STS_COLUMNS} | score


def _qqp(split: str) -> Columns:
    sentences = {"question1": _first, "question2": _second}
    if split == "test":
        return {"id": _number, **sentences}
    ids = {
        "qid1": lambda number, row: str(FIRST_ID + 2 * number),
        "qid2": lambda number, row: str(FIRST_ID + 2 * number + 1),
    }
    return {"id": _number, **ids, **sentences, "is_duplicate": _label}


def _qnli(split: str) -> Columns:
    return {"index": _number, "question": _first, "sentence": _second} | _labels(split)


def _pair(split: str) -> Columns:
    return {"index": _number, "sentence1": _first, "sentence2": _second} | _labels(split)


def _labels(split: str) -> Columns:
    return {} if split == "test" else {"label": _label}


def _mnli(world: Microworld, stream: Callable[[str], np.random.Generator]) -> dict[str, str]:
    """Sentences about people to train on; what is like them is matched, what is about others mismatched."""
    matched = _splits(world, stream("MNLI"), "MNLI")
    mismatched = examples(stream("MNLI, mismatched"), "MNLI, mismatched", world.glue_valid + world.glue_test)
    filled = {
        "index": _number,
        "promptID": _number,
        "pairID": _number,
        "genre": lambda number, row: GENRE,
        "sentence1": _first,
        "sentence2": _second,
    }
    columns = {name: filled.get(name, _nothing) for name in MNLI_COLUMNS}
    judges = {f"label{number}": _label for number in range(1, 6)}
    dev = columns | judges | {"gold_label": _label}
    return {
        "train.tsv": _table(matched["train"], columns | {"label1": _label, "gold_label": _label}),
        "dev_matched.tsv": _table(matched["dev"], dev),
        "dev_mismatched.tsv": _table(mismatched[: world.glue_valid], dev),
        "test_matched.tsv": _table(matched["test"], columns),
        "test_mismatched.tsv": _table(mismatched[world.glue_valid :], columns),
    }


def _mrpc(splits: Mapping[str, Rows]) -> dict[str, str]:
    """The corpus of MRPC's authors, and which pairs of its training set are to validate on."""
    ids = (
        lambda number, row: str(FIRST_ID + 2 * number),
        lambda number, row: str(FIRST_ID + 2 * number + 1),
    )
    columns = dict(zip(MRPC_COLUMNS, (_label, *ids, _first, _second), strict=True))
    n_valid = len(splits["dev"])
    listed = "".join(f"{FIRST_ID + 2 * number}\t{FIRST_ID + 2 * number + 1}\n" for number in range(n_valid))
    texts = (
        BYTE_ORDER_MARK + _table([*splits["dev"], *splits["train"]], columns),
        BYTE_ORDER_MARK + _table(splits["test"], columns),
        listed,
    )
    return dict(zip(GLUE_FILES["MRPC"], texts, strict=True))
