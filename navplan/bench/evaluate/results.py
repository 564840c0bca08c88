"""The tables of an evaluation: their columns, written so that equal runs give equal bytes, and read back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from navplan.bench.tables import Record, TableFormat
from navplan.errors import FileFormatError

_TEXT = frozenset(
    (
        *("suite", "map", "map_sha256", "difficulty", "method", "setting", "quantity"),
        *("status", "plan_status", "checkpoint_sha256", "reason", "code", "perturbation"),
    )
)
_TRUTH = frozenset(("success", "reached"))
_WHOLE = frozenset(
    (
        *("agents", "problem", "train_seed", "agent_contacts", "steps_max", "steps_total", "arrived", "budget"),
        *("wall_contacts", "bumps", "replans", "nodes", "edges", "decisions", "count"),
    )
)


def _table(*columns: str) -> TableFormat:
    return TableFormat(columns, "navplan evaluate", text=_TEXT, truth=_TRUTH, whole=_WHOLE)


KEYS = ("suite", "map", "map_sha256", "difficulty", "agents", "problem", "method", "setting", "train_seed")
RESULTS = _table(
    *KEYS,
    *("success", "reached", "agent_contacts", "cost_max", "cost_mean", "cost_total", "oracle_cost_max"),
    *("steps_mean", "steps_max", "oracle_steps_mean", "status"),
    # beyond what every reader may count on
    *("steps_total", "arrived", "budget", "oracle_cost_mean", "oracle_cost_total", "oracle_steps_max", "wall_contacts", "bumps"),
    *("plan_status", "plan_cost", "replans", "nodes", "edges", "checkpoint_sha256", "reason"),
)
"""Of results.csv: a row for each problem, setting and training seed."""
TIMINGS = _table(
    *KEYS,
    *("roadmap_s", "graph_s", "plan_s", "first_plan_s", "drive_s", "acting_s", "decisions", "decisions_per_s", "total_s"),
    "code",  # of the sources: not in results.csv, which is to be the same as long as what they do is
)
"""Of timings.csv: the same rows."""
PERTURBED = ("perturbation", "level")
"""Columns that suites with perturbations have beside these, after the training seed."""
PERTURBED_RESULTS, PERTURBED_TIMINGS = (
    _table(*KEYS, *PERTURBED, *(name for name in table.columns if name not in KEYS)) for table in (RESULTS, TIMINGS)
)
"""Of results.csv and timings.csv of such suites."""
FRONT = _table("step_weight", "steps_mean", "cost_mean")
"""Of pareto.csv: points of the oracle's front."""
CALIBRATION_BINS = ("predicted", "realised", "deviation", "count")
CALIBRATION = _table("map", "train_seed", "quantity", *CALIBRATION_BINS, "mae", "bias", "error", "arrived_share")
"""Of calibration.csv: a row for each bin of each quantity, map and training seed."""


def front_rows(front: Iterable[Sequence[float]]) -> list[Record]:
    """Rows of pareto.csv out of points: price of a step, mean steps, mean cost."""
    return [dict(zip(FRONT.columns, map(float, point), strict=True)) for point in front]


def read_front(path: Path) -> list[list[float]]:
    """The points of a pareto.csv; raises as `TableFormat.read`, also for an empty cell."""
    rows = FRONT.read(path)
    for number, row in enumerate(rows, start=2):
        for name in FRONT.columns:
            if row[name] is None:
                raise FileFormatError(path, f"{name} is empty, expected a number", number)
    return [[float(row[name]) for name in FRONT.columns] for row in rows]
