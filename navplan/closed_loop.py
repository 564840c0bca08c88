"""One run of a planning method: build the graph, prune, attach, plan, drive, plan again where that fails."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from navplan.errors import InvalidProblem
from navplan.execute import Edge, Interrupted, drive
from navplan.graph import StateGraph
from navplan.navigation import CELLS_PER_NODE, FEWEST_NODES, MOST_NODES, Method, Navigation, Options
from navplan.plan import Plan
from navplan.problem import Problem
from navplan.protocols import LowLevel
from navplan.trajectory import Trajectory

if TYPE_CHECKING:
    from navplan.scenarios.environment import PointEnv
    from navplan.scenarios.scenario import Scenario

Say = Callable[[str], None]


@dataclass
class Loop:
    """One run of a planning method."""

    scenario: Scenario
    critics: Any
    how: Method
    options: Options
    env: PointEnv
    policy: LowLevel
    say: Say

    def run(self, result: Navigation) -> Navigation:
        """Build, plan, drive."""
        began = time.perf_counter()
        self._build()
        graph_s = time.perf_counter() - began
        began = time.perf_counter()
        agents = len(result.starts)
        self.banned: set[tuple[int, int]] = set()
        self.hopeless: list[_Hopeless] = []
        self.current, ids = self._attached(result.starts, result.goals)
        problem = self._problem(ids[:agents], ids[agents:])
        cut = self._cut_off(result.starts, result.goals, problem)
        full = self.full
        plan = cut or self._solve(problem)
        planner, bound = plan.planner, self.options.suboptimality if self.options.planner == "ecbs" else None
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
        return drive(
            plan,
            self.policy,
            self.env,
            replan=self._replan,
            max_steps=self.scenario.max_steps,
            settings=self.options.settings,
            durations=self._durations,
        )

    def _build(self) -> None:
        """`self.base`, all edges within reach, and `self.safe`, those that pruning keeps."""
        from navplan.coverage import coverage_nodes

        options, scenario = self.options, self.scenario
        pool = np.asarray(self.critics.states)
        by_size = round(scenario.world.height * scenario.world.width / CELLS_PER_NODE)
        count = min(max(by_size, FEWEST_NODES), MOST_NODES) if options.graph_nodes is None else options.graph_nodes
        nodes = coverage_nodes(pool, min(count, len(pool)), np.random.default_rng(options.seed))
        self.say(f"weighing a graph of {len(nodes)} states")
        reach = min(scenario.max_distance, self.how.reach) if options.max_distance is None else options.max_distance
        self.max_risk = scenario.max_risk if options.max_risk is None else options.max_risk
        self.base = StateGraph.from_states(nodes, self.critics, max_distance=reach)
        self.safe = self.base.prune(max_risk=self.max_risk) if self.how.prune else self.base
        self.say(f"{self.base.num_edges} edges, {self.base.num_edges - self.safe.num_edges} pruned as unsafe")

    def _attached(self, starts: NDArray[np.float32], goals: NDArray[np.float32]) -> tuple[StateGraph, NDArray[np.int32]]:
        graph, ids = self.safe.attach(np.concatenate([starts, goals]), self.critics)
        return without_edges(graph, self.banned), ids

    def _cut_off(self, starts: NDArray[np.float32], goals: NDArray[np.float32], problem: Problem) -> Plan | None:
        """An infeasible plan that names the agents whose goals cannot be reached on the pruned graph; sets `self.full`."""
        from navplan.graph_report import disconnection_report
        from navplan.plan import make_plan

        self.full = self.base.attach(np.concatenate([starts, goals]), self.critics)[0] if self.how.prune else self.current
        report = disconnection_report(self.full, self.current, problem.starts, problem.goals)
        if not report.unreachable:
            return None
        return make_plan(problem, self.options.planner, "infeasible", reason="; ".join(report.messages()))

    def _problem(self, starts: NDArray[np.int32], goals: NDArray[np.int32]) -> Problem:
        """The planning problem on `self.current`, its clearance no more than the starts and goals allow."""
        states = self.current.states
        body = 2.0 * self.scenario.radius
        room = min(closest_pair(states[starts])[2], closest_pair(states[goals])[2]) - 1e-3
        return Problem(
            self.current,
            starts,
            goals,
            radius=self.scenario.radius,
            clearance=max(body, min(body + self.options.spare, room)),
            beta=self.options.beta if self.how.weighs_risk else 0.0,
            weight=self.how.weight,
            identity={"scenario": self.scenario.name},
        )

    def _solve(self, problem: Problem) -> Plan:
        from navplan.planners.solve import solve

        options = self.options
        self.say(f"planning for {problem.num_agents} agents with {options.planner}, clearance {problem.spacing:.2f}")
        return solve(
            problem,
            planner=options.planner,
            time_limit=options.time_limit,
            seed=options.seed,
            suboptimality=options.suboptimality if options.planner == "ecbs" else None,
            progress=self.say,
        )

    def _replan(self, states: NDArray[np.float32], failed: Sequence[Edge], home: NDArray[np.bool_]) -> Plan:
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
            return Plan("unsolved", self.options.planner, agents, reason=str(error))
        self.say(f"replanning for {agents} agents")
        return self._solve(problem)

    def _durations(self, plan: Plan) -> list[NDArray[np.float64]]:
        """Learned distance of each edge of `plan`; 0 for waits."""
        return [edge_distances(self.current, path) for path in plan.paths]


@dataclass(frozen=True, eq=False)
class _Hopeless:
    """Where an agent stood when it could not go on, and where it was to go: no use sending it there again, or close to there.

    `radius` (cells) grows with the agent's failures, so that it is not sent to one neighbouring node after another.
    """

    agent: int
    origin: NDArray[np.float32]
    target: NDArray[np.float32]
    radius: float

    def edges(self, graph: StateGraph, starts: NDArray[np.int32]) -> list[tuple[int, int]]:
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


def edge_distances(graph: StateGraph, path: NDArray[np.int32]) -> NDArray[np.float64]:
    """(T - 1,) float64 distance of each edge along `path` (T,); 0 where it waits."""
    out = np.zeros(max(0, len(path) - 1))
    for t, (u, v) in enumerate(zip(path[:-1].tolist(), path[1:].tolist(), strict=True)):
        if u != v:
            low, high = graph.indptr[u], graph.indptr[u + 1]
            out[t] = graph.distance[low + int(np.searchsorted(graph.indices[low:high], v))]
    return out


def without_edges(graph: StateGraph, edges: set[tuple[int, int]]) -> StateGraph:
    """`graph` without the given (from, to) edges; those that it does not have are passed over."""
    drop = np.zeros(graph.num_edges, dtype=np.bool_)
    for u, v in edges:
        if u < graph.num_nodes:
            low, high = graph.indptr[u], graph.indptr[u + 1]
            drop[low:high] |= graph.indices[low:high] == v
    if not drop.any():
        return graph
    kept_before = np.concatenate([[0], np.cumsum(~drop)])
    return dataclasses.replace(
        graph,
        indptr=kept_before[graph.indptr].astype(np.int32),
        indices=graph.indices[~drop],
        distance=graph.distance[~drop],
        risk=graph.risk[~drop],
    )


def closest_pair(points: NDArray[np.float32]) -> tuple[int, int, float]:
    """The closest pair of (A, 2) points and its distance; inf for a single point. NaN coordinates are left to the environment."""
    gap = np.linalg.norm(points[:, None].astype(np.float64) - points[None], axis=-1)
    gap[np.diag_indices(len(points))] = np.inf
    gap[np.isnan(gap)] = np.inf
    i, j = np.unravel_index(int(np.argmin(gap)), gap.shape)
    return int(i), int(j), float(gap[i, j])
