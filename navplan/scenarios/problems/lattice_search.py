"""The best paths along a lattice, by A*: paths that can be driven, and guides that promise too much."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from navplan.errors import InvalidInput
from navplan.kernels.motion import obstacles
from navplan.kernels.motion import oracle as kernels
from navplan.kernels.search import hops
from navplan.scenarios.problems.lattice import MARGIN, Lattice
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Float32, Int32

Weights = tuple[float, float]
"""Prices of a unit of cost and of a step."""


class LatticeSearch:
    """Searches of one world's lattice, with the memory that they share.

    Args:
        world: map and hazard.
        tolerance: a position nearer to the goal than this has arrived, cells.
        resolution: spacing of the lattice in cells, one over a whole number.

    Attributes:
        lattice: the points and the moves between them.

    Raises:
        InvalidInput: a number out of range.
    """

    def __init__(self, world: World, tolerance: float, resolution: float) -> None:
        self.tolerance = tolerance
        self.lattice = Lattice(world, _points_to_a_cell(tolerance, resolution))
        self._blocked = np.ascontiguousarray(self.lattice.space.geometry.cells == obstacles.BLOCKED)
        count = len(self.lattice.points)
        self._best = np.empty(count)
        self._parents = np.empty(count, np.int32)
        self._keys, self._items = np.empty(4 * count + 4096), np.empty(4 * count + 4096, np.int32)

    def path(self, start: Float32, goal: Float32, weights: Weights) -> Float32 | None:
        """(K, 2) points of the best path from a start, which is exact, to within the tolerance of a goal; None: no way."""
        lattice = self.lattice
        seeds = lattice.within(start, 1.0)
        cost, straight, _ = lattice.make(np.broadcast_to(start, (len(seeds), 2)), lattice.points[seeds] - start)
        straight &= lattice.open[seeds]
        return self._searched(lattice.costs, seeds[straight], cost[straight], goal, self.tolerance - MARGIN, weights)

    def guide(self, start: Float32, goal: Float32, weights: Weights, slack: float) -> Float32 | None:
        """As `path`, one that promises more than the environment may keep: nothing that is much faster is overlooked.

        Slides count, the first step may miss its lattice point and the last the tolerance by `slack`, and each by what
        rounding to the lattice takes away.
        """
        lattice = self.lattice
        aims = lattice.points[lattice.within(start, 1.0 + slack)] - start
        actions = np.concatenate([lattice.moves, np.clip(aims, -1.0, 1.0)])
        cost, _, after = lattice.make(np.broadcast_to(start, (len(actions), 2)), actions)
        ends, spread = after.astype(np.float64) * lattice.reach, 0.5 + slack * lattice.reach
        span = np.arange(-math.ceil(spread), math.ceil(spread) + 1)
        offsets = np.stack(np.meshgrid(span, span, indexing="ij"), axis=-1).reshape(-1, 1, 2)
        nodes = np.rint(ends).astype(np.int64) + offsets
        fits = (np.abs(nodes - ends) <= spread + 1e-6).all(axis=-1) & (nodes >= 0).all(axis=-1)
        fits &= (nodes < [lattice.rows, lattice.width]).all(axis=-1)
        seeds = (nodes[..., 0] * lattice.width + nodes[..., 1])[fits].astype(np.int32)
        costs = np.broadcast_to(cost, fits.shape)[fits]
        usable = lattice.open[seeds]
        return self._searched(lattice.slides, seeds[usable], costs[usable], goal, self.tolerance + slack, weights)

    def _searched(
        self,
        costs: NDArray[np.uint16],
        seeds: Int32,
        seed_costs: Float32,
        goal: Float32,
        tolerance: float,
        weights: Weights,
    ) -> Float32 | None:
        """(K, 2) points from one of the seeds to one nearer to the goal than the tolerance, None where there is no way."""
        lattice = self.lattice
        near = lattice.within(goal, tolerance)
        gaps = lattice.points[near].astype(np.float64) - goal
        targets = np.zeros(len(lattice.points), np.bool_)
        targets[near[np.hypot(gaps[:, 0], gaps[:, 1]) < tolerance]] = True
        ahead, prices = self._steps_ahead(goal, tolerance), seed_costs.astype(np.float64)
        fixed = targets, lattice.cells, ahead, *weights, self._best, self._parents
        while True:
            end = kernels.search(costs, lattice.width, lattice.reach, seeds, prices, *fixed, self._keys, self._items)
            if end != kernels.HEAP_FULL:
                break
            self._keys, self._items = np.empty(2 * len(self._keys)), np.empty(2 * len(self._keys), np.int32)
        if end == kernels.NO_WAY:
            return None
        nodes = []
        while end >= 0:
            nodes.append(end)
            end = int(self._parents[end])
        return lattice.points[nodes[::-1]]

    def _steps_ahead(self, goal: Float32, tolerance: float) -> Int32:
        """(cells,) at least so many steps from each cell to within the tolerance of a goal, negative where there is no way.

        A step leads to one of the eight cells around its own; the tolerance saves the cells that it spans.
        """
        rows, cols = self._blocked.shape
        found, queue = np.empty(self._blocked.shape, np.int32), np.empty(self._blocked.size, np.int32)
        hops.hops_from(self._blocked, min(int(goal[0]), rows - 1), min(int(goal[1]), cols - 1), queue, found)
        saved = math.ceil(tolerance)
        return np.where(found == hops.UNREACHABLE, -1, np.maximum(found - saved, 0)).ravel().astype(np.int32)


def _points_to_a_cell(tolerance: float, resolution: float) -> int:
    if not (math.isfinite(tolerance) and tolerance > 0):
        raise InvalidInput(f"tolerance is {tolerance}, expected a positive number of cells")
    if not 0 < resolution <= 1 or abs(1 / resolution - round(1 / resolution)) > 1e-9:
        raise InvalidInput(f"resolution is {resolution}, expected one over a whole number of points to a cell")
    reach = round(1 / resolution)
    if tolerance * reach <= math.sqrt(2):
        raise InvalidInput(f"resolution is {resolution}, too coarse for a tolerance of {tolerance}")
    return reach
