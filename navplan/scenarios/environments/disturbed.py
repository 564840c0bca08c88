"""An environment in which moves go wrong and positions are known inexactly: noise, lost moves, moves that come late."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from navplan.control.disturbance import CUT, Disturbance
from navplan.errors import InvalidInput
from navplan.scenarios.environments.point import PointEnv, StepResult
from navplan.system.arrays import Bool, Float32, Float64


class DisturbedEnv:
    """One environment, its agents' moves and what they know of their positions disturbed.

    Args:
        env: one environment, its agents in place.
        disturbance: what goes wrong.
        rng: source of it.

    Attributes:
        states, goals, radius, goal_tolerance, world, track, moves: of `env`, true ones: what happened, not what was told or
            wished. What only bodies with momentum have is its own, too.
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

    @property
    def track(self) -> Float32:
        """(1, A, 21, 2) float32, see `PointEnv.track`."""
        return self.env.track

    @property
    def moves(self) -> Float32:
        """(1, A, 2) float32 actions of the latest step as they were made, disturbed; see `PointEnv.moves`."""
        return self.env.moves

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

    def predict(self, actions: ArrayLike, states: ArrayLike | None = None, *bodies: ArrayLike, **options: bool) -> Float32:
        """What moves would do if nothing went wrong, see `PointEnv.predict` and `EmbodiedEnv.predict`."""
        ask: Any = self.env.predict
        return np.asarray(ask(actions, states, *bodies, **options))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.env, name)

    def _noise(self, deviation: float) -> Float64:
        shape = self.env.states.shape
        if deviation == 0:
            return np.zeros(shape)
        draws = self.rng.standard_normal(shape)
        while (beyond := np.abs(draws) > CUT).any():
            draws[beyond] = self.rng.standard_normal(int(beyond.sum()))
        return np.asarray(deviation * draws)
