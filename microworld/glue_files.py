"""The official files of GLUE's tasks: generated examples in the layouts of ``glue_layouts.yaml``."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from microworld.glue_examples import Example, examples
from xlm_core.config import GLUE_FILES, Microworld
from xlm_core.io import atomic, write_zip

LAYOUTS: dict[str, dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("glue_layouts.yaml").read_text(encoding="utf-8")
)
BYTE_ORDER_MARK = "\ufeff"  # begins the tables of MRPC
GENRE = "microworld"
FIRST_ID = 1000  # of the sentences of MRPC and QQP
Streams = Callable[[str], np.random.Generator]  # name of a task -> random stream


def write(world: Microworld, streams: Streams, outputs: Mapping[str, Path]) -> None:
    """Write official files.

    Args:
        world: the sizes.
        streams: gives a task its random stream.
        outputs: name of an official file -> where to write it.

    Raises:
        ConfigError: there are not so many different examples of a task.
    """
    for task, files in GLUE_FILES.items():
        if not outputs.keys() & set(files):
            continue
        splits = _splits(world, streams, task)
        tables = {name: _table(splits[layout["split"]], layout) for name, layout in LAYOUTS[task].items()}
        if set(files) == tables.keys():
            for name in outputs.keys() & set(files):
                _write(outputs[name], tables[name])
        else:
            write_zip(outputs[files[0]], {f"{task}/{name}": table for name, table in tables.items()})


def _write(path: Path, table: str) -> None:
    with atomic(path) as partial:
        partial.write_text(table, encoding="utf-8", newline="\n")


def _splits(world: Microworld, streams: Streams, task: str) -> dict[str, list[Example]]:
    """Return split -> different examples; sentences of MNLI are about people, of its mismatched sets about others."""
    if task == "AX":
        return {"test": examples(streams(task), "MNLI", world.glue_test)}
    ends = np.cumsum([world.glue_valid, world.glue_test, world.glue_train])
    rows = examples(streams(task), task, int(ends[-1]))
    splits = {"dev": rows[: ends[0]], "test": rows[ends[0] : ends[1]], "train": rows[ends[1] :]}
    if task == "MNLI":
        others = examples(streams("MNLI, mismatched"), "MNLI, mismatched", int(ends[1]))
        splits |= {"mismatched_dev": others[: ends[0]], "mismatched_test": others[ends[0] :]}
    return splits | {"dev and train": splits["dev"] + splits["train"]}


def _table(rows: Sequence[Example], layout: Mapping[str, Any]) -> str:
    """Return rows, below their header if the table has one."""
    columns: Mapping[str, str] = layout["columns"]
    lines = [[*columns]] if layout.get("header", True) else []
    for number, row in enumerate(rows):
        values = _values(number, row)
        lines.append([values[value] for value in columns.values()])
    mark = BYTE_ORDER_MARK if "Quality" in columns else ""
    return mark + "".join("\t".join(line) + "\n" for line in lines)


def _values(number: int, row: Example) -> dict[str, str]:
    """Return what the columns of a row can hold."""
    return {
        "number": str(number),
        "first": row.sentences[0],
        "second": row.sentences[-1],
        "label": row.label,
        "mark": "" if row.label == "1" else "*",
        "id1": str(FIRST_ID + 2 * number),
        "id2": str(FIRST_ID + 2 * number + 1),
        "genre": GENRE,
        "none": "none",
        "": "",
    }
