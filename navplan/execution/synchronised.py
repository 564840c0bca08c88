"""From a plan to a trajectory: waypoints handed to the shared policy, the order of passage kept, bodies kept apart, replanning.

No clock: progress is read off the agents' positions. No map is read either, but the safety filter asks the environment where 26
candidate moves of each agent would end, and the environment knows its walls and the exact positions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from navplan.control.asking import wished
from navplan.control.disturbance import CALM, Disturbance
from navplan.control.interface import LowLevel
from navplan.errors import InvalidInput
from navplan.execution.arguments import check_driven
from navplan.execution.drive import drive_steps, drive_to_end
from navplan.execution.following import Following, Stalls
from navplan.execution.observer import Observer
from navplan.execution.passage import PassageOrder
from navplan.execution.safety_filter import Filtered, keep_apart
from navplan.execution.simulator import Decision, Simulator, Step, radius_of, told
from navplan.execution.trajectory import Trajectory
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
        expects: the disturbances that it is prepared for: positions are observed, margins cover what noise may do, nobody
            enters a place that its owner may not have left, and moves are decided for when they are made.
        command: what a low level that takes a condition is told to do: the share of full speed, and how careful to be, 0 to 1.
    """

    piece_length: float = 0.5
    lag: int = 2
    clearance: float | None = None
    margin: float = 0.02
    waypoint_tolerance: float | None = None
    stop_within: float = 0.9
    patience: int = 8
    max_replans: int = 12
    expects: Disturbance = CALM
    command: tuple[float, float] = (1.0, 0.0)


def execute(
    plan: Plan,
    policy: LowLevel,
    env: Simulator,
    *,
    replan: Replan | None = None,
    max_steps: int = 300,
    settings: Settings | None = None,
    durations: Durations | None = None,
    filtered: bool = True,
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
        filtered: the safety filter keeps bodies apart; without it the order of passage alone does, and contacts happen.

    Raises:
        InvalidInput: the plan has no paths or another number of agents, or does not start where the agents are.
    """
    check_driven(plan, policy, env, max_steps)
    return drive_steps(Synchronised.start(plan, policy, env, settings or Settings(), replan, durations, filtered), env, max_steps)


def drive(
    plan: Plan,
    policy: LowLevel,
    env: Simulator,
    *,
    replan: Replan | None = None,
    max_steps: int = 300,
    settings: Settings | None = None,
    durations: Durations | None = None,
    filtered: bool = True,
) -> Trajectory:
    """`execute` to its end, recorded.

    Raises:
        Interrupted: Ctrl-C; it holds the record so far.
    """
    check_driven(plan, policy, env, max_steps)
    options = settings or Settings()
    return drive_to_end(lambda: Synchronised.start(plan, policy, env, options, replan, durations, filtered), env, plan, max_steps)


@dataclass
class Synchronised:
    """The execution of `execute`: along a plan in its order of passage, bodies kept apart, planned again where agents are stuck.

    Attributes:
        low_level: what all agents share.
        env: asked what moves would do.
        settings, replan, durations: as given to `execute`.
        following: how far the agents have come along the present plan.
        stalls: how long they have been kept since it was taken up.
        observer: tells where they are.
        filtered: whether the safety filter keeps bodies apart.
        replans: how often was planned again.
        failed: edges that the low level could not drive, since then.
    """

    low_level: LowLevel
    env: Simulator
    settings: Settings
    replan: Replan | None
    durations: Durations | None
    following: Following
    stalls: Stalls
    observer: Observer
    filtered: bool = True
    replans: int = 0
    failed: list[Edge] = field(default_factory=list)

    @classmethod
    def start(
        cls,
        plan: Plan,
        low_level: LowLevel,
        env: Simulator,
        settings: Settings,
        replan: Replan | None,
        durations: Durations | None,
        filtered: bool = True,
    ) -> Synchronised:
        """With all agents at the plan's starts; see `execute` for what is refused."""
        if env.states.shape[0] != 1:
            raise InvalidInput(f"execution drives one environment, got {env.states.shape[0]}")
        agents = env.states.shape[1]
        if plan.paths and len(plan.paths) != agents:
            raise InvalidInput(f"the plan has paths for {len(plan.paths)} agents, the environment has {agents}")
        following = _follow(plan, env, settings, durations)
        following.check_ends(env.states[0].astype(np.float64))
        observer = Observer.of(env, settings.expects)
        return cls(low_level, env, settings, replan, durations, following, Stalls.none(agents), observer, filtered)

    def act(self, index: int, here: Float32, home: Bool) -> Decision:
        """See `navplan.execution.drive.Execution`."""
        began = time.perf_counter()
        events = self._recover(index, here, home)
        planning_s = time.perf_counter() - began
        following, stalls = self.following, self.stalls
        outlook = following.look(here)
        condition = told(self.env, self.low_level, self.settings.command)
        wishes = np.clip(wished(self.low_level, here, outlook.aims, condition), -1.0, 1.0)
        scale = following.speeds(here, self._reach(here, wishes))
        scale[outlook.rests] = 0.0
        wishes *= scale[:, None].astype(np.float32)
        outcome = self._apart(here, wishes, np.where(outlook.arrived, np.inf, following.progress))
        stalls.count(following.at, outlook.gap, wished=np.asarray(wishes.any(axis=1)), held=scale == 0.0, yielded=outcome.yielded)
        return Decision(outcome.actions, outlook.aims, following.progress, following.plan, events, planning_s)

    def _reach(self, here: Float32, wishes: Float32) -> Float32:
        """(A, 2) float32 how far the `wishes` lead: bodies with momentum cannot stop at the end of the step."""
        if self.observer.ahead is None:
            return wishes
        return np.asarray(self.observer.predict(wishes[None], here)[0, :, -1] - here, np.float32)

    def _apart(self, here: Float32, wishes: Float32, priority: Float64) -> Filtered:
        """The wishes, or what the filter makes of them."""
        if not self.filtered:
            return Filtered.unchanged(wishes)
        return keep_apart(
            here,
            wishes,
            self.observer.predict,
            radius=radius_of(self.env),
            priority=priority,
            waited=self.stalls.waited,
            margin=self.settings.margin,
            slack=self.observer.slack,
            half=self.observer.half,
            lossy=self.settings.expects.lost_moves > 0,
        )

    def _recover(self, index: int, here: Float32, home: Bool) -> tuple[dict[str, Any], ...]:
        """Deal with stuck agents: replan if there is a way to, else try the next waypoint."""
        stuck = self.stalls.stuck(self.settings.patience)
        if not stuck:
            return ()
        for i in self.stalls.by_themselves(stuck):
            if not self.following.at_last_node(i):
                self.failed.append((i, *self.following.edge_ahead(i)))
        self.stalls.forgive()
        event: dict[str, Any] = {"step": index, "agents": stuck}
        if self.replan is None or self.replans >= self.settings.max_replans:
            return ({**event, "kind": "stuck", "skipped": [i for i in stuck if self.following.skip(i)]},)
        self.replans += 1
        fresh = self.replan(here, tuple(self.failed), home)
        self.failed.clear()
        if not fresh.solved:
            return ({**event, "kind": "replan-failed", "status": fresh.status, "reason": fresh.reason},)
        self.following = _follow(fresh, self.env, self.settings, self.durations)
        self.stalls = Stalls.none(len(here))
        return ({**event, "kind": "replan", "status": fresh.status},)


def _follow(plan: Plan, env: Simulator, settings: Settings, durations: Durations | None) -> Following:
    """`plan` from its beginning."""
    clearance = 2.0 * env.radius + settings.margin if settings.clearance is None else settings.clearance
    tolerance = env.goal_tolerance if settings.waypoint_tolerance is None else settings.waypoint_tolerance
    order = PassageOrder.from_plan(
        plan,
        clearance=clearance,
        piece_length=settings.piece_length,
        lag=settings.lag,
        durations=None if durations is None else durations(plan),
    )
    stop = settings.stop_within * env.goal_tolerance - settings.expects.reach
    return Following.start(plan, order, env.goals[0].copy(), float(tolerance), max(stop, 0.2 * env.goal_tolerance))
