"""One problem of an evaluation, driven: the columns of its result and of its times."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from navplan.bench.evaluate.cells import Cell
from navplan.bench.evaluate.perturbations import NO_PERTURBATION, Perturbation
from navplan.bench.evaluate.score import oracle_columns, score, standing
from navplan.control.disturbance import CALM

if TYPE_CHECKING:
    import numpy as np

    from navplan.execution.trajectory import Trajectory
    from navplan.navigation.checkpoint import Checkpoint
    from navplan.navigation.methods import Options
    from navplan.navigation.result import Navigation
    from navplan.navigation.roadmap import Roadmap
    from navplan.scenarios.scenario import Scenario


class DrivenProblem(NamedTuple):
    """What came of a problem: columns of results.csv, columns of timings.csv, and the trajectory."""

    row: dict[str, Any]
    seconds: dict[str, Any]
    trajectory: Trajectory


class Conditions(NamedTuple):
    """What is otherwise in driving than in training, whence its noise comes, and whether execution is told."""

    perturbation: Perturbation = NO_PERTURBATION
    noise: np.random.Generator | None = None
    prepared: bool = True


def drive_problem(
    scenario: Scenario,
    critics: Checkpoint,
    method: str,
    options: Options,
    roadmap: Roadmap | None,
    cell: Cell,
    problem: int,
    conditions: Conditions,
) -> DrivenProblem:
    """Navigate one problem of a cell.

    Args:
        scenario: that the roadmap and the critics know.
        roadmap: of a method that plans, built before.
    """
    from navplan.navigation.navigate import METHODS, navigate

    how = options.applied(METHODS[method])
    starts, goals, budget = cell.starts[problem], cell.goals[problem], int(cell.budgets[problem])
    under = conditions.perturbation
    driven_in = under.driven(scenario)
    began = time.perf_counter()
    navigation = navigate(
        driven_in,
        critics,
        starts,
        goals,
        method=method,
        options=options,
        roadmap=roadmap,
        max_steps=budget,
        disturbance=under.disturbance,
        expects=None if conditions.prepared else CALM,
        noise=conditions.noise,
    )
    total_s = time.perf_counter() - began
    driven = navigation.trajectory
    trajectory = standing(driven_in, starts, goals, budget, how.driving.body) if driven is None else driven
    row = {
        "problem": problem,
        **score(trajectory, budget),
        **(oracle_columns(cell.oracle_cost[problem], cell.oracle_steps[problem]) if under.keeps_oracle else {}),
        "budget": budget,
        **_of_navigation(navigation, trajectory),
    }
    return DrivenProblem(row, {"problem": problem, **_times(navigation, cell.agents), "total_s": total_s}, trajectory)


def _of_navigation(navigation: Navigation, trajectory: Trajectory) -> dict[str, Any]:
    plan, graph = navigation.plan, navigation.pruned
    return {
        "status": navigation.status,
        "plan_status": "" if plan is None else plan.status,
        "plan_cost": None if plan is None or not plan.solved else plan.sum_of_costs,
        "replans": sum(event["kind"] == "replan" for event in trajectory.events),
        "nodes": None if graph is None else graph.num_nodes,
        "edges": None if graph is None else graph.num_edges,
        "reason": navigation.reason,
    }


def _times(navigation: Navigation, agents: int) -> dict[str, Any]:
    plan, driven = navigation.plan, navigation.trajectory
    decisions = 0 if driven is None else driven.num_steps * agents
    acting_s = 0.0 if driven is None else driven.acting_s
    return {
        "graph_s": navigation.graph_s,
        "plan_s": navigation.plan_s,
        "first_plan_s": None if plan is None else plan.runtime_s,
        "drive_s": navigation.drive_s,
        "acting_s": acting_s,
        "decisions": decisions,
        "decisions_per_s": decisions / acting_s if acting_s > 0 else None,
    }
