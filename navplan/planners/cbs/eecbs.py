"""EECBS: focal search on both levels with estimates that learn, within a factor of the optimum."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.errors import InvalidInput, InvalidProblem
from navplan.graph.state_graph import StateGraph
from navplan.kernels.common.status import EXHAUSTED, FOUND
from navplan.plan.plan import Plan, Status, make_plan
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, Guarantee, OutOfTime, Prepared, check_time_limit
from navplan.planners.cbs.eecbs_search import ExplicitEstimationSearch
from navplan.planners.priority.reservations import GRID_CLEARANCE, SAME, Field, Hopeless, check_count
from navplan.system.arrays import Int32


@dataclass(frozen=True, slots=True)
class EECBS:
    """Explicit Estimation CBS (Li, Ruml, Koenig 2021): a plan proved to be within `suboptimality` of the optimum.

    Of the conflict-tree nodes it expands the one with the fewest conflicts whose estimated solution is cheap enough; the
    estimates learn online what a conflict costs. The low level avoids the other agents' paths within its allowance, which
    agents may share (`flexible`, Chan et al. 2022).
    """

    name: ClassVar[str] = "eecbs"
    guarantee: ClassVar[Guarantee] = "bounded"
    max_agents: ClassVar[int | None] = None
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; clearance 0"
    about: ClassVar[str] = "explicit estimation CBS: within a factor (1.2) of the optimum, hundreds of agents"
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.cbs.eecbs_tree",)

    suboptimality: float = 1.2
    """Largest allowed ratio of the plan's sum of costs to the optimum, at least 1."""
    time_limit: float | None = None
    """Wall seconds for one plan, None for no limit."""
    max_nodes: int | None = None
    """Conflict-tree nodes to expand before giving up (status unsolved), None for no limit."""
    flexible: bool = False
    """Agents may spend what others leave of their allowance; without, each path is within the factor by itself."""
    greed: float = 0.1
    """Among states with equally few conflicts, how much the low level prefers those near the goal, at least 0."""

    def __post_init__(self) -> None:
        if not (isinstance(self.suboptimality, int | float) and 1.0 <= self.suboptimality < math.inf):
            raise InvalidInput(f"EECBS.suboptimality is {self.suboptimality!r}, expected a number of at least 1")
        check_time_limit("EECBS.time_limit", self.time_limit)
        check_count("EECBS.max_nodes", self.max_nodes)
        if not (isinstance(self.greed, int | float) and 0.0 <= self.greed < math.inf):
            raise InvalidInput(f"EECBS.greed is {self.greed!r}, expected a number of at least 0")

    def prepare(self, graph: StateGraph) -> Prepared:
        """Reverse the graph."""
        return Prepared.of(graph)

    def plan(self, problem: Problem, state: Prepared, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`; no choice is random.

        Raises:
            InvalidProblem: a clearance that needs more than nodes and swaps to be kept.
        """
        if problem.spacing > 0.0 and not (problem.graph.is_grid and problem.spacing <= GRID_CLEARANCE):
            raise InvalidProblem(
                f"planner eecbs avoids shared nodes and swaps only, but the clearance is {problem.spacing:g}; "
                "use ecbs, or clearance 0"
            )
        clock = Clock(deadline)
        field: Field | None = None
        search: ExplicitEstimationSearch | None = None
        status: Status = "unsolved"
        paths: list[Int32] = []
        reason = ""
        try:
            field = Field.of(problem, state, clock)
            search = ExplicitEstimationSearch(field, self.suboptimality, flexible=self.flexible, greed=self.greed)
            found = search.run(clock, self.max_nodes)
            if found == FOUND:
                status, paths = "bounded", search.paths()
            elif found == EXHAUSTED:
                status, reason = "infeasible", "every way of resolving the agents' conflicts leaves one without a path"
            else:
                reason = f"node limit of {self.max_nodes} reached{search.progress()}"
        except Hopeless as why:
            status, reason = "infeasible", str(why)
        except OutOfTime:
            status = "timeout"
            reason = "time limit reached" + (search.progress() if search else " while the distance tables were built")
        except KeyboardInterrupt:
            reason = "interrupted" + (search.progress() if search else " while the distance tables were built")
        bound = search.lower_bound if search is not None and status != "infeasible" else None
        return _finish(problem, status, paths, bound, reason, search)


def _finish(
    problem: Problem,
    status: Status,
    paths: list[Int32],
    bound: float | None,
    reason: str,
    search: ExplicitEstimationSearch | None,
) -> Plan:
    """The Plan; optimal where the bound has met the cost."""
    stats = search.stats if search is not None else {"expanded": 0, "generated": 0}
    if paths and bound is not None:
        cost = make_plan(problem, "eecbs", status, paths).sum_of_costs
        assert cost is not None
        if cost <= bound * (1.0 + SAME):
            status, bound = "optimal", cost
    return make_plan(problem, "eecbs", status, paths, lower_bound=bound, reason=reason, stats=stats)
