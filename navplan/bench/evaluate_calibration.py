"""What critics predict beside what happens: runs of one agent that drives straight to its goal, the constrained policy's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from navplan.bench.evaluate_plots import COLUMN, LOOKS
from navplan.bench.evaluate_tables import Evidence, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

METHOD = "constrained-policy"
# Fewer runs make no picture.
_LEAST = 20
_BINS = 10
F64 = NDArray[np.float64]


def pairs(evidence: Evidence, what: str) -> tuple[F64, F64]:
    """(N,) predictions and (N,) outcomes of "steps" or "cost", over runs of one agent that arrive."""
    rows = [
        row
        for row in evidence.rows
        if row["method"] == METHOD and row["agents"] == 1 and row["reached"] and row["predicted_steps_mean"] is not None
    ]
    predicted = np.array([row[f"predicted_{what}_mean"] for row in rows], dtype=np.float64)
    return predicted, np.array([row[f"{what}_mean"] for row in rows], dtype=np.float64)


def known(evidence: Evidence) -> bool:
    """There are enough runs."""
    return len(pairs(evidence, "steps")[0]) >= _LEAST


def binned(predicted: F64, realised: F64) -> tuple[F64, F64]:
    """Means of predictions and outcomes over groups of about equal size, by growing prediction.

    Returns:
        two (B,) arrays, B at most ten.
    """
    order = np.argsort(predicted, kind="stable")
    parts = [part for part in np.array_split(order, _BINS) if len(part)]
    return np.array([predicted[part].mean() for part in parts]), np.array([realised[part].mean() for part in parts])


def expected_error(predicted: F64, realised: F64) -> float:
    """Mean distance of the groups' means from the diagonal, each group counting as often as it has runs: about a tenth."""
    means, outcomes = binned(predicted, realised)
    return float(np.abs(means - outcomes).mean())


def picture(evidence: Evidence) -> Picture:
    """Two panels, steps and cost: outcomes against predictions, and the diagonal where they would agree."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(1.5 * COLUMN, 0.78 * COLUMN), layout="constrained")
    colour = LOOKS["navplan"]["color"]
    for axes, what in zip(canvas.subplots(1, 2), ("steps", "cost"), strict=True):
        predicted, realised = pairs(evidence, what)
        most = 1.05 * max(float(predicted.max()), float(np.quantile(realised, 0.995)), 1.0)
        axes.plot([0, most], [0, most], color="black", linewidth=0.8, linestyle=(0, (4, 2)))
        axes.scatter(predicted, realised, s=5, color=colour, alpha=0.25, linewidths=0, rasterized=True)
        axes.plot(*binned(predicted, realised), color=colour, marker="o", markersize=4, markeredgecolor="white")
        axes.set(xlim=(0, most), ylim=(0, most), aspect="equal", xlabel=f"predicted {what}", ylabel=f"realised {what}")
        error = float(np.abs(predicted - realised).mean())
        text = f"mean error {number(error)}\ncalibration error {number(expected_error(predicted, realised))}"
        axes.text(0.04, 0.97, text, transform=axes.transAxes, ha="left", va="top", fontsize=6.5)
    return canvas
