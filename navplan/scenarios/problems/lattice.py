"""A lattice of points over a world, all environment steps between them with their costs, and the best paths along it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from navplan.errors import InvalidInput
from navplan.kernels.motion import obstacles, stepping
from navplan.kernels.motion import oracle as kernels
from navplan.kernels.search import hops
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.geometry import Geometry
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool, Float32, Int32

# Lattice moves must also be made from this far beside the lattice point: replayed steps end within a few float32 roundings of it.
_MARGIN = 1e-4

Weights = tuple[float, float]
"""Prices of a unit of cost and of a step."""


class Lattice:
    """The points that lie `resolution` apart, and the actions between them that nothing hinders.

    Building it takes about a second for 55 x 55 cells at a spacing of 1/4 and ten at 1/8; the two tables hold two bytes per point
    and move, 16 MB and 224 MB.

    Args:
        world: map and hazard.
        tolerance: a position nearer to the goal than this has arrived, cells.
        resolution: spacing in cells, one over a whole number.

    Attributes:
        reach: points to a cell.
        points: (N, 2) float32, row by row.
        grid: (G, 2) float32 actions that are whole numbers of spacings.
        env: an environment of the world.

    Raises:
        InvalidInput: a number out of range.
    """

    def __init__(self, world: World, tolerance: float, resolution: float) -> None:
        if not (math.isfinite(tolerance) and tolerance > 0):
            raise InvalidInput(f"tolerance is {tolerance}, expected a positive number of cells")
        if not 0 < resolution <= 1 or abs(1 / resolution - round(1 / resolution)) > 1e-9:
            raise InvalidInput(f"resolution is {resolution}, expected one over a whole number of points to a cell")
        self.tolerance = tolerance
        self.reach = round(1 / resolution)
        if tolerance * self.reach <= math.sqrt(2):
            raise InvalidInput(f"resolution is {resolution}, too coarse for a tolerance of {tolerance}")
        self.env = PointEnv(world, rng=np.random.default_rng(0))
        geometry = self.env.geometry
        self._geometry: Geometry = geometry
        self._rows = int(float(geometry.height) * self.reach) + 1
        self._width = int(float(geometry.width) * self.reach) + 1
        grid = np.stack(np.meshgrid(np.arange(self._rows), np.arange(self._width), indexing="ij"), axis=-1).reshape(-1, 2)
        self.points: Float32 = (grid / self.reach).astype(np.float32)
        cell_rows, cell_cols = geometry.cells.shape
        cells = np.minimum(grid // self.reach, [cell_rows - 1, cell_cols - 1])
        self._node_cells = (cells[:, 0] * cell_cols + cells[:, 1]).astype(np.int32)
        self._blocked = np.ascontiguousarray(geometry.cells == obstacles.BLOCKED)
        moves = np.arange(-self.reach, self.reach + 1) / self.reach
        self.grid: Float32 = np.stack(np.meshgrid(moves, moves, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.float32)
        self._costs = self._move_costs()
        self._open = (self._costs != kernels.NO_MOVE).any(axis=1)
        self._lenient = self._lenient_costs()
        count = len(self.points)
        self._best = np.empty(count)
        self._parents = np.empty(count, np.int32)
        self._keys, self._items = np.empty(4 * count + 4096), np.empty(4 * count + 4096, np.int32)

    def path(self, start: Float32, goal: Float32, weights: Weights) -> Float32 | None:
        """(K, 2) points of the best path from a start, which is exact, to within the tolerance of a goal; None: no way."""
        seeds = self._within(start, 1.0)
        cost, straight, _ = self._make(np.broadcast_to(start, (len(seeds), 2)), self.points[seeds] - start)
        straight &= self._open[seeds]
        return self._searched(self._costs, seeds[straight], cost[straight], goal, self.tolerance - _MARGIN, weights)

    def guide(self, start: Float32, goal: Float32, weights: Weights, slack: float) -> Float32 | None:
        """As `path`, one that promises more than the environment may keep: nothing that is much faster is overlooked.

        Slides count, the first step may miss its lattice point and the last the tolerance by `slack`, and each by what
        rounding to the lattice takes away.
        """
        aims = self.points[self._within(start, 1.0 + slack)] - start
        actions = np.concatenate([self.grid, np.clip(aims, -1.0, 1.0)])
        cost, _, after = self._make(np.broadcast_to(start, (len(actions), 2)), actions)
        ends, spread = after.astype(np.float64) * self.reach, 0.5 + slack * self.reach
        span = np.arange(-math.ceil(spread), math.ceil(spread) + 1)
        offsets = np.stack(np.meshgrid(span, span, indexing="ij"), axis=-1).reshape(-1, 1, 2)
        nodes = np.rint(ends).astype(np.int64) + offsets
        fits = (np.abs(nodes - ends) <= spread + 1e-6).all(axis=-1) & (nodes >= 0).all(axis=-1)
        fits &= (nodes < [self._rows, self._width]).all(axis=-1)
        seeds = (nodes[..., 0] * self._width + nodes[..., 1])[fits].astype(np.int32)
        costs = np.broadcast_to(cost, fits.shape)[fits]
        usable = self._open[seeds]
        return self._searched(self._lenient, seeds[usable], costs[usable], goal, self.tolerance + slack, weights)

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
        near = self._within(goal, tolerance)
        gaps = self.points[near].astype(np.float64) - goal
        targets = np.zeros(len(self.points), np.bool_)
        targets[near[np.hypot(gaps[:, 0], gaps[:, 1]) < tolerance]] = True
        ahead, prices = self._steps_ahead(goal, tolerance), seed_costs.astype(np.float64)
        fixed = targets, self._node_cells, ahead, *weights, self._best, self._parents
        while True:
            end = kernels.search(costs, self._width, self.reach, seeds, prices, *fixed, self._keys, self._items)
            if end != kernels.HEAP_FULL:
                break
            self._keys, self._items = np.empty(2 * len(self._keys)), np.empty(2 * len(self._keys), np.int32)
        if end == kernels.NO_WAY:
            return None
        nodes = []
        while end >= 0:
            nodes.append(end)
            end = int(self._parents[end])
        return self.points[nodes[::-1]]

    def _within(self, point: Float32, distance: float) -> Int32:
        """The lattice points within a distance per axis."""
        low = np.ceil((point.astype(np.float64) - distance) * self.reach).astype(np.int64)
        high = np.floor((point.astype(np.float64) + distance) * self.reach).astype(np.int64)
        rows = np.arange(max(low[0], 0), min(high[0], self._rows - 1) + 1)
        cols = np.arange(max(low[1], 0), min(high[1], self._width - 1) + 1)
        return (rows[:, None] * self._width + cols).ravel().astype(np.int32)

    def _steps_ahead(self, goal: Float32, tolerance: float) -> Int32:
        """(cells,) at least so many steps from each cell to within the tolerance of a goal, negative where there is no way.

        A step leads to one of the eight cells around its own; the tolerance saves the cells that it spans.
        """
        rows, cols = self._blocked.shape
        found, queue = np.empty(self._blocked.shape, np.int32), np.empty(self._blocked.size, np.int32)
        hops.hops_from(self._blocked, min(int(goal[0]), rows - 1), min(int(goal[1]), cols - 1), queue, found)
        saved = math.ceil(tolerance)
        return np.where(found == hops.UNREACHABLE, -1, np.maximum(found - saved, 0)).ravel().astype(np.int32)

    def _move_costs(self) -> NDArray[np.uint16]:
        """(points, moves) costs in units of the kernel; NO_MOVE where the environment would not go straight."""
        table = np.full((len(self.points), len(self.grid)), kernels.NO_MOVE, np.uint16)
        offsets = [np.array([row, col], np.float32) for row in (-_MARGIN, _MARGIN) for col in (-_MARGIN, _MARGIN)]
        free = self.env.is_free(self.points)
        beside = [self.points + offset for offset in offsets]
        for points in beside:
            free &= self.env.is_free(points)
        open_nodes, tight = np.flatnonzero(free), np.flatnonzero(free & self._near_obstacles())
        side = 2 * self.reach + 1
        for index, move in enumerate(self.grid):
            cost, straight, _ = self._make(self.points[open_nodes], move)
            to = open_nodes + (index // side - self.reach) * self._width + index % side - self.reach
            straight &= free[np.clip(to, 0, len(free) - 1)]
            table[open_nodes[straight], index] = np.round(cost[straight] / kernels.COST_UNIT)
            for points in beside:
                straight = self._make(points[tight], move)[1]
                table[tight[~straight], index] = kernels.NO_MOVE
        return table

    def _lenient_costs(self) -> NDArray[np.uint16]:
        """As `_costs`, with moves to the lattice points nearest to where the environment slides to."""
        table, side = self._costs.copy(), 2 * self.reach + 1
        near = np.flatnonzero(self._open & self._near_obstacles())
        for move in self.grid:
            cost, straight, after = self._make(self.points[near], move)
            slid = ~straight
            origin, ends = near[slid], np.rint(after[slid].astype(np.float64) * self.reach).astype(np.int64)
            ends = np.minimum(ends, [self._rows - 1, self._width - 1])
            to = ends[:, 0] * self._width + ends[:, 1]
            index = (ends[:, 0] - origin // self._width + self.reach) * side + ends[:, 1] - origin % self._width + self.reach
            priced = np.round(cost[slid] / kernels.COST_UNIT).astype(np.uint16)
            fits = self._open[to] & (priced < table[origin, index])
            table[origin[fits], index[fits]] = priced[fits]
        return table

    def _near_obstacles(self) -> Bool:
        """Which lattice points have an obstacle in their cell or the eight around it, so that a step may meet it."""
        rows, cols = self._geometry.cells.shape
        taken = np.pad(self._geometry.cells != obstacles.FREE, 1)
        around = np.zeros((rows, cols), np.bool_)
        for i in range(3):
            for j in range(3):
                around |= taken[i : i + rows, j : j + cols]
        near: Bool = around.ravel()[self._node_cells]
        return near

    def _make(self, points: Float32, moves: Float32) -> tuple[Float32, Bool, Float32]:
        """Costs (N,) of moves from points (N, 2), which of them nothing hinders, and where they end (N, 2)."""
        count = len(points)
        states = np.ascontiguousarray(points, np.float32).reshape(count, 1, 2)
        actions = np.ascontiguousarray(np.broadcast_to(moves, (count, 2)), np.float32).reshape(count, 1, 2)
        after, cost = np.empty_like(states), np.empty((count, 1), np.float32)
        reached, contacts = np.empty((count, 1), np.bool_), np.zeros((count, 1, 1), np.bool_)
        rejected = np.empty((count, 1), np.int32)
        traces = np.empty((2, 1, stepping.SUBSTEPS + 1), np.float32)
        stepping.step_all(self._geometry, states, actions, states, 0.0, 0.0, traces, after, cost, reached, contacts, rejected)
        return cost[:, 0], rejected[:, 0] == 0, after[:, 0]
