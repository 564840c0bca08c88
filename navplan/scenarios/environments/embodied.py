"""The environment of bodies with momentum: unicycles, cars, double integrators and quadrotors, each of its own size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.kernels.motion.embodied import predict_bodies, step_bodies
from navplan.kernels.motion.stepping import SUBSTEPS
from navplan.scenarios.bodies.body import Body, body_table
from navplan.scenarios.bodies.condition import conditions, own_velocity
from navplan.scenarios.bodies.fleet import check_fleet, parse_fleet, radii_of
from navplan.scenarios.environments.point import PointEnv, StepResult
from navplan.scenarios.scenario import Scenario
from navplan.scenarios.worlds.free_space import FreeSpace
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool, Float32, Float64
from navplan.system.numbers import as_numbers, check_kind, check_whole


class EmbodiedEnv(PointEnv):
    """`PointEnv` for agents with bodies. An action is a wish: the displacement wanted in one step, in [-1, 1] on each axis.

    Each body follows it as well as its limits let it, at every sub-step; what it has left of its speed it keeps from one step
    to the next. Positions are still (B, A, 2); the state of the bodies lies beside them.

    Args:
        world, and those not named here: as `PointEnv`; `num_agents` and `radius` follow from the bodies.
        bodies: one for each agent, alike in all environments.

    Attributes:
        bodies: as given.
        radii: (A,) float64; `radius` is the largest of them.
        body: (B, A, 4) float64 their states, see `navplan.kernels.motion.trackers`; replaced by each step and reset.
        tail: steps within which all of them can stop.

    Raises:
        InvalidInput: as `PointEnv`, and for bodies that are none.
    """

    def __init__(self, world: World, *, bodies: Sequence[Body], **options: Any) -> None:
        options.pop("radius", None)
        check_kind(world, World, "world", "a World")
        self.bodies = check_fleet(bodies, options.pop("num_agents", None), (world.height, world.width))
        if options.get("body", "disc") != "disc":
            raise InvalidInput(f"body is {options['body']!r}, but bodies with limits are discs to walls: expected 'disc'")
        self.radii = radii_of(self.bodies)
        self.tail = max(body.tail for body in self.bodies)
        self._table = body_table(self.bodies)
        self._facing = np.array([body.has_heading for body in self.bodies])
        spaces = {radius: FreeSpace(world, radius) for radius in np.unique(self.radii).tolist()}
        self._spaces = [spaces[radius] for radius in self.radii.tolist()]
        self._before: Float64 | None = None
        super().__init__(world, num_agents=len(self.bodies), radius=float(self.radii.max()), **options)

    def reset(
        self,
        starts: ArrayLike | None = None,
        goals: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        headings: ArrayLike | None = None,
    ) -> Float32:
        """See `PointEnv.reset`; all bodies are at rest then.

        Args:
            headings: (A,) or (B, A) radians from the direction of growing rows towards that of growing columns; None draws them.
        """
        shape = (self.num_envs, self.num_agents)
        given = None if headings is None else as_numbers(headings, "headings", np.float64)
        if given is not None and (given.shape not in (shape, shape[1:]) or not np.isfinite(given).all()):
            raise InvalidInput(f"headings have shape {given.shape}, expected {shape[1:]} or {shape} finite numbers")
        states = super().reset(starts, goals, mask)
        body = np.zeros((*shape, 4)) if self.body is None else self.body.copy()
        chosen = np.ones(self.num_envs, np.bool_) if mask is None else np.asarray(mask, np.bool_)
        facing = self.rng.uniform(-np.pi, np.pi, shape) if given is None else np.broadcast_to(given, shape)
        body[chosen] = 0.0
        body[chosen, :, 0] = np.where(self._facing, np.mod(facing + np.pi, 2.0 * np.pi) - np.pi, 0.0)[chosen]
        self.body = body
        return states

    def step(self, actions: ArrayLike) -> StepResult:
        """See `PointEnv.step`; bumps are half-steps that walls cut short."""
        actions = self._noisy(self._checked_actions(actions))
        result, before, body = self._blank_result(), self.body, self._states_of_bodies()
        limit = float(self.goal_tolerance)
        bad = step_bodies(
            self.geometry, self.space.body, self._table, body, self.states, actions, self.goals, limit, self._traces, result
        )
        self._refuse_bad_action(bad, actions)
        self._before, self.body = before, body
        self._moved(actions, result)
        return result

    def predict(
        self, actions: ArrayLike, states: ArrayLike | None = None, body: ArrayLike | None = None, *, walls: bool = True
    ) -> Float32:
        """Positions (N, A, 20 * (1 + tail), 2) float32 after each half-step of one step and of the braking after it.

        Args:
            actions, states: as `PointEnv.predict`, M being A.
            body: (A, 4) or (N, A, 4) states of the bodies; None: the present ones.
            walls: whether walls stop them.
        """
        return self._foreseen(actions, states, body, 1 + self.tail, walls)[0]

    def later(self, actions: ArrayLike, states: ArrayLike, body: ArrayLike) -> Float64:
        """(N, A, 4) float64 states of the bodies after one step; arguments as `predict`."""
        return self._foreseen(actions, states, body, 1, True)[1]

    @property
    def at_rest(self) -> Bool:
        """(B, A) bool: bodies that would stay where they are for good if they wished for nothing."""
        body = self._states_of_bodies()
        still = ~body[:, :, :3].any(axis=2)
        return np.asarray(np.where(self._facing, body[:, :, 1] == 0.0, still & (body[:, :, 3] == 0.0)))

    @property
    def headings(self) -> Float64:
        """(B, A) float64 radians, NaN for bodies that have none."""
        return np.where(self._facing, self._states_of_bodies()[:, :, 0], np.nan)

    def condition(self, command: Sequence[float] = (1.0, 0.0)) -> Float32:
        """(A, C) float32 what a low level is told of the bodies of the first environment, see `bodies.condition`."""
        return conditions(self._table, self._states_of_bodies()[0], command)

    def is_free(self, points: ArrayLike) -> Bool:
        """At which of the points (..., A, 2) each agent may be; of points of other shapes, at which all of them may."""
        array = np.asarray(points)
        if array.ndim < 2 or array.shape[-2] != self.num_agents:
            return super().is_free(points)
        return np.stack([space.is_free(array[..., agent, :]) for agent, space in enumerate(self._spaces)], axis=-1)

    def _foreseen(
        self, actions: ArrayLike, states: ArrayLike | None, body: ArrayLike | None, steps: int, walls: bool
    ) -> tuple[Float32, Float64]:
        """Positions (N, A, 20 * steps, 2) of a step and braking, and (N, A, 4) states of the bodies after the first step."""
        if states is None:
            moves, begin = self._checked_actions(actions), self.states
        else:
            moves = as_numbers(actions, "actions", np.float32)
            if moves.ndim != 3 or moves.shape[1:] != (self.num_agents, 2):
                raise InvalidInput(f"actions have shape {moves.shape}, expected (N, {self.num_agents}, 2), one for each body")
            moves, begin = self._checked_start(moves, states)
        shape = (*moves.shape[:2], 4)
        given = self._states_of_bodies() if body is None else as_numbers(body, "body", np.float64)
        given = given[0] if body is None and states is not None else given
        if given.shape not in (shape, shape[1:]):
            raise InvalidInput(f"body has shape {given.shape}, expected {shape[1:]} or {shape}")
        work = np.array(np.broadcast_to(given, shape))
        positions = np.empty((*shape[:2], 2 * SUBSTEPS * steps, 2), np.float32)
        later = np.empty(shape)
        bad = predict_bodies(
            self.geometry, self.space.body, self._table, work, begin, moves, walls, self._traces, positions, later
        )
        self._refuse_bad_move(bad, moves)
        return positions, later

    def _predict(self, begin: Float32, moves: Float32, positions: Float32) -> int:
        """For the track of the latest step, which began with other states of the bodies."""
        body = np.array(self._before)
        return int(
            predict_bodies(
                self.geometry,
                self.space.body,
                self._table,
                body,
                begin,
                moves,
                True,
                self._traces,
                positions,
                np.empty_like(body),
            )
        )

    def _states_of_bodies(self) -> Float64:
        """A copy of `body`."""
        assert self.body is not None  # set by `reset`, which the constructor calls
        return self.body.copy()

    def _nearest(self, points: Float32) -> Float32:
        columns = [space.nearest(points[..., agent, :]) for agent, space in enumerate(self._spaces)]
        return np.stack(columns, axis=-2)

    def _drawn(self, count: int) -> Float32:
        return np.stack([space.sample(count, self.rng) for space in self._spaces], axis=1)

    def _radius_of(self, agent: int) -> float:
        return float(self.radii[agent])


def make_point_env(scenario: Scenario, bodies: Sequence[Body] | str | None, agents: int | None, **options: Any) -> PointEnv:
    """An environment of a scenario's world and sizes, of points or, where bodies are stated, of those.

    Args:
        bodies: as `parse_fleet` reads them, or one for each agent; None: the scenario's, as many of them as there are agents.
        agents: how many; None: as many as bodies, or as the scenario has.
        options: of `PointEnv`.

    Raises:
        InvalidInput: another number of bodies than agents.
    """
    fleet: Any = parse_fleet(bodies, scenario.radius) if isinstance(bodies, str) else bodies
    if agents is not None:
        check_whole(num_agents=agents)
    if fleet is None and scenario.bodies is not None:
        fleet = scenario.bodies if agents is None else scenario.bodies[:agents]
    how = {"goal_tolerance": scenario.goal_tolerance, **options}
    if fleet is None:
        return PointEnv(
            scenario.world, num_agents=scenario.num_agents if agents is None else agents, radius=scenario.radius, **how
        )
    return EmbodiedEnv(scenario.world, bodies=fleet, **({} if agents is None else {"num_agents": agents}), **how)


def sensed(env: PointEnv) -> dict[str, Float32]:
    """What bodies know of themselves, as "body": (B, A, 5) velocity forward, sideways, turning; cosine and sine of the heading.

    Bodies without a heading have the world's frame. Points know nothing.
    """
    if not isinstance(env, EmbodiedEnv) or env.body is None:
        return {}
    heading = np.nan_to_num(env.headings)[..., None]
    velocity = own_velocity(body_table(env.bodies), env.body)
    return {"body": np.concatenate([velocity, np.cos(heading), np.sin(heading)], axis=-1).astype(np.float32)}


def most_sensed(env: PointEnv) -> dict[str, Float32]:
    """The largest values (A, 5) of what is `sensed`."""
    if not isinstance(env, EmbodiedEnv):
        return {}
    most = np.ones((env.num_agents, 5), np.float32)
    most[:, 2] = [max(1.0, float(body.limits[2])) for body in env.bodies]
    return {"body": most}
