"""What two agents cannot both do on paths of their least costs, read off their decision diagrams (mutexes, Zhang et al. 2022)."""

from __future__ import annotations

import numpy as np

from navplan.kernels.cbs.unit_pairs import first_dead_level, widest_cut
from navplan.planners.base import Clock
from navplan.planners.cbs.unit.diagrams import Asked, Diagrams
from navplan.system.arrays import Int32, Int64

# Pairs of nodes that comparing two diagrams may look at.
MOST_PAIRS = 10_000_000
# Pairs of nodes, of all levels, among which a cut is looked for.
MOST_CUT = 4_000_000

# A time, and nodes of either of two agents.
Cut = tuple[int, list[int], list[int]]


class Mutexes:
    """Compares diagrams on a graph of so many nodes; remembers what it is asked again."""

    def __init__(self, diagrams: Diagrams, nodes: int, clock: Clock) -> None:
        self._diagrams = diagrams
        self._clock = clock
        self._place = np.full(nodes, -1, np.int32)
        self._now = np.empty(1 << 18, np.uint8)
        self._then = np.empty(1 << 18, np.uint8)
        self._where: Int64 = np.empty(0, np.int64)
        self._table = np.empty(0, np.uint8)
        self._dead: dict[tuple[Asked, Asked], int] = {}

    def forget(self) -> None:
        """Drop what is remembered."""
        self._dead.clear()

    def dead_level(self, one: Asked, other: Asked) -> int:
        """First time by which two agents have met whichever paths of their least costs they take; negative if they need not.

        Args:
            one, other: agent, rules, least cost.
        """
        key = (one, other)
        if key not in self._dead:
            self._clock.check()
            mine, theirs = self._diagrams(*one), self._diagrams(*other)
            if mine is None or theirs is None:
                self._dead[key] = -2
            else:
                self._dead[key] = int(first_dead_level(mine, theirs, self._place, self._now, self._then, MOST_PAIRS))
        return self._dead[key]

    def cut(self, one: Asked, other: Asked, paths: tuple[Int32, Int32], since: int) -> Cut | None:
        """Where two agents cannot both be, neither as on its path: (time, some nodes of either's level); None if nowhere.

        Args:
            one, other: agent, rules, least cost.
            paths: of those.
            since: the first time to look at.
        """
        mine, theirs = self._diagrams(*one), self._diagrams(*other)
        if mine is None or theirs is None:
            return None
        levels = max(len(mine.first), len(theirs.first))
        if len(self._where) < levels:
            self._where = np.empty(2 * levels, np.int64)
        if not len(self._table):
            self._table = np.empty(MOST_CUT, np.uint8)
        keep = np.empty(len(mine.nodes), np.uint8), np.empty(len(theirs.nodes), np.uint8)
        time = int(widest_cut(mine, theirs, *paths, since, self._table, self._where, *keep))
        if time < 0:
            return None
        sides = []
        for diagram, marks in zip((mine, theirs), keep, strict=True):
            at = min(time, len(diagram.first) - 2)
            level = diagram.nodes[diagram.first[at] : diagram.first[at + 1]]
            sides.append(level[marks[: len(level)] == 1].tolist())
        return time, sides[0], sides[1]
