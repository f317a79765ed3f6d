"""The claims of the paper and what our runs say about them: a page of text and a picture."""

import textwrap
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from xlm_core.config.tables import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED
from xlm_core.io import atomic
from xlm_core.report.plots.style import COLORS, FAINT, INK, SETTINGS, save
from xlm_core.report.rendering import MINUS, signed

# Decision -> marker and color.
LOOK = {
    SUPPORTED: ("o", COLORS[0]),
    NOT_SUPPORTED: ("X", COLORS[1]),
    INCONCLUSIVE: ("D", FAINT),
}  # marker and color of a decision
RULE = (
    "A comparison is supported if the difference in favor of a is above its margin with p < 0.05, not supported if it "
    "is not above it with p > 0.95, and otherwise inconclusive. A claim is supported if all of its comparisons are; it "
    "is not supported if one of them is not. p: the share of bootstrap samples, of the test's items and of the seeds, "
    "below the margin. The rule was fixed before the runs."
)
HEADER = ("claim", "a", "b", "difference", "p", "seeds", "decision")
# The picture: widths in inches, and where its columns begin.
WIDTH, LINE, ABOVE, MARGIN = 11.0, 0.2, 0.7, 0.2
STATEMENT_LETTERS, COLUMNS = 46, {"claim": 0.2, "compared": 3.9, "a": 7.3, "b": 8.0, "difference": 8.95, "p": 9.55}


class Claim(NamedTuple):
    """A claim, its comparisons (lines of the tidy table), and what follows from them."""

    number: int
    statement: str
    comparisons: list[pd.Series]
    decision: str


def make(tidy: Path, name: str, text: Path, picture: Path) -> None:
    """Write the page and draw the picture.

    Args:
        tidy: what ``xlm_core.tasks.claims`` found.
        name: of the configuration.
        text, picture: Markdown, and an svg, png or pdf file.
    """
    claims = read(tidy)
    with atomic(text) as partial:
        partial.write_text(_page(claims, name), encoding="utf-8")
    draw(claims, name, picture)


def read(tidy: Path) -> list[Claim]:
    """The claims, in their order."""
    rows = [row for _, row in pd.read_csv(tidy).iterrows()]
    claims = []
    for number, group in groupby(rows, key=lambda row: row["claim"]):
        comparisons = list(group)
        decisions = [row["decision"] for row in comparisons]
        claims.append(Claim(int(number), comparisons[0]["statement"], comparisons, combine_decisions(decisions)))
    return claims


def combine_decisions(decisions: list[str]) -> str:
    """What several comparisons say about a claim that needs all of them.

    >>> combine_decisions(["supported", "inconclusive"]), combine_decisions(["inconclusive", "not supported"])
    ('inconclusive', 'not supported')
    """
    if NOT_SUPPORTED in decisions:
        return NOT_SUPPORTED
    return SUPPORTED if set(decisions) == {SUPPORTED} else INCONCLUSIVE


def _page(claims: list[Claim], name: str) -> str:
    counts = ", ".join(f"{sum(claim.decision == decision for claim in claims)} {decision}" for decision in LOOK)
    lines = [f"**The paper's claims (configuration '{name}'): {counts}**", ""]
    lines += ["| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    for claim in claims:
        lines.append(f"| {claim.number}. {claim.statement} |  |  |  |  |  | **{claim.decision}** |")
        for row in claim.comparisons:
            cells = (_compared(row), *_numbers(row).values(), str(row["n_seeds"]), row["decision"])
            lines.append("| " + " | ".join(cells) + " |")
    lines += ["", RULE]
    if any(row["n_seeds"] == 1 for claim in claims for row in claim.comparisons):
        lines += [
            "",
            "Where there is a single seed, p is about other items alone, and says nothing of other trainings.",
        ]
    return "\n".join(lines) + "\n"


def draw(claims: list[Claim], name: str, picture: Path) -> None:
    """Draw the claims below each other: statement, comparisons, numbers, and the decision as a marker and a word."""
    blocks = [(claim, textwrap.wrap(f"{claim.number}. {claim.statement}", STATEMENT_LETTERS)) for claim in claims]
    n_lines = [max(len(lines), len(claim.comparisons)) + 0.6 for claim, lines in blocks]
    height = ABOVE + LINE * sum(n_lines) + MARGIN
    with mpl.rc_context({**SETTINGS, "axes.grid": False}):
        figure = Figure(figsize=(WIDTH, height))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(height, 0))
        axes.axis("off")
        axes.text(COLUMNS["claim"], 0.22, f"The paper's claims ({name})", weight="bold", size=11)
        titles = {"compared": "a against b", "a": "a", "b": "b", "difference": "difference", "p": "p"}
        for column, title in titles.items():
            axes.text(COLUMNS[column], 0.5, title, color=FAINT, ha="left" if column == "compared" else "right")
        top = ABOVE
        for (claim, lines), n in zip(blocks, n_lines, strict=True):
            axes.plot([MARGIN, WIDTH - MARGIN], [top - 0.02] * 2, color="#e6e6e6", linewidth=0.6)
            for number, line in enumerate(lines):
                axes.text(COLUMNS["claim"], top + LINE * (number + 0.9), line, color=INK)
            for number, row in enumerate(claim.comparisons):
                _draw_numbers(axes, row, top + LINE * (number + 0.9))
            marker, color = LOOK[claim.decision]
            axes.plot(9.85, top + LINE * 0.65, marker, color=color, markersize=7)
            axes.text(10.0, top + LINE * 0.9, claim.decision, color=INK, size=8.5)
            top += LINE * n
        save(figure, picture)


def _draw_numbers(axes: mpl.axes.Axes, row: pd.Series, y: float) -> None:
    """One comparison."""
    axes.text(COLUMNS["compared"], y, _compared(row), size=7.5, color=INK)
    for column, text in _numbers(row).items():
        axes.text(COLUMNS[column], y, text, ha="right", size=8.5)


def _compared(row: pd.Series) -> str:
    margin = f", margin {row['margin']:g}".replace("-", MINUS) if row["margin"] else ""
    return f"{row['table']}: {row['a_system']} against {row['b_system']}{margin}"


def _numbers(row: pd.Series) -> dict[str, str]:
    """What is printed of a comparison: one decimal, three where the numbers are small; true minus signs."""
    n_decimals = 1 if max(abs(row["a"]), abs(row["b"])) >= 2 else 3
    texts = {column: f"{row[column]:.{n_decimals}f}".replace("-", MINUS) for column in ("a", "b")}
    return {**texts, "difference": signed(row["difference"], n_decimals), "p": f"{row['p']:.3f}"}
