"""An environment in which moves go wrong and positions are known inexactly: noise, lost moves, moves that come late."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.scenarios.environments.point import PointEnv, StepResult
from navplan.system.arrays import Bool, Float32, Float64

CUT = 2.0
"""Standard deviations at which normal noise is cut off: draws beyond are drawn again, so that a margin can cover all of it."""


@dataclass(frozen=True)
class Disturbance:
    """What goes wrong.

    Attributes:
        action_noise: standard deviation of the normal noise on each axis of every move, resting agents included, cells.
        localisation_noise: of the noise on each axis of every position that agents are told, cells.
        lost_moves: probability that an agent's move is not made at all.
        late: steps by which moves come late; agents rest until the first.

    Raises:
        InvalidInput: a number is out of range.
    """

    action_noise: float = 0.0
    localisation_noise: float = 0.0
    lost_moves: float = 0.0
    late: int = 0

    def __post_init__(self) -> None:
        for name in ("action_noise", "localisation_noise"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InvalidInput(f"{name} is {value!r}, expected a finite number of cells, at least 0")
        if not 0 <= self.lost_moves < 1:
            raise InvalidInput(f"lost_moves is {self.lost_moves!r}, expected a probability below 1")
        if self.late != int(self.late) or self.late < 0:
            raise InvalidInput(f"late is {self.late!r}, expected a number of steps, at least 0")

    @property
    def action_bound(self) -> float:
        """Most that noise adds to a move, cells per axis."""
        return CUT * self.action_noise

    @property
    def localisation_bound(self) -> float:
        """Most that a position is told wrongly by, cells per axis."""
        return CUT * self.localisation_noise

    @property
    def reach(self) -> float:
        """Most that one move and one told position can be off together, cells."""
        return math.sqrt(2.0) * (self.action_bound + self.localisation_bound)


CALM = Disturbance()
"""Nothing goes wrong."""


class DisturbedEnv:
    """One environment, its agents' moves and what they know of their positions disturbed.

    Args:
        env: one environment, its agents in place.
        disturbance: what goes wrong.
        rng: source of it.

    Attributes:
        states, goals, radius, goal_tolerance, world: of `env`; `states` are true.
    """

    def __init__(self, env: PointEnv, disturbance: Disturbance, rng: np.random.Generator) -> None:
        if env.num_envs != 1:
            raise InvalidInput(f"one environment is disturbed at a time, got {env.num_envs}")
        self.env, self.disturbance, self.rng = env, disturbance, rng
        still = np.zeros((1, env.num_agents, 2), np.float32)
        self._coming = deque([still] * disturbance.late)

    @property
    def states(self) -> Float32:
        """(1, A, 2) float32 where the agents are."""
        return self.env.states

    @property
    def goals(self) -> Float32:
        """(1, A, 2) float32."""
        return self.env.goals

    @property
    def radius(self) -> float:
        """Of the bodies, cells."""
        return self.env.radius

    @property
    def goal_tolerance(self) -> float:
        """Cells."""
        return self.env.goal_tolerance

    @property
    def world(self) -> Any:
        """The world."""
        return self.env.world

    def observe(self) -> Float32:
        """(1, A, 2) float32 where the agents are told to be; each call draws anew."""
        return (self.env.states + self._noise(self.disturbance.localisation_noise)).astype(np.float32)

    def is_free(self, points: ArrayLike) -> Bool:
        """See `PointEnv.is_free`."""
        return self.env.is_free(points)

    def step(self, actions: ArrayLike) -> StepResult:
        """Make the moves that are due, disturbed; `actions` as for `PointEnv.step`."""
        self._coming.append(np.asarray(actions, dtype=np.float32))
        wished = np.clip(self._coming.popleft(), -1.0, 1.0)
        made = wished + self._noise(self.disturbance.action_noise)
        if self.disturbance.lost_moves > 0:
            made[self.rng.random(made.shape[:2]) < self.disturbance.lost_moves] = 0.0
        return self.env.step(made.astype(np.float32))

    def predict(self, actions: ArrayLike, states: ArrayLike | None = None) -> Float32:
        """What moves would do if nothing went wrong, see `PointEnv.predict`."""
        return self.env.predict(actions, states)

    def _noise(self, deviation: float) -> Float64:
        shape = self.env.states.shape
        if deviation == 0:
            return np.zeros(shape)
        draws = self.rng.standard_normal(shape)
        while (beyond := np.abs(draws) > CUT).any():
            draws[beyond] = self.rng.standard_normal(int(beyond.sum()))
        return np.asarray(deviation * draws)
