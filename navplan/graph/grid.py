"""State graphs of occupancy grids."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.graph.parts import GraphParts
from navplan.system.numbers import as_flags


def grid_parts(walls: ArrayLike) -> GraphParts:
    """The 4-connected unit grid of the free cells of `walls`; see `StateGraph.from_grid`."""
    given = as_flags(walls, "walls", "True for a wall and False for a free cell")
    if given.ndim != 2:
        raise InvalidInput(f"walls have shape {given.shape}, expected (H, W)")
    free = ~given
    height, width = free.shape
    ids = np.full((height + 2, width + 2), -1, np.int64)
    rows, cols = np.nonzero(free)
    ids[rows + 1, cols + 1] = np.arange(len(rows))
    # up, left, right, down: ascending ids within each CSR row
    heads = np.stack([ids[rows, cols + 1], ids[rows + 1, cols], ids[rows + 1, cols + 2], ids[rows + 2, cols + 1]], axis=1)
    there = heads >= 0
    indptr = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    m = int(indptr[-1])
    return GraphParts(
        states=np.stack([rows + 0.5, cols + 0.5], axis=1).astype(np.float32),
        indptr=indptr.astype(np.int32),
        indices=heads[there].astype(np.int32),
        distance=np.ones(m),
        risk=np.zeros(m),
        wait_risk=np.zeros(len(rows)),
        shape=(height, width),
    )
