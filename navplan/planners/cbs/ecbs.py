"""ECBS: focal search on both levels, within a factor of the optimum."""

from __future__ import annotations

import dataclasses
import heapq
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.graph.prepared import PreparedGraph
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.base import SAME, Bodies, GaveUp, Guarantee, Planner
from navplan.planners.cbs.agent_search import pack
from navplan.planners.cbs.joint_attempts import JointAttempts, check_team
from navplan.planners.cbs.tree import Node, Tree, plan_by_tree
from navplan.planners.checks import check_limit, check_suboptimality, check_time_limit


@dataclass(frozen=True, slots=True)
class ECBS(Planner):
    """Enhanced CBS (Barer et al. 2014): a plan whose sum of costs is proved to be within `suboptimality` of the optimum."""

    name: ClassVar[str] = "ecbs"
    guarantee: ClassVar[Guarantee] = "bounded"
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; any clearance"
    about: ClassVar[str] = "CBS with focal search on both levels: within a factor (1.1) of the optimum, much faster"
    bodies: ClassVar[Bodies] = "edges"
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.search.space_time", "navplan.kernels.cbs.joint")

    suboptimality: float = 1.1
    """Largest allowed ratio of the plan's sum of costs to the optimum, at least 1."""
    time_limit: float | None = None
    """Wall seconds for one plan, None for no limit."""
    max_nodes: int | None = None
    """Conflict-tree nodes to expand before giving up (status unsolved), None for no limit."""

    team: int = 6
    """Plan all agents jointly, beside the conflict tree, in problems of at most so many, which proves that there is no plan where
    the tree would grow for ever; 0 for never."""
    team_after: int = 30
    """Conflict-tree nodes after which that begins; each attempt that runs out of room is repeated with four times as much."""

    def __post_init__(self) -> None:
        check_suboptimality("ECBS.suboptimality", self.suboptimality)
        check_time_limit("ECBS.time_limit", self.time_limit)
        check_limit("ECBS.max_nodes", self.max_nodes)
        check_team("ECBS", self.team, self.team_after)

    def eager(self) -> ECBS:
        """The same planner using every kernel from the start, for warming up."""
        return dataclasses.replace(self, team=max(self.team, 2), team_after=1, max_nodes=None)

    def plan(self, problem: Problem, state: PreparedGraph, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`; no choice is random."""
        return plan_by_tree(self.name, problem, state, deadline, lambda tree: _search(tree, self))


def _search(tree: Tree, options: ECBS) -> Node | None:
    """Focal search of the conflict tree: among nodes within w of the least bound, fewest conflicts first."""
    w = float(options.suboptimality)
    root = tree.root(range(tree.problem.num_agents), w)
    if root is None:
        return None
    front = FocalQueue(w)
    front.push(root)
    attempts = JointAttempts(tree, 0 if tree.weighted.bodies else options.team, options.team_after)  # teams plan on one graph
    while (node := front.pop()) is not None:
        tree.clock.check()
        tree.lower_bound = max(tree.lower_bound, front.lower_bound)
        if node.conflicts == 0:
            return node
        if options.max_nodes is not None and tree.expanded >= options.max_nodes:
            raise GaveUp(f"node limit of {options.max_nodes} reached")
        tree.expanded += 1
        paths = pack(node.paths())
        conflicts = tree.conflicts(paths)
        chosen = conflicts[0]
        for agent, extra in ((chosen.first, chosen.for_first), (chosen.second, chosen.for_second)):
            child = tree.child(node, paths, conflicts, agent, extra, w)
            if child is not None:
                front.push(child)
        if attempts.due():
            ended, found = attempts.run()
            if ended:
                return found
    return None


class FocalQueue:
    """Open nodes in three heaps: by bound, those within w of the least bound by conflicts, the rest by cost.

    Attributes:
        lower_bound: least bound of any node still open, never falling.
    """

    def __init__(self, w: float) -> None:
        self._w = w
        self._by_bound: list[tuple[float, int]] = []
        self._focal: list[tuple[int, float, int]] = []
        self._waiting: list[tuple[float, int]] = []
        self._nodes: dict[int, Node] = {}
        self._count = 0
        self.lower_bound = 0.0

    def push(self, node: Node) -> None:
        """Add an open node."""
        # equal conflicts and cost: the younger node first, which is nearer to a solution
        self._count -= 1
        self._nodes[self._count] = node
        heapq.heappush(self._by_bound, (node.bound, self._count))
        heapq.heappush(self._waiting, (node.cost, self._count))

    def pop(self) -> Node | None:
        """The next node to expand, None when there is none."""
        while self._by_bound and self._by_bound[0][1] not in self._nodes:
            heapq.heappop(self._by_bound)
        if not self._by_bound:
            return None
        self.lower_bound = max(self.lower_bound, self._by_bound[0][0])
        limit = self._w * self.lower_bound * (1.0 + SAME)
        while self._waiting and self._waiting[0][0] <= limit:
            cost, key = heapq.heappop(self._waiting)
            heapq.heappush(self._focal, (self._nodes[key].conflicts, cost, key))
        return self._nodes.pop(heapq.heappop(self._focal)[2])
