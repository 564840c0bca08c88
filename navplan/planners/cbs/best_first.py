"""Best-first search of a conflict tree: the skeleton that the searches of CBS share."""

from __future__ import annotations

import heapq
import math
from typing import Generic, NamedTuple, Protocol, TypeVar

from navplan.planners.base import SAME, GaveUp
from navplan.planners.cbs.joint_attempts import JointAttempts
from navplan.planners.cbs.tree import Node, Tree


class SearchOptions(NamedTuple):
    """What a search takes from the options of CBS, which explain them."""

    max_nodes: int | None
    bypass: bool
    joint_after: int
    team: int
    team_after: int
    corridors: bool
    mutexes: bool


class TreeNode(Protocol):
    """What is asked of a node: its cost, and how many conflicts are left."""

    @property
    def cost(self) -> float:
        """Sum of the paths' costs: no solution below costs less."""
        ...

    @property
    def conflicts(self) -> int:
        """0 for a solution."""
        ...


T = TypeVar("T")
N = TypeVar("N", bound=TreeNode)
# What a search knows of a node's conflicts when it is to be split.
L = TypeVar("L")


class Split(NamedTuple, Generic[N]):
    """What becomes of a node: its children, or the node that replaces it (bypass)."""

    children: list[N]
    instead: N | None = None


class Branching(Protocol[N, L]):
    """What the searches differ in."""

    def root(self) -> N | None:
        """Every agent alone; None if one has no path."""
        ...

    def look(self, node: N) -> L:
        """The conflicts of a node, and what resolving each must cost."""
        ...

    def rise(self, node: N, look: L) -> float:
        """By how much a solution below must cost more than the node: an admissible heuristic, inf when there is none."""
        ...

    def split(self, node: N, look: L) -> Split[N]:
        """Resolve one conflict in every way."""
        ...

    def finished(self, node: N) -> Node:
        """A node without conflicts in the general form."""
        ...


class OpenNodes(Generic[T]):
    """Nodes by bound, then by number of conflicts; of equals the youngest first, which is nearest to a solution."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, int, bool, T]] = []
        self._pushed = 0

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def least(self) -> float:
        """The least bound, inf when there is no node."""
        return self._heap[0][0] if self._heap else math.inf

    def push(self, bound: float, conflicts: int, node: T, *, estimated: bool = False) -> None:
        """Add a node; `estimated` when its bound has the heuristic in it."""
        self._pushed += 1
        heapq.heappush(self._heap, (bound, conflicts, -self._pushed, estimated, node))

    def pop(self) -> tuple[float, T, bool]:
        """Take the first: its bound, the node, whether it was estimated."""
        bound, _, _, estimated, node = heapq.heappop(self._heap)
        return bound, node, estimated

    def clear(self) -> None:
        """Drop all nodes."""
        self._heap.clear()


def best_first(tree: Tree, branching: Branching[N, L], options: SearchOptions) -> Node | None:
    """A solution of least cost, or None when there is none.

    Raises:
        OutOfTime: the deadline passed.
        GaveUp: `max_nodes` nodes have been expanded.
    """
    attempts = JointAttempts(tree, options.team, options.team_after)
    root = branching.root()
    if root is None:
        return None
    nodes = OpenNodes[N]()
    nodes.push(root.cost, root.conflicts, root)
    try:
        while nodes:
            tree.clock.check()
            bound, node, estimated = nodes.pop()
            tree.lower_bound = max(tree.lower_bound, bound)
            if node.conflicts == 0:
                tree.lower_bound = node.cost
                return branching.finished(node)
            if options.max_nodes is not None and tree.expanded >= options.max_nodes:
                raise GaveUp(f"node limit of {options.max_nodes} reached")
            _expand(tree, branching, nodes, bound, node, estimated)
            if attempts.due():
                ended, found = attempts.run()
                if ended:
                    return found
        return None
    finally:
        nodes.clear()


def _expand(tree: Tree, branching: Branching[N, L], nodes: OpenNodes[N], bound: float, node: N, estimated: bool) -> None:
    """Put the node back with a better bound, or split it; one that replaces it is split at once."""
    while node.conflicts:
        look = branching.look(node)
        if not estimated:
            better = max(bound, node.cost + branching.rise(node, look))
            if better > bound * (1.0 + SAME):
                if better < math.inf:
                    nodes.push(better, node.conflicts, node, estimated=True)
                return
        tree.expanded += 1
        split = branching.split(node, look)
        if split.instead is None:
            for child in split.children:
                nodes.push(max(bound, child.cost), child.conflicts, child)
            return
        node = split.instead
        tree.clock.check()
    nodes.push(bound, 0, node, estimated=True)
