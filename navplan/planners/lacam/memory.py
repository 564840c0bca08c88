"""Memory of a LaCAM search, which grows with the configurations that it meets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.lacam.configurations import CONSTRAINTS, COUNTERS, LINKS, NODES, STACK, Configurations, Pools, rehash
from navplan.planners.base import GaveUp

# Configurations that there is room for at first.
ROWS = 1024


class LaCAMMemory:
    """Configurations met so far, and what the search keeps beside them.

    Attributes:
        configurations, pools: arrays for the kernels; replaced when they must grow.
        counters: (COUNTERS,) int64 of the search so far.
    """

    def __init__(self, agents: int, branching: int) -> None:
        self._agents = agents
        self._branching = branching
        self.counters = np.zeros(COUNTERS, np.int64)
        ints, floats = np.empty(ROWS, np.int32), np.empty(ROWS)
        self.configurations = Configurations(
            nodes=np.empty((ROWS, agents), np.int32),
            order=np.empty((ROWS, agents), np.int32),
            parent=ints.copy(),
            g=floats.copy(),
            h=floats.copy(),
            code=np.empty(ROWS, np.int64),
            first=ints.copy(),
            last=ints.copy(),
            neighbours=ints.copy(),
        )
        constraints = max(8 * ROWS, 4 * branching)
        self.pools = Pools(
            depth=np.empty(constraints, np.int32),
            node=np.empty(constraints, np.int32),
            up=np.empty(constraints, np.int32),
            after=np.empty(constraints, np.int32),
            to=np.empty(2 * ROWS, np.int32),
            more=np.empty(2 * ROWS, np.int32),
            slots=np.full(2 * ROWS, -1, np.int32),
            stack=np.empty(4 * ROWS, np.int32),
            keys=np.empty(2 * ROWS),
            ties=np.empty(2 * ROWS),
            items=np.empty(2 * ROWS, np.int32),
        )

    def grow(self, limit_mb: int) -> None:
        """Double what is nearly full.

        Raises:
            GaveUp: that would take more than `limit_mb` MiB.
        """
        counters = self.counters
        table, pools = self.configurations, self.pools
        rows, constraints, links, stack = table.g.size, pools.up.size, pools.to.size, pools.stack.size
        if counters[NODES] + 1 >= rows:
            rows *= 2
        if counters[CONSTRAINTS] + self._branching + 1 >= constraints:
            constraints *= 2
        if counters[LINKS] + 1 >= links:
            links *= 2
        if counters[STACK] + counters[NODES] + 3 >= stack:
            stack *= 2
        if rows * (8 * self._agents + 56) + constraints * 16 + links * 28 + stack * 4 > limit_mb * 2**20:
            raise GaveUp(f"memory limit of {limit_mb} MB reached")
        self.configurations = Configurations(*(_enlarged(array, rows) for array in table))
        self.pools = Pools(
            depth=_enlarged(pools.depth, constraints),
            node=_enlarged(pools.node, constraints),
            up=_enlarged(pools.up, constraints),
            after=_enlarged(pools.after, constraints),
            to=_enlarged(pools.to, links),
            more=_enlarged(pools.more, links),
            slots=pools.slots if pools.slots.size == 2 * rows else np.full(2 * rows, -1, np.int32),
            stack=_enlarged(pools.stack, stack),
            keys=_enlarged(pools.keys, links),
            ties=_enlarged(pools.ties, links),
            items=_enlarged(pools.items, links),
        )
        if self.pools.slots is not pools.slots:
            rehash(self.pools.slots, self.configurations.code, counters[NODES])


def _enlarged(array: NDArray[Any], rows: int) -> NDArray[Any]:
    """A longer copy, or the array itself when it is long enough."""
    if len(array) >= rows:
        return array
    longer = np.empty((rows, *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer
