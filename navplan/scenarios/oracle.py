"""What one agent could do if it knew the map: cheapest cumulative cost, fewest steps, and everything between them.

Other agents are ignored. A step is any displacement within [-1, 1] per axis that the environment makes in a straight line (no
sliding); it costs what the environment says: the largest hazard over the step, its start included. The start is exact, and a
path ends at the first position nearer to the goal than the tolerance.

Two stages: A* on a lattice of points, with all displacements between them and the environment's own cost of each; then a polish,
which shifts runs of positions off the lattice while the environment's cost falls. Paths are lists of actions, made in the
environment as they stand, so a result is a cost that can be had: at most what the lattice gives, and at least the true optimum.

How fine a lattice: mean cheapest cost and its steps, mean fewest steps, over 100 random pairs of the paper's hard distance and 60
pairs of half the diameter (n/a: not measured)::

    map                    spacing 1/4             1/8                     1/16
    center-dot x3          0.606  10.67   8.20     0.605  10.55   8.11     0.604  10.57   8.05
    four-rooms-modified    0.406  36.75  34.68     0.401  36.68  34.62     n/a
    central-obstacle       0.078  36.48  34.53     0.079  36.37  34.50     n/a
    four-rooms             3.758  40.78  37.18     3.752  40.58  37.08     n/a
    maze-wide              0.955  61.77  50.50     0.956  60.90  49.92     n/a

Without the polish the costs at 1/4 are 1 to 12 % higher. Problem files use 1/8 on the 15 x 15 map and 1/4 on the large ones:
one step halved changes mean costs by less than 1.5 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from navplan.errors import InvalidInput
from navplan.kernels import hops, obstacles, stepping
from navplan.kernels import oracle as kernels
from navplan.scenarios.environment import PointEnv
from navplan.scenarios.geometry import Geometry
from navplan.scenarios.world import World

RESOLUTION = 0.125
CHEAPEST_STEP_WEIGHT = 1e-4
"""A step's price where only cost counts: among paths of nearly equal cost the faster one is taken."""

_FASTEST_COST_WEIGHT = 1e-4
# Lattice moves must also be made from this far beside the lattice point: replayed steps end within a few float32 roundings of it.
_MARGIN = 1e-4
_TRIALS = 400
_TRIALS_PER_STEP = 40

Float32 = NDArray[np.float32]


class OracleResult(NamedTuple):
    """One row per start and goal.

    Attributes:
        cost: (N,) float64 cumulative cost until arrival, inf where there is no way.
        steps: (N,) int32 steps until arrival, -1 where there is no way.
        actions: per row the (steps, 2) float32 actions.
    """

    cost: NDArray[np.float64]
    steps: NDArray[np.int32]
    actions: tuple[Float32, ...]


class Front(NamedTuple):
    """Costs and steps for rising prices of a step.

    Attributes:
        step_weights: (W,) float64.
        cost: (W, N) float64, as in `OracleResult`.
        steps: (W, N) int32.
    """

    step_weights: NDArray[np.float64]
    cost: NDArray[np.float64]
    steps: NDArray[np.int32]


def oracle(
    world: World,
    starts: ArrayLike,
    goals: ArrayLike,
    *,
    tolerance: float = 0.5,
    resolution: float = RESOLUTION,
    step_weight: float = 0.0,
) -> OracleResult:
    """Best single-agent paths from starts (N, 2) to goals (N, 2).

    Args:
        world: map and hazard.
        starts, goals: free points, float32.
        tolerance: a position nearer to the goal than this has arrived, cells.
        resolution: spacing of the lattice in cells, one over a whole number.
        step_weight: price of a step in units of cost. 0: the cheapest path, among equals (up to 1e-4 a step) the fastest;
            inf: the fastest path, among equals the cheapest.

    Raises:
        InvalidInput: shapes, a point that is not free, or a number out of range.
    """
    return Oracle(world, tolerance=tolerance, resolution=resolution).solve(starts, goals, step_weight)


def pareto(
    world: World,
    starts: ArrayLike,
    goals: ArrayLike,
    step_weights: Sequence[float],
    *,
    tolerance: float = 0.5,
    resolution: float = RESOLUTION,
) -> Front:
    """The front of steps and cost: one solution per price of a step; arguments and errors as `oracle`."""
    solver = Oracle(world, tolerance=tolerance, resolution=resolution)
    results = [solver.solve(starts, goals, weight) for weight in step_weights]
    weights = np.asarray(step_weights, dtype=np.float64)
    return Front(weights, np.stack([result.cost for result in results]), np.stack([result.steps for result in results]))


class Oracle:
    """The lattice of one world, for many starts and goals; the arguments are those of `oracle`.

    Building it takes about a second for 55 x 55 cells at a spacing of 1/4 and ten at 1/8; the table holds two bytes per point and
    move, 8 MB and 112 MB.
    """

    def __init__(self, world: World, *, tolerance: float = 0.5, resolution: float = RESOLUTION) -> None:
        if not (math.isfinite(tolerance) and tolerance > 0):
            raise InvalidInput(f"tolerance is {tolerance}, expected a positive number of cells")
        if not 0 < resolution <= 1 or abs(1 / resolution - round(1 / resolution)) > 1e-9:
            raise InvalidInput(f"resolution is {resolution}, expected one over a whole number of points to a cell")
        self.world, self.tolerance = world, tolerance
        self.reach = round(1 / resolution)
        if tolerance * self.reach <= math.sqrt(2):
            raise InvalidInput(f"resolution is {resolution}, too coarse for a tolerance of {tolerance}")
        self._env = PointEnv(world, rng=np.random.default_rng(0))
        geometry = self._env.geometry
        self._geometry: Geometry = geometry
        rows = int(float(geometry.height) * self.reach) + 1
        self._width = int(float(geometry.width) * self.reach) + 1
        grid = np.stack(np.meshgrid(np.arange(rows), np.arange(self._width), indexing="ij"), axis=-1).reshape(-1, 2)
        self._points: Float32 = (grid / self.reach).astype(np.float32)
        cell_rows, cell_cols = geometry.cells.shape
        cells = np.minimum(grid // self.reach, [cell_rows - 1, cell_cols - 1])
        self._node_cells = (cells[:, 0] * cell_cols + cells[:, 1]).astype(np.int32)
        self._blocked = np.ascontiguousarray(geometry.cells == obstacles.BLOCKED)
        self._costs = self._move_costs()
        count = len(self._points)
        self._best = np.empty(count)
        self._parents = np.empty(count, np.int32)
        self._keys, self._items = np.empty(4 * count + 4096), np.empty(4 * count + 4096, np.int32)
        self._moves = _single_move()

    def solve(self, starts: ArrayLike, goals: ArrayLike, step_weight: float = 0.0, *, polish: bool = True) -> OracleResult:
        """Best paths for starts and goals (N, 2); raises as `oracle`. Without `polish`, those of the lattice."""
        if math.isnan(step_weight) or step_weight < 0:
            raise InvalidInput(f"step_weight is {step_weight}, expected a number that is not negative")
        begin, end = self._checked("start", starts), self._checked("goal", goals)
        if begin.shape != end.shape:
            raise InvalidInput(f"starts have shape {begin.shape} and goals {end.shape}, expected the same (N, 2)")
        cost, steps = np.full(len(begin), np.inf), np.full(len(begin), -1, np.int32)
        actions: list[Float32] = []
        for n in range(len(begin)):
            path = self._path(begin[n], end[n], step_weight)
            found = None if path is None else self._drive(begin[n], end[n], path, step_weight, polish)
            actions.append(np.empty((0, 2), np.float32) if found is None else found[0])
            if found is not None:
                cost[n], steps[n] = found[1], len(found[0])
        return OracleResult(cost, steps, tuple(actions))

    def _checked(self, what: str, points: ArrayLike) -> Float32:
        array = np.ascontiguousarray(points, dtype=np.float32)
        if array.ndim != 2 or array.shape[1] != 2:
            raise InvalidInput(f"{what}s have shape {array.shape}, expected (N, 2)")
        free = self._env.is_free(array)
        if not free.all():
            index = int(np.argmin(free))
            raise InvalidInput(f"{what} {index} is {array[index].tolist()}, expected a free point")
        return array

    def _displacements(self) -> Float32:
        """(side * side, 2) all moves in their order."""
        steps = np.arange(-self.reach, self.reach + 1) / self.reach
        return np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.float32)

    def _move_costs(self) -> NDArray[np.uint16]:
        """(points, moves) costs in units of the kernel; NO_MOVE where the environment would not go straight."""
        moves = self._displacements()
        table = np.full((len(self._points), len(moves)), kernels.NO_MOVE, np.uint16)
        offsets = [np.array([row, col], np.float32) for row in (-_MARGIN, _MARGIN) for col in (-_MARGIN, _MARGIN)]
        free = self._env.is_free(self._points)
        beside = [self._points + offset for offset in offsets]
        for points in beside:
            free &= self._env.is_free(points)
        open_nodes, tight = np.flatnonzero(free), np.flatnonzero(free & self._near_obstacles())
        side = 2 * self.reach + 1
        for index, move in enumerate(moves):
            cost, straight = self._make(self._points[open_nodes], move)
            to = open_nodes + (index // side - self.reach) * self._width + index % side - self.reach
            straight &= free[np.clip(to, 0, len(free) - 1)]
            table[open_nodes[straight], index] = np.round(cost[straight] / kernels.COST_UNIT)
            for points in beside:
                _, straight = self._make(points[tight], move)
                table[tight[~straight], index] = kernels.NO_MOVE
        return table

    def _near_obstacles(self) -> NDArray[np.bool_]:
        """Which lattice points have an obstacle in their cell or the eight around it, so that a step may meet it."""
        rows, cols = self._geometry.cells.shape
        taken = np.pad(self._geometry.cells != obstacles.FREE, 1)
        around = np.zeros((rows, cols), np.bool_)
        for i in range(3):
            for j in range(3):
                around |= taken[i : i + rows, j : j + cols]
        near: NDArray[np.bool_] = around.ravel()[self._node_cells]
        return near

    def _make(self, points: Float32, moves: Float32) -> tuple[Float32, NDArray[np.bool_]]:
        """Costs (N,) of moves from points (N, 2), and which of them nothing hinders."""
        count = len(points)
        states = np.ascontiguousarray(points, np.float32).reshape(count, 1, 2)
        actions = np.ascontiguousarray(np.broadcast_to(moves, (count, 2)), np.float32).reshape(count, 1, 2)
        after, cost = np.empty_like(states), np.empty((count, 1), np.float32)
        reached, contacts = np.empty((count, 1), np.bool_), np.zeros((count, 1, 1), np.bool_)
        rejected = np.empty((count, 1), np.int32)
        traces = np.empty((2, 1, stepping.SUBSTEPS + 1), np.float32)
        stepping.step_all(self._geometry, states, actions, states, 0.0, 0.0, traces, after, cost, reached, contacts, rejected)
        return cost[:, 0], rejected[:, 0] == 0

    def _path(self, start: Float32, goal: Float32, step_weight: float) -> Float32 | None:
        """(K, 2) lattice points to pass through, None where there is no way; K = 0 where the start has arrived."""
        if np.hypot(*(start.astype(np.float64) - goal)) < self.tolerance:
            return np.empty((0, 2), np.float32)
        seeds = self._within(start, 1.0)
        cost, straight = self._make(np.broadcast_to(start, (len(seeds), 2)), self._points[seeds] - start)
        straight &= (self._costs[seeds] != kernels.NO_MOVE).any(axis=1)
        near = self._within(goal, self.tolerance)
        gaps = self._points[near].astype(np.float64) - goal
        targets = np.zeros(len(self._points), np.bool_)
        targets[near[np.hypot(gaps[:, 0], gaps[:, 1]) < self.tolerance - _MARGIN]] = True
        weights = (_FASTEST_COST_WEIGHT, 1.0) if math.isinf(step_weight) else (1.0, max(step_weight, CHEAPEST_STEP_WEIGHT))
        while True:
            end = kernels.search(
                self._costs,
                self._width,
                self.reach,
                seeds[straight],
                cost[straight].astype(np.float64),
                targets,
                self._node_cells,
                self._steps_ahead(goal),
                *weights,
                self._best,
                self._parents,
                self._keys,
                self._items,
            )
            if end != kernels.HEAP_FULL:
                break
            self._keys, self._items = np.empty(2 * len(self._keys)), np.empty(2 * len(self._keys), np.int32)
        if end == kernels.NO_WAY:
            return None
        nodes = []
        while end >= 0:
            nodes.append(end)
            end = int(self._parents[end])
        return self._points[nodes[::-1]]

    def _within(self, point: Float32, distance: float) -> NDArray[np.int32]:
        """The lattice points within a distance per axis."""
        low = np.ceil((point.astype(np.float64) - distance) * self.reach).astype(np.int64)
        high = np.floor((point.astype(np.float64) + distance) * self.reach).astype(np.int64)
        rows = np.arange(max(low[0], 0), min(high[0], len(self._points) // self._width - 1) + 1)
        cols = np.arange(max(low[1], 0), min(high[1], self._width - 1) + 1)
        return (rows[:, None] * self._width + cols).ravel().astype(np.int32)

    def _steps_ahead(self, goal: Float32) -> NDArray[np.int32]:
        """(cells,) at least so many steps from each cell to within the tolerance of a goal, negative where there is no way.

        A straight step leads to one of the eight cells around its own; the tolerance saves the cells that it spans.
        """
        rows, cols = self._blocked.shape
        found, queue = np.empty(self._blocked.shape, np.int32), np.empty(self._blocked.size, np.int32)
        hops.hops_from(self._blocked, min(int(goal[0]), rows - 1), min(int(goal[1]), cols - 1), queue, found)
        saved = math.ceil(self.tolerance)
        return np.where(found == hops.UNREACHABLE, -1, np.maximum(found - saved, 0)).ravel().astype(np.int32)

    def _drive(
        self, start: Float32, goal: Float32, path: Float32, step_weight: float, polish: bool
    ) -> tuple[Float32, float] | None:
        """Actions (K, 2) and their cumulative cost: the path made in the environment, then improved."""
        count = len(path)
        positions, actions, costs = (
            np.empty((count + 1, 2), np.float32),
            np.empty((count, 2), np.float32),
            np.empty(count, np.float32),
        )
        positions[0] = start
        if not kernels.follow(self._geometry, path, positions, actions, costs, self._moves):
            raise InvalidInput(f"world {self.world.name!r}: the environment hinders a move of the lattice")
        if polish and count:
            spare = np.empty_like(positions), np.empty_like(actions), np.empty_like(costs)
            seed = np.zeros(1, np.uint64)
            scale = 1.0 / self.reach
            if math.isinf(step_weight):
                count = self._shortened(goal, scale, seed, positions, actions, costs, spare)
            trials = _TRIALS + _TRIALS_PER_STEP * count
            args = (positions, actions, costs, spare, self._moves)
            kernels.polish(self._geometry, count, goal, self.tolerance, False, trials, scale, seed, *args)
        return actions[:count].copy(), float(costs[:count].sum(dtype=np.float64))

    def _shortened(
        self,
        goal: Float32,
        scale: float,
        seed: NDArray[np.uint64],
        positions: Float32,
        actions: Float32,
        costs: Float32,
        spare: tuple[Float32, Float32, Float32],
    ) -> int:
        """Leave out last steps as long as the others can be shifted to arrive; the number that remains."""
        count = len(actions)
        # First step and arrival lose up to a spacing each against free points, so no more than two can be won back.
        reachable = self.tolerance + 2.0 * scale
        while count > 1 and np.hypot(*(positions[count - 1].astype(np.float64) - goal)) < reachable:
            kept = positions.copy(), actions.copy(), costs.copy()
            trials = _TRIALS + _TRIALS_PER_STEP * count
            args = (positions, actions, costs, spare, self._moves)
            if not kernels.polish(self._geometry, count - 1, goal, self.tolerance, True, trials, scale, seed, *args):
                positions[:], actions[:], costs[:] = kept
                break
            count -= 1
        return count


def _single_move() -> tuple[NDArray[np.generic], ...]:
    """Workspace of the kernels for one move of one agent."""
    return (
        np.empty((1, 1, 2), np.float32),
        np.empty((1, 1, 2), np.float32),
        np.empty((2, 1, stepping.SUBSTEPS + 1), np.float32),
        np.empty((1, 1, 2), np.float32),
        np.empty((1, 1), np.float32),
        np.empty((1, 1), np.bool_),
        np.zeros((1, 1, 1), np.bool_),
        np.empty((1, 1), np.int32),
    )
