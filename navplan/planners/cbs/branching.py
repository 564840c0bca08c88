"""How CBS splits the nodes of its tree, on any graph: on the conflict whose children's costs rise most."""

from __future__ import annotations

import math
from typing import NamedTuple

from navplan.planners.base import SAME
from navplan.planners.cbs.agent_search import pack
from navplan.planners.cbs.best_first import SearchOptions, Split
from navplan.planners.cbs.conflicts import Conflict
from navplan.planners.cbs.constraints import Constraint
from navplan.planners.cbs.tree import Node, Tree
from navplan.planners.cbs.vertex_cover import matching
from navplan.system.arrays import Int32


class Look(NamedTuple):
    """A node's packed paths, their conflicts, and by how much either child of each conflict would cost more."""

    paths: Int32
    conflicts: list[Conflict]
    rises: list[tuple[float, float]]


class ConflictBranching:
    """Cardinal conflicts first, bypass, and weights of disjoint pairs for the heuristic."""

    def __init__(self, tree: Tree, options: SearchOptions) -> None:
        self._tree = tree
        self._options = options
        self._costs: dict[tuple[int, frozenset[Constraint]], float] = {}

    def root(self) -> Node | None:
        """Every agent alone, in order."""
        return self._tree.root(range(self._tree.problem.num_agents), 1.0)

    def look(self, node: Node) -> Look:
        """Plan both children's agents of every conflict."""
        paths = pack(node.paths())
        conflicts = self._tree.conflicts(paths)
        return Look(paths, conflicts, [self._rises(node, conflict) for conflict in conflicts])

    def rise(self, node: Node, look: Look) -> float:
        """Disjoint pairs must pay what each must pay.

        One of a pair must give way, so the smaller rise is a bound; once the search has proved hard, so is what the pair costs
        when it is planned jointly.
        """
        weights: dict[tuple[int, int], float] = {}
        for conflict, rise in zip(look.conflicts, look.rises, strict=True):
            pair = (conflict.first, conflict.second)
            weights[pair] = max(weights.get(pair, 0.0), min(rise))
        if self._tree.expanded >= self._options.joint_after:
            for i, j in weights:
                joint = self._tree.pairs(i, j) - node.routes[i].cost - node.routes[j].cost
                weights[i, j] = max(weights[i, j], joint)
        return matching(weights)

    def split(self, node: Node, look: Look) -> Split[Node]:
        """On the conflict of the greatest rises; a child that costs no more and conflicts less replaces the node."""
        best = max(range(len(look.rises)), key=lambda k: (min(look.rises[k]), max(look.rises[k]), -k))
        chosen = look.conflicts[best]
        children = []
        for agent, extra in ((chosen.first, chosen.for_first), (chosen.second, chosen.for_second)):
            child = self._tree.child(node, look.paths, look.conflicts, agent, extra, 1.0)
            if child is None:
                continue
            if self._options.bypass and child.conflicts < node.conflicts and child.cost <= node.cost * (1.0 + SAME):
                return Split([], Node(node.constraints, child.routes, node.cost, node.bound, child.conflicts))
            children.append(child)
        return Split(children)

    def finished(self, node: Node) -> Node:
        """The node itself."""
        return node

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
