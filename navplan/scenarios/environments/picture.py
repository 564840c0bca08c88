"""Pictures of an environment as arrays of pixels, for `render_mode="rgb_array"`: plain numpy, no window and no toolkit."""

from __future__ import annotations

import colorsys
import math

import numpy as np
from numpy.typing import NDArray

from navplan.errors import InvalidInput
from navplan.scenarios.environments.embodied import EmbodiedEnv
from navplan.scenarios.environments.point import PointEnv
from navplan.system.arrays import Bool, Float64
from navplan.system.words import said

RENDER_MODES = ("rgb_array",)
FRAMES_PER_SECOND = 8
_LONGEST_SIDE = 600
_WALL, _FLOOR, _DANGER = (np.array(colour, np.float64) for colour in ((45, 48, 56), (250, 250, 248), (226, 110, 80)))

Pixels = NDArray[np.uint8]


class Picture:
    """Draws the first of an environment's copies: walls, hazard, goals as rings, bodies as discs in the colours of their goals.

    A cell is as many pixels wide as makes the longer side about 600 pixels, from 4 to 32. Row 0 is at the top.
    """

    def __init__(self, env: PointEnv) -> None:
        world = env.world
        self._env = env
        self._scale = int(np.clip(_LONGEST_SIDE / max(world.height, world.width), 4, 32))
        rows, cols = (max(1, int(np.ceil(side * self._scale))) for side in (world.height, world.width))
        middles = np.stack(np.meshgrid(np.arange(rows) + 0.5, np.arange(cols) + 0.5, indexing="ij"), axis=-1) / self._scale
        self._middles: Float64 = middles
        cost = np.asarray(env.cost_at(middles.reshape(1, -1, 2).astype(np.float32)), np.float64).reshape(rows, cols)
        share = np.clip(np.nan_to_num(cost) / max(world.hazard.peak, 1e-9), 0.0, 1.0)[..., None] * 0.6
        floor = _FLOOR + share * (_DANGER - _FLOOR)
        blocked: Bool = world.blocked(middles.reshape(-1, 2)).reshape(rows, cols)
        self._ground: Pixels = np.where(blocked[..., None], _WALL, floor).astype(np.uint8)

    def draw(self) -> Pixels:
        """(H, W, 3) uint8: the agents where they are now."""
        env, image = self._env, self._ground.copy()
        line = 1.5 / self._scale
        radii = np.broadcast_to(getattr(env, "radii", env.radius), env.num_agents)
        for agent in range(env.num_agents):
            colour = np.array(colorsys.hsv_to_rgb(agent / env.num_agents, 0.75, 0.8)) * 255
            ring = max(float(env.goal_tolerance), 3.0 / self._scale)
            self._disc(image, env.goals[0, agent], ring, ring - line, colour)
            body = max(float(radii[agent]), 2.0 / self._scale)
            self._disc(image, env.states[0, agent], body, 0.0, colour)
            nose = self._nose(agent, body)
            if nose is not None:
                self._disc(image, nose, 0.35 * body, 0.0, _FLOOR)
        return image

    def _nose(self, agent: int, body: float) -> NDArray[np.floating] | None:
        """Where on its disc a body that faces a way faces it; None for others."""
        heading = float(self._env.headings[0, agent]) if isinstance(self._env, EmbodiedEnv) else math.nan
        if math.isnan(heading):
            return None
        facing: Float64 = 0.6 * body * np.array([math.cos(heading), math.sin(heading)])
        return np.asarray(self._env.states[0, agent] + facing)

    def _disc(self, image: Pixels, middle: NDArray[np.floating], outer: float, inner: float, colour: Float64) -> None:
        """Colour the pixels whose middles lie from `inner` to `outer` cells from `middle`."""
        top, left = (max(0, int((value - outer) * self._scale) - 1) for value in middle.tolist())
        bottom, right = (int((value + outer) * self._scale) + 2 for value in middle.tolist())
        gap = np.linalg.norm(self._middles[top:bottom, left:right] - middle, axis=-1)
        image[top:bottom, left:right][(gap <= outer) & (gap >= inner)] = colour.astype(np.uint8)


def check_render_mode(mode: str | None) -> str | None:
    """The mode.

    Raises:
        InvalidInput: neither None nor one of `RENDER_MODES`.
    """
    if mode is not None and not (isinstance(mode, str) and mode in RENDER_MODES):
        raise InvalidInput(f"render_mode is {said(mode)}, expected None or {' or '.join(map(repr, RENDER_MODES))}")
    return mode
