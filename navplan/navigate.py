"""The closed loop: states -> graph -> pruned graph -> plan -> execution, for one scenario and one checkpoint."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from navplan import low_level as low_levels
from navplan.errors import InvalidInput, InvalidProblem, UnknownName
from navplan.execute import Edge, Settings, alone, drive
from navplan.graph import StateGraph, Weight
from navplan.plan import Plan
from navplan.problem import Problem
from navplan.protocols import LowLevel
from navplan.trajectory import Trajectory

if TYPE_CHECKING:
    from navplan.scenarios.environment import PointEnv
    from navplan.scenarios.scenario import Scenario

Say = Callable[[str], None]


@dataclass(frozen=True)
class Method:
    """One way to navigate.

    Attributes:
        summary: one line.
        plans: search a graph and execute the plan; otherwise the low level acts alone.
        prune: drop edges by risk.
        weighs_risk: edge cost has the risk term.
        weight: "cost" or "hops".
        constrained: the safety-constrained policy drives; otherwise the unconstrained one of the first training stage.
    """

    summary: str
    plans: bool = True
    prune: bool = True
    weighs_risk: bool = True
    weight: Weight = "cost"
    constrained: bool = True


METHODS: dict[str, Method] = {
    "navplan": Method("risk-pruned graph, distance + beta * risk, multi-agent search, constrained policy"),
    "constrained-search": Method(
        "risk-pruned graph, hop count, multi-agent search, constrained policy", weighs_risk=False, weight="hops"
    ),
    "sorb": Method(
        "graph without risk, shortest distance, multi-agent search, unconstrained policy",
        prune=False,
        weighs_risk=False,
        constrained=False,
    ),
    "constrained-policy": Method("the constrained policy alone, straight to the goal", plans=False),
    "policy": Method("the unconstrained policy alone, straight to the goal", plans=False, constrained=False),
}

DEFAULT_BETA = 1.0
DEFAULT_NODES = 300


@dataclass(frozen=True)
class Options:
    """How to navigate.

    Attributes:
        low_level: name in `low_level.LOW_LEVELS`.
        planner: multi-agent planner; "ecbs" keeps within `suboptimality` of the optimum.
        suboptimality: w of the bounded planner.
        beta: weight of risk against distance.
        graph_nodes: nodes chosen from the checkpoint's states; fewer if it has fewer.
        max_distance, max_risk: limits of edges; None: the scenario's.
        spare: planned clearance beyond ``2 * radius``, cells; given up where starts or goals are closer than that.
        time_limit: seconds per planning call.
        seed: of node choice and planner.
        settings: of the execution.
    """

    low_level: str = "policy"
    planner: str = "ecbs"
    suboptimality: float = 1.1
    beta: float = DEFAULT_BETA
    graph_nodes: int = DEFAULT_NODES
    max_distance: float | None = None
    max_risk: float | None = None
    spare: float = 0.2
    time_limit: float = 10.0
    seed: int = 0
    settings: Settings = dataclasses.field(default_factory=Settings)


@dataclass(frozen=True, eq=False)
class Navigation:
    """What came out of `navigate`.

    Attributes:
        scenario, method, low_level, seed: what was asked for.
        starts, goals: (A, 2) float32.
        graph: the graph with starts and goals attached, before pruning by risk; None without planning.
        pruned: what was planned on.
        plan: the first plan, solved or not; None without planning.
        trajectory: what happened; None when there was no plan to drive.
        planner, bound: name, and the factor within which it promises to be of the optimum (None: no promise).
        beta, clearance: of the planning problem.
        graph_s, plan_s, drive_s: wall seconds; `plan_s` counts replans too.
        reason: why nothing was driven.
    """

    scenario: str
    method: str
    low_level: str
    seed: int
    starts: NDArray[np.float32]
    goals: NDArray[np.float32]
    graph: StateGraph | None = None
    pruned: StateGraph | None = None
    plan: Plan | None = None
    trajectory: Trajectory | None = None
    planner: str | None = None
    bound: float | None = None
    beta: float | None = None
    clearance: float | None = None
    graph_s: float = 0.0
    plan_s: float = 0.0
    drive_s: float = 0.0
    reason: str = ""

    @property
    def success(self) -> bool:
        """All agents at their goals, no two ever in contact."""
        return self.trajectory is not None and self.trajectory.success

    @property
    def status(self) -> str:
        """One of success, contact, not-reached, or the status of a plan that could not be driven."""
        if self.trajectory is None:
            return self.plan.status if self.plan is not None else "unsolved"
        if self.trajectory.success:
            return "success"
        return "contact" if self.trajectory.reached else "not-reached"

    def summary(self) -> dict[str, Any]:
        """Plain fields for JSON: problem, outcome, cost, planning, graph, seconds."""
        agents = len(self.starts)
        out: dict[str, Any] = {
            "scenario": self.scenario,
            "method": self.method,
            "low_level": self.low_level,
            "agents": agents,
            "seed": self.seed,
            "status": self.status,
            "success": self.success,
            "reason": self.reason,
            "reached": 0,
            "agent_contacts": 0,
            "cost_max": None,
            "cost_mean": None,
            "cost_total": None,
            **_outcome(self.trajectory),
            "planner": self.planner,
            "bound": self.bound,
            "beta": self.beta,
            "clearance": self.clearance,
            "plan": None if self.plan is None else _plan_fields(self.plan),
            "graph": None,
            "graph_s": round(self.graph_s, 4),
            "plan_s": round(self.plan_s, 4),
            "drive_s": round(self.drive_s, 4),
        }
        if self.graph is not None and self.pruned is not None:
            out["graph"] = {
                "nodes": self.graph.num_nodes,
                "edges": self.pruned.num_edges,
                "pruned": self.graph.num_edges - self.pruned.num_edges,
            }
        return out


def _outcome(trajectory: Trajectory | None) -> dict[str, Any]:
    if trajectory is None:
        return {}
    cost = trajectory.cumulative_cost
    arrival = trajectory.arrival
    arrived = arrival[arrival >= 0]
    kinds = [event["kind"] for event in trajectory.events]
    decisions = trajectory.num_steps * trajectory.num_agents
    return {
        "reached": int(trajectory.at_goal.sum()),
        "agent_contacts": trajectory.num_agent_contacts,
        "wall_contacts": int(trajectory.wall_contacts.sum()),
        "cost_max": float(cost.max()),
        "cost_mean": float(cost.mean()),
        "cost_total": float(cost.sum()),
        "steps": trajectory.num_steps,
        "steps_mean": float(arrived.mean()) if arrived.size else None,
        "steps_max": int(arrived.max()) if arrived.size else None,
        "replans": sum(kind == "replan" for kind in kinds),
        "decisions_per_s": round(decisions / trajectory.acting_s) if trajectory.acting_s else None,
    }


def _plan_fields(plan: Plan) -> dict[str, Any]:
    fields = plan.summary()
    return {key: value for key, value in fields.items() if key not in ("planner", "agents")}


def navigate(
    scenario: Scenario,
    critics: Any,
    starts: ArrayLike,
    goals: ArrayLike,
    *,
    method: str = "navplan",
    options: Options | None = None,
    on_progress: Say | None = None,
    **changes: Any,
) -> Navigation:
    """Take all agents of `scenario` from `starts` to `goals`.

    Args:
        scenario: world and limits.
        critics: a loaded checkpoint: weighs edges, holds `states` for the nodes and the learned low levels.
        starts, goals: (A, 2) states in cell units; both pairwise at least ``2 * radius`` apart.
        method: name in METHODS.
        options: how; `changes` replace single fields of it, for example ``beta=2.0``.
        on_progress: called with one line per stage.

    Raises:
        UnknownName: no such method, low level or planner.
        InvalidInput: bad starts or goals, or the checkpoint lacks what the method needs.
    """
    if method not in METHODS:
        raise UnknownName("method", method, METHODS)
    try:
        chosen = dataclasses.replace(options or Options(), **changes)
    except TypeError as error:
        raise InvalidInput(f"unknown option: {error}") from error
    how, say = METHODS[method], on_progress or (lambda line: None)
    policy = _low_level(how, method, chosen, critics)
    env = make_env(scenario, starts, goals, seed=chosen.seed)
    begin, end = env.states[0].copy(), env.goals[0].copy()
    result = Navigation(scenario.name, method, chosen.low_level, chosen.seed, begin, end)
    if not how.plans:
        say(f"driving {len(begin)} agents without a plan")
        began = time.perf_counter()
        trajectory = alone(policy, env, max_steps=scenario.max_steps)
        return dataclasses.replace(result, trajectory=trajectory, drive_s=time.perf_counter() - began)
    return _Loop(scenario, critics, how, chosen, env, policy, say).run(result)


def make_env(scenario: Scenario, starts: ArrayLike, goals: ArrayLike, *, seed: int = 0) -> PointEnv:
    """One environment with the agents of a problem in place.

    Raises:
        InvalidInput: no agents, points that are not free, or starts or goals closer together than ``2 * radius``.
    """
    from navplan.scenarios.environment import PointEnv

    begin, end = np.asarray(starts, dtype=np.float32), np.asarray(goals, dtype=np.float32)
    if begin.ndim != 2 or begin.shape != end.shape or begin.shape[1:] != (2,) or not len(begin):
        raise InvalidInput(f"starts {begin.shape} and goals {end.shape} must both be (A, 2), at least one agent")
    for what, points in (("start", begin), ("goal", end)):
        i, j, gap = _closest(points)
        body = 2.0 * scenario.radius
        if gap < body:
            raise InvalidInput(f"agents {i} and {j}: {what}s are {gap:.3g} cells apart, expected at least {body:g}")
    env = PointEnv(
        scenario.world,
        num_envs=1,
        num_agents=len(begin),
        radius=scenario.radius,
        goal_tolerance=scenario.goal_tolerance,
        max_steps=scenario.max_steps,
        rng=np.random.default_rng(seed),
    )
    env.reset(starts=begin, goals=end)
    return env


def _closest(points: NDArray[np.float32]) -> tuple[int, int, float]:
    """The closest pair of (A, 2) points and its distance; inf for a single point. NaN coordinates are left to the environment."""
    gap = np.linalg.norm(points[:, None].astype(np.float64) - points[None], axis=-1)
    gap[np.diag_indices(len(points))] = np.inf
    gap[np.isnan(gap)] = np.inf
    i, j = np.unravel_index(int(np.argmin(gap)), gap.shape)
    return int(i), int(j), float(gap[i, j])


def _low_level(how: Method, method: str, options: Options, critics: Any) -> LowLevel:
    """The controller that drives; the checkpoint must be of the training stage that the method is named for."""
    if not how.constrained and options.low_level == "policy" and getattr(critics, "stage", 1) != 1:
        raise InvalidInput(f"method {method!r} drives with the unconstrained policy: load the checkpoint with stage=1")
    return low_levels.get(options.low_level, critics)


@dataclass
class _Loop:
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
            plan_s=time.perf_counter() - began,
        )
        if not plan.solved:
            return dataclasses.replace(result, reason=plan.reason or f"the planner ended with status {plan.status}")
        self.say(f"plan is {plan.status}: sum of costs {plan.sum_of_costs:.1f}, makespan {plan.makespan}; driving")
        began = time.perf_counter()
        trajectory = drive(
            plan,
            self.policy,
            self.env,
            replan=self._replan,
            max_steps=self.scenario.max_steps,
            settings=self.options.settings,
            durations=self._durations,
        )
        replanning = trajectory.planning_s - plan.runtime_s
        return dataclasses.replace(
            result,
            trajectory=trajectory,
            plan_s=result.plan_s + replanning,
            drive_s=time.perf_counter() - began - replanning,
            reason="" if trajectory.success else _why_not(trajectory),
        )

    def _build(self) -> None:
        """`self.base`, all edges within reach, and `self.safe`, those that pruning keeps."""
        from navplan.coverage import coverage_nodes

        options, scenario = self.options, self.scenario
        pool = np.asarray(self.critics.states)
        count = min(options.graph_nodes, len(pool))
        nodes = coverage_nodes(pool, count, np.random.default_rng(options.seed))
        self.say(f"weighing a graph of {len(nodes)} states")
        reach = scenario.max_distance if options.max_distance is None else options.max_distance
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
        room = min(_closest(states[starts])[2], _closest(states[goals])[2]) - 1e-3
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
        self.banned |= {(u, v) for _, u, v in failed}
        agents = len(states)
        self.current, ids = self._attached(states, self.env.goals[0])
        starts = ids[:agents]
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
