"""From places to a plan: starts and goals attached to the roadmap, the problem stated, a planner asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from navplan.graph.edit import edge_distances, without_edges
from navplan.graph.state_graph import StateGraph
from navplan.navigation.checkpoint import Checkpoint
from navplan.navigation.methods import Method
from navplan.navigation.roadmap import Roadmap, edge_critics
from navplan.plan.plan import Plan, make_plan
from navplan.plan.problem import Problem
from navplan.scenarios.bodies.edges import forbidden_edges
from navplan.system.arrays import Bool, Float32, Float64, Int32
from navplan.system.progress import Listener

if TYPE_CHECKING:
    from navplan.scenarios.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Attached:
    """A roadmap with starts and goals.

    Attributes:
        full: all edges within reach.
        pruned: those to plan on.
        starts, goals: (A,) int32 node ids in both.
    """

    full: StateGraph
    pruned: StateGraph
    starts: Int32
    goals: Int32


@dataclass(frozen=True, eq=False)
class Planned:
    """A plan, solved or not, of a problem on the `pruned` graph of what was attached."""

    attached: Attached
    problem: Problem
    plan: Plan


@dataclass(frozen=True, eq=False)
class DeadEnd:
    """Where an agent stood when it could not go on, and where it was to go: no use sending it there again, or close to there.

    Attributes:
        agent: which.
        origin, target: (2,) float32 where it stood and where it was to go.
        radius: cells around the target; grows with the agent's failures, so that it is not sent to one neighbouring node after
            another.
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


@dataclass(eq=False)
class Banned:
    """What driving has shown to be of no use.

    Attributes:
        roadmap_edges: edges between nodes of the roadmap that a low level could not drive.
        dead_ends: places that agents could not leave.
    """

    roadmap_edges: set[tuple[int, int]] = field(default_factory=set)
    dead_ends: list[DeadEnd] = field(default_factory=list)

    def add(self, agent: int, edge: tuple[int, int], origin: Float32, graph: StateGraph, roadmap_nodes: int) -> None:
        """Agent `agent` at `origin` (2,) could not drive `edge` of `graph`, whose first nodes are the roadmap's."""
        failures = sum(place.agent == agent for place in self.dead_ends)
        self.dead_ends.append(DeadEnd(agent, origin.copy(), graph.states[edge[1]].copy(), 1.0 + failures))
        if max(edge) < roadmap_nodes:
            self.roadmap_edges.add(edge)

    def edges(self, graph: StateGraph, starts: Int32) -> set[tuple[int, int]]:
        """All that is to be left out of `graph`, to which agents are attached at the nodes `starts` (A,)."""
        return self.roadmap_edges.union(edge for place in self.dead_ends for edge in place.edges(graph, starts))


@dataclass(frozen=True, eq=False)
class Planning:
    """How one run plans: once, and again from other places.

    Attributes:
        scenario: radius and name.
        critics: weigh the edges of starts and goals.
        how: the method, its options applied.
        seed: of the planner.
        listener: told of each stage.
    """

    scenario: Scenario
    critics: Checkpoint
    how: Method
    seed: int
    listener: Listener

    @property
    def bound(self) -> float | None:
        """The factor within which the planner is asked to be of the optimum, None where it promises none."""
        return self.how.planning.suboptimality if takes_bound(self.how.planning.planner) else None

    def plan_once(
        self,
        roadmap: Roadmap,
        starts: Float32,
        goals: Float32,
        banned: Banned | None = None,
        home: Bool | None = None,
    ) -> Planned:
        """Attach, prune, plan.

        Args:
            roadmap: of the scenario.
            starts, goals: (A, 2) float32 places in cell units.
            banned: what to leave out; None before anything was driven, when goals that pruning cuts off are looked for before a
                planner is asked.
            home: (A,) bool, agents that stay where they are.
        """
        attached = self.attach(roadmap, starts, goals, banned)
        problem = self.problem(attached, home)
        plan = self._cut_off(attached, problem) if banned is None else None
        return Planned(attached, problem, plan or self._solve(problem))

    def attach(self, roadmap: Roadmap, starts: Float32, goals: Float32, banned: Banned | None = None) -> Attached:
        """Starts and goals on the roadmap, its pruning done again for their edges, and what is banned left out."""
        agents = len(starts)
        weighed_by = edge_critics(self.scenario, self.critics, self.how.graph)
        full, ids = roadmap.base.attach(np.concatenate([starts, goals]), weighed_by)
        pruned = full if roadmap.max_risk is None else full.prune(max_risk=roadmap.max_risk)
        if banned is not None:
            pruned = without_edges(pruned, banned.edges(pruned, ids[:agents]))
        return Attached(full, pruned, ids[:agents], ids[agents:])

    def problem(self, attached: Attached, home: Bool | None = None) -> Problem:
        """The planning problem on the pruned graph, its clearance no more than the starts and goals allow."""
        choice, radius, bodies = self.how.planning, self.scenario.radius, self.scenario.bodies
        starts, goals = attached.starts, attached.goals
        if home is not None:
            goals = np.where(home, starts, goals).astype(np.int32)
        clearance = choice.clearance
        if clearance is None:
            states, body = attached.pruned.states, 2.0 * radius
            room = min(closest_pair(states[starts])[2], closest_pair(states[goals])[2]) - 1e-3
            clearance = max(body, min(body + choice.spare, room))
        return Problem(
            attached.pruned,
            starts,
            goals,
            radius=self.scenario.radii,
            clearance=clearance,
            beta=choice.beta if choice.weighs_risk else 0.0,
            weight=choice.weight,
            identity={"scenario": self.scenario.name},
            forbidden=None if bodies is None else forbidden_edges(attached.pruned, bodies, starts, goals),
        )

    def _cut_off(self, attached: Attached, problem: Problem) -> Plan | None:
        """An infeasible plan that names the agents whose goals cannot be reached on the pruned graph."""
        from navplan.graph.cut_off import disconnection_report

        report = disconnection_report(attached.full, attached.pruned, problem.starts, problem.goals)
        if not report.unreachable:
            return None
        return make_plan(problem, self.how.planning.planner, "infeasible", reason="; ".join(report.messages()))

    def _solve(self, problem: Problem) -> Plan:
        from navplan.planners.solving import solve

        choice = self.how.planning
        budget: dict[str, Any] = {"time_limit": choice.time_limit}
        if choice.max_expansions is not None:
            budget = {"max_nodes": choice.max_expansions}
        return solve(problem, planner=choice.planner, seed=self.seed, suboptimality=self.bound, progress=self.listener, **budget)


@dataclass(eq=False)
class Replanning:
    """Plans again while agents drive, without what they could not drive: a `navplan.execution.synchronised.Replan`.

    Attributes:
        planning: how.
        roadmap: of the scenario.
        goals: (A, 2) float32.
        last: the latest plan, whether it is driven or not.
        banned: what the agents could not drive so far.
    """

    planning: Planning
    roadmap: Roadmap
    goals: Float32
    last: Planned
    banned: Banned = field(default_factory=Banned)

    def __call__(self, states: Float32, failed: Sequence[tuple[int, int, int]], home: Bool) -> Plan:
        """See `Replan`. Agents at home stay where they are."""
        for agent, u, v in failed:
            self.banned.add(agent, (u, v), states[agent], self.last.attached.pruned, self.roadmap.base.num_nodes)
        self.last = self.planning.plan_once(self.roadmap, states, self.goals, self.banned, home)
        self.planning.listener.stage(f"driving on; the new plan is {self.last.plan.status}")
        return self.last.plan

    def durations(self, plan: Plan) -> list[Float64]:
        """Per agent, (T_i - 1,) environment steps of the edges of `plan`, the latest one; 0 for waits."""
        return [edge_distances(self.last.attached.pruned, path) for path in plan.paths]


def takes_bound(planner: str) -> bool:
    """Whether a planner promises to keep within a factor of the optimum that its option `suboptimality` sets."""
    from navplan.planners import get

    kind: Any = get(planner)
    return kind.guarantee == "bounded" and "suboptimality" in {option.name for option in dataclasses.fields(kind)}


def closest_pair(points: Float32) -> tuple[int, int, float]:
    """The closest pair of (A, 2) points and its distance; inf for a single point. NaN coordinates are left to the environment."""
    gap = np.linalg.norm(points[:, None].astype(np.float64) - points[None], axis=-1)
    gap[np.diag_indices(len(points))] = np.inf
    gap[np.isnan(gap)] = np.inf
    i, j = np.unravel_index(int(np.argmin(gap)), gap.shape)
    return int(i), int(j), float(gap[i, j])
