"""StateGraph: states as nodes, directed edges in CSR arrays with a distance and a risk each.

Where the numbers come from (a grid, a roadmap, learned critics) is no business of the planners.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.graph.limits import EdgeLimits, Weight
from navplan.system.arrays import Bool, Float32, Float64, Int32, Int64

if TYPE_CHECKING:
    from navplan.control.interface import EdgeCritics


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
        limits: the rule that the edges obey, or None where none is known.
    """

    states: Float32
    indptr: Int32
    indices: Int32
    distance: Float64
    risk: Float64
    wait_risk: Float64
    shape: tuple[int, int] | None = None
    limits: EdgeLimits | None = None

    def __post_init__(self) -> None:
        for name in ("indptr", "indices"):
            _check_whole(name, getattr(self, name))
        for name, dtype in (
            ("states", np.float32),
            ("indptr", np.int32),
            ("indices", np.int32),
            ("distance", np.float64),
            ("risk", np.float64),
            ("wait_risk", np.float64),
        ):
            # A view: freezing the array itself would freeze the caller's.
            array = np.ascontiguousarray(getattr(self, name), dtype=dtype).view()
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
        self._check_rows()
        if self.distance.shape != (m,) or self.risk.shape != (m,) or self.wait_risk.shape != (n,):
            raise InvalidInput(f"distance and risk need one value per edge ({m}), wait_risk one per node ({n})")
        if not ((self.distance > 0).all() and np.isfinite(self.distance).all()):
            raise InvalidInput("edge distances must be finite and positive")
        for name in ("risk", "wait_risk"):
            values = getattr(self, name)
            if not ((values >= 0).all() and np.isfinite(values).all()):
                raise InvalidInput(f"{name} must be finite and not negative")
        if self.shape is not None:
            self._check_shape(self.shape)

    def _check_rows(self) -> None:
        """Heads ascend within each row, and no edge leads back to its own tail."""
        tails = np.repeat(np.arange(self.num_nodes, dtype=np.int32), np.diff(self.indptr))
        loops = np.flatnonzero(self.indices == tails)
        if loops.size:
            raise InvalidInput(f"node {tails[loops[0]]} has an edge to itself, expected none: waiting needs no edge")
        unsorted = np.flatnonzero((np.diff(self.indices) <= 0) & (tails[1:] == tails[:-1]))
        if unsorted.size:
            raise InvalidInput(f"edge heads of node {tails[unsorted[0]]} do not ascend, or one is there twice")

    def _check_shape(self, shape: Any) -> None:
        """(H, W) in whole cells, and every node inside."""
        if not (isinstance(shape, tuple) and len(shape) == 2 and all(isinstance(side, int) and side >= 0 for side in shape)):
            raise InvalidInput(f"shape is {shape!r}, expected (H, W) or None")
        if self.num_nodes and (self.states.shape[1] != 2 or (self.states < 0).any() or (self.states >= shape).any()):
            raise InvalidInput(f"nodes lie outside the grid of {shape[0]} x {shape[1]} cells")

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

    def weights(self, beta: float = 0.0, weight: Weight = "cost") -> Float64:
        """(M,) float64 edge costs: ``distance + beta * risk``, or 1 per edge with ``weight="hops"``."""
        if weight == "hops":
            return np.ones(self.num_edges)
        return self.distance + beta * self.risk

    @classmethod
    def from_grid(cls, walls: Bool) -> StateGraph:
        """The 4-connected unit grid of the free cells of `walls` ((H, W) bool, True = wall); ids in row-major order.

        Example:
            >>> StateGraph.from_grid(np.zeros((2, 2), bool)).num_edges
            8
        """
        given = np.asarray(walls)
        if given.ndim != 2:
            raise InvalidInput(f"walls have shape {given.shape}, expected (H, W)")
        if given.dtype != np.bool_ and not np.isin(given, (0, 1)).all():
            raise InvalidInput("walls hold something else than 0 and 1, expected True for a wall and False for a free cell")
        free = ~given.astype(np.bool_)
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

    def cells(self) -> Int64:
        """(N, 2) integer (row, col) of each node of a grid graph."""
        if not self.is_grid:
            raise InvalidInput("a state graph has no cells; use states")
        return np.floor(self.states).astype(np.int64)

    @classmethod
    def from_states(
        cls,
        states: ArrayLike,
        critics: EdgeCritics,
        max_distance: float = 7.0,
        max_risk: float = math.inf,
        *,
        max_speed: float = 1.0,
        goal_tolerance: float = 0.5,
        screen: bool = True,
        max_neighbors: int | None = None,
        max_pairs: int | None = 8_000_000,
        batch: int = 8192,
    ) -> StateGraph:
        """A state graph weighed by critics: edge i -> j when its distance is below `max_distance` and its risk below `max_risk`.

        Both values come from one call of ``critics.evaluate`` per block of pairs. Only pairs that pass the screen described at
        `EdgeLimits` are evaluated, so the cost grows with the edges and not with N**2. ``wait_risk`` is the learned cost of going
        from a state to itself, which takes one step.

        Args:
            states: (N, D) finite coordinates in cells.
            critics: weighs pairs of states; see `navplan.control.interface.EdgeCritics`.
            max_distance: environment steps.
            max_risk: cumulative cost.
            max_speed: most cells per axis that one environment step can move.
            goal_tolerance: cells from a goal that count as reached.
            screen: False evaluates all N * (N - 1) pairs, `max_pairs` or not.
            max_neighbors: most candidates per node; see `EdgeLimits`.
            max_pairs: when more pairs than this pass the screen, every node is held to ``max_pairs // N`` candidates, as if given
                as `max_neighbors`, so that large graphs stay affordable. None evaluates every pair that passes.
            batch: pairs per call of the critics; bounds the memory.

        Raises:
            InvalidInput: a state is not finite (the row is named), a limit makes no sense, the critics return NaN.
        """
        from navplan.graph.build import build

        limits = EdgeLimits(max_distance, max_risk, max_speed if screen else math.inf, goal_tolerance, max_neighbors)
        return build(states, critics, limits, max_pairs=max_pairs if screen else None, batch=batch)

    def prune(self, max_risk: float | None = None, max_distance: float | None = None) -> StateGraph:
        """The same nodes with the edges whose risk is below `max_risk` and whose distance is below `max_distance`.

        The limits are remembered: edges attached later obey them too.
        """
        from navplan.graph.build import prune

        return prune(self, max_risk, max_distance)

    def attach(
        self,
        points: ArrayLike,
        critics: EdgeCritics,
        *,
        max_distance: float | None = None,
        max_risk: float | None = None,
        batch: int = 8192,
    ) -> tuple[StateGraph, Int32]:
        """Add `points` as nodes, with edges from and to the old nodes and among themselves, by this graph's own limits.

        Equal points become distinct nodes. Costs O(points * neighbours), never N**2.

        Args:
            points: (P, D) finite coordinates in cells.
            critics: those that the graph was built with.
            max_distance: replaces the remembered limit.
            max_risk: replaces the remembered limit.
            batch: pairs per call of the critics.

        Returns:
            The larger graph, old ids unchanged, and the (P,) int32 ids of the points.

        Raises:
            InvalidInput: a point is not finite, the graph is a grid, or it carries no limits and none are given.
        """
        from navplan.graph.build import attach

        return attach(self, points, critics, max_distance=max_distance, max_risk=max_risk, batch=batch)

    def to_networkx(self, beta: float = 0.0, weight: Weight = "cost") -> Any:
        """A ``networkx.DiGraph``: nodes with ``pos`` and ``wait_risk``, edges with ``distance``, ``risk`` and ``weight``."""
        from navplan.graph.files import to_networkx

        return to_networkx(self, beta, weight)

    @classmethod
    def from_networkx(cls, graph: Any) -> StateGraph:
        """The inverse of `to_networkx`; ids follow the order in which networkx lists the nodes. See `navplan.graph.files`."""
        from navplan.graph.files import from_networkx

        return from_networkx(graph)

    def save(self, path: str | Path) -> None:
        """Write an ``.npz`` file atomically; the same graph gives the same bytes."""
        from navplan.graph.files import save

        save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> StateGraph:
        """Read what `save` wrote.

        Raises:
            FileFormatError: the file is truncated, foreign, of another version or contradicts itself.
            FileAccessError: the file cannot be read.
        """
        from navplan.graph.files import load

        return load(path)


def _check_whole(name: str, values: Any) -> None:
    """Raise InvalidInput where a cast to int32 would change a number."""
    array = np.asarray(values)
    if array.dtype == np.int32 or not array.size:
        return
    whole = array.dtype.kind in "iu" or (array.dtype.kind == "f" and bool(np.isfinite(array).all() and (array % 1 == 0).all()))
    if not whole or max(int(array.max()), -int(array.min())) > np.iinfo(np.int32).max:
        raise InvalidInput(f"{name} must be whole numbers that fit 32 bits, got {array.dtype}")
