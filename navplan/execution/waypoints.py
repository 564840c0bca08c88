"""Following waypoints as the published evaluation does: every agent for itself, no order, nobody kept apart, no replanning.

The baseline that the synchronised execution of `navplan.execution.synchronised` is measured against (paper.md, section 5).
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from navplan.control.interface import LowLevel
from navplan.errors import InvalidInput
from navplan.execution.simulator import Simulator, Step, make_step, record
from navplan.execution.synchronised import Interrupted
from navplan.execution.trajectory import Trajectory
from navplan.plan.plan import Plan
from navplan.system.arrays import Float32

Distance = Callable[[Float32, Float32], Float32]

REACHED = 2.0
"""Predicted steps below which a waypoint counts as reached."""


def follow_waypoints(
    plan: Plan,
    policy: LowLevel,
    env: Simulator,
    distance: Distance,
    *,
    reach: float,
    max_steps: int = 300,
) -> Trajectory:
    """Send every agent along the inner nodes of its path, then to its goal.

    A waypoint counts as reached when its predicted distance is below `REACHED`; one at most is passed in a step, and a wait of
    the plan is a waypoint like any other. After the last one the agent makes for its goal, unless the goal is predicted to be
    farther than `reach`, or farther than the way through the last waypoint. An agent at its goal rests.

    Args:
        plan: a solved plan, one path per agent.
        distance: (B, 2), (B, 2) float32 cells -> (B,) predicted steps, mean over the ensemble.
        reach: longest edge of the graph, steps.
        max_steps: budget of every agent.

    Raises:
        InvalidInput: the plan is of another number of agents.
        Interrupted: Ctrl-C; it holds the record so far.
    """
    starts, goals = env.states[0].copy(), env.goals[0].copy()
    if len(plan.paths) != len(starts):
        raise InvalidInput(f"the plan has paths for {len(plan.paths)} agents, the environment has {len(starts)}")
    course = _Course(plan, goals, distance, reach)
    steps: list[Step] = []
    try:
        for index in range(max_steps):
            here = env.states[0].copy()
            home = np.linalg.norm(here.astype(np.float64) - goals, axis=1) < env.goal_tolerance
            if home.all():
                break
            began = time.perf_counter()
            aims = course.aims(here)
            actions = np.array(policy.act(here, aims), dtype=np.float32)
            actions[home] = 0.0
            acting = time.perf_counter() - began
            progress = course.passed.astype(np.float64)
            steps.append(make_step(index, env.step(actions[None]), actions, aims, progress, (), plan, 0.0, acting))
    except KeyboardInterrupt as stop:
        raise Interrupted(record(env, starts, steps, plan)) from stop
    return record(env, starts, steps, plan)


class _Course:
    """Where each agent is along its waypoints; `passed` (A,) counts those that it has reached."""

    def __init__(self, plan: Plan, goals: Float32, distance: Distance, reach: float) -> None:
        self.goals, self.distance, self.reach = goals, distance, reach
        agents = len(plan.paths)
        self.count = np.array([max(0, len(path) - 2) for path in plan.paths])
        self.points = np.repeat(goals[:, None], max(1, int(self.count.max())), axis=1)
        for i in range(agents):
            self.points[i, : self.count[i]] = plan.states(i)[1 : 1 + self.count[i]]
        self.passed = np.zeros(agents, np.int64)
        last = self.points[np.arange(agents), np.maximum(self.count - 1, 0)]
        self.last_leg = distance(last, goals)

    def aims(self, here: Float32) -> Float32:
        """(A, 2) where each agent makes for; passes at most one waypoint per agent."""
        rows = np.arange(len(here))
        to_goal = self.distance(here, self.goals)
        index = np.minimum(self.passed, np.maximum(self.count - 1, 0))
        waypoint = self.points[rows, index]
        to_waypoint = self.distance(here, waypoint)
        self.passed = np.where((self.passed < self.count) & (to_waypoint < REACHED), self.passed + 1, self.passed)
        done = self.passed >= self.count
        waypoint = self.points[rows, np.minimum(self.passed, np.maximum(self.count - 1, 0))]
        shorter = to_waypoint + self.last_leg < to_goal
        through = (self.count > 0) & (~done | shorter | (to_goal > self.reach))
        return np.where(through[:, None], waypoint, self.goals).astype(np.float32)
