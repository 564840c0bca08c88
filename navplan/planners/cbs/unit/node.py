"""What the conflict tree of unit costs is made of."""

from __future__ import annotations

from typing import NamedTuple

from navplan.planners.cbs.unit.diagrams import Asked
from navplan.planners.cbs.unit.rules import FOREVER, Rule
from navplan.system.arrays import Int32

Pair = tuple[int, int]


class Clash(NamedTuple):
    """Two agents at one node at `time`, or swapping to arrive at `time`."""

    time: int
    swap: bool


class UnitNode(NamedTuple):
    """Paths under rules, and which pairs conflict where.

    Attributes:
        cost: sum of the last arrivals.
        clashes: by pair (smaller agent first), at most `KEPT` each, the earliest first.
        limits: by agent, the time by which its last arrival must be; then nobody else may be at its goal. The rules of the others
            say so only where one of their shortest paths would be.
    """

    rules: tuple[frozenset[Rule], ...]
    paths: tuple[Int32, ...]
    cost: int
    clashes: dict[Pair, tuple[Clash, ...]]
    limits: dict[int, int]

    @property
    def conflicts(self) -> int:
        """Pairs in conflict."""
        return len(self.clashes)

    def steps(self, agent: int) -> int:
        """Cost of an agent's path: its last arrival."""
        return len(self.paths[agent]) - 1

    def limit(self, agent: int) -> int:
        """Time by which an agent's last arrival must be."""
        return self.limits.get(agent, FOREVER)

    def asked(self, agent: int, rise: int = 0) -> Asked:
        """The paths of an agent that cost so much more than its own."""
        return agent, self.rules[agent], len(self.paths[agent]) - 1 + rise


class Branch(NamedTuple):
    """One child: what an agent must no longer do; or, with a limit, the time by which it must have arrived for the last time."""

    agent: int
    rules: frozenset[Rule]
    limit: int = -1
