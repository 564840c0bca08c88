"""The closed loop of one run: plan, drive, plan again where that fails."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from navplan.control.interface import LowLevel
from navplan.execution.drive import Interrupted
from navplan.execution.free_motion import without_walls
from navplan.execution.simulator import Simulator
from navplan.execution.synchronised import drive
from navplan.execution.trajectory import Trajectory
from navplan.execution.waypoints import follow_waypoints
from navplan.navigation.methods import DrivingChoice
from navplan.navigation.planning import Planned, Planning, Replanning
from navplan.navigation.result import Navigation
from navplan.navigation.roadmap import Roadmap
from navplan.system.arrays import Float32
from navplan.system.numbers import detached


@dataclass(frozen=True, eq=False)
class Loop:
    """One run of a planning method.

    Attributes:
        planning: how it plans.
        env: one environment, its agents in place.
        low_level: who drives.
        max_steps: step budget of every agent.
    """

    planning: Planning
    env: Simulator
    low_level: LowLevel
    max_steps: int

    def run(self, roadmap: Roadmap, result: Navigation) -> Navigation:
        """Plan from the starts to the goals of `result`, drive, and fill in what came of it."""
        planned, result = self._plan(roadmap, result)
        plan = planned.plan
        if not plan.solved:
            return dataclasses.replace(result, reason=plan.reason or f"the planner ended with status {plan.status}")
        figures = f"sum of costs {plan.sum_of_costs:.1f}, makespan {plan.makespan}"
        self.planning.listener.stage(f"plan is {plan.status}: {figures}; driving")
        began = time.perf_counter()
        with interruptible(result):
            trajectory = self._drive(roadmap, planned)
        replanning = trajectory.planning_s - plan.runtime_s
        return dataclasses.replace(
            result,
            trajectory=trajectory,
            plan_s=result.plan_s + replanning,
            drive_s=time.perf_counter() - began - replanning,
            reason="" if trajectory.success else _why_not(trajectory),
        )

    def _plan(self, roadmap: Roadmap, result: Navigation) -> tuple[Planned, Navigation]:
        """The first plan, and `result` with what it says."""
        began = time.perf_counter()
        planned = self.planning.plan_once(roadmap, result.starts, result.goals)
        return planned, dataclasses.replace(
            result,
            graph=planned.attached.full,
            pruned=planned.attached.pruned,
            plan=planned.plan,
            planner=planned.plan.planner,
            bound=self.planning.bound,
            beta=planned.problem.beta,
            clearance=planned.problem.spacing,
            plan_s=time.perf_counter() - began - planned.plan.compile_s,
        )

    def _drive(self, roadmap: Roadmap, planned: Planned) -> Trajectory:
        driving, plan = self.planning.how.driving, planned.plan
        env, filtered = seen_by_filter(self.env, driving), driving.filter != "none"
        if driving.execution == "waypoints":
            reach = math.inf if roadmap.base.limits is None else roadmap.base.limits.max_distance
            critics = self.planning.critics

            def distance(states: Float32, goals: Float32) -> Float32:
                return np.asarray(detached(critics.distance(states, goals)), np.float32)

            return follow_waypoints(
                plan,
                self.low_level,
                env,
                distance,
                reach=reach,
                max_steps=self.max_steps,
                filtered=filtered,
                expects=driving.settings.expects,
            )
        replanning = Replanning(self.planning, roadmap, self.env.goals[0].copy(), planned)
        return drive(
            plan,
            self.low_level,
            env,
            replan=replanning,
            max_steps=self.max_steps,
            settings=driving.settings,
            durations=replanning.durations,
            filtered=filtered,
        )


def seen_by_filter(env: Simulator, driving: DrivingChoice) -> Simulator:
    """The environment as the safety filter may ask it."""
    return without_walls(env) if driving.filter == "without-walls" else env


@contextlib.contextmanager
def interruptible(result: Navigation) -> Iterator[None]:
    """Ctrl-C while driving within the block is told with `result` around what was driven."""
    try:
        yield
    except Interrupted as stop:
        stop.result = dataclasses.replace(result, trajectory=stop.trajectory, reason="interrupted")
        raise


def _why_not(trajectory: Trajectory) -> str:
    if trajectory.num_agent_contacts:
        return f"{trajectory.num_agent_contacts} agent-agent contacts"
    away = np.flatnonzero(~trajectory.at_goal).tolist()
    return f"agents {', '.join(map(str, away))} not at their goals after {trajectory.num_steps} steps"
