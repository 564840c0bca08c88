"""A lattice of points over a world, and all environment steps between them with their costs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.motion import obstacles, stepping
from navplan.kernels.motion import oracle as kernels
from navplan.scenarios.worlds.free_space import FreeSpace
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool, Float32, Int32

MARGIN = 1e-4
"""Moves must also be made from this far beside a lattice point: replayed steps end within a few float32 roundings of it."""


class Lattice:
    """The points that lie one over `reach` apart, and the actions between them that nothing hinders.

    Building it takes about a second for 55 x 55 cells at a spacing of 1/4 and ten at 1/8; the two tables hold two bytes per point
    and move, 16 MB and 224 MB.

    Args:
        world: map and hazard.
        reach: points to a cell.

    Attributes:
        space: the world's free space.
        rows, width: points along the rows and along the columns of the world, N = rows * width.
        points: (N, 2) float32, row by row.
        cells: (N,) int32 flat index of the cell of each point.
        moves: (M, 2) float32 actions that are whole numbers of spacings.
        costs: (N, M) uint16 of the moves in units of the kernel; NO_MOVE where the environment would not go straight.
        slides: as `costs`, with moves to the lattice points nearest to where the environment slides to.
        open: (N,) bool, the points that some move leaves.
    """

    def __init__(self, world: World, reach: int) -> None:
        self.space = FreeSpace(world)
        self.reach = reach
        geometry = self.space.geometry
        self.rows = int(float(geometry.height) * reach) + 1
        self.width = int(float(geometry.width) * reach) + 1
        grid = np.stack(np.meshgrid(np.arange(self.rows), np.arange(self.width), indexing="ij"), axis=-1).reshape(-1, 2)
        self.points: Float32 = (grid / reach).astype(np.float32)
        cell_rows, cell_cols = geometry.cells.shape
        cells = np.minimum(grid // reach, [cell_rows - 1, cell_cols - 1])
        self.cells = (cells[:, 0] * cell_cols + cells[:, 1]).astype(np.int32)
        axis = np.arange(-reach, reach + 1) / reach
        self.moves: Float32 = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.float32)
        self.costs = self._move_costs()
        self.open: Bool = (self.costs != kernels.NO_MOVE).any(axis=1)
        self.slides = self._slide_costs()

    def within(self, point: Float32, distance: float) -> Int32:
        """(K,) int32 ids of the lattice points within a distance per axis of a point (2,)."""
        low = np.ceil((point.astype(np.float64) - distance) * self.reach).astype(np.int64)
        high = np.floor((point.astype(np.float64) + distance) * self.reach).astype(np.int64)
        rows = np.arange(max(low[0], 0), min(high[0], self.rows - 1) + 1)
        cols = np.arange(max(low[1], 0), min(high[1], self.width - 1) + 1)
        return (rows[:, None] * self.width + cols).ravel().astype(np.int32)

    def make(self, points: Float32, moves: Float32) -> tuple[Float32, Bool, Float32]:
        """Costs (N,) of moves from points (N, 2), which of them nothing hinders, and where they end (N, 2)."""
        count = len(points)
        states = np.ascontiguousarray(points, np.float32).reshape(count, 1, 2)
        actions = np.ascontiguousarray(np.broadcast_to(moves, (count, 2)), np.float32).reshape(count, 1, 2)
        after, cost = np.empty_like(states), np.empty((count, 1), np.float32)
        reached, contacts = np.empty((count, 1), np.bool_), np.zeros((count, 1, 1), np.bool_)
        rejected = np.empty((count, 1), np.int32)
        traces = np.empty((2, 1, stepping.SUBSTEPS + 1), np.float32)
        stepping.step_all(
            self.space.geometry, states, actions, states, 0.0, 0.0, traces, after, cost, reached, contacts, rejected
        )
        return cost[:, 0], rejected[:, 0] == 0, after[:, 0]

    def _move_costs(self) -> NDArray[np.uint16]:
        """(N, M) costs in units of the kernel; NO_MOVE where the environment would not go straight."""
        table = np.full((len(self.points), len(self.moves)), kernels.NO_MOVE, np.uint16)
        offsets = [np.array([row, col], np.float32) for row in (-MARGIN, MARGIN) for col in (-MARGIN, MARGIN)]
        free = self.space.is_free(self.points)
        beside = [self.points + offset for offset in offsets]
        for points in beside:
            free &= self.space.is_free(points)
        open_nodes, tight = np.flatnonzero(free), np.flatnonzero(free & self._near_obstacles())
        side = 2 * self.reach + 1
        for index, move in enumerate(self.moves):
            cost, straight, _ = self.make(self.points[open_nodes], move)
            to = open_nodes + (index // side - self.reach) * self.width + index % side - self.reach
            straight &= free[np.clip(to, 0, len(free) - 1)]
            table[open_nodes[straight], index] = np.round(cost[straight] / kernels.COST_UNIT)
            for points in beside:
                straight = self.make(points[tight], move)[1]
                table[tight[~straight], index] = kernels.NO_MOVE
        return table

    def _slide_costs(self) -> NDArray[np.uint16]:
        """As `costs`, with moves to the lattice points nearest to where the environment slides to."""
        table, side = self.costs.copy(), 2 * self.reach + 1
        near = np.flatnonzero(self.open & self._near_obstacles())
        for move in self.moves:
            cost, straight, after = self.make(self.points[near], move)
            slid = ~straight
            origin, ends = near[slid], np.rint(after[slid].astype(np.float64) * self.reach).astype(np.int64)
            ends = np.minimum(ends, [self.rows - 1, self.width - 1])
            to = ends[:, 0] * self.width + ends[:, 1]
            index = (ends[:, 0] - origin // self.width + self.reach) * side + ends[:, 1] - origin % self.width + self.reach
            priced = np.round(cost[slid] / kernels.COST_UNIT).astype(np.uint16)
            fits = self.open[to] & (priced < table[origin, index])
            table[origin[fits], index[fits]] = priced[fits]
        return table

    def _near_obstacles(self) -> Bool:
        """Which lattice points have an obstacle in their cell or the eight around it, so that a step may meet it."""
        rows, cols = self.space.geometry.cells.shape
        taken = np.pad(self.space.geometry.cells != obstacles.FREE, 1)
        around = np.zeros((rows, cols), np.bool_)
        for i in range(3):
            for j in range(3):
                around |= taken[i : i + rows, j : j + cols]
        near: Bool = around.ravel()[self.cells]
        return near
