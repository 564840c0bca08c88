"""StateGraph: states as nodes, directed edges in CSR arrays with a distance and a risk each.

Where the numbers come from (a grid, a roadmap, learned critics) is no business of the planners.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from navplan.errors import InvalidInput

Weight = Literal["cost", "hops"]


@dataclass(frozen=True, eq=False)
class StateGraph:
    """A directed graph over states.

    Attributes:
        states: (N, D) float32 coordinates in cell units, (row, col) first. Grid nodes are cell centres, (row + 0.5, col + 0.5).
        indptr: (N + 1,) int32 CSR row starts.
        indices: (M,) int32 edge heads, ascending within a row, no self-loops (waiting is implicit).
        distance: (M,) float64 environment steps per edge, > 0.
        risk: (M,) float64 cumulative cost per edge, >= 0.
        wait_risk: (N,) float64 cost of one step on the spot.
        shape: (H, W) of the grid map that the nodes are the free cells of, or None for a state graph.
    """

    states: NDArray[np.float32]
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    distance: NDArray[np.float64]
    risk: NDArray[np.float64]
    wait_risk: NDArray[np.float64]
    shape: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for name, dtype in (
            ("states", np.float32),
            ("indptr", np.int32),
            ("indices", np.int32),
            ("distance", np.float64),
            ("risk", np.float64),
            ("wait_risk", np.float64),
        ):
            array = np.ascontiguousarray(getattr(self, name), dtype=dtype)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        n, m = len(self.states), len(self.indices)
        if self.states.ndim != 2:
            raise InvalidInput(f"states have shape {self.states.shape}, expected (N, D)")
        if not np.isfinite(self.states).all():
            bad = int(np.flatnonzero(~np.isfinite(self.states).all(axis=1))[0])
            raise InvalidInput(f"state {bad} is {self.states[bad].tolist()}, expected finite coordinates")
        if self.indptr.shape != (n + 1,) or self.indptr[0] != 0 or self.indptr[-1] != m or (np.diff(self.indptr) < 0).any():
            raise InvalidInput(f"indptr is not a CSR row pointer for {n} nodes and {m} edges")
        if m and (self.indices.min() < 0 or self.indices.max() >= n):
            raise InvalidInput(f"edge heads must be in 0..{n - 1}")
        if self.distance.shape != (m,) or self.risk.shape != (m,) or self.wait_risk.shape != (n,):
            raise InvalidInput(f"distance and risk need one value per edge ({m}), wait_risk one per node ({n})")
        if not ((self.distance > 0).all() and np.isfinite(self.distance).all()):
            raise InvalidInput("edge distances must be finite and positive")
        for name in ("risk", "wait_risk"):
            values = getattr(self, name)
            if not ((values >= 0).all() and np.isfinite(values).all()):
                raise InvalidInput(f"{name} must be finite and not negative")

    @property
    def num_nodes(self) -> int:
        """N."""
        return len(self.states)

    @property
    def num_edges(self) -> int:
        """M, directed."""
        return len(self.indices)

    @property
    def is_grid(self) -> bool:
        """True when the nodes are the free cells of a grid map."""
        return self.shape is not None

    def weights(self, beta: float = 0.0, weight: Weight = "cost") -> NDArray[np.float64]:
        """(M,) float64 edge costs: ``distance + beta * risk``, or 1 per edge with ``weight="hops"``."""
        if weight == "hops":
            return np.ones(self.num_edges)
        return self.distance + beta * self.risk

    @classmethod
    def from_grid(cls, walls: NDArray[np.bool_]) -> StateGraph:
        """The 4-connected unit grid of the free cells of `walls` ((H, W) bool, True = wall); ids in row-major order.

        Example:
            >>> StateGraph.from_grid(np.zeros((2, 2), bool)).num_edges
            8
        """
        free = ~np.asarray(walls, dtype=np.bool_)
        if free.ndim != 2:
            raise InvalidInput(f"walls have shape {free.shape}, expected (H, W)")
        height, width = free.shape
        ids = np.full((height + 2, width + 2), -1, np.int64)
        rows, cols = np.nonzero(free)
        ids[rows + 1, cols + 1] = np.arange(len(rows))
        # up, left, right, down: ascending ids within each CSR row
        heads = np.stack([ids[rows, cols + 1], ids[rows + 1, cols], ids[rows + 1, cols + 2], ids[rows + 2, cols + 1]], axis=1)
        there = heads >= 0
        indptr = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        m = int(indptr[-1])
        return cls(
            states=np.stack([rows + 0.5, cols + 0.5], axis=1).astype(np.float32),
            indptr=indptr.astype(np.int32),
            indices=heads[there].astype(np.int32),
            distance=np.ones(m),
            risk=np.zeros(m),
            wait_risk=np.zeros(len(rows)),
            shape=(height, width),
        )

    def cells(self) -> NDArray[np.int64]:
        """(N, 2) integer (row, col) of each node of a grid graph."""
        if not self.is_grid:
            raise InvalidInput("a state graph has no cells; use states")
        return np.floor(self.states).astype(np.int64)
