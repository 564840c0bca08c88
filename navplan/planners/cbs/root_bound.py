"""What agents must pay beyond their own optima because some two of them are in each other's way: a bound for EECBS's root."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from navplan.kernels.cbs.pairs import Pair, pair_bound
from navplan.kernels.search.dijkstra import Csr
from navplan.planners.base import Clock
from navplan.planners.cbs.pair_bounds import BUDGET, MAX_COMBINATIONS, make_pair_work
from navplan.planners.cbs.vertex_cover import cover, matching
from navplan.planners.field import Field
from navplan.system.arrays import freeze

# Pairs for which a cover is found in less than 0.1 s; of more, disjoint ones are summed.
MOST_COVERED = 100


class RootBound:
    """Bounds from pairs of agents, each planned together with the joint search of `navplan.kernels.cbs.pairs`."""

    def __init__(self, field: Field) -> None:
        ground = field.ground
        self._field = field
        self._graph = Csr(ground.indptr, ground.indices, ground.weights)
        self._degree = int(np.diff(ground.indptr).max(initial=0))
        self._xy = np.ascontiguousarray(field.problem.graph.places)
        freeze(self._xy)
        self._work = make_pair_work()
        self._due(0, 0, 0)  # nothing: compiled before it is needed

    def total(self, pairs: Iterable[Sequence[int]], clock: Clock) -> float:
        """A lower bound on what all agents pay together beyond the sum of their optima.

        Whole costs are shared out by a weighted vertex cover (Li et al. 2019), others over disjoint pairs.

        Raises:
            OutOfTime: the deadline passed on the way.
        """
        if (self._degree + 2) ** 2 > MAX_COMBINATIONS:
            return 0.0
        dues: dict[tuple[int, int], float] = {}
        for i, j in pairs:
            clock.check()
            due = self._due(i, j, BUDGET)
            if due > 0.0:
                dues[min(i, j), max(i, j)] = due
        whole = self._field.ground.timed[0] == 0 and len(dues) <= MOST_COVERED
        total = cover(dues) if whole else matching(dues)
        return total if math.isfinite(total) else 0.0

    def _due(self, i: int, j: int, budget: int) -> float:
        """What agents i and j pay at least, beyond their optima."""
        ground = self._field.ground
        ends = (int(ground.starts[i]), int(ground.goals[i]), int(ground.starts[j]), int(ground.goals[j]))
        rows = ground.tables[i].astype(np.float64), ground.tables[j].astype(np.float64)
        freeze(*rows)
        both = pair_bound(self._graph, ground.waits, self._xy, *rows, Pair(*ends, 0.0), self._work, budget)
        return max(0.0, float(both - self._field.optima[i] - self._field.optima[j]))
