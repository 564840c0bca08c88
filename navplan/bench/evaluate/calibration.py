"""The picture of calibration: what the critics predict for edges of a graph beside what the policy's own drives take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from navplan.bench.evaluate.tables import number
from navplan.bench.style import COLUMN, LOOKS
from navplan.bench.tables import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture


def calibration_picture(rows: Sequence[Record]) -> Picture:
    """Two panels a map, steps and cost: means realised against means predicted, a line for each training seed.

    Args:
        rows: of calibration.csv.
    """
    from matplotlib.figure import Figure as Canvas

    maps = list(dict.fromkeys(row["map"] for row in rows))
    side = 0.78 * COLUMN
    canvas = Canvas(figsize=(1.5 * COLUMN, side * len(maps)), layout="constrained")
    grid = canvas.subplots(len(maps), 2, squeeze=False)
    for name, pair in zip(maps, grid, strict=True):
        for axes, quantity in zip(pair, ("steps", "cost"), strict=True):
            _panel(axes, [row for row in rows if row["map"] == name and row["quantity"] == quantity], quantity)
            if len(maps) > 1:
                axes.set_title(name)
    return canvas


def _panel(axes: Axes, rows: Sequence[Record], quantity: str) -> None:
    colour = LOOKS["navplan"]["color"]
    most = 1.08 * max(max(row["predicted"], row["realised"]) for row in rows)
    axes.plot([0, most], [0, most], color="black", linewidth=0.8, linestyle=(0, (4, 2)))
    seeds = sorted({row["train_seed"] for row in rows})
    for seed in seeds:
        mine = [row for row in rows if row["train_seed"] == seed]
        places = [row["predicted"] for row in mine], [row["realised"] for row in mine]
        axes.plot(*places, color=colour, linewidth=0.8, alpha=0.7, marker="o", markersize=3, markeredgewidth=0)
    first = [next(row for row in rows if row["train_seed"] == seed) for seed in seeds]
    errors = [number(float(np.median([row[name] for row in first]))) for name in ("error", "mae")]
    text = f"calibration error {errors[0]}\nmean absolute error {errors[1]}"
    axes.text(0.04, 0.97, text, transform=axes.transAxes, ha="left", va="top", fontsize=6.5)
    axes.set(xlim=(0, most), ylim=(0, most), aspect="equal", xlabel=f"predicted {quantity}", ylabel=f"realised {quantity}")
