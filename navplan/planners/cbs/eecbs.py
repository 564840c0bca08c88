"""EECBS: focal search on both levels with estimates that learn, within a factor of the optimum."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.errors import InvalidInput
from navplan.graph.prepared import PreparedGraph
from navplan.kernels.common.status import EXHAUSTED, FOUND
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.attempt import attempt
from navplan.planners.base import Bodies, GaveUp, Guarantee, Infeasible, Planner
from navplan.planners.cbs.eecbs_search import ExplicitEstimationSearch
from navplan.planners.cbs.joint_attempts import JointAttempts, check_team
from navplan.planners.cbs.tree import Tree
from navplan.planners.checks import check_count, check_suboptimality, check_time_limit, is_number
from navplan.planners.field import Field
from navplan.planners.weighted import Weighted, distance_tables


@dataclass(frozen=True, slots=True)
class EECBS(Planner):
    """Explicit Estimation CBS (Li, Ruml, Koenig 2021): a plan proved to be within `suboptimality` of the optimum.

    Of the conflict-tree nodes it expands the one with the fewest conflicts whose estimated solution is cheap enough; the
    estimates learn online what a conflict costs. The low level avoids the other agents' paths within its allowance, which
    agents may share (`flexible`, Chan et al. 2022).
    """

    name: ClassVar[str] = "eecbs"
    guarantee: ClassVar[Guarantee] = "bounded"
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; clearance 0"
    about: ClassVar[str] = "explicit estimation CBS: within a factor (1.2) of the optimum, hundreds of agents"
    any_clearance: ClassVar[bool] = False
    bodies: ClassVar[Bodies] = "edges"
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.cbs.eecbs_tree", "navplan.kernels.cbs.joint")

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

    team: int = 6
    """Plan all agents jointly, beside the conflict tree, in problems of at most so many, which proves that there is no plan where
    the tree would grow for ever; 0 for never."""
    team_after: int = 30
    """Conflict-tree nodes after which that begins; each attempt that runs out of room is repeated with four times as much."""

    def __post_init__(self) -> None:
        check_suboptimality("EECBS.suboptimality", self.suboptimality)
        check_time_limit("EECBS.time_limit", self.time_limit)
        check_count("EECBS.max_nodes", self.max_nodes)
        if not (is_number(self.greed) and 0.0 <= self.greed < math.inf):
            raise InvalidInput(f"EECBS.greed is {self.greed!r}, expected a number of at least 0")
        check_team("EECBS", self.team, self.team_after)

    def eager(self) -> EECBS:
        """The same planner using every kernel from the start, for warming up."""
        return dataclasses.replace(self, team=max(self.team, 2), team_after=0, max_nodes=None)

    def plan(self, problem: Problem, state: PreparedGraph, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`; no choice is random."""
        with attempt(self.name, problem, deadline) as run:
            field = Field.of(problem, state, run.clock)
            search = run.watch(ExplicitEstimationSearch(field, self.suboptimality, flexible=self.flexible, greed=self.greed))
            attempts = None
            if problem.num_agents <= self.team:
                weighted = Weighted.of(problem, state, run.clock)
                tables = distance_tables(weighted, problem.goals, run.clock)
                team = 0 if weighted.bodies else self.team  # teams plan on one graph
                attempts = JointAttempts(Tree(problem, weighted, tables, run.clock), team, self.team_after)
            found, together = search.run_beside(attempts, run.clock, self.max_nodes)
            if found == EXHAUSTED:
                raise Infeasible("every way of resolving the agents' conflicts leaves one without a path")
            if together is not None:
                run.found(together.paths(), "optimal")
                return run.plan()
            if found != FOUND:
                raise GaveUp(f"node limit of {self.max_nodes} reached")
            run.found(search.paths(), "bounded")
        return run.plan()
