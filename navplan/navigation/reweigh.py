"""Another weight of risk on the graph of a plan that was made: what a slider asks for, without training or attaching again."""

from __future__ import annotations

import numpy as np

from navplan.errors import InvalidInput
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem

PATIENCE = 3.0
"""Seconds for one plan while somebody waits for it."""


def reweighed(plan: Plan, graph: StateGraph, beta: float) -> Problem:
    """The problem of `plan` on its graph, starts and goals attached, with another weight of risk; same clearance.

    Raises:
        InvalidInput: the graph is not the one that the plan was made on, or the weight is negative.
    """
    stated = plan.problem
    try:
        problem = Problem(
            graph,
            stated["starts"],
            stated["goals"],
            radius=float(stated["radius"]),
            clearance=float(stated["clearance"]),
            beta=beta,
            wait_cost=float(stated["wait_cost"]),
            weight=stated["weight"],
            identity={key: stated[key] for key in ("scenario", "map", "map_sha256", "map_path") if key in stated},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"the plan's problem does not fit the graph: {error}") from error
    for what, ids in (("start", problem.starts), ("goal", problem.goals)):
        if stated.get(f"{what}_states") != graph.places[ids].tolist():
            raise InvalidInput(f"the plan's {what}_states are not the coordinates of its {what} nodes in the graph")
    return problem


class Replanner:
    """Plans again for the weight of risk that it is called with, by the planner of the first plan.

    Args:
        plan: the first plan, solved or not.
        graph: what it was planned on.
        suboptimality: of a bounded planner; None: the planner's own.
        seed: of the planner.
        time_limit: seconds for each plan.

    Raises:
        InvalidInput: the graph is not the one that the plan was made on.
    """

    def __init__(
        self,
        plan: Plan,
        graph: StateGraph,
        *,
        suboptimality: float | None = None,
        seed: int = 0,
        time_limit: float = PATIENCE,
    ) -> None:
        self.first, self.graph = plan, graph
        self.suboptimality, self.seed, self.time_limit = suboptimality, seed, time_limit
        self.problem(self.beta)

    @property
    def beta(self) -> float:
        """The weight that the first plan was made with."""
        return float(self.first.problem.get("beta", 0.0))

    def problem(self, beta: float) -> Problem:
        """The first plan's problem with another weight."""
        return reweighed(self.first, self.graph, beta)

    def __call__(self, beta: float) -> Plan:
        """The plan for another weight; its status says whether it is solved."""
        from navplan.planners.solving import solve

        return solve(
            self.problem(beta),
            planner=self.first.planner,
            seed=self.seed,
            suboptimality=self.suboptimality,
            time_limit=self.time_limit,
        )


def can_reweigh(plan: Plan | None, graph: StateGraph | None) -> bool:
    """Whether another weight of risk would mean anything: a state graph with risks, planned on by cost without a risk budget."""
    if plan is None or graph is None or graph.is_grid or plan.risk_budget is not None:
        return False
    return plan.problem.get("weight") == "cost" and bool(np.any(graph.risk))
