"""Where agents are when they are told so inexactly, and where they will be when what is decided now takes effect."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from navplan.control.disturbance import Disturbance
from navplan.execution.simulator import Simulator, body_of, step_ends
from navplan.system.arrays import Float32, Float64


@dataclass
class Observer:
    """A set-membership observer: for each agent a box that it is in for certain, as long as the disturbances are as stated.

    A position that is told narrows the box (by its bound), a move shifts it (by the environment's own dynamics from the box's
    centre) and widens it (by the bound of the noise). A move that may be lost leaves two boxes, of which the next position that
    is told mostly rules one out. Where moves come late, those under way are made in thought, so that what is decided now is
    decided for the place where it takes effect. The dynamics are those of the box's centre and corners: at the corner of a wall
    the box is a bound to within a tenth of a cell or so only.

    Bodies with momentum know their own speed, heading and the like exactly: only where they are is told inexactly.

    Attributes:
        env: told of positions, asked what moves would do.
        expected: the disturbances.
        centre, half: (A, 2) float64 of each agent's box, when it was last told of.
        ahead: (A, 4) float64 states of bodies with momentum when what is decided now takes effect; None without any.
    """

    env: Simulator
    expected: Disturbance
    centre: Float64
    half: Float64
    ahead: Float64 | None = None
    _due: deque[Float32] = field(default_factory=deque)
    _last: tuple[Float64, Float64] | None = None

    @classmethod
    def of(cls, env: Simulator, expected: Disturbance) -> Observer:
        """Before the first look: nothing is known yet."""
        agents = env.states.shape[1]
        still = np.zeros((agents, 2), np.float32)
        return cls(
            env, expected, np.zeros((agents, 2)), np.full((agents, 2), np.inf), body_of(env), deque([still] * expected.late)
        )

    def look(self) -> Float32:
        """(A, 2) float32 where the agents will be when what is decided now takes effect, as far as that is known."""
        told = self.env.observe()[0].astype(np.float64)
        self._narrow(told)
        here, spread = self.centre, np.zeros_like(self.half)
        self.ahead = body_of(self.env)
        for actions in self._due:
            coming = self._later(here, actions)
            here, spread = self._moved(here, spread, actions, self.ahead)
            self.ahead = coming
        return here.astype(np.float32)

    def predict(self, actions: Float32, states: Float32) -> Float32:
        """What moves would do when what is decided now takes effect, as `navplan.execution.safety_filter.keep_apart` asks."""
        return self._predicted(actions, states, self.ahead)

    @property
    def slack(self) -> Float64:
        """(A,) cells by which each agent may be, after the next move, off where it is expected."""
        steps = len(self._due) + 1
        return np.asarray(np.linalg.norm(self.half + steps * self.expected.action_bound, axis=1))

    def decided(self, actions: Float32) -> None:
        """Say what was decided, (A, 2) float32; call it once after each `look`."""
        self._due.append(actions)
        made = self._due.popleft()
        if self.expected.localisation_bound == 0:
            return  # the next look tells all
        self._last = (self.centre, self.half)
        self.centre, half = self._moved(self.centre, self.half, made, body_of(self.env))
        self.half = half + self.expected.action_bound

    def _narrow(self, told: Float64) -> None:
        bound = self.expected.localisation_bound
        if bound == 0:
            self.centre, self.half = told, np.zeros_like(told)
            return
        low, high = self._common(self.centre, self.half, told)
        if self.expected.lost_moves > 0 and self._last is not None:
            stayed_low, stayed_high = self._common(*self._last, told)
            moved = (low <= high).all(axis=1, keepdims=True)
            stayed = (stayed_low <= stayed_high).all(axis=1, keepdims=True)
            both, only_stayed = moved & stayed, stayed & ~moved
            low = np.where(both, np.minimum(low, stayed_low), np.where(only_stayed, stayed_low, low))
            high = np.where(both, np.maximum(high, stayed_high), np.where(only_stayed, stayed_high, high))
        # nothing in common: the corner of a wall was in the way of some places only, or the bounds are not kept
        off = ~(low <= high).all(axis=1, keepdims=True)
        low, high = np.where(off, told - bound, low), np.where(off, told + bound, high)
        self.centre, self.half = self._free(0.5 * (low + high)), 0.5 * (high - low)

    def _common(self, centre: Float64, half: Float64, told: Float64) -> tuple[Float64, Float64]:
        """Low and high corners of what two boxes share; low above high where they are apart."""
        bound = self.expected.localisation_bound
        return np.maximum(centre - half, told - bound), np.minimum(centre + half, told + bound)

    def _predicted(self, actions: Float32, states: Float32, body: Float64 | None) -> Float32:
        if body is None:
            return self.env.predict(actions, states)
        ask: Any = self.env.predict
        return np.asarray(ask(actions, states, body))

    def _later(self, here: Float64, actions: Float32) -> Float64 | None:
        """States of the bodies, `ahead` now, after `actions` (A, 2) from `here` (A, 2)."""
        if self.ahead is None:
            return None
        env: Any = self.env
        return np.asarray(env.later(actions[None], here.astype(np.float32), self.ahead)[0])

    def _moved(self, centre: Float64, half: Float64, actions: Float32, body: Float64 | None) -> tuple[Float64, Float64]:
        """The box around where the environment takes the box's centre and corners, as far as a body can be there."""
        at = _CORNERS if half.any() else _CORNERS[:1]
        places = (centre + at[:, None] * half).astype(np.float32)
        tracks = self._predicted(np.repeat(actions[None], len(places), axis=0), places, body)
        ends = step_ends(self.env, tracks).astype(np.float64)
        low, high = ends.min(axis=0), ends.max(axis=0)
        return 0.5 * (low + high), 0.5 * (high - low)

    def _free(self, points: Float64) -> Float64:
        """The points, each that is not free replaced by the nearest of some around it that is."""
        around = points[None] + 1.5 * self.expected.localisation_bound * _ROUND[:, None]
        free = np.asarray(self.env.is_free(around.astype(np.float32)))
        return np.asarray(around[np.argmax(free, axis=0), np.arange(len(points))])


def _rings(rings: int = 8, directions: int = 16) -> Float64:
    """(1 + rings * directions, 2) points of the unit disc, from its centre outwards."""
    angles = np.arange(directions) * 2.0 * np.pi / directions
    circle = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    radii = (np.arange(rings) + 1.0) / rings
    return np.concatenate([np.zeros((1, 2)), (radii[:, None, None] * circle).reshape(-1, 2)])


_ROUND = _rings()
_CORNERS: Float64 = np.array([(0, 0), (-1, -1), (-1, 1), (1, -1), (1, 1)], dtype=np.float64)
