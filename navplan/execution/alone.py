"""Every agent sent straight to its own goal: no graph, no plan, no order; the baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from navplan.control.asking import wished
from navplan.control.disturbance import CALM, Disturbance
from navplan.control.interface import LowLevel
from navplan.execution.drive import drive_to_end
from navplan.execution.observer import Observer
from navplan.execution.safety_filter import KeptApart
from navplan.execution.simulator import Decision, Simulator, told
from navplan.execution.trajectory import Trajectory
from navplan.plan.plan import Plan
from navplan.system.arrays import Bool, Float32


def alone(
    policy: LowLevel, env: Simulator, *, max_steps: int = 300, filtered: bool = False, expects: Disturbance = CALM
) -> Trajectory:
    """Every agent sent straight to its own goal by the policy, until all are there or `max_steps` are over.

    Args:
        policy: the low level that all agents share.
        env: one environment with A agents.
        max_steps: budget; every step moves all agents.
        expects: the disturbances that positions are observed and bodies kept apart under.
        filtered: keep bodies apart all the same; otherwise contacts happen and are recorded.

    Raises:
        Interrupted: Ctrl-C; it holds the record so far.
    """
    agents = env.states.shape[1]
    plan = Plan("unsolved", "none", agents, reason="the low level acts alone")
    observer = Observer.of(env, expects)
    keeping = KeptApart(env, observer, np.zeros(agents, np.int64)) if filtered else None
    execution = Alone(policy, plan, env.goals[0].copy(), observer, keeping)
    return drive_to_end(lambda: execution, env, plan, max_steps)


@dataclass
class Alone:
    """The execution of `alone`.

    Attributes:
        low_level: what all agents share.
        plan: an unsolved one, for the record.
        goals: (A, 2) float32.
        observer: tells where agents are.
        keeping: the safety filter, if bodies are kept apart.
    """

    low_level: LowLevel
    plan: Plan
    goals: Float32
    observer: Observer
    keeping: KeptApart | None

    def act(self, index: int, here: Float32, home: Bool) -> Decision:
        """See `navplan.execution.drive.Execution`; agents at home rest."""
        actions = wished(self.low_level, here, self.goals, told(self.observer.env, self.low_level))
        actions[home] = 0.0
        if self.keeping is not None:
            actions = self.keeping.filtered(here, actions, home)
        return Decision(actions, self.goals, np.zeros(len(here)), self.plan)
