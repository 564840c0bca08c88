"""Whether critics mean what they say: predicted steps and cost against what the policy's own rollouts take.

A planner adds the predictions up over many edges, so what matters is that each kind of prediction is right on average: pairs are
binned by what is predicted, and in each bin the mean prediction is compared with the mean of what came.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.learned.evaluation.judge import rollout
from navplan.learned.trained import Critics
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Float32, Float64, Int64
from navplan.system.numbers import Rng, generator


@dataclass(frozen=True, eq=False)
class Reliability:
    """One predicted quantity against what was realised, pairs binned by prediction.

    Attributes:
        predicted, realised: (K,) mean of each bin, ascending by prediction.
        deviation: (K,) standard deviation of what was realised in each bin.
        count: (K,) pairs of each bin.
        mae: mean absolute error over the pairs.
        bias: mean of predicted - realised.
        error: expected calibration error, the mean over pairs of |predicted - realised| of their bin's means.
    """

    predicted: Float64
    realised: Float64
    deviation: Float64
    count: Int64
    mae: float
    bias: float
    error: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        numbers = {"mae": self.mae, "bias": self.bias, "error": self.error}
        arrays = {name: getattr(self, name).tolist() for name in ("predicted", "realised", "deviation", "count")}
        return {**numbers, **arrays}


@dataclass(frozen=True, eq=False)
class Calibration:
    """Steps and cumulative cost, predicted and realised, over the pairs that a graph would join."""

    pairs: int
    """Pairs looked at: those whose predicted distance is below the limit."""
    reached: float
    """Share of them whose goal the policy reaches in time; the others count with all steps and all cost of their time."""
    steps: Reliability
    cost: Reliability

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"pairs": self.pairs, "reached": self.reached, "steps": self.steps.to_dict(), "cost": self.cost.to_dict()}


def calibration(
    critics: Critics,
    world: World,
    starts: ArrayLike,
    goals: ArrayLike,
    *,
    max_distance: float = 7.0,
    pessimistic: bool = False,
    bins: int = 10,
    tolerance: float = 0.5,
    limit: int = 20,
) -> Calibration:
    """Drive every pair that `critics` put below `max_distance` steps, and compare.

    Args:
        critics: predictions and the policy that they are about.
        world: where the policy drives.
        starts, goals: (B, 2) free points in cells, for example of `near_pairs`.
        max_distance: pairs predicted to be this far or farther are left out, as graphs leave them out.
        pessimistic: the ensemble's maximum, which graphs are built from, in place of its mean.
        bins: bins of equally many pairs; fewer where predictions are equal, as many costs of 0 are.
        tolerance: of goals, cells.
        limit: steps that a pair may take.

    Raises:
        InvalidInput: no pair is near enough, or the points are no free pairs.
    """
    if bins < 1:
        raise InvalidInput(f"bins is {bins}, expected at least 1")
    begin, end = np.asarray(starts, np.float32), np.asarray(goals, np.float32)
    distance, risk = critics.evaluate(begin, end) if pessimistic else (critics.distance(begin, end), critics.risk(begin, end))
    near = distance < max_distance
    if not near.any():
        raise InvalidInput(f"none of {len(near)} pairs is predicted to be nearer than {max_distance:g} steps")
    real = rollout(critics.policy, world, begin[near], end[near], tolerance=tolerance, limit=limit)
    return Calibration(
        pairs=int(near.sum()),
        reached=float(np.isfinite(real.steps).mean()),
        steps=reliability(distance[near], np.minimum(real.steps, limit), bins),
        cost=reliability(risk[near], real.cost, bins),
    )


def reliability(predicted: ArrayLike, realised: ArrayLike, bins: int = 10) -> Reliability:
    """Bin (B,) predictions into at most `bins` bins of equally many and compare means with what was `realised` (B,)."""
    said, came = np.asarray(predicted, np.float64), np.asarray(realised, np.float64)
    if said.shape != came.shape or said.ndim != 1 or not len(said):
        raise InvalidInput(f"predicted has shape {said.shape} and realised {came.shape}, expected (B,) both, B at least 1")
    inner = np.unique(np.quantile(said, np.arange(1, bins) / bins))
    which = np.searchsorted(inner, said, side="right")
    count = np.bincount(which, minlength=len(inner) + 1)
    kept = np.flatnonzero(count)
    size = count[kept].astype(np.float64)

    def means(values: Float64) -> Float64:
        return np.asarray(np.bincount(which, weights=values, minlength=len(count))[kept] / size, dtype=np.float64)

    mean_said, mean_came = means(said), means(came)
    spread = np.sqrt(np.maximum(means(came**2) - mean_came**2, 0.0))
    error = float((size * np.abs(mean_said - mean_came)).sum() / len(said))
    gap = said - came
    return Reliability(
        mean_said, mean_came, spread, count[kept].astype(np.int64), float(np.abs(gap).mean()), float(gap.mean()), error
    )


def near_pairs(world: World, count: int, rng: Rng, *, radius: float = 8.0) -> tuple[Float32, Float32]:
    """Starts uniform over the free space, goals uniform over the free part of the square of half side `radius` around them.

    Returns:
        starts, goals: (count, 2) float32 each.
    """
    if count < 1 or not (math.isfinite(radius) and radius > 0):
        raise InvalidInput(f"count is {count} and radius {radius}, expected positive numbers")
    rng = generator(rng)
    env = PointEnv(world, body="point", rng=rng)
    starts, goals = np.empty((0, 2), np.float32), np.empty((0, 2), np.float32)
    while len(starts) < count:
        begin = env.sample_free(2 * count, rng)
        end = (begin + rng.uniform(-radius, radius, begin.shape)).astype(np.float32)
        free = env.is_free(end)
        starts, goals = np.concatenate([starts, begin[free]]), np.concatenate([goals, end[free]])
    return starts[:count], goals[:count]
