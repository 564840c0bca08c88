"""The conflicts among paths, each with the constraints that resolve it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from navplan.kernels.search.conflicts import ARRIVAL, DISC, KEEP_OUT, LATER, MOVE, find_conflicts
from navplan.planners.cbs.constraints import Constraint
from navplan.system.arrays import Float64, Int32

# Steps of one pair that are looked at for the best conflict to split on.
PER_PAIR = 3


class Conflict(NamedTuple):
    """Two agents whose moves at `step` get in each other's way, with the constraints of either child."""

    first: int
    second: int
    step: int
    for_first: tuple[Constraint, ...]
    for_second: tuple[Constraint, ...]


class ConflictFinder:
    """Finds at most `PER_PAIR` conflicts of a pair, among packed paths of a problem's agents."""

    def __init__(self, xy: Float64, clearance: float, agents: int) -> None:
        self._xy = xy
        self._clearance = clearance
        room = max(1, agents * (agents - 1) // 2 * PER_PAIR)
        self._where = np.empty((room, 4), np.int32)
        self._which = np.empty((room, 1 + xy.shape[1]))

    def count(self, paths: Int32, agent: int = -1) -> int:
        """How many there are; with `agent`, how many of its own."""
        return int(find_conflicts(self._xy, self._clearance, paths, agent, PER_PAIR, self._where, self._which))

    def __call__(self, paths: Int32) -> list[Conflict]:
        """All of them with their constraints, the earliest first."""
        count = self.count(paths)
        if count == 0:
            return []
        table = paths.tolist()
        # an agent rests from the step after its last move
        rests = (len(paths) - np.argmax((paths != paths[-1])[::-1], axis=0)) * (paths != paths[-1]).any(axis=0)
        found = [
            self._conflict(table, rests.tolist(), row, point)
            for row, point in zip(self._where[:count].tolist(), self._which[:count].tolist(), strict=True)
        ]
        return sorted(found, key=lambda conflict: (conflict.step, conflict.first, conflict.second))

    def _conflict(self, table: list[list[int]], rests: list[int], row: list[int], point: list[float]) -> Conflict:
        """Constraints such that at most one of the two agents can break its own: no solution is lost, neither child repeats."""
        first, second, step, kind = row
        if step >= rests[first]:
            return Conflict(first, second, step, *_at_rest(table[-1][first], step))
        if step >= rests[second]:
            return Conflict(first, second, step, *_at_rest(table[-1][second], step)[::-1])
        sides: list[tuple[Constraint, ...]] = []
        for agent in (first, second):
            u, v = table[step][agent], table[step + 1][agent]
            if kind == ARRIVAL:
                sides.append((Constraint(step, ARRIVAL, v),))
            elif kind == MOVE:
                sides.append((Constraint(step, MOVE, u, v),))
            else:
                # Two moves through this disc at that instant are closer than the clearance. Both agents' own moves are,
                # up to rounding, so they are named as well; the disc is that much smaller to be sound.
                radius = 0.5 * self._clearance * (1.0 - 1e-9)
                disc = Constraint(step, DISC, -1, -1, point[0], tuple(point[1:]), radius * radius)
                sides.append((disc, Constraint(step, MOVE, u, v)))
        return Conflict(first, second, step, sides[0], sides[1])


def _at_rest(goal: int, step: int) -> tuple[tuple[Constraint, ...], tuple[Constraint, ...]]:
    """Either the agent at rest arrives for the last time after `step`, or the other keeps out of its way from then on.

    Target reasoning (Li et al. 2021) without the upper bound on the first agent's length.
    """
    return (Constraint(step, LATER),), (Constraint(step, KEEP_OUT, goal),)
