"""The claims and whether our runs support them: a page of text and a picture."""

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from xlm_core.config.tables import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED
from xlm_core.io import write_text
from xlm_core.report.plots import COLORS, FAINT, INK, SETTINGS, save
from xlm_core.report.rendering import MINUS, render, signed

OURS = " (a claim of ours, not the paper's)"
LOOK = {SUPPORTED: COLORS[0], NOT_SUPPORTED: COLORS[1], INCONCLUSIVE: FAINT}  # decision -> color
HEADER = ["claim", "a", "b", "difference", "95 % interval over seeds", "over items", "p", "seeds", "decision"]
WIDTH, LINE = 13.0, 0.23  # of the picture, in inches


def make(tidy: Path, name: str, text: Path, picture: Path) -> None:
    """Write the page and draw the picture: of each claim its statement, p and decision, and below it the comparisons.

    Args:
        tidy: the comparisons of ``xlm_core.tasks.claims``.
        name: of the configuration.
        text, picture: Markdown, and an svg, png or pdf file.
    """
    rows = []
    for number, of_claim in pd.read_csv(tidy).groupby("claim", sort=False):
        comparisons = of_claim.to_dict("records")
        claim = comparisons[0]
        statement = f"{number}. {claim['statement']}{OURS if claim['is_ours'] else ''}"
        rows.append([statement, "", "", "", "", "", f"{claim['claim_p']:.3f}", "", claim["decision"]])
        rows += map(_comparison, comparisons)
    counts = Counter(row[-1] for row in rows if row[-1])
    summary = ", ".join(f"{counts[decision]} {decision}" for decision in LOOK)
    write_text(text, render("claims", name=name, summary=summary, rows=[HEADER, *rows], n_claims=counts.total()))
    plot(rows, f"Claims ({name}): {summary}", picture)


def plot(rows: Sequence[Sequence[str]], title: str, picture: Path) -> None:
    """Plot the rows of the page as a table, with the decisions in their colors."""
    with mpl.rc_context(SETTINGS):
        figure = Figure((WIDTH, LINE * (len(rows) + 3)), layout="constrained")
        axes = figure.subplots()
        axes.set_title(title)
        axes.axis("off")
        table = axes.table(rows, colLabels=HEADER, edges="horizontal", loc="upper left")
        table.auto_set_font_size(False)
        table.auto_set_column_width(range(len(HEADER)))
        for (_, column), cell in table.get_celld().items():
            cell.PAD = 0.01 if column == 0 else cell.PAD
            cell.set_edgecolor("#e6e6e6")
            cell.set_text_props(ha="left" if column == 0 else "right", size=8)
            cell.get_text().set_color(LOOK.get(cell.get_text().get_text(), INK))
        save(figure, picture)


def _comparison(row: Mapping[Hashable, Any]) -> list[str]:
    """Return a comparison as printed: one decimal, three where the numbers are small; true minus signs."""
    n_decimals = 1 if max(abs(row["a"]), abs(row["b"])) >= 2 else 3
    margin = f", margin {row['margin']:g}".replace("-", MINUS) if row["margin"] else ""
    return [
        f"— {row['table']}: {row['a_system']} against {row['b_system']}{margin}",
        *(f"{row[side]:.{n_decimals}f}".replace("-", MINUS) for side in ("a", "b")),
        signed(row["difference"], n_decimals),
        *(
            "—" if math.isnan(row[low]) else f"[{signed(row[low], n_decimals)}, {signed(row[high], n_decimals)}]"
            for low, high in (("low", "high"), ("item_low", "item_high"))
        ),
        f"{row['p']:.3f}",
        str(row["n_a"]) if row["n_a"] == row["n_b"] else f"{row['n_a']}, {row['n_b']}",
        "",
    ]
