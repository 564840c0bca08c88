"""What the conflict tree of unit costs is made of."""

from __future__ import annotations

from typing import NamedTuple

from navplan.planners.cbs.unit.diagrams import Bar
from navplan.system.arrays import Int32


class Clash(NamedTuple):
    """Two agents at one node at `time`, or swapping to arrive at `time`."""

    time: int
    swap: bool


class UnitNode(NamedTuple):
    """Paths under bars, and which pairs conflict where.

    Attributes:
        cost: sum of the last arrivals.
        clashes: by pair (smaller agent first), at most `KEPT` each, the earliest first.
        limits: by agent, the time by which its last arrival must be; then nobody else may be at its goal. The bars of the others
            say so only where one of their shortest paths would be.
    """

    bars: tuple[frozenset[Bar], ...]
    paths: tuple[Int32, ...]
    cost: int
    clashes: dict[tuple[int, int], tuple[Clash, ...]]
    limits: dict[int, int]


class Side(NamedTuple):
    """One child: what an agent must no longer do; or, with a limit, the time by which it must have arrived for the last time."""

    agent: int
    bars: frozenset[Bar]
    limit: int = -1
