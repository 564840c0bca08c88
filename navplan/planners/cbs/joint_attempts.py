"""Beside a conflict tree that grows: all agents of a small problem planned jointly now and then."""

from __future__ import annotations

import math

from navplan.kernels.common.status import EXHAUSTED, FOUND
from navplan.planners.cbs.tree import Node, Tree


class JointAttempts:
    """Plans all agents jointly, with more room each time.

    Args:
        tree: grows between the attempts.
        team: most agents for which that is tried.
        team_after: expanded tree nodes before the first attempt.
    """

    FIRST, LAST = 1 << 15, 1 << 21

    def __init__(self, tree: Tree, team: int, team_after: int) -> None:
        self._tree = tree
        self._next: float = team_after if tree.problem.num_agents <= team else math.inf
        self._room = self.FIRST

    def due(self) -> bool:
        """True when the tree has grown enough for another attempt."""
        return self._tree.expanded >= self._next

    def run(self) -> tuple[bool, Node | None]:
        """Whether that ended the search, and the solution if there is one."""
        result = self._tree.jointly(self._room)
        if result.status == EXHAUSTED:
            return True, None
        if result.status == FOUND:
            return True, self._tree.team_node(result)
        self._tree.lower_bound = max(self._tree.lower_bound, result.bound)
        self._room *= 4
        self._next = 4 * (self._next + 1) if self._room <= self.LAST else math.inf
        return False, None
