"""What execution asks of an environment, and how it keeps what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from navplan.control.interface import LowLevel
from navplan.execution.trajectory import Trajectory
from navplan.plan.plan import Plan
from navplan.system.arrays import Bool, Float32, Float64, Int32

HALF_STEPS = 20
"""Positions of one environment step."""


class SimulatedStep(Protocol):
    """What one environment step returns; arrays with a leading axis of environments."""

    @property
    def states(self) -> Float32: ...  # noqa: D102
    @property
    def cost(self) -> Float32: ...  # noqa: D102
    @property
    def reached(self) -> Bool: ...  # noqa: D102
    @property
    def agent_contacts(self) -> Bool: ...  # noqa: D102
    @property
    def bumps(self) -> Int32: ...  # noqa: D102


class Simulator(Protocol):
    """What execution needs of an environment, such as a `navplan.scenarios.environments.point.PointEnv`.

    Its `states` and `goals` are (1, A, 2), its `track` (1, A, 21, 2): where the latest step began, and the position after each of
    its twenty half-steps; `moves`, (1, A, 2), are the actions of that step as they were made. Its `world` tells discs that reach
    into walls: ``overlaps(points (..., 2), radius) -> (...) bool``.
    `observe` is where agents are told to be, (1, A, 2) too.

    One with bodies of different sizes has `radii`, (A,), beside `radius`, the largest. One whose bodies have momentum has `body`,
    (1, A, 4), their states, which agents know of themselves; it predicts a step and the braking after it, from any states of the
    bodies, ``predict(actions, states, body)``; ``later(actions, states, body)`` are their states after one step; `at_rest` (1, A)
    and `headings` (1, A) are theirs now, and ``condition(command)`` (A, C) is what a low level is told of them. See
    `navplan.scenarios.environments.embodied`; where `body` is missing or None there is no momentum.
    """

    @property
    def states(self) -> Float32: ...  # noqa: D102
    @property
    def goals(self) -> Float32: ...  # noqa: D102
    @property
    def radius(self) -> float: ...  # noqa: D102
    @property
    def goal_tolerance(self) -> float: ...  # noqa: D102
    @property
    def world(self) -> Any: ...  # noqa: D102
    @property
    def track(self) -> Float32: ...  # noqa: D102
    @property
    def moves(self) -> Float32: ...  # noqa: D102
    def observe(self) -> Float32: ...  # noqa: D102
    def is_free(self, points: Float32) -> Bool: ...  # noqa: D102
    def step(self, actions: Float32) -> SimulatedStep: ...  # noqa: D102
    def predict(self, actions: Float32, states: Float32 | None = None) -> Float32: ...  # noqa: D102


def body_of(env: Simulator) -> Float64 | None:
    """(A, 4) float64 states of bodies with momentum; None where there are none."""
    body: Any = getattr(env, "body", None)
    return None if body is None else np.asarray(body[0])


def radius_of(env: Simulator) -> float | Float64:
    """Of all bodies, or (A,), one of each."""
    radii: Any = getattr(env, "radii", None)
    return float(env.radius) if radii is None else np.asarray(radii, np.float64)


def told(env: Simulator, low_level: LowLevel, command: tuple[float, float] = (1.0, 0.0)) -> Float32 | None:
    """(A, C) float32 the condition for a low level that asks for one, where the environment states any; None for none."""
    state: Any = getattr(env, "condition", None)
    return state(command) if state is not None and getattr(low_level, "conditioned", False) else None


def at_rest(env: Simulator) -> bool:
    """Whether all bodies would stay where they are."""
    return body_of(env) is None or bool(np.asarray(getattr(env, "at_rest")).all())  # noqa: B009 - only bodies have it


def headings_of(env: Simulator) -> Float32 | None:
    """(A,) float32 radians, NaN for bodies that have none; None where there are none with momentum."""
    return None if body_of(env) is None else np.array(getattr(env, "headings")[0], np.float32)  # noqa: B009


def step_ends(env: Simulator, positions: Float32) -> Float32:
    """(N, A, 2) where predicted `positions` (N, A, S, 2) are at the end of the step, before any braking."""
    return positions[:, :, -1 if body_of(env) is None else HALF_STEPS - 1]


class Decision(NamedTuple):
    """What an execution decides for one step.

    Attributes:
        actions: (A, 2) float32 for the environment.
        waypoints: (A, 2) float32 what the low level was asked to go to.
        progress: (A,) float64 pieces or waypoints left behind.
        plan: the plan followed.
        events: happenings of this step, as in Trajectory.
        planning_s: wall seconds spent planning.
    """

    actions: Float32
    waypoints: Float32
    progress: Float64
    plan: Plan
    events: tuple[dict[str, Any], ...] = ()
    planning_s: float = 0.0


@dataclass(frozen=True, eq=False)
class Step:
    """One environment step as it happened.

    Attributes:
        index: 0, 1, …
        states: (A, 2) float32 after the step; actions: (A, 2) float32 as they were made, whatever was decided.
        cost: (A,) float32; reached: (A,) bool within tolerance of its goal; agent_contacts: (A, A) bool;
        bumps: (A,) int32 moves that walls rejected or cut short.
        track: (A, 21, 2) float32 positions: where the step began, and after each half-step.
        waypoints: (A, 2) float32 what the low level was asked to go to.
        progress: (A,) float64 pieces left behind before the step.
        events: happenings of this step, as in Trajectory.
        plan: the plan followed.
        planning_s, acting_s: wall seconds of this step.
        headings: (A,) float32 after the step, as `headings_of`.
    """

    index: int
    states: Float32
    actions: Float32
    cost: Float32
    reached: Bool
    agent_contacts: Bool
    bumps: Int32
    track: Float32
    waypoints: Float32
    progress: Float64
    events: tuple[dict[str, Any], ...]
    plan: Plan
    planning_s: float = 0.0
    acting_s: float = 0.0
    headings: Float32 | None = None


def record(env: Simulator, starts: Float32, steps: Sequence[Step], plan: Plan, headings: Float32 | None = None) -> Trajectory:
    """The trajectory of `steps`, taken in `env` from `starts` (A, 2) and `headings` (A,)."""
    agents = len(starts)
    plans: list[Plan] = [plan]
    for step in steps:
        if step.plan is not plans[-1]:
            plans.append(step.plan)
    walls = env.world.walls if env.world.walls is not None else np.zeros((0, 0), np.bool_)

    def stacked(name: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        return np.stack([getattr(s, name) for s in steps]).astype(dtype) if steps else np.zeros((0, *shape), dtype)

    track = stacked("track", (agents, HALF_STEPS + 1, 2), np.float32)
    radius = radius_of(env)
    return Trajectory(
        walls=walls,
        starts=starts,
        goals=env.goals[0].copy(),
        radius=radius,
        goal_tolerance=float(env.goal_tolerance),
        states=np.concatenate([starts[None], stacked("states", (agents, 2), np.float32)]),
        actions=stacked("actions", (agents, 2), np.float32),
        cost=stacked("cost", (agents,), np.float32),
        agent_contacts=stacked("agent_contacts", (agents, agents), np.bool_),
        bumps=stacked("bumps", (agents,), np.int32),
        track=track,
        wall_contacts=_in_walls(env, track[:, :, 1:], radius),
        plans=tuple(plans),
        events=tuple(event for step in steps for event in step.events),
        planning_s=plan.runtime_s + sum(s.planning_s for s in steps),
        acting_s=sum(s.acting_s for s in steps),
        headings=None if headings is None else np.concatenate([headings[None], stacked("headings", (agents,), np.float32)]),
    )


def _in_walls(env: Simulator, points: Float32, radius: float | Float64) -> Int32:
    """(T, A) int32: of the points (T, A, S, 2), those at which each agent's disc overlaps an obstacle or the edge."""
    if isinstance(radius, float):
        return np.asarray(env.world.overlaps(points, radius).sum(axis=2), dtype=np.int32)
    columns = [env.world.overlaps(points[:, agent], float(own)).sum(axis=1) for agent, own in enumerate(radius)]
    return np.stack(columns, axis=1).astype(np.int32)


def make_step(index: int, result: SimulatedStep, decision: Decision, env: Simulator, acting_s: float = 0.0) -> Step:
    """The record of one step of `env`, which has just made it."""
    return Step(
        index,
        result.states[0].copy(),
        np.array(env.moves[0], dtype=np.float32),
        result.cost[0].copy(),
        result.reached[0].copy(),
        result.agent_contacts[0].copy(),
        result.bumps[0].copy(),
        np.array(env.track[0], dtype=np.float32),
        decision.waypoints,
        decision.progress.copy(),
        decision.events,
        decision.plan,
        decision.planning_s,
        acting_s,
        headings_of(env),
    )
