"""Lower bounds on what pairs of agents must pay between them, computed when asked for and remembered."""

from __future__ import annotations

import numpy as np

from navplan.kernels.cbs.pairs import Pair, PairWork, pair_bound
from navplan.plan.problem import Problem
from navplan.planners.weighted import Weighted
from navplan.system.arrays import Float64

CAPACITY = 1 << 15
BUDGET = 3000
# Joint expansions cost the product of two degrees; beyond this many combinations they are not worth it.
MAX_COMBINATIONS = 1 << 10


class PairBounds:
    """The sum of costs that two agents need at least, whatever constraints are put on them."""

    def __init__(self, problem: Problem, weighted: Weighted, tables: Float64, clearance: float) -> None:
        self._ends = list(zip(problem.starts.tolist(), problem.goals.tolist(), strict=True))
        self._weighted = weighted
        self._tables = tables
        self._clearance = clearance
        self._known: dict[tuple[int, int], float] = {}
        self._work: PairWork | None = None

    def __call__(self, i: int, j: int) -> float:
        """The bound for agents i and j; 0 where the graph is too dense to plan two agents together."""
        if (self._weighted.max_degree + 2) ** 2 > MAX_COMBINATIONS:
            return 0.0
        if (i, j) not in self._known:
            self._known[i, j] = self._compute(i, j)
        return self._known[i, j]

    def _compute(self, i: int, j: int) -> float:
        if self._work is None:
            self._work = make_pair_work()
        weighted = self._weighted
        pair = Pair(*self._ends[i], *self._ends[j], self._clearance)
        return float(
            pair_bound(weighted.forward, weighted.waits, weighted.xy, self._tables[i], self._tables[j], pair, self._work, BUDGET)
        )


def make_pair_work() -> PairWork:
    """Memory for the joint search of two agents."""
    return PairWork(
        first=np.empty(CAPACITY, np.int32),
        second=np.empty(CAPACITY, np.int32),
        retired=np.empty(CAPACITY, np.int8),
        g=np.empty(CAPACITY),
        slot_key=np.empty(2 * CAPACITY, np.int64),
        slot_record=np.empty(2 * CAPACITY, np.int32),
        keys=np.empty(CAPACITY),
        ties=np.empty(CAPACITY),
        items=np.empty(CAPACITY, np.int32),
    )
