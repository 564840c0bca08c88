"""Following waypoints as the published evaluation does: every agent for itself, no order, no replanning.

Nobody is kept apart either, unless the safety filter is asked for.

The baseline that the synchronised execution of `navplan.execution.synchronised` is measured against (docs/paper.md, section 5).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from navplan.control.asking import wished
from navplan.control.disturbance import CALM, Disturbance
from navplan.control.interface import LowLevel
from navplan.errors import InvalidInput
from navplan.execution.drive import drive_to_end
from navplan.execution.observer import Observer
from navplan.execution.safety_filter import KeptApart
from navplan.execution.simulator import Decision, Simulator, told
from navplan.execution.trajectory import Trajectory
from navplan.plan.plan import Plan
from navplan.system.arrays import Bool, Float32

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
    filtered: bool = False,
    expects: Disturbance = CALM,
) -> Trajectory:
    """Send every agent along the inner nodes of its path, then to its goal.

    A waypoint counts as reached when its predicted distance is below `REACHED`; one at most is passed in a step, and a wait of
    the plan is a waypoint like any other. After the last one the agent makes for its goal, unless the goal is predicted to be
    farther than `reach`, or farther than the way through the last waypoint. An agent at its goal rests.

    Args:
        plan: a solved plan, one path per agent.
        policy: the low level that all agents share.
        env: one environment with A agents.
        distance: (B, 2), (B, 2) float32 cells -> (B,) predicted steps, mean over the ensemble.
        reach: longest edge of the graph, steps.
        max_steps: budget of every agent.
        expects: the disturbances that positions are observed and bodies kept apart under.
        filtered: keep bodies apart all the same; otherwise contacts happen and are recorded.

    Raises:
        InvalidInput: the plan is of another number of agents.
        Interrupted: Ctrl-C; it holds the record so far.
    """
    agents = env.states.shape[1]
    if len(plan.paths) != agents:
        raise InvalidInput(f"the plan has paths for {len(plan.paths)} agents, the environment has {agents}")
    goals = env.goals[0].copy()
    observer = Observer.of(env, expects)
    keeping = KeptApart(env, observer, np.zeros(agents, np.int64)) if filtered else None
    return drive_to_end(lambda: Waypoints(plan, policy, goals, distance, reach, observer, keeping), env, plan, max_steps)


class Waypoints:
    """The execution of `follow_waypoints`: where each agent is along its waypoints.

    Attributes:
        count: (A,) inner nodes of each agent's path.
        points: (A, W, 2) float32 those nodes, goals after them.
        passed: (A,) int64 how many each agent has reached.
        last_leg: (A,) predicted steps from the last of them to the goal.
        observer: tells where agents are.
        keeping: the safety filter, if bodies are kept apart.
    """

    def __init__(
        self,
        plan: Plan,
        low_level: LowLevel,
        goals: Float32,
        distance: Distance,
        reach: float,
        observer: Observer,
        keeping: KeptApart | None = None,
    ) -> None:
        self.plan, self.low_level, self.goals, self.distance, self.reach = plan, low_level, goals, distance, reach
        self.observer, self.keeping = observer, keeping
        agents = len(plan.paths)
        self.count = np.array([max(0, len(path) - 2) for path in plan.paths])
        self.points = np.repeat(goals[:, None], max(1, int(self.count.max())), axis=1)
        for i in range(agents):
            self.points[i, : self.count[i]] = plan.states(i)[1 : 1 + self.count[i]]
        self.passed = np.zeros(agents, np.int64)
        last = self.points[np.arange(agents), np.maximum(self.count - 1, 0)]
        self.last_leg = distance(last, goals)

    def act(self, index: int, here: Float32, home: Bool) -> Decision:
        """See `navplan.execution.drive.Execution`; agents at home rest."""
        aims = self._aims(here)
        actions = wished(self.low_level, here, aims, told(self.observer.env, self.low_level))
        actions[home] = 0.0
        if self.keeping is not None:
            actions = self.keeping.filtered(here, actions, home)
        return Decision(actions, aims, self.passed.astype(np.float64), self.plan)

    def _aims(self, here: Float32) -> Float32:
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
