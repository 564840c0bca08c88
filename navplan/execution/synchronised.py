"""From a plan to a trajectory: waypoints handed to the shared policy, the order of passage kept, bodies kept apart, replanning.

No clock and no map: progress is read off the agents' positions, and the only dynamics asked about are the environment's own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from navplan.control.interface import LowLevel
from navplan.errors import InvalidInput
from navplan.execution.passage import PassageOrder
from navplan.execution.safety_filter import keep_apart
from navplan.execution.simulator import Simulator, Step, make_step, record
from navplan.execution.trajectory import Trajectory
from navplan.kernels.motion.passage import advance, speed_limits
from navplan.plan.plan import Plan
from navplan.system.arrays import Bool, Float32, Float64

Edge = tuple[int, int, int]  # agent, from node, to node
Durations = Callable[[Plan], Sequence[ArrayLike]]


class Replan(Protocol):
    """Plans afresh from where the agents are."""

    def __call__(self, states: Float32, failed: Sequence[Edge], home: Bool) -> Plan:
        """A plan for all agents, solved or not.

        Args:
            states: (A, 2) float32 present states.
            failed: (agent, from node, to node) of the present plan's edges that the low level could not drive, those since
                the last call.
            home: (A,) bool, agents that are at their goals.
        """
        ...


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while driving; `trajectory` is what had happened, `result` the Navigation around it where there is one."""

    def __init__(self, trajectory: Trajectory) -> None:
        super().__init__()
        self.trajectory = trajectory
        self.result: Any = None


@dataclass(frozen=True)
class Settings:
    """How a plan is executed.

    Attributes:
        piece_length: longest piece of the order of passage, environment steps, at most 1.
        lag: how far apart two conflicting pieces must be planned for their order to matter.
        clearance: pieces closer than this are ordered; None is ``2 * radius`` and `margin`, 0 keeps no order at all.
        margin: cells beyond ``2 * radius`` that the safety filter keeps.
        waypoint_tolerance: a waypoint counts as reached within this; None is the environment's goal tolerance.
        stop_within: an agent stops at this share of the goal tolerance, so that rounding or a nudge does not undo it.
        patience: steps without progress, though the order lets the agent go, after which it counts as stuck.
        max_replans: replanning calls at most.
    """

    piece_length: float = 0.5
    lag: int = 2
    clearance: float | None = None
    margin: float = 0.02
    waypoint_tolerance: float | None = None
    stop_within: float = 0.9
    patience: int = 8
    max_replans: int = 12


def execute(
    plan: Plan,
    policy: LowLevel,
    env: Simulator,
    *,
    replan: Replan | None = None,
    max_steps: int = 300,
    settings: Settings | None = None,
    durations: Durations | None = None,
) -> Iterator[Step]:
    """Drive all agents along `plan`, one environment step per item, until all are at their goals or `max_steps` are over.

    The environment's agents must stand at the plan's starts (within the waypoint tolerance), its goals be the plan's ends.

    Args:
        plan: a solved plan; one path per agent of `env`.
        policy: the low level that all agents share.
        env: one environment with A agents.
        replan: called when an agent is stuck; without it agents only try the next waypoint.
        max_steps: budget, shared by nobody: every step moves all agents.
        durations: gives the learned distances of a plan's edges, see `PassageOrder.from_plan`; None: their lengths.

    Raises:
        InvalidInput: the plan has no paths or another number of agents, or does not start where the agents are.
    """
    options = settings or Settings()
    driver = _Driver(plan, policy, env, options, replan, durations)
    return driver.run(max_steps)


def drive(
    plan: Plan,
    policy: LowLevel,
    env: Simulator,
    *,
    replan: Replan | None = None,
    max_steps: int = 300,
    settings: Settings | None = None,
    durations: Durations | None = None,
) -> Trajectory:
    """`execute` to its end, recorded.

    Raises:
        Interrupted: Ctrl-C; it holds the record so far.
    """
    starts = env.states[0].copy()
    steps: list[Step] = []
    try:
        for step in execute(plan, policy, env, replan=replan, max_steps=max_steps, settings=settings, durations=durations):
            steps.append(step)
    except KeyboardInterrupt as stop:
        raise Interrupted(record(env, starts, steps, plan)) from stop
    return record(env, starts, steps, plan)


def alone(policy: LowLevel, env: Simulator, *, max_steps: int = 300, filtered: bool = False) -> Trajectory:
    """Every agent sent straight to its own goal by the policy: no graph, no plan, no order; the baseline.

    Args:
        filtered: keep bodies apart all the same; otherwise contacts happen and are recorded.
    """
    starts, goals = env.states[0].copy(), env.goals[0].copy()
    agents = len(starts)
    plan = Plan("unsolved", "none", agents, reason="the low level acts alone")
    steps: list[Step] = []
    waited = np.zeros(agents, np.int64)
    for index in range(max_steps):
        here = env.states[0].copy()
        home = np.linalg.norm(here.astype(np.float64) - goals, axis=1) < env.goal_tolerance
        if home.all():
            break
        began = time.perf_counter()
        actions = np.array(policy.act(here, goals), dtype=np.float32)
        actions[home] = 0.0
        if filtered:
            outcome = keep_apart(
                here, actions, env.predict, radius=env.radius, priority=np.where(home, np.inf, 0.0), waited=waited
            )
            waited = np.where(outcome.yielded & ~home, waited + 1, 0)
            actions = outcome.actions
        acting = time.perf_counter() - began
        result = env.step(actions[None])
        nothing = np.zeros(agents)
        steps.append(make_step(index, result, actions, goals, nothing, (), plan, 0.0, acting))
    return record(env, starts, steps, plan)


@dataclass
class _Driver:
    """The state of one execution: where each agent is along the plan, and how long it has been kept."""

    plan: Plan
    policy: LowLevel
    env: Simulator
    settings: Settings
    replan: Replan | None
    durations: Durations | None
    replans: int = 0
    failed: list[Edge] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.env.states.shape[0] != 1:
            raise InvalidInput(f"execution drives one environment, got {self.env.states.shape[0]}")
        agents = self.env.states.shape[1]
        if self.plan.paths and len(self.plan.paths) != agents:
            raise InvalidInput(f"the plan has paths for {len(self.plan.paths)} agents, the environment has {agents}")
        tolerance = self.settings.waypoint_tolerance
        self.tolerance = float(self.env.goal_tolerance if tolerance is None else tolerance)
        self.goals = self.env.goals[0].copy()
        self._follow(self.plan)
        here = self.env.states[0].astype(np.float64)
        for what, where, at in (("starts", self.order.nodes[:, 0], here), ("ends", self.order.nodes[:, -1], self.goals)):
            gap = np.linalg.norm(where - at, axis=1)
            if not (gap < self.tolerance).all():
                agent = int(np.argmax(gap))
                raise InvalidInput(
                    f"agent {agent}: the plan {what} at {where[agent].tolist()} but the environment has {at[agent].tolist()}; "
                    "reset it with the plan's starts and goals"
                )

    def _follow(self, plan: Plan) -> None:
        """Take up `plan` from its beginning."""
        chosen = self.settings.clearance
        self.plan = plan
        self.order = PassageOrder.from_plan(
            plan,
            clearance=2.0 * self.env.radius + self.settings.margin if chosen is None else chosen,
            piece_length=self.settings.piece_length,
            lag=self.settings.lag,
            durations=None if self.durations is None else self.durations(plan),
        )
        agents = len(plan.paths)
        self.at = np.zeros(agents, np.int32)
        self.progress = np.zeros(agents)
        self.frontier = np.zeros(agents, np.int32)
        self.waited = np.zeros(agents, np.int64)
        self.stalled = np.zeros(agents, np.int64)
        self.nearest = np.full(agents, np.inf)
        self.blocked = np.zeros(agents, np.int64)
        self.aim = np.full(agents, -1)

    def run(self, max_steps: int) -> Iterator[Step]:
        """The generator behind `execute`."""
        for index in range(max_steps):
            here = self.env.states[0].copy()
            if self._at_goal(here, self.env.goal_tolerance).all():
                return
            began = time.perf_counter()
            events = self._recover(index, here)
            planned = time.perf_counter()
            actions, waypoints = self._act(here)
            acted = time.perf_counter()
            result = self.env.step(actions[None])
            yield make_step(index, result, actions, waypoints, self.progress, events, self.plan, planned - began, acted - planned)

    def _at_goal(self, here: Float32, within: float) -> Bool:
        return np.asarray(np.linalg.norm(here.astype(np.float64) - self.goals, axis=1) < within)

    def _act(self, here: Float32) -> tuple[Float32, Float32]:
        """Actions (A, 2) for this step and the waypoints (A, 2) they aim at."""
        order, agents = self.order, len(here)
        position = here.astype(np.float64)
        advance(order.arrays, position, self.tolerance, self.at, self.progress, self.frontier)
        ahead = np.minimum(self.at + 1, order.arrival)
        waypoints = order.nodes[np.arange(agents), ahead]
        last = ahead == order.arrival
        waypoints[last] = self.goals[last]
        aims = waypoints.astype(np.float32)
        gap = np.linalg.norm(position - waypoints, axis=1)
        arrived = self.progress >= order.ends
        # an agent rests at its goal, and at a node that the plan has it wait at
        waiting = (order.nodes[np.arange(agents), self.at] == order.nodes[np.arange(agents), ahead]).all(axis=1)
        home = arrived & (gap < self.settings.stop_within * self.env.goal_tolerance)
        rests = home | (waiting & ~arrived & (gap < self.tolerance))
        wishes = np.clip(np.array(self.policy.act(here, aims), dtype=np.float32), -1.0, 1.0)
        scale = np.ones(agents)
        speed_limits(order.arrays, position, self.at, self.progress, self.frontier, wishes, scale)
        scale[scale < 0.1] = 0.0
        scale[rests] = 0.0
        wishes *= scale[:, None].astype(np.float32)
        outcome = keep_apart(
            here,
            wishes,
            self.env.predict,
            radius=self.env.radius,
            priority=np.where(home, np.inf, self.progress),
            waited=self.waited,
            margin=self.settings.margin,
        )
        self.waited = np.where(outcome.yielded & wishes.any(axis=1), self.waited + 1, 0)
        self._watch(gap, held=(scale == 0.0), yielded=outcome.yielded)
        return outcome.actions, aims

    def _watch(self, gap: Float64, *, held: Bool, yielded: Bool) -> None:
        """Count the steps in which an agent that may go gets no nearer to its waypoint."""
        moved_on = self.at != self.aim
        self.nearest[moved_on] = np.inf
        self.aim = self.at.copy()
        better = gap < self.nearest - 0.05
        self.nearest = np.minimum(self.nearest, gap)
        reset = moved_on | better | held
        self.stalled = np.where(reset, 0, self.stalled + 1)
        self.blocked = np.where(reset, 0, self.blocked + yielded)

    def _recover(self, index: int, here: Float32) -> tuple[dict[str, Any], ...]:
        """Deal with stuck agents: replan if there is a way to, else try the next waypoint."""
        stuck = np.flatnonzero(self.stalled >= self.settings.patience)
        if not stuck.size:
            return ()
        # a stall without yielding is the low level's own failure to drive that edge
        for i in stuck.tolist():
            if self.blocked[i] * 2 < self.stalled[i] and self.at[i] < self.order.arrival[i]:
                path = self.plan.paths[i]
                self.failed.append((i, int(path[self.at[i]]), int(path[self.at[i] + 1])))
        self.stalled[:] = 0
        self.nearest[:] = np.inf
        event: dict[str, Any] = {"step": index, "agents": stuck.tolist()}
        if self.replan is not None and self.replans < self.settings.max_replans:
            self.replans += 1
            fresh = self.replan(here, tuple(self.failed), self._at_goal(here, self.env.goal_tolerance))
            self.failed.clear()
            if fresh.solved:
                self._follow(fresh)
                return ({**event, "kind": "replan", "status": fresh.status},)
            return ({**event, "kind": "replan-failed", "status": fresh.status, "reason": fresh.reason},)
        skipped = [i for i in stuck.tolist() if self._skip(i)]
        return ({**event, "kind": "stuck", "skipped": skipped},)

    def _skip(self, i: int) -> bool:
        """Let agent i make for the waypoint after the next, if the order lets it go there."""
        order, following = self.order, int(self.at[i]) + 1
        if following >= order.arrival[i] or self.frontier[i] < order.offsets[following]:
            return False
        self.at[i] = following
        self.progress[i] = float(order.offsets[following])
        return True
