"""Conflict-Based Search: optimal in the sum of costs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.graph.prepared import PreparedGraph
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.base import Bodies, Guarantee, Planner
from navplan.planners.cbs.best_first import SearchOptions, best_first
from navplan.planners.cbs.branching import ConflictBranching
from navplan.planners.cbs.joint_attempts import check_team
from navplan.planners.cbs.tree import Node, Tree, plan_by_tree
from navplan.planners.cbs.unit.search import search_units
from navplan.planners.checks import check_limit, check_time_limit, check_whole


@dataclass(frozen=True, slots=True)
class CBS(Planner):
    """Conflict-Based Search (Sharon et al. 2015), optimal for any edge and wait costs and any clearance.

    A node is split on the conflict whose children's costs rise most (cardinal conflicts first, Boyarski et al. 2015), found by
    planning the children's agents; the rises of disjoint pairs add up to an admissible heuristic (Felner et al. 2018). A child
    that costs no more and conflicts less replaces its parent (bypass). Few agents that are coupled too tightly for a tree are
    planned jointly (operator decomposition, Standley 2010), the whole problem merged to one meta-agent (Sharon et al. 2012).
    """

    name: ClassVar[str] = "cbs"
    guarantee: ClassVar[Guarantee] = "optimal"
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; any clearance"
    about: ClassVar[str] = "Conflict-Based Search: optimal sum of costs, for few or lightly interacting agents"
    bodies: ClassVar[Bodies] = "edges"
    kernels: ClassVar[tuple[str, ...]] = (
        "navplan.kernels.cbs.unit_search",
        "navplan.kernels.cbs.unit_diagrams",
        "navplan.kernels.cbs.unit_pairs",
        "navplan.kernels.search.space_time",
        "navplan.kernels.cbs.joint",
    )

    time_limit: float | None = None
    """Wall seconds for one plan, None for no limit."""
    max_nodes: int | None = None
    """Conflict-tree nodes to expand before giving up (status unsolved), None for no limit."""
    bypass: bool = True
    """Adopt a child that costs no more and conflicts less instead of splitting."""
    joint_after: int = 20
    """Conflict-tree nodes after which conflicting pairs are planned jointly for better bounds; easy problems are done before."""

    team: int = 6
    """Plan all agents jointly, beside the conflict tree, in problems of at most so many; 0 for never."""
    team_after: int = 30
    """Conflict-tree nodes after which that begins; each attempt that runs out of room is repeated with four times as much."""

    unit: bool = True
    """Search that is made for unit costs and clearance 0 where they are; False uses the general one there too."""
    corridors: bool = True
    """Corridor reasoning, with `unit`."""
    mutexes: bool = True
    """Split cardinal pairs where their decision diagrams run dry (which covers rectangles), with `unit`."""

    def __post_init__(self) -> None:
        check_time_limit("CBS.time_limit", self.time_limit)
        check_limit("CBS.max_nodes", self.max_nodes)
        check_whole("CBS.joint_after", self.joint_after)
        check_team("CBS", self.team, self.team_after)

    def eager(self) -> CBS:
        """The same planner using every kernel from the start, for warming up."""
        return dataclasses.replace(self, joint_after=0, team=max(self.team, 2), team_after=1, max_nodes=None)

    def plan(self, problem: Problem, state: PreparedGraph, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`; no choice is random."""
        return plan_by_tree(self.name, problem, state, deadline, self._search)

    def _search(self, tree: Tree) -> Node | None:
        options = SearchOptions(
            self.max_nodes, self.bypass, self.joint_after, self.team, self.team_after, self.corridors, self.mutexes
        )
        weighted = tree.weighted
        if weighted.bodies:  # teams plan on one graph
            return best_first(tree, ConflictBranching(tree, options), options._replace(team=0))
        if self.unit and weighted.unit and tree.clearance == 0.0 and bool((weighted.waits == 1.0).all()):
            return search_units(tree, options)
        return best_first(tree, ConflictBranching(tree, options), options)
