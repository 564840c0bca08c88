"""Critics whose answers are formulas: of an open field with a hazard, and of any world with walls."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from navplan.control.interface import LowLevel
from navplan.control.straight_line import StraightLine
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Float32


class FieldCritics:
    """Of an open field, asymmetric on purpose.

    Steps are the Chebyshev displacement (at least 1); uphill (growing row) takes longer; risk grows near a hazard disc.

    Attributes:
        pairs, calls: how many pairs have been evaluated, in how many calls.
    """

    def __init__(self, hazard: tuple[float, float] = (5.0, 5.0), radius: float = 3.0) -> None:
        self.hazard = np.array(hazard)
        self.radius = radius
        self.pairs = 0
        self.calls = 0

    def evaluate(self, observations: Float32, goals: Float32) -> tuple[Float32, Float32]:
        """Distance and risk (B,) float32 of pairs (B, 2) float32; writable arrays only, as a network needs them."""
        assert observations.dtype == goals.dtype == np.float32
        assert observations.shape == goals.shape
        assert observations.flags.writeable  # PyTorch warns of arrays that are not
        assert goals.flags.writeable
        self.pairs += len(observations)
        self.calls += 1
        a, b = observations.astype(np.float64), goals.astype(np.float64)
        uphill = np.maximum(b[:, 0] - a[:, 0], 0.0)
        distance = np.maximum(np.abs(a - b).max(axis=1), 1.0) + 0.25 * uphill
        depth = np.maximum(self.radius - np.linalg.norm((a + b) / 2 - self.hazard, axis=1), 0.0)
        return distance.astype(np.float32), (depth * distance).astype(np.float32)


@dataclass
class AnalyticCritics:
    """Straight-line lengths and hazard costs, infinite through obstacles: what a perfectly trained checkpoint would say.

    Attributes:
        states: (num_states, 2) float32 free points, as a checkpoint keeps of its replay buffer.
        policy, scenario: as of a checkpoint: who drives, and the name of the map.
    """

    world: World
    num_states: int = 600
    policy: StraightLine = field(default_factory=StraightLine)
    stage: int = 1

    def __post_init__(self) -> None:
        self.env = PointEnv(self.world, body="point", rng=np.random.default_rng(5))
        self.states = self.env.sample_free(self.num_states, np.random.default_rng(6))
        self.scenario = self.world.name

    @property
    def policies(self) -> dict[str, LowLevel]:
        """Who drives, by name."""
        return {"policy": self.policy}

    def evaluate(self, observations: Float32, goals: Float32) -> tuple[Float32, Float32]:
        """Distance: longest axis, 100 where the segment is blocked; risk: hazard cost at every whole step. (B, 2) to (B,)."""
        along = np.linspace(0, 1, 33, dtype=np.float32)[None, :, None]
        points = observations[:, None] + along * (goals - observations)[:, None]
        free = self.env.is_free(points).all(axis=1)
        distance = np.abs(goals - observations).max(axis=1)
        risk = self.env.cost_at(points).mean(axis=1) * np.maximum(distance, 1.0)
        return np.where(free, np.maximum(distance, 1.0), 100.0).astype(np.float32), risk.astype(np.float32)

    def distance(self, observations: Float32, goals: Float32) -> Float32:
        """Distance (B,) alone."""
        return self.evaluate(observations, goals)[0]
