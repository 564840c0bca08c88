"""Trained runs side by side: what tuning problems and held-out pairs say of them, medians over training seeds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.bench.evaluate.tables import Table, number
from navplan.bench.judge.run import calibration_pairs, judge_run
from navplan.bench.tables import TableFormat
from navplan.errors import FileFormatError
from navplan.system.arrays import Bool, Float32

if TYPE_CHECKING:
    from navplan.learned.trained import Critics

# What training says of itself; the columns that are shown.
_CURVES = TableFormat(("multiplier", "seconds", "updates"), "navplan train")
_NEAR = 6
_HELD_OUT = 2000


class Quantity(NamedTuple):
    """One line of the table.

    Attributes:
        title: what it is called.
        digits: shown after the point.
        share: shown in percent.
        target: asked of `navplan` on the maps that ship with it.
    """

    title: str
    digits: int
    share: bool = False
    target: str = ""


FIGURES: dict[str, Quantity] = {
    "converged": Quantity("runs that converged", 0, True),
    "tuning_reached": Quantity("tuning goals reached", 2, True, "≥ 98 %"),
    "reached": Quantity("held-out goals reached", 2, True, "≥ 98 %"),
    "distance_mae": Quantity("distance error", 2, False, "≤ 0.7"),
    "cost_mae": Quantity("cost error", 2, False, "≤ 0.5"),
    "cost_spearman": Quantity("cost rank correlation", 3, False, "≥ 0.9"),
    "calibration_steps": Quantity("calibration error, steps", 3),
    "calibration_cost": Quantity("calibration error, cost", 3),
    "calibration_paid": Quantity("the same where a cost is predicted", 3),
    "edges_reached": Quantity("edges that the policy can follow", 2, True),
    "false_edges": Quantity("false edges", 3, True),
    "missed_edges": Quantity("missed edges", 2, True),
    "bend": Quantity("strays from straight lines, cells", 2),
    "cost_stage1": Quantity("cost of an episode, stage 1", 2),
    "cost_stage2": Quantity("cost of an episode, stage 2", 2),
    "multiplier": Quantity("multiplier at the end", 2),
    "minutes": Quantity("minutes", 1, False, "≤ 10, ≤ 30"),
    "updates": Quantity("updates", 0),
}


class Pairs(NamedTuple):
    """Starts and goals (B, 2), and the geodesic steps (B,) between them, float32 all."""

    starts: Float32
    goals: Float32
    steps: Float32

    def chosen(self, which: NDArray[Any]) -> Pairs:
        """Some of them."""
        return Pairs(*(part[which] for part in self))


@cache
def near_in_coordinates(scenario: str) -> Pairs:
    """Uniform starts, goals uniform over the free part of the square of half side 8 around them; no run is trained on them."""
    from navplan.scenarios.environments.point import PointEnv
    from navplan.scenarios.registry import load_scenario
    from navplan.scenarios.worlds.geodesic import geodesic_steps

    world = load_scenario(scenario).world
    rng = np.random.default_rng(20_240_601)
    env = PointEnv(world, body="point", rng=rng)
    starts = env.sample_free(20_000)
    goals = (starts + rng.uniform(-8, 8, starts.shape)).astype(np.float32)
    free = env.is_free(goals)
    starts, goals = starts[free], goals[free]
    return Pairs(starts, goals, geodesic_steps(world, starts, goals))


def held_out(scenario: str, count: int = _HELD_OUT) -> Pairs:
    """The first `count` of `near_in_coordinates` that are at most 6 geodesic steps apart."""
    pairs = near_in_coordinates(scenario)
    return pairs.chosen(np.flatnonzero(pairs.steps <= _NEAR)[:count])


def clear(pairs: Pairs) -> Bool:
    """Which of them have nothing in between, and are 1 to 4 cells apart."""
    length = np.abs(pairs.goals - pairs.starts).max(axis=1)
    return np.asarray((length >= 1) & (length <= 4) & (pairs.steps <= length + 1.5))


def measure(run: str) -> dict[str, float]:
    """All of `FIGURES` for a run directory or a bundled name.

    Raises:
        UnknownName: no such run.
        FileAccessError: its files cannot be read.
        FileFormatError: they are damaged.
    """
    from navplan.learned.evaluation.judge import bend, evaluate_edges, evaluate_pairs, rollout
    from navplan.learned.training.load import load_checkpoint
    from navplan.scenarios.registry import load_scenario

    critics, trained = load_checkpoint(run), _last_row(run)
    world = load_scenario(critics.scenario).world
    judgement = judge_run(run)
    pairs = held_out(critics.scenario)
    straight = pairs.chosen(clear(pairs))
    report = evaluate_pairs(critics, world, *pairs)
    edges = evaluate_edges(critics, world, *near_in_coordinates(critics.scenario))

    def cost(of: Critics) -> float:
        return float(rollout(of.policy, world, pairs.starts, pairs.goals).cost.mean())

    return {
        "converged": float(judgement.verdict.converged),
        "tuning_reached": judgement.verdict.reached,
        "reached": report.reached,
        "distance_mae": report.distance_mae,
        "cost_mae": report.cost_mae,
        "cost_spearman": report.cost_spearman,
        "calibration_steps": judgement.calibration.steps.error,
        "calibration_cost": judgement.calibration.cost.error,
        "calibration_paid": _where_paid(critics),
        "edges_reached": edges.reached,
        "false_edges": edges.false_edges,
        "missed_edges": edges.missed,
        "bend": bend(critics.policy, world, straight.starts, straight.goals),
        "cost_stage1": cost(load_checkpoint(run, stage=1)),
        "cost_stage2": cost(critics),
        **trained,
    }


def _where_paid(critics: Critics) -> float:
    """The calibration error of costs without the pairs that are predicted to cost nothing, which are most on some maps."""
    from navplan.learned.evaluation.calibration import calibration
    from navplan.scenarios.registry import load_scenario

    scenario = load_scenario(critics.scenario)
    starts, goals = calibration_pairs(critics.scenario)
    paid = critics.risk(starts, goals) > 0
    return calibration(critics, scenario.world, starts[paid], goals[paid], max_distance=scenario.max_distance).cost.error


def _last_row(run: str) -> dict[str, float]:
    """What training itself said at its end."""
    from navplan.learned.training.load import checkpoint_folder

    path = checkpoint_folder(run) / "curves.csv"
    try:
        last = _CURVES.read(path)[-1]
        multiplier, seconds, updates = (float(last[name]) for name in _CURVES.columns)
    except (FileFormatError, IndexError, TypeError) as error:  # no such columns, no rows, an empty cell
        raise FileFormatError(path, "expected rows with multiplier, seconds and updates") from error
    return {"multiplier": multiplier, "minutes": seconds / 60, "updates": updates}


def by_kind(runs: Iterable[str]) -> dict[str, list[str]]:
    """Runs that differ in their training seed only, by the name that they share: ``runs/maze-seed3`` is of ``maze``."""
    found: dict[str, list[str]] = {}
    for run in runs:
        name = run.rstrip("/").rsplit("/", 1)[-1]
        found.setdefault(re.sub(r"-seed\d+$", "", name), []).append(run)
    return found


def over_seeds(kinds: Mapping[str, Sequence[Mapping[str, float]]]) -> Table:
    """A line a figure, a column a kind of run: medians over its runs, in brackets the range where it shows."""
    lines = []
    for name, figure in FIGURES.items():
        cells = [_shown(name, figure, [run[name] for run in runs]) for runs in kinds.values()]
        lines.append((figure.title, *cells, figure.target))
    return Table(("", *kinds, "target"), tuple(lines))


def _shown(name: str, figure: Quantity, values: Sequence[float]) -> str:
    if name == "converged":
        return f"{round(sum(values))} of {len(values)}"

    def one(value: float) -> str:
        if name == "updates":
            return f"{value:,.0f}"
        return f"{number(100 * value, figure.digits)} %" if figure.share else number(value, figure.digits)

    middle, low, high = one(median(values)), one(min(values)), one(max(values))
    return middle if low == high else f"{middle} [{low}, {high}]"
