"""The safe point environment: B environments x A agents moved by one compiled call per step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.kernels.motion import discs, obstacles, stepping
from navplan.kernels.motion.embodied import BodyTable
from navplan.scenarios.bodies.condition import conditions
from navplan.scenarios.worlds.free_space import FreeSpace
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool, Float32, Float64, Int32
from navplan.system.numbers import Rng, as_flags, as_numbers, check_choice, check_kind, check_numbers, check_whole, generator
from navplan.system.words import said

Outline = Literal["disc", "point"]
"""What walls stop: the disc, or its centre alone."""


class StepResult(NamedTuple):
    """What one step did. The arrays belong to the caller: later steps and resets do not change them.

    Attributes:
        states: (B, A, 2) float32 positions after the step.
        cost: (B, A) float32 maximum hazard cost over the step, its start included.
        reached: (B, A) bool, the agent is nearer than the tolerance to its goal after the step.
        agent_contacts: (B, A, A) bool symmetric, centres were closer than 2 * radius after some half-step of this step.
        bumps: (B, A) int32 axis moves that the box or an obstacle rejected or cut short, at most 20.
    """

    states: Float32
    cost: Float32
    reached: Bool
    agent_contacts: Bool
    bumps: Int32


_MOST = 1 << 26
"""Of agents in all environments together, and steps of an episode."""


class PointEnv:
    """B copies of a world with A agents each that slide along its walls (docs/paper.md, sections 1 and 2).

    An action is a displacement in cells per axis, clipped to [-1, 1] and made in ten sub-steps, axis 0 before axis 1; an
    obstacle stops one axis only, so agents slide along walls. Bodies do not block one another: contacts are reported.
    With `body` "disc" agents keep `radius` from walls and from the edge: a half-step goes as far as it can, and glides along what
    is slanted or round. With "point", the paper's own environment, walls stop the centre only: bodies reach into them, and a
    half-step that is hindered is not made at all. A disc of radius 0 is a point.
    Nothing resets by itself: callers look at `steps` and `max_steps` and call `reset` with a mask.

    Args:
        world: grid or polygon world.
        num_envs: B.
        num_agents: A.
        radius: of the bodies, cells.
        body: what walls stop.
        goal_tolerance: an agent nearer than this to its goal has reached it, cells.
        max_steps: length of an episode, kept for callers.
        rng: source of resets and noise, a generator or a seed.
        action_noise: standard deviation of one normal draw per agent and step, added to both components before clipping,
            as in the paper's reference environment. 0: no noise, no draw.

    Attributes:
        space: where the bodies may be, with its geometry for the kernels.
        states, goals: (B, A, 2) float32; `states` is replaced, not written to, by each step and reset.
        steps: (B,) int32 steps since each environment was reset.
        body: None; states of bodies with momentum, where there are any (`navplan.scenarios.environments.embodied`).

    Raises:
        InvalidInput: a number is out of range, no such body, or the world has no room for one.
    """

    def __init__(
        self,
        world: World,
        *,
        num_envs: int = 1,
        num_agents: int = 1,
        radius: float = 0.25,
        body: Outline = "disc",
        goal_tolerance: float = 0.5,
        max_steps: int = 20,
        rng: Rng,
        action_noise: float = 0.0,
    ) -> None:
        check_whole(num_envs=num_envs, num_agents=num_agents, max_steps=max_steps)
        check_numbers(radius=radius, goal_tolerance=goal_tolerance, action_noise=action_noise)
        for name, count in (("num_envs", num_envs), ("num_agents", num_agents), ("max_steps", max_steps)):
            if not 1 <= count <= _MOST:
                raise InvalidInput(f"{name} is {said(count)}, expected 1 to {_MOST}")
        if num_envs * num_agents > _MOST:
            raise InvalidInput(f"{num_envs} environments of {num_agents} agents, expected at most {_MOST} agents together")
        for name, size in (("radius", radius), ("goal_tolerance", goal_tolerance), ("action_noise", action_noise)):
            if not (math.isfinite(size) and size >= 0):
                raise InvalidInput(f"{name} is {size}, expected a finite number of cells, at least 0")
        check_choice("body", body, get_args(Outline))
        check_kind(world, World, "world", "a World")
        self.world = world
        self.body: Float64 | None = None
        self.space = FreeSpace(world, float(radius) if body == "disc" else 0.0)
        self.geometry = self.space.geometry
        self.num_envs = num_envs
        self.num_agents = num_agents
        self.radius = radius
        self.goal_tolerance = goal_tolerance
        self.max_steps = max_steps
        self.rng = generator(rng)
        self.action_noise = action_noise
        self._traces = np.empty((2, num_agents, stepping.SUBSTEPS + 1), dtype=np.float32)
        self.states: Float32 = np.empty((num_envs, num_agents, 2), dtype=np.float32)
        self.goals: Float32 = np.empty((num_envs, num_agents, 2), dtype=np.float32)
        self.steps: Int32 = np.zeros(num_envs, dtype=np.int32)
        self._latest: tuple[Float32, Float32] | None = None
        self.reset()

    def reset(self, starts: ArrayLike | None = None, goals: ArrayLike | None = None, mask: ArrayLike | None = None) -> Float32:
        """Place agents and goals; what is not given is drawn uniformly from the free space.

        Args:
            starts, goals: (A, 2) for all environments or (B, A, 2); entries of environments outside `mask` are ignored.
            mask: (B,) bool, the environments to reset; None: all.

        Returns:
            The new `states` (B, A, 2) float32.

        Raises:
            InvalidInput: a wrong shape, or a start or goal that is not finite, outside the box, in an obstacle or, for discs,
                nearer than `radius` to one of them; the message names the environment and the agent. Nothing has changed then.
        """
        chosen = np.ones(self.num_envs, dtype=np.bool_) if mask is None else as_flags(mask, "the values of mask")
        if chosen.shape != (self.num_envs,):
            raise InvalidInput(f"mask has shape {chosen.shape}, expected ({self.num_envs},)")
        states, goal_points = self.states.copy(), self.goals.copy()
        states[chosen] = self._placed("start", starts, chosen)
        goal_points[chosen] = self._placed("goal", goals, chosen)
        self.states, self.goals = states, goal_points
        self.steps = np.where(chosen, np.int32(0), self.steps)
        return self.states

    def step(self, actions: ArrayLike) -> StepResult:
        """Move every agent by one step.

        Args:
            actions: (B, A, 2) displacements in cells per axis; float32, anything else is converted. Never written to.

        Raises:
            InvalidInput: a wrong shape, or an action that is not finite; the message names the environment and the agent.
                Nothing has moved then.
        """
        actions = self._noisy(self._checked_actions(actions))
        result = self._blank_result()
        limits = (2.0 * float(self.radius), float(self.goal_tolerance))
        if self.space.body is None:
            bad = stepping.step_all(self.geometry, self.states, actions, self.goals, *limits, self._traces, *result)
        else:
            body = self.space.body
            bad = discs.step_discs(self.geometry, body, self.states, actions, self.goals, *limits, self._traces, *result)
        self._refuse_bad_action(bad, actions)
        self._moved(actions, result)
        return result

    @property
    def moves(self) -> Float32:
        """(B, A, 2) float32 actions of the latest step as they were made, noise included.

        Raises:
            InvalidInput: no step was made yet.
        """
        if self._latest is None:
            raise InvalidInput("the environment has made no moves, expected a step before")
        return self._latest[1].copy()

    @property
    def track(self) -> Float32:
        """(B, A, 21, 2) float32 positions of the latest step: where it began, and after each half-step.

        Raises:
            InvalidInput: no step was made yet.
        """
        if self._latest is None:
            raise InvalidInput("the environment has no track, expected a step before")
        begin, actions = self._latest
        positions = np.empty((self.num_envs, self.num_agents, 2 * stepping.SUBSTEPS + 1, 2), dtype=np.float32)
        positions[:, :, 0] = begin
        after = np.empty((self.num_envs, self.num_agents, 2 * stepping.SUBSTEPS, 2), dtype=np.float32)
        self._predict(begin, actions, after)
        positions[:, :, 1:] = after
        return positions

    def predict(self, actions: ArrayLike, states: ArrayLike | None = None) -> Float32:
        """Positions (N, M, 20, 2) float32 after each half-step of one noiseless step, without moving anything.

        Args:
            actions: (N, M, 2) displacements in cells per axis; (B, A, 2) when `states` is None.
            states: (N, M, 2) or (M, 2) positions to start from, any number of them; None: the current ones. Where no body can be,
                as an inexact position may say, it is taken to be at the nearest point where it can.

        Raises:
            InvalidInput: as for `step`, or a state that is not finite.
        """
        if states is None:
            moves, begin = self._checked_actions(actions), self.states
        else:
            moves, begin = self._checked_start(actions, states)
        positions = np.empty((*moves.shape[:2], 2 * stepping.SUBSTEPS, 2), dtype=np.float32)
        self._refuse_bad_move(self._predict(begin, moves, positions), moves)
        return positions

    def _predict(self, begin: Float32, moves: Float32, positions: Float32) -> int:
        """Fill `positions` (N, M, 20, 2); -1, or the number of the first agent whose action is not finite."""
        if self.space.body is None:
            return int(stepping.predict_all(self.geometry, begin, moves, self._traces, positions))
        return int(discs.predict_discs(self.geometry, self.space.body, begin, moves, self._traces, positions))

    def observe(self) -> Float32:
        """(B, A, 2) float32 where the agents are told to be: here the `states`, which are copied."""
        return self.states.copy()

    def condition(self, command: Sequence[float] = (1.0, 0.0)) -> Float32:
        """(A, C) float32 what a low level that asks is told of the bodies, see `navplan.scenarios.bodies.condition`."""
        agents = self.num_agents
        limits = np.tile([1.0, 0.0, 0.0, 0.0, 0.0], (agents, 1))
        table = BodyTable(np.zeros(agents, np.int64), np.full(agents, float(self.radius)), limits)
        return conditions(table, np.zeros((agents, 4)), command)

    def sample_free(self, n: int, rng: Rng | None = None) -> Float32:
        """(n, 2) float32 points uniform over where bodies may be, from `rng` or the environment's own; see `FreeSpace.sample`."""
        return self.space.sample(n, self.rng if rng is None else rng)

    def is_free(self, points: ArrayLike) -> Bool:
        """At which of the points (..., 2) a body may be; see `FreeSpace.is_free`."""
        return self.space.is_free(points)

    def cost_at(self, points: ArrayLike) -> Float32:
        """Hazard cost (...) float32 of standing at the points (..., 2); see `FreeSpace.cost_at`."""
        return self.space.cost_at(points)

    def _noisy(self, actions: Float32) -> Float32:
        """The actions (B, A, 2) with the noise of one step, if there is any."""
        if self.action_noise == 0:
            return actions
        noise = self.rng.normal(0.0, self.action_noise, size=(self.num_envs, self.num_agents, 1))
        return actions + noise.astype(np.float32)

    def _blank_result(self) -> StepResult:
        """What a step fills."""
        pairs = (self.num_envs, self.num_agents)
        return StepResult(
            states=np.empty((*pairs, 2), dtype=np.float32),
            cost=np.empty(pairs, dtype=np.float32),
            reached=np.empty(pairs, dtype=np.bool_),
            agent_contacts=np.zeros((*pairs, self.num_agents), dtype=np.bool_),
            bumps=np.empty(pairs, dtype=np.int32),
        )

    def _moved(self, actions: Float32, result: StepResult) -> None:
        """Take over what a step did."""
        self._latest = self.states, actions
        self.states = result.states
        self.steps = self.steps + np.int32(1)

    def _drawn(self, count: int) -> Float32:
        """(count, A, 2) places drawn from the free space."""
        return self.sample_free(count * self.num_agents).reshape(count, self.num_agents, 2)

    def _nearest(self, points: Float32) -> Float32:
        """The points (..., M, 2), each where a body can be, see `FreeSpace.nearest`."""
        return self.space.nearest(points)

    def _radius_of(self, agent: int) -> float:
        """Of one agent's body, cells."""
        return self.radius

    def _placed(self, what: str, points: ArrayLike | None, chosen: Bool) -> Float32:
        if points is None:
            return self._drawn(int(chosen.sum()))
        return self._checked_points(what, points, chosen)[chosen]

    def _checked_points(self, what: str, points: ArrayLike, chosen: Bool) -> Float32:
        """`points` broadcast to (B, A, 2) float32, refused where a chosen environment's point is not free."""
        array = as_numbers(points, f"{what}s", np.float32)
        shape = (self.num_envs, self.num_agents, 2)
        if array.shape not in (shape, shape[1:]):
            raise InvalidInput(f"{what}s have shape {array.shape}, expected {shape[1:]} or {shape}")
        array = np.ascontiguousarray(np.broadcast_to(array, shape))
        bad = ~self.is_free(array) & chosen[:, None]
        if bad.any():
            env, agent = (int(index) for index in np.argwhere(bad)[0])
            point = array[env, agent]
            row, col = (float(value) for value in point)
            why, wanted = self._why_not_free(point, self._radius_of(agent))
            raise InvalidInput(f"environment {env}, agent {agent}: {what} ({row:g}, {col:g}) is {why}, expected {wanted}")
        return array

    def _why_not_free(self, point: Float32, radius: float) -> tuple[str, str]:
        """What is wrong with a point (2,), and what is expected."""
        if not np.isfinite(point).all():
            return "not finite", "a free point"
        if not (0 <= point[0] <= self.geometry.height and 0 <= point[1] <= self.geometry.width):
            return f"outside the box {self.world.height} x {self.world.width}", "a free point"
        blocked = np.zeros(1, dtype=np.bool_)
        obstacles.blocked_points(self.geometry, point[None], blocked)
        if blocked[0]:
            return "in an obstacle", "a free point"
        return "too near to an obstacle or to the edge", f"at least the body's radius {radius:g} between them"

    def _checked_actions(self, actions: ArrayLike) -> Float32:
        array = np.ascontiguousarray(as_numbers(actions, "actions", np.float32))
        if array.shape != self.states.shape:
            raise InvalidInput(f"actions have shape {array.shape}, expected {self.states.shape}")
        return array

    def _checked_start(self, actions: ArrayLike, states: ArrayLike) -> tuple[Float32, Float32]:
        """Actions (N, M, 2) and the states (N, M, 2) that they start from, float32."""
        moves = np.ascontiguousarray(as_numbers(actions, "actions", np.float32))
        begin = as_numbers(states, "states", np.float32)
        if moves.ndim != 3 or moves.shape[2] != 2 or begin.shape not in (moves.shape, moves.shape[1:]):
            raise InvalidInput(f"states have shape {begin.shape}, expected that of the actions {moves.shape}, (N, M, 2)")
        return moves, np.ascontiguousarray(np.broadcast_to(self._nearest(begin), moves.shape))

    def _refuse_bad_move(self, bad: int, moves: Float32) -> None:
        if bad >= 0:
            row, agent = divmod(int(bad), moves.shape[1])
            raise InvalidInput(f"row {row}, agent {agent}: action is {moves[row, agent].tolist()}, expected two finite numbers")

    def _refuse_bad_action(self, bad: int, actions: Float32) -> None:
        if bad >= 0:
            env, agent = divmod(int(bad), self.num_agents)
            row, col = (float(value) for value in actions[env, agent])
            raise InvalidInput(f"environment {env}, agent {agent}: action is ({row}, {col}), expected two finite numbers")
