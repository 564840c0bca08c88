"""What execution asks of an environment, and how it keeps what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from navplan.execution.trajectory import Trajectory
from navplan.plan.plan import Plan
from navplan.system.arrays import Bool, Float32, Float64, Int32


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


def record(env: Simulator, starts: Float32, steps: Sequence[Step], plan: Plan) -> Trajectory:
    """The trajectory of `steps`, taken in `env` from `starts` (A, 2)."""
    agents = len(starts)
    plans: list[Plan] = [plan]
    for step in steps:
        if step.plan is not plans[-1]:
            plans.append(step.plan)
    walls = env.world.walls if env.world.walls is not None else np.zeros((0, 0), np.bool_)

    def stacked(name: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        return np.stack([getattr(s, name) for s in steps]).astype(dtype) if steps else np.zeros((0, *shape), dtype)

    track = stacked("track", (agents, 21, 2), np.float32)
    return Trajectory(
        walls=walls,
        starts=starts,
        goals=env.goals[0].copy(),
        radius=float(env.radius),
        goal_tolerance=float(env.goal_tolerance),
        states=np.concatenate([starts[None], stacked("states", (agents, 2), np.float32)]),
        actions=stacked("actions", (agents, 2), np.float32),
        cost=stacked("cost", (agents,), np.float32),
        agent_contacts=stacked("agent_contacts", (agents, agents), np.bool_),
        bumps=stacked("bumps", (agents,), np.int32),
        track=track,
        wall_contacts=np.asarray(env.world.overlaps(track[:, :, 1:], float(env.radius)).sum(axis=2), dtype=np.int32),
        plans=tuple(plans),
        events=tuple(event for step in steps for event in step.events),
        planning_s=plan.runtime_s + sum(s.planning_s for s in steps),
        acting_s=sum(s.acting_s for s in steps),
    )


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
    )
