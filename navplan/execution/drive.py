"""The one loop of execution: agents look, an execution decides, the environment steps, and what happened is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np

from navplan.execution.observer import Observer
from navplan.execution.simulator import Decision, Simulator, Step, at_rest, headings_of, make_step, record
from navplan.execution.trajectory import Trajectory
from navplan.plan.plan import Plan
from navplan.system.arrays import Bool, Float32
from navplan.system.progress import heard


class Execution(Protocol):
    """A way of driving all agents with a low level: synchronised along a plan, along waypoints, or each alone."""

    @property
    def observer(self) -> Observer:
        """Tells where the agents are."""
        ...

    def act(self, index: int, here: Float32, home: Bool) -> Decision:
        """What all agents do in the next environment step.

        Args:
            index: of the step: 0, 1, …
            here: (A, 2) float32 present states, as its observer has them.
            home: (A,) bool, agents that are there within the goal tolerance of their own goals.
        """
        ...


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while driving; `trajectory` is what had happened, `result` the Navigation around it where there is one."""

    def __init__(self, trajectory: Trajectory) -> None:
        super().__init__()
        self.trajectory = trajectory
        self.result: Any = None


def drive_steps(execution: Execution, env: Simulator, max_steps: int) -> Iterator[Step]:
    """One environment step per item, until all agents of `env` are at rest at their goals or `max_steps` are over."""
    goals, observer = env.goals[0].copy(), execution.observer

    def at_goal(states: Float32) -> Bool:
        return np.asarray(np.linalg.norm(states.astype(np.float64) - goals, axis=1) < env.goal_tolerance)

    for index in range(max_steps):
        if at_goal(env.states[0]).all() and at_rest(env):
            return
        began = time.perf_counter()
        here = observer.look()
        decision = execution.act(index, here, at_goal(here))
        observer.decided(decision.actions)
        acting_s = time.perf_counter() - began - decision.planning_s
        result = env.step(decision.actions[None])
        yield make_step(index, result, decision, env, acting_s)


def drive_to_end(start: Callable[[], Execution], env: Simulator, plan: Plan, max_steps: int) -> Trajectory:
    """`drive_steps` to its end, recorded.

    Args:
        start: makes the execution; called here, so that Ctrl-C meanwhile is told from one before driving.
        env: one environment with A agents.
        plan: the first plan.
        max_steps: budget; every step moves all agents.

    Raises:
        Interrupted: Ctrl-C; it holds the record so far.
    """
    starts, headings, listener = env.states[0].copy(), headings_of(env), heard()
    steps: list[Step] = []
    try:
        for step in drive_steps(start(), env, max_steps):
            steps.append(step)
            listener.show(len(steps), max_steps, "environment steps, at most")
    except KeyboardInterrupt as stop:
        raise Interrupted(record(env, starts, steps, plan, headings)) from stop
    return record(env, starts, steps, plan, headings)
