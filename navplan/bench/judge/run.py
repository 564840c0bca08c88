"""Judging trained runs: on the tuning problems of their map, convergence and calibration; or on held-out logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from navplan.errors import InvalidInput
from navplan.system.arrays import Float32

if TYPE_CHECKING:
    from navplan.learned.evaluation.calibration import Calibration
    from navplan.learned.evaluation.held_out import HeldOut
    from navplan.learned.evaluation.judge import ConvergenceReport

# Hops between start and goal: the paper's hard problems, and what 20-step episodes leave time for.
REACH = 8.5
_MOST_PAIRS = 2000
_CALIBRATION_PAIRS = 10_000


class Judgement(NamedTuple):
    """What is known of one run."""

    run: str
    verdict: ConvergenceReport
    calibration: Calibration

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"run": self.run, **self.verdict.to_dict(), "calibration": self.calibration.to_dict()}


def tuning_pairs(scenario: str) -> tuple[Float32, Float32]:
    """Starts and goals (B, 2) of a map's tuning problems, each agent's for itself, at most `REACH` hops apart.

    A map whose problems are all longer gives the pairs among its problems' points that are as near, at most 2,000 of them.

    Raises:
        InvalidInput: no suite has problems on that map.
    """
    from navplan.scenarios.problems.suites import SUITES, load_problem_sets
    from navplan.scenarios.registry import load_scenario
    from navplan.scenarios.worlds.geodesic import geodesic_steps

    suites = [name for name, suite in SUITES.items() if scenario in suite.maps]
    if not suites:
        raise InvalidInput(f"scenario {scenario!r} has no tuning problems, expected a map of: {', '.join(SUITES)}")
    sets = [part for name in suites for part in load_problem_sets(name, "tuning") if part.map == scenario]
    starts = np.concatenate([part.starts.reshape(-1, 2) for part in sets])
    goals = np.concatenate([part.goals.reshape(-1, 2) for part in sets])
    world = load_scenario(scenario).world
    near = geodesic_steps(world, starts, goals) <= REACH
    if near.any():
        return starts[near], goals[near]
    points = np.concatenate([starts, goals])
    i, j = np.nonzero(np.abs(points[:, None] - points[None]).max(axis=2) <= REACH)
    other = i != j
    i, j = i[other], j[other]
    order = np.random.default_rng(0).permutation(len(i))[: 2 * _MOST_PAIRS]
    starts, goals = points[i[order]], points[j[order]]
    near = geodesic_steps(world, starts, goals) <= REACH
    return starts[near][:_MOST_PAIRS], goals[near][:_MOST_PAIRS]


def calibration_pairs(scenario: str) -> tuple[Float32, Float32]:
    """Starts and goals (10,000, 2) that a run's calibration is measured on."""
    from navplan.learned.evaluation.calibration import near_pairs
    from navplan.scenarios.registry import load_scenario

    return near_pairs(load_scenario(scenario).world, _CALIBRATION_PAIRS, np.random.default_rng(0))


def judge_run(run: str, *, stage: int = 2) -> Judgement:
    """Convergence on the tuning problems, calibration on pairs drawn anew, of a run directory or a bundled name."""
    from navplan.learned.evaluation.calibration import calibration
    from navplan.learned.evaluation.judge import judge
    from navplan.learned.training.load import load_checkpoint
    from navplan.scenarios.registry import load_scenario

    critics = load_checkpoint(run, stage=stage)
    if hasattr(getattr(critics, "config", None), "data"):
        raise InvalidInput(f"{run}: was learned from logs and is judged by logs that it has not seen, expected --data LOGS")
    scenario = load_scenario(critics.scenario)
    verdict = judge(critics, scenario.world, *tuning_pairs(critics.scenario), tolerance=scenario.goal_tolerance)
    starts, goals = calibration_pairs(critics.scenario)
    return Judgement(run, verdict, calibration(critics, scenario.world, starts, goals, max_distance=scenario.max_distance))


def judge_logs(run: str, files: Sequence[str]) -> HeldOut:
    """What held-out logs say of a run that was learned from logs; goals and places are the columns that the run names.

    Raises:
        InvalidInput: the run was not learned from logs, or from logs of another kind.
        As `navplan.load_checkpoint` and `navplan.Dataset.load`.
    """
    from navplan.learned.datasets.columns import named_logs
    from navplan.learned.evaluation.held_out import judge_held_out
    from navplan.learned.training.load import load_checkpoint

    critics: Any = load_checkpoint(run)
    config: Any = getattr(critics, "config", None)
    if config is not None and not hasattr(config, "data"):
        raise InvalidInput(f"{run}: was learned in a scenario, not from logs; it is judged without --data")
    goal, position = (getattr(config, name, ()) for name in ("goal", "position"))
    return judge_held_out(critics, named_logs(files, goal, position))
