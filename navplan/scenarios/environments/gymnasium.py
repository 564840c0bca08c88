"""The point environment for one agent, as a Gymnasium environment.

Importing this module registers ``navplan/PointNav-v0``:
``gymnasium.make("navplan.scenarios.environments.gymnasium:navplan/PointNav-v0",
scenario="center-dot")``. The environment class is loaded when it is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from navplan.errors import InvalidInput, MissingExtra
from navplan.scenarios.bodies.body import Body
from navplan.scenarios.environments.embodied import make_point_env, most_sensed, sensed
from navplan.scenarios.environments.picture import FRAMES_PER_SECOND, RENDER_MODES, Picture, Pixels, check_render_mode
from navplan.scenarios.environments.point import Outline
from navplan.scenarios.problems.draw import ProblemDrawer
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.scenario import Scenario
from navplan.system.arrays import Float32
from navplan.system.numbers import as_numbers, as_points

try:
    import gymnasium
    from gymnasium import spaces
except ImportError as error:
    raise MissingExtra("the Gymnasium environment", "Gymnasium", "envs") from error

Observation = dict[str, Float32]


class PointNavEnv(gymnasium.Env[Observation, Float32]):
    """One agent in a scenario's world.

    Observations are ``{"observation", "goal"}``, each (row, col) float32 divided by the world's (height, width); actions are
    displacements in [-1, 1] cells per axis. The reward is -1 per step, as in the paper; the hazard cost of the step is
    ``info["cost"]`` (after a reset: that of the start). Reaching the goal terminates, the step limit truncates.
    With a body that is stated there is ``"body"`` too, (5,) float32, what it knows of itself, see `embodied.sensed`.

    Args:
        scenario: a bundled scenario's name, a scenario file, or a Scenario.
        max_steps: step limit; None: the scenario's training episode.
        distance: least and largest geodesic steps from start to goal; None: both uniform over where the body may be.
        body: what walls stop, see `PointEnv`.
        bodies: the agent's, such as "car", or a Body in a list; None: the scenario's first, or a point.
        render_mode: None, or "rgb_array" for `render`.
    """

    metadata: dict[str, Any] = {"render_modes": list(RENDER_MODES), "render_fps": FRAMES_PER_SECOND}  # noqa: RUF012

    def __init__(
        self,
        scenario: str | Path | Scenario = "center-dot",
        *,
        max_steps: int | None = None,
        distance: tuple[float, float] | None = None,
        body: Outline = "disc",
        bodies: Sequence[Body] | str | None = None,
        render_mode: str | None = None,
    ) -> None:
        self.scenario = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
        world = self.scenario.world
        self.render_mode = check_render_mode(render_mode)
        self._picture: Picture | None = None
        self.point_env = make_point_env(
            self.scenario,
            bodies,
            1,
            body=body,
            max_steps=self.scenario.episode_steps if max_steps is None else max_steps,
            rng=np.random.default_rng(0),
        )
        self._drawer = None if distance is None else ProblemDrawer(world, distance=distance, radius=self.point_env.space.radius)
        self._scale = np.array([world.height, world.width], dtype=np.float32)
        self.observation_space: spaces.Space[Any] = spaces.Dict(
            {
                **{name: spaces.Box(0.0, 1.0, (2,), np.float32) for name in ("observation", "goal")},
                **{name: spaces.Box(-most[0], most[0]) for name, most in most_sensed(self.point_env).items()},
            }
        )
        self.action_space: spaces.Space[Any] = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, dict[str, Any]]:
        """Start an episode; `options` may give "start" and "goal", (row, col) in cells.

        Raises:
            InvalidInput: an unknown option, or a point that is not free.
        """
        super().reset(seed=seed)
        options = options or {}
        unknown = sorted(set(options) - {"start", "goal"})
        if unknown:
            raise InvalidInput(f"reset option {unknown[0]!r} is unknown, expected 'start' or 'goal'")
        env = self.point_env
        env.rng = self.np_random
        points: dict[str, Float32 | None] = {"start": None, "goal": None}
        if self._drawer is not None:
            points["start"], points["goal"] = self._drawer.draw(1, self.np_random)
        for name, point in options.items():
            points[name] = as_points(point, name, np.float32).reshape(-1, 2)
        env.reset(points["start"], points["goal"])
        return self._observe(), {"cost": float(env.cost_at(env.states)[0, 0])}

    def step(self, action: Float32) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """One environment step; raises InvalidInput for an action that is not finite."""
        env = self.point_env
        result = env.step(as_numbers(action, "action", np.float32).reshape(1, 1, -1))
        info = {"cost": float(result.cost[0, 0]), "bumps": int(result.bumps[0, 0])}
        return self._observe(), -1.0, bool(result.reached[0, 0]), bool(env.steps[0] >= env.max_steps), info

    def render(self) -> Pixels | None:
        """(H, W, 3) uint8 picture of the present state with `render_mode` "rgb_array", else None."""
        if self.render_mode is None:
            return None
        if self._picture is None:
            self._picture = Picture(self.point_env)
        return self._picture.draw()

    def _observe(self) -> Observation:
        env = self.point_env
        seen = {"observation": env.states[0, 0] / self._scale, "goal": env.goals[0, 0] / self._scale}
        return {**seen, **{name: values[0, 0] for name, values in sensed(env).items()}}


if "navplan/PointNav-v0" not in gymnasium.registry:
    gymnasium.register("navplan/PointNav-v0", entry_point="navplan.scenarios.environments.gymnasium:PointNavEnv")
