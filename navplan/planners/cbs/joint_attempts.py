"""Beside a conflict tree that grows: all agents of a small problem planned jointly now and then."""

from __future__ import annotations

import math

from navplan.errors import InvalidInput
from navplan.kernels.common.status import EXHAUSTED, FOUND
from navplan.planners.cbs.tree import Node, Tree
from navplan.planners.checks import check_whole

# Agents that can be planned jointly.
MOST_TOGETHER = 16


def check_team(planner: str, team: int, team_after: int) -> None:
    """Raise InvalidInput unless the options `team` and `team_after` of a planner are in their ranges."""
    check_whole(f"{planner}.team", team)
    check_whole(f"{planner}.team_after", team_after)
    if team > MOST_TOGETHER:
        raise InvalidInput(f"{planner}.team is {team}, expected at most {MOST_TOGETHER}")


class JointAttempts:
    """Plans all agents jointly, with more room each time.

    Args:
        tree: grows between the attempts.
        team: most agents for which that is tried.
        team_after: expanded tree nodes before the first attempt.

    Attributes:
        tree: as given.
    """

    FIRST, LAST = 1 << 15, 1 << 21

    def __init__(self, tree: Tree, team: int, team_after: int) -> None:
        self.tree = tree
        self._next: float = team_after if tree.problem.num_agents <= team else math.inf
        self._room = self.FIRST

    def due(self) -> bool:
        """True when the tree has grown enough for another attempt."""
        return self.tree.expanded >= self._next

    def run(self) -> tuple[bool, Node | None]:
        """Whether that ended the search, and the solution if there is one."""
        result = self.tree.jointly(self._room)
        if result.status == EXHAUSTED:
            return True, None
        if result.status == FOUND:
            return True, self.tree.team_node(result)
        self.tree.lower_bound = max(self.tree.lower_bound, result.bound)
        self._room *= 4
        self._next = 4 * (self._next + 1) if self._room <= self.LAST else math.inf
        return False, None
