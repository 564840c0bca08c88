"""Batches of logged steps with goals of several kinds, scaled for networks."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from navplan.errors import InvalidInput
from navplan.learned.datasets.dataset import Dataset
from navplan.learned.datasets.relabel import GoalSampler
from navplan.system.arrays import Bool, Float32, Int64

# Rows that scales are taken from.
_SAMPLE = 1 << 14
# Rows among which near ones are looked for, and how many of the nearest one is drawn from.
_POOL, _NEAREST = 2048, 8


class Scaling(NamedTuple):
    """Mean and spread of numbers: ``(x - mean) / spread`` is what networks see; images are divided by 255."""

    mean: Float32
    spread: Float32

    def of(self, values: ArrayLike) -> Float32:
        """(B, …) scaled."""
        return (np.asarray(values, np.float32) - self.mean) / self.spread

    @classmethod
    def measured(cls, values: NDArray[np.generic]) -> Scaling:
        """Of some (B, …) values; a column that never changes keeps its size."""
        if values.dtype == np.uint8 and values.ndim == 4:
            return cls(np.zeros(1, np.float32), np.full(1, 255, np.float32))
        numbers = values.astype(np.float64)
        good = numbers[np.isfinite(numbers).reshape(len(numbers), -1).all(axis=1)]
        if not len(good):
            raise InvalidInput("no row of the data is finite numbers")
        spread = good.std(axis=0)
        return cls(good.mean(axis=0).astype(np.float32), np.where(spread > 1e-6, spread, 1.0).astype(np.float32))


class Scales(NamedTuple):
    """Of observations, of goals, and of actions, whose mean and spread are the middle and half the range."""

    observations: Scaling
    goals: Scaling
    actions: Scaling


class GoalBatch(NamedTuple):
    """Steps with goals, a row each, scaled; see `StepSampler` for how they are drawn."""

    observations: Float32
    """(B, …)."""
    places: Float32
    """(B, G) what of them a goal is."""
    actions: Float32
    """(B, A), the logged range mapped to [-1, 1]."""
    later: Float32
    """(B, …) observations `steps` steps on."""
    later_places: Float32
    """(B, G)."""
    steps: Float32
    """(B,) at least 1."""
    goals: Float32
    """(B, G) goals of the critics."""
    reached: Bool
    """(B,) the goal is the very observation `steps` steps on."""
    away: Float32
    """(B, G) goals of anywhere, or of near by."""
    ahead: Float32
    """(B, G) what the same trajectory came to soon after: goals of the policy."""
    ahead_steps: Float32
    """(B,) steps till then."""
    ahead_costs: Float32
    """(B,) cost till then, 0 where none was logged."""


def measured_scales(data: Dataset, rng: np.random.Generator) -> Scales:
    """Scales from some rows of the data."""
    rows = np.sort(rng.choice(data.num_rows, min(data.num_rows, _SAMPLE), replace=False))
    moved = data.actions[data.rows(np.unique(np.linspace(0, data.num_transitions - 1, _SAMPLE).astype(np.int64)))]
    low, high = np.nanmin(moved, axis=0), np.nanmax(moved, axis=0)
    half = np.where(high > low, (high - low) / 2, 1.0)
    actions = Scaling(((low + high) / 2).astype(np.float32), half.astype(np.float32))
    return Scales(Scaling.measured(data.observations[rows]), Scaling.measured(data.goals(rows)), actions)


class StepSampler:
    """Draws batches of a dataset.

    Args:
        data: the logs; steps from or to rows that are no finite numbers are never drawn.
        scales: of what networks see.
        goals: how goals of critics are drawn.
        window: `GoalBatch.steps` is drawn from 1 to so many where `every`, else it is so many, or to the goal or the end.
        every: see `window`.
        near: share of `GoalBatch.away` that is near in the numbers of goals; the others are of anywhere.
        ahead: most steps to the goals of the policy.
    """

    def __init__(
        self, data: Dataset, scales: Scales, goals: GoalSampler, *, window: int, every: bool, near: float, ahead: int
    ) -> None:
        self.data, self.scales, self.goals = data, scales, goals
        self.window, self.every, self.near, self.ahead = window, every, near, ahead
        self._good = finite_rows(data)
        steps = data.rows(np.arange(data.num_transitions))
        self._steps = steps[self._good[steps] & self._good[steps + 1] & np.isfinite(data.actions[steps]).all(axis=1)]
        if not len(self._steps):
            raise InvalidInput("no step of the data is finite numbers")
        self._end = np.repeat(data.starts[1:] - 1, np.diff(data.starts))
        self._paid = None if data.costs is None else np.concatenate([[0.0], np.cumsum(np.nan_to_num(data.costs, nan=0.0))])

    def draw(self, count: int, rng: np.random.Generator) -> GoalBatch:
        """`count` steps."""
        data, scales = self.data, self.scales
        rows = self._steps[rng.integers(len(self._steps), size=count)]
        goals = self._kept(self.goals.draw(data, rows, rng), rows)
        end = self._end[rows]
        window = rng.integers(1, self.window + 1, size=count) if self.every else self.window
        later = self._kept(np.minimum(rows + window, end), rows + 1)
        passed = (goals >= rows) & (goals <= later)
        later = np.where(passed, np.maximum(goals, rows), later)
        ahead = self._kept(np.minimum(rows + rng.integers(1, self.ahead + 1, size=count), end), rows + 1)
        seen = data.observations[np.concatenate([rows, later])]
        places = data.goals(np.concatenate([rows, later, goals, self._away(rows, rng), ahead]))
        scaled = np.split(scales.goals.of(places), 5)
        views = np.split(scales.observations.of(seen), 2)
        paid = np.zeros(count) if self._paid is None else self._paid[ahead] - self._paid[rows]
        return GoalBatch(
            views[0], scaled[0], scales.actions.of(data.actions[rows]), views[1], scaled[1],
            (later - rows).astype(np.float32), scaled[2], passed, scaled[3], scaled[4],
            (ahead - rows).astype(np.float32), paid.astype(np.float32),
        )  # fmt: skip

    def _kept(self, rows: Int64, otherwise: Int64) -> Int64:
        """The rows, or others where they are no finite numbers."""
        return np.where(self._good[rows], rows, otherwise)

    def _away(self, rows: Int64, rng: np.random.Generator) -> Int64:
        """Rows of anywhere, a share of them near in the numbers of goals: what critics take for near, walls between or not."""
        away = self._kept(rng.integers(self.data.num_rows, size=len(rows)), rows)
        some = math.ceil(self.near * len(rows))
        if not some:
            return away
        pool = self._kept(rng.integers(self.data.num_rows, size=_POOL), rows[:1])
        here, there = (self.scales.goals.of(self.data.goals(each)).reshape(len(each), -1) for each in (rows[:some], pool))
        gaps = (there**2).sum(axis=1) / 2 - here @ there.T
        nearest = np.argpartition(gaps, _NEAREST, axis=1)[:, :_NEAREST]
        away[:some] = pool[nearest[np.arange(some), rng.integers(_NEAREST, size=some)]]
        return away


def finite_rows(data: Dataset, block: int = 1 << 16) -> Bool:
    """(R,) rows whose observation is finite numbers."""
    if data.observations.dtype.kind != "f":
        return np.ones(data.num_rows, np.bool_)
    parts = []
    for first in range(0, data.num_rows, block):
        seen = data.observations[first : first + block]
        parts.append(np.isfinite(seen.reshape(len(seen), -1)).all(axis=1))
    return np.concatenate(parts)
