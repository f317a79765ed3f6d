"""The claims of the paper and whether our runs support them: a page of text and a picture."""

import textwrap
from collections.abc import Hashable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xlm_core.config.tables import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED
from xlm_core.io import write_text
from xlm_core.report.plots import COLORS, FAINT, SETTINGS, save
from xlm_core.report.rendering import MINUS, render, signed

# Decision -> marker and color.
LOOK = {SUPPORTED: ("o", COLORS[0]), NOT_SUPPORTED: ("X", COLORS[1]), INCONCLUSIVE: ("D", FAINT)}
# The picture: width and height of a line in inches, letters of a line of a statement, and its columns: where they
# begin or, if their numbers stand to the right, end, and the size of their letters in points.
WIDTH, LINE, STATEMENT_LETTERS = 11.0, 0.2, 46
COLUMNS = {
    "statement": (0.2, "left", 9.0), "label": (3.9, "left", 7.5), "a": (7.3, "right", 8.5), "b": (8.0, "right", 8.5),
    "difference": (8.95, "right", 8.5), "p": (9.55, "right", 8.5),
}  # fmt: skip
DECISION = 9.85


class Claim(NamedTuple):
    """A claim, its comparisons (by column of the page, as printed), and the decision about it."""

    number: int
    statement: str
    comparisons: list[Mapping[Hashable, Any]]
    decision: str


def make(tidy: Path, name: str, text: Path, picture: Path) -> None:
    """Write the page and draw the picture.

    Args:
        tidy: the comparisons of ``xlm_core.tasks.claims``.
        name: of the configuration.
        text, picture: Markdown, and an svg, png or pdf file.
    """
    claims = []
    for _, of_claim in pd.read_csv(tidy).groupby("claim", sort=False):
        rows = of_claim.to_dict("records")
        decision = combine_decisions([row["decision"] for row in rows])
        claims.append(Claim(rows[0]["claim"], rows[0]["statement"], [_printed(row) for row in rows], decision))
    write_text(text, render("claims", claims=claims, name=name, decisions=list(LOOK)))
    plot(claims, name, picture)


def combine_decisions(decisions: Sequence[str]) -> str:
    """Return the decision about a claim that needs all of several comparisons.

    >>> combine_decisions(["supported", "inconclusive"]), combine_decisions(["inconclusive", "not supported"])
    ('inconclusive', 'not supported')
    """
    if NOT_SUPPORTED in decisions:
        return NOT_SUPPORTED
    return SUPPORTED if set(decisions) == {SUPPORTED} else INCONCLUSIVE


def plot(claims: Sequence[Claim], name: str, picture: Path) -> None:
    """Plot the claims below each other: statement, comparisons, numbers, and the decision as a marker and a word."""
    with mpl.rc_context({**SETTINGS, "axes.grid": False}):
        figure = Figure()
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        axes.text(COLUMNS["statement"][0], 1.1, f"The paper's claims ({name})", weight="bold", size=11)
        _plot_line(axes, 2.5, {"label": "a against b", "a": "a", "b": "b", "difference": "difference", "p": "p"}, FAINT)
        y = 3.4
        for claim in claims:
            axes.plot([0.2, WIDTH - 0.2], [y, y], color="#e6e6e6", linewidth=0.6)
            marker, color = LOOK[claim.decision]
            axes.plot(DECISION, y + 0.75, marker, color=color, markersize=7)
            axes.text(DECISION + 0.15, y + 1, claim.decision, size=8.5)
            lines = textwrap.wrap(f"{claim.number}. {claim.statement}", STATEMENT_LETTERS)
            for line, comparison in zip_longest(lines, claim.comparisons):
                y += 1
                _plot_line(axes, y, {**(comparison or {}), "statement": line or ""})
            y += 0.6
        axes.set(xlim=(0, WIDTH), ylim=(y + 0.5, 0))
        figure.set_size_inches(WIDTH, LINE * (y + 0.5))
        save(figure, picture)


def _plot_line(axes: Axes, y: float, texts: Mapping[Hashable, Any], color: str | None = None) -> None:
    for column, (x, side, size) in COLUMNS.items():
        axes.text(x, y, texts.get(column, ""), ha=side, size=size, color=color)


def _printed(row: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
    """Return a comparison as printed: one decimal, three where the numbers are small; true minus signs."""
    n_decimals = 1 if max(abs(row["a"]), abs(row["b"])) >= 2 else 3
    margin = f", margin {row['margin']:g}".replace("-", MINUS) if row["margin"] else ""
    return {
        **row,
        "label": f"{row['table']}: {row['a_system']} against {row['b_system']}{margin}",
        **{side: f"{row[side]:.{n_decimals}f}".replace("-", MINUS) for side in ("a", "b")},
        "difference": signed(row["difference"], n_decimals),
        "p": f"{row['p']:.3f}",
    }
