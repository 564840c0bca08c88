"""Conflict-Based Search: optimal in the sum of costs."""

from __future__ import annotations

import dataclasses
import heapq
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.errors import InvalidInput
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.base import SAME, GaveUp, Guarantee, Planner, Prepared, check_limit, check_time_limit, check_whole
from navplan.planners.cbs.agent_search import Constraint, pack
from navplan.planners.cbs.tree import Conflict, Node, Tree, plan_by_tree
from navplan.planners.cbs.unit.search import Attempts, UnitSearch
from navplan.system.arrays import Int32

# Agents that can be planned jointly.
MOST_TOGETHER = 16


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
    kernels: ClassVar[tuple[str, ...]] = (
        "navplan.kernels.cbs.unit_search",
        "navplan.kernels.cbs.unit_diagrams",
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
        check_whole("CBS.team", self.team)
        check_whole("CBS.team_after", self.team_after)
        if self.team > MOST_TOGETHER:
            raise InvalidInput(f"CBS.team is {self.team}, expected at most {MOST_TOGETHER}")

    def eager(self) -> CBS:
        """The same planner using every kernel from the start, for warming up."""
        return dataclasses.replace(self, joint_after=0, team=max(self.team, 2), team_after=1, max_nodes=None)

    def plan(self, problem: Problem, state: Prepared, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`; no choice is random."""
        return plan_by_tree(self.name, problem, state, deadline, lambda tree: self._search(tree).solve())

    def _search(self, tree: Tree) -> CBSSearch | UnitSearch:
        weighted = tree.weighted
        unit = weighted.unit and tree.clearance == 0.0 and bool((weighted.waits == 1.0).all())
        return UnitSearch(tree, self) if unit and self.unit else CBSSearch(tree, self)


class CBSSearch:
    """Best-first search of the conflict tree by cost plus heuristic, then by number of conflicts."""

    def __init__(self, tree: Tree, options: CBS) -> None:
        self._tree = tree
        self._options = options
        self._open: list[tuple[float, int, int, bool, Node]] = []
        self._pushed = 0
        self._costs: dict[tuple[int, frozenset[Constraint]], float] = {}

    def solve(self) -> Node | None:
        """A node without conflicts, or None when there is no solution."""
        tree = self._tree
        attempt = Attempts(tree, self._options)
        root = tree.root(range(tree.problem.num_agents), 1.0)
        if root is None:
            return None
        self._push(root.cost, root, estimated=False)
        while self._open:
            tree.clock.check()
            f, _, _, estimated, node = heapq.heappop(self._open)
            tree.lower_bound = max(tree.lower_bound, f)
            if node.conflicts == 0:
                tree.lower_bound = node.cost
                return node
            if self._options.max_nodes is not None and tree.expanded >= self._options.max_nodes:
                raise GaveUp(f"node limit of {self._options.max_nodes} reached")
            self._expand(f, node, estimated)
            if attempt.due():
                ended, found = attempt.run()
                if ended:
                    return found
        return None

    def _push(self, f: float, node: Node, *, estimated: bool) -> None:
        # equal f and conflicts: the younger node first, which is nearer to a solution
        self._pushed += 1
        heapq.heappush(self._open, (f, node.conflicts, -self._pushed, estimated, node))

    def _expand(self, f: float, node: Node, estimated: bool) -> None:
        tree = self._tree
        while True:
            paths = pack(node.paths())
            conflicts = tree.conflicts(paths)
            if not conflicts:
                self._push(f, node, estimated=True)
                return
            rises = [self._rises(node, conflict) for conflict in conflicts]
            if not estimated:
                better = max(f, node.cost + disjoint_sum(self._weights(node, conflicts, rises)))
                if better > f * (1.0 + SAME):
                    if better < math.inf:
                        self._push(better, node, estimated=True)
                    return
            best = max(range(len(conflicts)), key=lambda k: (min(rises[k]), max(rises[k]), -k))
            tree.expanded += 1
            adopted = self._split(f, node, paths, conflicts, conflicts[best])
            if adopted is None:
                return
            node = adopted

    def _split(self, f: float, node: Node, paths: Int32, conflicts: list[Conflict], chosen: Conflict) -> Node | None:
        """Push both children, or return the one that replaces `node`."""
        children = []
        for agent, extra in ((chosen.first, chosen.for_first), (chosen.second, chosen.for_second)):
            child = self._tree.child(node, paths, conflicts, agent, extra, 1.0)
            if child is None:
                continue
            if self._options.bypass and child.conflicts < node.conflicts and child.cost <= node.cost * (1.0 + SAME):
                return Node(node.constraints, child.routes, node.cost, node.bound, child.conflicts)
            children.append(child)
        for child in children:
            self._push(max(f, child.cost), child, estimated=False)
        return None

    def _weights(self, node: Node, conflicts: list[Conflict], rises: list[tuple[float, float]]) -> dict[tuple[int, int], float]:
        """Per pair in conflict, by how much the two together must cost more than now.

        One of them must give way, so the smaller rise is a bound; once the search has proved hard, so is what the pair costs
        when it is planned jointly.
        """
        weights: dict[tuple[int, int], float] = {}
        for conflict, rise in zip(conflicts, rises, strict=True):
            pair = (conflict.first, conflict.second)
            weights[pair] = max(weights.get(pair, 0.0), min(rise))
        if self._tree.expanded >= self._options.joint_after:
            for i, j in weights:
                joint = self._tree.pairs(i, j) - node.routes[i].cost - node.routes[j].cost
                weights[i, j] = max(weights[i, j], joint)
        return weights

    def _rises(self, node: Node, conflict: Conflict) -> tuple[float, float]:
        """By how much either child's agent would cost more."""
        return (
            self._cost(node, conflict.first, conflict.for_first) - node.routes[conflict.first].cost,
            self._cost(node, conflict.second, conflict.for_second) - node.routes[conflict.second].cost,
        )

    def _cost(self, node: Node, agent: int, extra: tuple[Constraint, ...]) -> float:
        constraints = node.constraints[agent].union(extra)
        key = (agent, constraints)
        if key not in self._costs:
            route = self._tree.low.search(agent, constraints)
            self._costs[key] = math.inf if route is None else route.cost
        return self._costs[key]


def disjoint_sum(weights: dict[tuple[int, int], float]) -> float:
    """Sum of the weights of pairs without a common agent, greedily the largest first: a lower bound on what all must pay."""
    total = 0.0
    taken: set[int] = set()
    for (i, j), weight in sorted(weights.items(), key=lambda item: (-item[1], item[0])):
        if weight <= 0.0:
            break
        if i not in taken and j not in taken:
            total += weight
            taken.update((i, j))
    return total
