"""What one agent could do if it knew the map: cheapest cumulative cost, fewest steps, and everything between them.

Other agents are ignored. A step is any action within [-1, 1] per axis, and whatever the environment makes of it: agents that run
into a wall slide along it, which may take them round a corner sooner. It costs what the environment says: the largest hazard over
the step, its start included. The start is exact, and a path ends at the first position nearer to the goal than the tolerance.

Three stages (`LatticeSearch` has the first two). A* on a lattice of points, with all displacements between them and the
environment's own cost of each: a path that can be driven, but up to a spacing is lost in its first step, its last, and beside
walls that are not on the lattice. A* again for a path that promises too much: slides count, the ends may be missed.
Last a polish, which shifts runs of positions off the lattice: the promise until it arrives, also with a step less than the
first path has; then all of them while the environment's cost falls. The best one is kept. Paths are lists of actions, made in the
environment as they stand, so a result is what can be had: not below the true optimum, and above it by what the stages miss.

How much that is: mean cheapest cost and mean fewest steps of the tuning problems with 20 agents, 60 pairs on center-dot (hard)
and 40 on the others, at two spacings and with eight times the trials of the polish::

    map                    spacing 1/4      1/8              1/4, trials x8    1/8, trials x8
    center-dot             0.5141   8.000   0.5132   8.000   n/a               0.5127   8.000
    four-rooms-modified    0.2516  34.550   0.2515  34.550   0.2515  34.550    n/a
    central-obstacle       0.2093  34.625   0.2085  34.625   0.2085  34.625    n/a
    four-rooms             4.4149  36.875   4.4126  36.875   4.4101  36.875    n/a
    maze-wide              0.6798  49.950   0.6840  49.800   0.6783  49.900    n/a
    warehouse-wide         0.6461  24.100   0.6403  24.125   0.6400  24.100    n/a

At 1/16 center-dot gives 0.5134 and 8.000. So mean costs are within about 1 % of what more work finds, single ones may be farther
off, and on maze-wide one agent in seven can save one of its 50 steps. Problem files use 1/8 on the 15 x 15 map and 1/4 on the
large ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from navplan.errors import InvalidInput
from navplan.kernels.motion import oracle as kernels
from navplan.kernels.motion import stepping
from navplan.scenarios.problems.lattice_search import LatticeSearch, Weights
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Float32, Float64, Int32

RESOLUTION = 0.125
CHEAPEST_STEP_WEIGHT = 1e-6
"""A step's price where only cost counts: among paths of equal cost the faster one is taken."""

_FASTEST_COST_WEIGHT = 1e-4
# Searches for the cheapest path shun steps more, as the polish does better on shorter paths.
_SEARCH_STEP_WEIGHT = 1e-4
# Shifts that the polish tries, for each step of a path and for ten more: to arrive, and to pay less.
_TRIALS_TO_ARRIVE, _TRIALS_TO_SAVE = 24, 80
# What guides may promise too much at either end, in spacings: tried in this order.
_SLACKS = (1.0, 0.5, 0.0)


class OracleResult(NamedTuple):
    """One row per start and goal.

    Attributes:
        cost: (N,) float64 cumulative cost until arrival, inf where there is no way.
        steps: (N,) int32 steps until arrival, -1 where there is no way.
        actions: per row the (steps, 2) float32 actions.
    """

    cost: Float64
    steps: Int32
    actions: tuple[Float32, ...]


class Front(NamedTuple):
    """Costs and steps for rising prices of a step.

    Attributes:
        step_weights: (W,) float64.
        cost: (W, N) float64, as in `OracleResult`.
        steps: (W, N) int32.
    """

    step_weights: Float64
    cost: Float64
    steps: Int32


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


class Drive(NamedTuple):
    """A path as the environment makes it.

    Attributes:
        positions: (K + 1, 2) float32, the start first.
        actions: (K, 2) float32.
        costs: (K,) float32 of the steps.
    """

    positions: Float32
    actions: Float32
    costs: Float32

    @property
    def cost(self) -> float:
        """Cumulative cost."""
        return float(self.costs.sum(dtype=np.float64))

    def price(self, weights: Weights) -> float:
        """Weighted sum of cost and steps."""
        return weights[0] * self.cost + weights[1] * len(self.actions)


class Oracle:
    """One world, for many starts and goals; the arguments are those of `oracle`. What building takes: `Lattice`."""

    def __init__(self, world: World, *, tolerance: float = 0.5, resolution: float = RESOLUTION) -> None:
        self.world, self.tolerance = world, tolerance
        self._search = LatticeSearch(world, tolerance, resolution)
        self._space = self._search.lattice.space
        self._spacing = 1.0 / self._search.lattice.reach
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
        weights = (_FASTEST_COST_WEIGHT, 1.0) if math.isinf(step_weight) else (1.0, max(step_weight, CHEAPEST_STEP_WEIGHT))
        for n in range(len(begin)):
            drive = self._lattice_drive(begin[n], end[n], weights)
            if drive is not None and polish and len(drive.actions):
                improve = self._faster if math.isinf(step_weight) else self._cheaper
                drive = improve(begin[n], end[n], weights, drive)
            actions.append(np.empty((0, 2), np.float32) if drive is None else drive.actions)
            if drive is not None:
                cost[n], steps[n] = drive.cost, len(drive.actions)
        return OracleResult(cost, steps, tuple(actions))

    def _checked(self, what: str, points: ArrayLike) -> Float32:
        array = np.ascontiguousarray(points, dtype=np.float32)
        if array.ndim != 2 or array.shape[1] != 2:
            raise InvalidInput(f"{what}s have shape {array.shape}, expected (N, 2)")
        free = self._space.is_free(array)
        if not free.all():
            index = int(np.argmin(free))
            raise InvalidInput(f"{what} {index} is {array[index].tolist()}, expected a free point")
        return array

    def _lattice_drive(self, start: Float32, goal: Float32, weights: Weights) -> Drive | None:
        """The lattice's best, None where there is no way; no action where the start has arrived."""
        arrived = np.hypot(*(start.astype(np.float64) - goal)) < self.tolerance
        path = np.empty((0, 2), np.float32) if arrived else self._search.path(start, goal, _leaning(weights))
        return None if path is None else self._made(start, path, True)

    def _made(self, start: Float32, points: Float32, straight: bool) -> Drive:
        """The path through some points as the environment makes it, hindered nowhere if it is to be straight."""
        count = len(points)
        drive = Drive(np.empty((count + 1, 2), np.float32), np.empty((count, 2), np.float32), np.empty(count, np.float32))
        drive.positions[0] = start
        if not kernels.follow(self._space.geometry, points, straight, self._search.lattice.moves, *drive, self._moves):
            raise InvalidInput(f"world {self.world.name!r}: the environment hinders a move of the lattice")
        return drive

    def _faster(self, start: Float32, goal: Float32, weights: Weights, drive: Drive) -> Drive:
        """The fastest drive that can be found, made cheaper without changing its number of steps."""
        for share in _SLACKS:
            guide = self._search.guide(start, goal, weights, share * self._spacing)
            if guide is None or len(guide) >= len(drive.actions):
                break
            other = self._made(start, guide, False)
            if self._polished(other, goal, True):
                drive = other
                break
        while (shorter := self._shorter(drive, goal)) is not None:
            drive = shorter
        self._polished(drive, goal, False)
        return drive

    def _cheaper(self, start: Float32, goal: Float32, weights: Weights, drive: Drive) -> Drive:
        """The drive polished, or one with another beginning and end, or with fewer steps, where that is better."""
        others = [drive]
        guide = self._search.guide(start, goal, _leaning(weights), 0.0)
        if guide is not None:
            other = self._made(start, guide, False)
            if self._polished(other, goal, True):
                others.append(other)
        for other in others:
            self._polished(other, goal, False)
        best = min(others, key=lambda one: one.price(weights))
        while (shorter := self._shorter(best, goal)) is not None:
            self._polished(shorter, goal, False)
            if shorter.price(weights) >= best.price(weights):
                break
            best = shorter
        return best

    def _shorter(self, drive: Drive, goal: Float32) -> Drive | None:
        """The drive without its last step, the others shifted so as to arrive; None where that fails."""
        count = len(drive.actions) - 1
        # Free points lose up to a spacing each in the first and the last step, so no more than that can be won back.
        reachable = self.tolerance + 2.0 * self._spacing
        if count < 1 or np.hypot(*(drive.positions[count].astype(np.float64) - goal)) >= reachable:
            return None
        shorter = Drive(drive.positions[: count + 1].copy(), drive.actions[:count].copy(), drive.costs[:count].copy())
        return shorter if self._polished(shorter, goal, True) else None

    def _polished(self, drive: Drive, goal: Float32, nearer: bool) -> bool:
        """Polish a drive in place (`navplan.kernels.motion.oracle.polish`); whether it arrives."""
        trials = (_TRIALS_TO_ARRIVE if nearer else _TRIALS_TO_SAVE) * (10 + len(drive.actions))
        spare = np.empty_like(drive.positions), np.empty_like(drive.actions), np.empty_like(drive.costs)
        args = (self._spacing, np.zeros(1, np.uint64), *drive, spare, self._moves)
        return bool(kernels.polish(self._space.geometry, goal, self.tolerance, nearer, trials, *args))


def _leaning(weights: Weights) -> Weights:
    """The weights that a search uses where these count."""
    return weights[0], max(weights[1], _SEARCH_STEP_WEIGHT)


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
