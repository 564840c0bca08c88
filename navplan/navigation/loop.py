"""One run of a planning method: build the graph, prune, attach, plan, drive, plan again where that fails."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from navplan.control.interface import LowLevel
from navplan.errors import InvalidProblem
from navplan.execution.drive import Interrupted
from navplan.execution.synchronised import Edge, drive
from navplan.execution.trajectory import Trajectory
from navplan.execution.waypoints import follow_waypoints
from navplan.graph.edit import edge_distances, without_edges
from navplan.graph.state_graph import StateGraph
from navplan.navigation.checkpoint import Checkpoint
from navplan.navigation.result import Method, Navigation, Options
from navplan.navigation.roadmap import Roadmap, build_roadmap, edge_critics
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.system.arrays import Bool, Float32, Float64, Int32

if TYPE_CHECKING:
    from navplan.scenarios.environments.point import PointEnv
    from navplan.scenarios.scenario import Scenario

Say = Callable[[str], None]


@dataclass
class Loop:
    """One run of a planning method."""

    scenario: Scenario
    critics: Checkpoint
    how: Method
    options: Options
    env: PointEnv
    policy: LowLevel
    say: Say
    max_steps: int

    def run(self, result: Navigation, roadmap: Roadmap | None = None) -> Navigation:
        """Build the roadmap unless it is given, plan, drive."""
        began = time.perf_counter()
        if roadmap is None:
            self.say("choosing nodes and weighing edges")
            roadmap = build_roadmap(self.scenario, self.critics, self.how, self.options)
        self.base, self.safe, self.max_risk = roadmap.base, roadmap.safe, roadmap.max_risk
        self.say(f"{self.base.num_nodes} nodes, {self.base.num_edges} edges, {roadmap.pruned_edges} pruned as unsafe")
        graph_s = time.perf_counter() - began
        began = time.perf_counter()
        agents = len(result.starts)
        self.banned: set[tuple[int, int]] = set()
        self.hopeless: list[_Hopeless] = []
        self.current, ids = self._attached(result.starts, result.goals)
        problem = self._problem(ids[:agents], ids[agents:])
        cut = self._cut_off(problem)
        full = self.full
        plan = cut or self._solve(problem)
        planner, bound = plan.planner, self.options.suboptimality if self.how.planner == "ecbs" else None
        result = dataclasses.replace(
            result,
            graph=full,
            pruned=self.current,
            plan=plan,
            planner=planner,
            bound=bound,
            beta=problem.beta,
            clearance=problem.spacing,
            graph_s=graph_s,
            plan_s=time.perf_counter() - began - plan.compile_s,
        )
        if not plan.solved:
            return dataclasses.replace(result, reason=plan.reason or f"the planner ended with status {plan.status}")
        self.say(f"plan is {plan.status}: sum of costs {plan.sum_of_costs:.1f}, makespan {plan.makespan}; driving")
        began = time.perf_counter()
        try:
            trajectory = self._drive(plan)
        except Interrupted as stop:
            stop.result = dataclasses.replace(result, trajectory=stop.trajectory, reason="interrupted")
            raise
        replanning = trajectory.planning_s - plan.runtime_s
        return dataclasses.replace(
            result,
            trajectory=trajectory,
            plan_s=result.plan_s + replanning,
            drive_s=time.perf_counter() - began - replanning,
            reason="" if trajectory.success else _why_not(trajectory),
        )

    def _drive(self, plan: Plan) -> Trajectory:
        if self.how.execution == "waypoints":
            reach = self.base.limits.max_distance if self.base.limits is not None else math.inf
            return follow_waypoints(plan, self.policy, self.env, self.critics.distance, reach=reach, max_steps=self.max_steps)
        return drive(
            plan,
            self.policy,
            self.env,
            replan=self._replan,
            max_steps=self.max_steps,
            settings=self.options.settings,
            durations=self._durations,
        )

    def _attached(self, starts: Float32, goals: Float32) -> tuple[StateGraph, Int32]:
        """The graph to plan on and the ids of starts and goals; sets `self.full`, the same before pruning."""
        self.full, ids = self.base.attach(np.concatenate([starts, goals]), edge_critics(self.scenario, self.critics, self.how))
        graph = self.full if self.max_risk is None else self.full.prune(max_risk=self.max_risk)
        return without_edges(graph, self.banned), ids

    def _cut_off(self, problem: Problem) -> Plan | None:
        """An infeasible plan that names the agents whose goals cannot be reached on the pruned graph."""
        from navplan.graph.cut_off import disconnection_report
        from navplan.plan.plan import make_plan

        report = disconnection_report(self.full, self.current, problem.starts, problem.goals)
        if not report.unreachable:
            return None
        return make_plan(problem, self.how.planner, "infeasible", reason="; ".join(report.messages()))

    def _problem(self, starts: Int32, goals: Int32) -> Problem:
        """The planning problem on `self.current`, its clearance no more than the starts and goals allow."""
        states = self.current.states
        body = 2.0 * self.scenario.radius
        if self.how.clearance is not None:
            clearance = self.how.clearance
        else:
            room = min(closest_pair(states[starts])[2], closest_pair(states[goals])[2]) - 1e-3
            clearance = max(body, min(body + self.options.spare, room))
        return Problem(
            self.current,
            starts,
            goals,
            radius=self.scenario.radius,
            clearance=clearance,
            beta=self.options.beta if self.how.weighs_risk else 0.0,
            weight=self.how.weight,
            identity={"scenario": self.scenario.name},
        )

    def _solve(self, problem: Problem) -> Plan:
        from navplan.planners.solve import solve

        options, planner = self.options, self.how.planner
        self.say(f"planning for {problem.num_agents} agents with {planner}, clearance {problem.spacing:.2f}")
        budget: dict[str, Any] = {"time_limit": options.time_limit}
        if options.max_expansions is not None:
            budget = {"max_nodes": options.max_expansions}
        return solve(
            problem,
            planner=planner,
            seed=options.seed,
            suboptimality=options.suboptimality if planner == "ecbs" else None,
            progress=self.say,
            **budget,
        )

    def _replan(self, states: Float32, failed: Sequence[Edge], home: Bool) -> Plan:
        """Plan again from `states`, without edges that could not be driven. Agents at home stay where they are."""
        agents = len(states)
        for agent, u, v in failed:
            before = sum(place.agent == agent for place in self.hopeless)
            self.hopeless.append(_Hopeless(agent, states[agent].copy(), self.current.states[v].copy(), 1.0 + before))
            if max(u, v) < self.safe.num_nodes:
                self.banned.add((u, v))
        self.current, ids = self._attached(states, self.env.goals[0])
        starts = ids[:agents]
        self.current = without_edges(
            self.current, {edge for place in self.hopeless for edge in place.edges(self.current, starts)}
        )
        goals = np.where(home, starts, ids[agents:]).astype(np.int32)
        try:
            problem = self._problem(starts, goals)
        except InvalidProblem as error:
            return Plan("unsolved", self.how.planner, agents, reason=str(error))
        self.say(f"replanning for {agents} agents")
        return self._solve(problem)

    def _durations(self, plan: Plan) -> list[Float64]:
        """Learned distance of each edge of `plan`; 0 for waits."""
        return [edge_distances(self.current, path) for path in plan.paths]


@dataclass(frozen=True, eq=False)
class _Hopeless:
    """Where an agent stood when it could not go on, and where it was to go: no use sending it there again, or close to there.

    `radius` (cells) grows with the agent's failures, so that it is not sent to one neighbouring node after another.
    """

    agent: int
    origin: Float32
    target: Float32
    radius: float

    def edges(self, graph: StateGraph, starts: Int32) -> list[tuple[int, int]]:
        """Edges to leave out, the agent's start being node ``starts[agent]``; none once it has come away from the origin."""
        start = int(starts[self.agent])
        if np.linalg.norm(graph.states[start] - self.origin) > 1.0:
            return []
        heads = graph.indices[graph.indptr[start] : graph.indptr[start + 1]]
        near = np.linalg.norm(graph.states[heads] - self.target, axis=1) < self.radius
        return [(start, int(head)) for head in heads[near]]


def _why_not(trajectory: Trajectory) -> str:
    if trajectory.num_agent_contacts:
        return f"{trajectory.num_agent_contacts} agent-agent contacts"
    away = np.flatnonzero(~trajectory.at_goal).tolist()
    return f"agents {', '.join(map(str, away))} not at their goals after {trajectory.num_steps} steps"


def closest_pair(points: Float32) -> tuple[int, int, float]:
    """The closest pair of (A, 2) points and its distance; inf for a single point. NaN coordinates are left to the environment."""
    gap = np.linalg.norm(points[:, None].astype(np.float64) - points[None], axis=-1)
    gap[np.diag_indices(len(points))] = np.inf
    gap[np.isnan(gap)] = np.inf
    i, j = np.unravel_index(int(np.argmin(gap)), gap.shape)
    return int(i), int(j), float(gap[i, j])
