"""Large-neighbourhood search: a first solution, repaired if need be, then improved until the deadline."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.graph.prepared import PreparedGraph
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.attempt import attempt
from navplan.planners.base import Bodies, Guarantee, Planner, check_supported
from navplan.planners.checks import check_count, check_positive, check_time_limit
from navplan.planners.field import Field
from navplan.planners.priority.first_solution import FirstSolution
from navplan.planners.priority.lns_search import LNSSearch


@dataclass(frozen=True, slots=True)
class LNS(Planner):
    """MAPF-LNS2 (Li et al. 2022): paths that meet little, repaired until they do not conflict, improved until the deadline.

    Some agents are taken out and planned again together, over and over; what is no worse is kept. Incomplete, and no ratio to the
    optimum is promised, but the sum of the agents' own optima is a proved bound.
    """

    name: ClassVar[str] = "lns"
    guarantee: ClassVar[Guarantee] = "none"
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; clearance 0"
    about: ClassVar[str] = "large-neighbourhood search: a plan by repair, then better ones until the time limit"
    any_clearance: ClassVar[bool] = False
    bodies: ClassVar[Bodies] = "edges"
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.priority.lns",)

    time_limit: float | None = 10.0
    """Wall seconds for one plan, which are used up unless the plan is proved optimal; None for no limit."""
    max_iterations: int | None = None
    """Iterations of improvement, None for no limit."""
    max_repairs: int | None = None
    """Iterations of repair before giving up (status unsolved), None for no limit."""
    neighbours: int = 8
    """Agents that are planned again together."""

    def __post_init__(self) -> None:
        check_time_limit("LNS.time_limit", self.time_limit)
        check_count("LNS.max_iterations", self.max_iterations)
        check_count("LNS.max_repairs", self.max_repairs)
        check_positive("LNS.neighbours", self.neighbours)

    def eager(self) -> LNS:
        """The same planner stopping at once, for warming up."""
        return dataclasses.replace(self, max_iterations=0)

    def plan(self, problem: Problem, state: PreparedGraph, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`."""
        return _run(self, problem, state, None, deadline, rng)

    def improve(
        self, problem: Problem, plan: Plan, state: PreparedGraph, *, deadline: float | None, rng: np.random.Generator
    ) -> Plan:
        """A plan that costs no more than `plan`, which must be valid for `problem`.

        Raises:
            InvalidProblem: it is not, or the problem is one that the planner does not support.
        """
        check_supported(self, problem)
        return _run(self, problem, state, plan, deadline, rng)


def _run(
    options: LNS, problem: Problem, state: PreparedGraph, given: Plan | None, deadline: float | None, rng: np.random.Generator
) -> Plan:
    with attempt(options.name, problem, deadline, stats={}) as run:
        search = run.watch(LNSSearch(Field.of(problem, state, run.clock), options.neighbours, rng))
        if given is not None:
            search.adopt(given)
        elif not FirstSolution(search, run.clock, rng).find(options.max_repairs):
            left = f"{search.pairs} pairs of agents still conflict after {options.max_repairs} repairs"
            run.stop("gave up", f"{left}; the planner is incomplete")
        if search.solved:
            search.improve(run.clock, options.max_iterations)
            run.found(search.arena.paths())
    return run.plan()
