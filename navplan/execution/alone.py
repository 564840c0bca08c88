"""Every agent sent straight to its own goal: no graph, no plan, no order; the baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from navplan.control.interface import LowLevel
from navplan.execution.drive import drive_to_end
from navplan.execution.safety_filter import keep_apart
from navplan.execution.simulator import Decision, Simulator
from navplan.execution.trajectory import Trajectory
from navplan.plan.plan import Plan
from navplan.system.arrays import Bool, Float32, Int64
from navplan.system.numbers import detached


def alone(policy: LowLevel, env: Simulator, *, max_steps: int = 300, filtered: bool = False) -> Trajectory:
    """Every agent sent straight to its own goal by the policy, until all are there or `max_steps` are over.

    Args:
        policy: the low level that all agents share.
        env: one environment with A agents.
        max_steps: budget; every step moves all agents.
        filtered: keep bodies apart all the same; otherwise contacts happen and are recorded.

    Raises:
        Interrupted: Ctrl-C; it holds the record so far.
    """
    agents = env.states.shape[1]
    plan = Plan("unsolved", "none", agents, reason="the low level acts alone")
    execution = Alone(policy, plan, env, env.goals[0].copy(), filtered, np.zeros(agents, np.int64))
    return drive_to_end(lambda: execution, env, plan, max_steps)


@dataclass
class Alone:
    """The execution of `alone`.

    Attributes:
        low_level: what all agents share.
        plan: an unsolved one, for the record.
        env: asked what moves would do, by the filter.
        goals: (A, 2) float32.
        filtered: keep bodies apart.
        waited: (A,) steps for which the filter has kept each agent from moving.
    """

    low_level: LowLevel
    plan: Plan
    env: Simulator
    goals: Float32
    filtered: bool
    waited: Int64

    def act(self, index: int, here: Float32, home: Bool) -> Decision:
        """See `navplan.execution.drive.Execution`; agents at home rest."""
        actions = np.array(detached(self.low_level.act(here, self.goals)), dtype=np.float32)
        actions[home] = 0.0
        if self.filtered:
            actions = self._kept_apart(here, actions, home)
        return Decision(actions, self.goals, np.zeros(len(here)), self.plan)

    def _kept_apart(self, here: Float32, wishes: Float32, home: Bool) -> Float32:
        outcome = keep_apart(
            here,
            wishes,
            self.env.predict,
            radius=self.env.radius,
            priority=np.where(home, np.inf, 0.0),
            waited=self.waited,
        )
        self.waited = np.where(outcome.yielded & ~home, self.waited + 1, 0)
        return outcome.actions
