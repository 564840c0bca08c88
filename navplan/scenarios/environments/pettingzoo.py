"""The point environment for many agents, as a PettingZoo Parallel environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from navplan.system.numbers import as_numbers, check_kind

try:
    from gymnasium import spaces
    from gymnasium.utils import seeding
except ImportError as error:
    raise MissingExtra("the PettingZoo environment", "Gymnasium", "envs") from error
try:
    from pettingzoo import ParallelEnv
except ImportError as error:
    raise MissingExtra("the PettingZoo environment", "PettingZoo", "envs") from error

Observation = dict[str, Float32]


class PointNavParallelEnv(ParallelEnv[str, Observation, Float32]):  # type: ignore[misc]
    """All agents of a scenario in one world, acting at the same time.

    Agents are ``agent_0``, ``agent_1``, …. Observations, actions, rewards and costs are those of the Gymnasium environment.
    An agent that reaches its goal is terminated and leaves `agents`; its body stays there, so others may still touch it.
    ``info["agent_contacts"]`` names the agents touched during the step, ``info["bumps"]`` counts moves that walls stopped.

    Args:
        scenario: a bundled scenario's name, a scenario file, or a Scenario.
        num_agents: how many; None: the scenario's.
        max_steps: step limit; None: the scenario's budget.
        distance: least and largest geodesic steps from each start to its goal.
        body: what walls stop, see `PointEnv`.
        bodies: of the agents, such as "car:3,unicycle:2"; None: the scenario's, or points.
        render_mode: None, or "rgb_array" for `render`.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "name": "navplan_point_nav_v0",
        "render_modes": list(RENDER_MODES),
        "render_fps": FRAMES_PER_SECOND,
    }

    def __init__(
        self,
        scenario: str | Path | Scenario = "center-dot",
        *,
        num_agents: int | None = None,
        max_steps: int | None = None,
        distance: tuple[float, float] = (1.0, np.inf),
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
            num_agents,
            body=body,
            max_steps=self.scenario.max_steps if max_steps is None else max_steps,
            rng=np.random.default_rng(0),
        )
        apart = 2.0 * self.point_env.radius
        self._drawer = ProblemDrawer(
            world,
            distance=distance,
            start_spacing=max(1.0, apart),
            goal_spacing=max(1.5, apart + 2.0 * self.scenario.goal_tolerance),
            radius=self.point_env.space.radius,
        )
        self._scale = np.array([world.height, world.width], dtype=np.float32)
        self._rng: np.random.Generator | None = None
        self.possible_agents = [f"agent_{index}" for index in range(self.point_env.num_agents)]
        self.agents: list[str] = []
        part = spaces.Box(0.0, 1.0, (2,), np.float32)
        own = most_sensed(self.point_env)
        self.observation_spaces = {
            name: spaces.Dict(
                {
                    "observation": part,
                    "goal": part,
                    **{what: spaces.Box(-most[index], most[index]) for what, most in own.items()},
                }
            )
            for index, name in enumerate(self.possible_agents)
        }
        self.action_spaces = {name: spaces.Box(-1.0, 1.0, (2,), np.float32) for name in self.possible_agents}

    def observation_space(self, agent: str) -> spaces.Dict:
        """The same object for an agent at every call."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Box:
        """The same object for an agent at every call."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """Start an episode; `options` may give "starts" and "goals", (A, 2) in cells.

        Other options are ignored, as PettingZoo's own API test asks for.

        Raises:
            InvalidInput: a point is not free.
        """
        options = options or {}
        if seed is not None or self._rng is None:
            self._rng, _ = seeding.np_random(seed)
        env = self.point_env
        env.rng = self._rng
        starts, goals = options.get("starts"), options.get("goals")
        if starts is None or goals is None:
            drawn_starts, drawn_goals = self._drawer.draw(env.num_agents, self._rng)
            starts = drawn_starts if starts is None else starts
            goals = drawn_goals if goals is None else goals
        env.reset(starts, goals)
        self.agents = list(self.possible_agents)
        cost = env.cost_at(env.states)[0]
        return self._observe(), {name: {"cost": float(cost[index])} for index, name in enumerate(self.agents)}

    def step(
        self, actions: dict[str, Float32]
    ) -> tuple[dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """One environment step of all agents; those that are done stand still.

        Raises:
            InvalidInput: an action is missing, misshapen or not finite.
        """
        check_kind(actions, Mapping, "actions", "a dict of one for each agent")
        env = self.point_env
        moves = np.zeros((1, env.num_agents, 2), dtype=np.float32)
        acting = [(index, name) for index, name in enumerate(self.possible_agents) if name in self.agents]
        for index, name in acting:
            move = as_numbers(actions.get(name, ()), f"the action of {name}", np.float32)
            if move.shape != (2,):
                raise InvalidInput(f"the action of {name} has shape {move.shape}, expected (2,)")
            moves[0, index] = move
        result = env.step(moves)
        observations = self._observe()
        late = bool(env.steps[0] >= env.max_steps)
        terminations = {name: bool(result.reached[0, index]) for index, name in acting}
        truncations = {name: late for _, name in acting}
        infos = {
            name: {
                "cost": float(result.cost[0, index]),
                "bumps": int(result.bumps[0, index]),
                "agent_contacts": [self.possible_agents[other] for other in np.flatnonzero(result.agent_contacts[0, index])],
            }
            for index, name in acting
        }
        rewards = {name: -1.0 for _, name in acting}
        self.agents = [name for _, name in acting if not (terminations[name] or late)]
        return observations, rewards, terminations, truncations, infos

    def state(self) -> Float32:
        """(A, 4) float32 position and goal of every agent, done ones included, divided by (height, width)."""
        env = self.point_env
        return np.concatenate([env.states[0] / self._scale, env.goals[0] / self._scale], axis=1)

    def render(self) -> Pixels | None:
        """(H, W, 3) uint8 picture of the present state with `render_mode` "rgb_array", else None."""
        if self.render_mode is None:
            return None
        if self._picture is None:
            self._picture = Picture(self.point_env)
        return self._picture.draw()

    def _observe(self) -> dict[str, Observation]:
        env, own = self.point_env, sensed(self.point_env)
        return {
            name: {
                "observation": env.states[0, index] / self._scale,
                "goal": env.goals[0, index] / self._scale,
                **{what: values[0, index] for what, values in own.items()},
            }
            for index, name in enumerate(self.possible_agents)
            if name in self.agents
        }
