"""The claims of the paper and what our runs say about them: a page of text and a picture."""

import textwrap
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from xlm_core.config.claims import FAILS, HOLDS, UNKNOWN
from xlm_core.io import atomic
from xlm_core.report.layout import MINUS, signed
from xlm_core.report.style import COLORS, FAINT, INK, SETTINGS, save

LOOK = {HOLDS: ("o", COLORS[0]), FAILS: ("X", COLORS[1]), UNKNOWN: ("D", FAINT)}  # marker and color of a verdict
RULE = (
    "A comparison holds if the difference in favor of a is above its margin with p < 0.05, does not hold if it is not "
    "above it with p > 0.95, and else one cannot tell. A claim holds if all of its comparisons do; it does not hold if "
    "one of them does not. p: the share of bootstrap samples, of the test's items and of the seeds, below the margin. "
    "The rule was fixed before the runs."
)
HEADER = ("claim", "a", "b", "difference", "p", "seeds", "verdict")
# The picture: widths in inches, and where its columns begin.
WIDTH, LINE, ABOVE, MARGIN = 11.0, 0.2, 0.7, 0.2
STATEMENT_LETTERS, COLUMNS = 46, {"claim": 0.2, "compared": 3.9, "a": 7.3, "b": 8.0, "difference": 8.95, "p": 9.55}


class Claim(NamedTuple):
    """A claim, its comparisons (lines of the tidy table), and what follows from them."""

    number: int
    statement: str
    comparisons: list[pd.Series]
    verdict: str


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
    for number, some in groupby(rows, key=lambda row: row["claim"]):
        comparisons = list(some)
        verdicts = [row["verdict"] for row in comparisons]
        claims.append(Claim(int(number), comparisons[0]["statement"], comparisons, together(verdicts)))
    return claims


def together(verdicts: list[str]) -> str:
    """What several comparisons say about a claim that needs all of them.

    >>> together(["holds", "cannot tell"]), together(["cannot tell", "does not hold"])
    ('cannot tell', 'does not hold')
    """
    if FAILS in verdicts:
        return FAILS
    return HOLDS if set(verdicts) == {HOLDS} else UNKNOWN


def _page(claims: list[Claim], name: str) -> str:
    counts = ", ".join(f"{sum(claim.verdict == verdict for claim in claims)} {verdict}" for verdict in LOOK)
    lines = [f"**The paper's claims (configuration '{name}'): {counts}**", ""]
    lines += ["| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    for claim in claims:
        lines.append(f"| {claim.number}. {claim.claim} |  |  |  |  |  | **{claim.verdict}** |")
        for row in claim.comparisons:
            cells = (_compared(row), *_numbers(row).values(), str(row["n_seeds"]), row["verdict"])
            lines.append("| " + " | ".join(cells) + " |")
    lines += ["", RULE]
    if any(row["n_seeds"] == 1 for claim in claims for row in claim.comparisons):
        lines += [
            "",
            "Where there is a single seed, p is about other items alone, and says nothing of other trainings.",
        ]
    return "\n".join(lines) + "\n"


def draw(claims: list[Claim], name: str, picture: Path) -> None:
    """BatchKey the claims below each other: statement, comparisons, numbers, and the verdict as a marker and a word."""
    blocks = [(claim, textwrap.wrap(f"{claim.number}. {claim.claim}", STATEMENT_LETTERS)) for claim in claims]
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
            marker, color = LOOK[claim.verdict]
            axes.plot(9.85, top + LINE * 0.65, marker, color=color, markersize=7)
            axes.text(10.0, top + LINE * 0.9, claim.verdict, color=INK, size=8.5)
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
