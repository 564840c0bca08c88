"""What a slider of risk aversion asks for: another plan on the same graph, and where there is a checkpoint also the drive."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from navplan.errors import InvalidInput
from navplan.execution.trajectory import Trajectory
from navplan.graph.state_graph import StateGraph
from navplan.navigation.methods import method_named
from navplan.navigation.navigate import Navigation, Options, Roadmap, build_roadmap, navigate
from navplan.navigation.reweigh import Replanner, can_reweigh
from navplan.plan.plan import Plan

if TYPE_CHECKING:
    from navplan.navigation.checkpoint import Checkpoint
    from navplan.scenarios.scenario import Scenario


def planning_slider(plan: Plan | None, graph: StateGraph | None, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `navplan.viewer.app.show` for a slider that plans again, where `plan` was made on the state graph `graph`.

    Args:
        summary: of the run; its fields ``bound`` and ``seed`` are the planner's, where they are there.

    Returns:
        ``on_risk_aversion`` and ``risk_aversion``; nothing where another weight of risk would mean nothing.
    """
    if plan is None or graph is None or not can_reweigh(plan, graph):
        return {}
    bound, seed = summary.get("bound"), summary.get("seed")
    try:
        replan = Replanner(
            plan,
            graph,
            suboptimality=float(bound) if isinstance(bound, int | float) else None,
            seed=seed if isinstance(seed, int) and seed >= 0 else 0,
        )
    except InvalidInput:  # another graph was asked for than the plan's own
        return {}
    return {"on_risk_aversion": replan, "risk_aversion": replan.beta}


def driving_slider(scenario: Scenario, critics: Checkpoint, result: Navigation, changes: Mapping[str, Any]) -> dict[str, Any]:
    """As `planning_slider`, and ``on_drive``, which drives what was planned.

    Args:
        changes: the options of `navigate` that led to `result`.
    """
    if result.plan is None or result.pruned is None or not can_reweigh(result.plan, result.pruned):
        return {}
    replan = Replanner(result.plan, result.pruned, suboptimality=result.bound, seed=result.seed)
    options = Options(**changes)

    @functools.cache
    def roadmap() -> Roadmap:
        return build_roadmap(scenario, critics, options.applied(method_named(result.method)), options)

    def drive(beta: float) -> Trajectory | None:
        again = navigate(
            scenario,
            critics,
            result.starts,
            result.goals,
            method=result.method,
            options=options,
            roadmap=roadmap(),
            beta=beta,
        )
        return again.trajectory

    return {"on_risk_aversion": replan, "on_drive": drive, "risk_aversion": replan.beta}
