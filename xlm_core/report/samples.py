"""Samples: sentences of a test set, their translations by people and by several systems, side by side."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from xlm_core.errors import CorpusError
from xlm_core.io import atomic

N_SAMPLES = 20

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Samples of translation</title>
<style>
body {{ font: 14px/1.4 system-ui, "Helvetica Neue", Arial, sans-serif; margin: 24px;
  color: #1a1a1a; background: #fff; max-width: 960px; }}
h2 {{ font-size: 16px; margin: 28px 0 8px; }}
table {{ border-collapse: collapse; width: 100%; border-top: 2px solid #1a1a1a; border-bottom: 2px solid #1a1a1a; }}
th, td {{ text-align: left; vertical-align: top; padding: 3px 9px; font-weight: 400; }}
th {{ color: #555; white-space: nowrap; width: 1%; }}
tbody {{ border-top: 1px solid #bbb; }}
.given td {{ font-weight: 600; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


class Texts(NamedTuple):
    """Files of lines: the sentences of a direction, their translations by people, and by systems by their labels."""

    sources: Path
    references: Path
    hypotheses: Mapping[str, Path]


def make(directions: Mapping[str, Texts], output: Path) -> None:
    """Write a page of the first sentences of each direction.

    Raises:
        CorpusError: files of a direction have unequal numbers of lines.
    """
    with atomic(output) as partial:
        body = "\n".join(_section(name, texts) for name, texts in directions.items())
        partial.write_text(PAGE.format(body=body), encoding="utf-8")


def _section(name: str, texts: Texts) -> str:
    """The table of one direction."""
    columns = {"source": texts.sources, "reference": texts.references, **texts.hypotheses}
    lines = {label: _lines(path) for label, path in columns.items()}
    if len({len(some) for some in lines.values()}) != 1:
        found = ", ".join(f"{len(lines[label])} in {path}" for label, path in columns.items())
        raise CorpusError(f"unequal numbers of lines: {found}; score the translations again")
    samples = zip(*(some[:N_SAMPLES] for some in lines.values()), strict=True)
    return f"<h2>{escape(name)}</h2>\n<table>\n{''.join(_sample(list(lines), one) for one in samples)}</table>"


def _sample(labels: Sequence[str], texts: Sequence[str]) -> str:
    """One sentence and all its translations."""
    rows = (
        f"<tr{' class=given' if label == 'source' else ''}><th>{escape(label)}</th><td>{escape(text)}</td></tr>\n"
        for label, text in zip(labels, texts, strict=True)
    )
    return f"<tbody>\n{''.join(rows)}</tbody>\n"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
