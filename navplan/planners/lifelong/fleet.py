"""Fleets that drive one time step at a time towards goals that change: by PIBT, or by the windows of any planner."""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np

from navplan.graph.prepared import PreparedGraph
from navplan.kernels.common.tables import FAR, hops
from navplan.kernels.lacam.pibt import pibt_step
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, Planner
from navplan.planners.lacam.team import make_team
from navplan.planners.warm_up import kinds, tiny_problems, warm_up
from navplan.planners.weighted import Weighted, distance_tables
from navplan.system.arrays import Bool, Float64, Int32


class Fleet(Protocol):
    """Attributes:
    name: of the planner.
    calls: per planning call, wall seconds and the steps that it was good for.
    failures: calls without a plan.
    delayed: times that an agent had to aim beside its goal.
    """

    name: str
    calls: list[tuple[float, int]]
    failures: int
    delayed: int

    def aim(self, agent: int, goal: int | None) -> bool:
        """Set the goal of `agent`, None to stay about; False when no way leads there from where it is."""
        ...

    def step(self, nodes: Int32) -> Int32:
        """(A,) int32 nodes one time step after `nodes`."""
        ...


# Planners and kinds of weights whose fleets have all kernels ready.
_WARM: set[tuple[type, str, bool]] = set()


class PibtFleet:
    """Every step by PIBT; distance tables change row by row with the goals."""

    def __init__(self, problem: Problem, planner: Planner, rng: np.random.Generator) -> None:
        self.name = planner.name
        self.calls: list[tuple[float, int]] = []
        self.failures = 0
        self.delayed = 0
        self._prepared = PreparedGraph(problem.graph)
        self._weighted = Weighted.of(problem, self._prepared)
        self._team = make_team(problem, self._prepared, Clock(None), rng)
        self._order = self._team.ranks.copy()
        self._queue = np.empty(problem.graph.num_nodes, np.int32)
        self._nodes = np.array(problem.starts)
        self._spent = 0.0

    def aim(self, agent: int, goal: int | None) -> bool:
        """See `Fleet`. An agent without a goal is at home wherever it is when that is said."""
        began = time.perf_counter()
        node = int(self._nodes[agent])
        team = self._team
        goals = team.scene.goals
        target = node if goal is None else goal
        if goals[agent] != target:
            goals[agent] = target
            tables = team.tables
            if tables.dtype == np.uint16:
                graph = self._weighted.backward
                hops(graph.indptr, graph.indices, goals, tables, agent, agent + 1, self._queue)
            else:
                tables[agent] = distance_tables(self._weighted, goals[agent : agent + 1], Clock(None), agent)[0]
        row = team.tables[agent]
        self._spent += time.perf_counter() - began
        return bool(row[node] != FAR if row.dtype == np.uint16 else np.isfinite(row[node]))

    def step(self, nodes: Int32) -> Int32:
        """See `Fleet`."""
        began = time.perf_counter()
        team = self._team
        then, after = np.empty_like(self._nodes), np.empty_like(self._order)
        pibt_step(team.scene, team.tables, team.crew, np.array(nodes), self._order, team.ranks, then, after)
        self._order, self._nodes = after, then
        self.calls.append((time.perf_counter() - began + self._spent, 1))
        self._spent = 0.0
        return then


class WindowFleet:
    """A window of a one-shot plan at a time.

    One-shot planners want distinct goals. Where two agents' aims are the same node (or nearer than the clearance), the one
    whose goal is older gets it, and the other aims at the nearest free node for now.
    """

    def __init__(
        self,
        problem: Problem,
        planner: Planner,
        rng: np.random.Generator,
        window: int,
        horizon: int | None,
        time_limit: float | None,
    ) -> None:
        self.name = planner.name
        self.calls: list[tuple[float, int]] = []
        self.failures = 0
        self.delayed = 0
        self._problem = problem
        self._planner = planner
        self._rng = rng
        self._window = window
        self._horizon = horizon
        self._limit = time_limit
        self._state = planner.prepare(problem.graph)
        self._weighted = Weighted.of(problem, PreparedGraph(problem.graph))
        self._nodes = np.array(problem.starts)
        self._goals: dict[int, int] = {}
        self._tables: dict[int, Float64] = {}
        self._paths: list[Int32] = [self._nodes[k : k + 1] for k in range(problem.num_agents)]
        self._at = 0
        self._left = 0

    def aim(self, agent: int, goal: int | None) -> bool:
        """See `Fleet`."""
        self._goals.pop(agent, None)
        if goal is None:
            self._tables.pop(agent, None)
            return True
        self._goals[agent] = goal  # last in the order of goals: the youngest
        self._tables[agent] = distance_tables(self._weighted, np.array([goal], np.int32), Clock(None), agent)[0]
        return bool(np.isfinite(self._tables[agent][self._nodes[agent]]))

    def step(self, nodes: Int32) -> Int32:
        """See `Fleet`."""
        self._nodes = np.array(nodes)
        if self._left == 0:
            self._plan()
            self._left = self._window
        self._at += 1
        self._left -= 1
        self._nodes = np.array([path[min(self._at, len(path) - 1)] for path in self._paths], np.int32)
        return self._nodes

    def _plan(self) -> None:
        """A plan from here to everybody's aim; without one the last plan is driven on, at whose end all wait."""
        began = time.perf_counter()
        problem = self._problem
        aims = self._aims()
        now = Problem(
            problem.graph,
            self._nodes,
            aims,
            problem.radius,
            problem.clearance,
            problem.beta,
            problem.wait_cost,
            problem.weight,
            forbidden=problem.forbidden,
        )
        deadline = None if self._limit is None else began + self._limit
        plan = self._planner.plan(now, self._state, deadline=deadline, rng=self._rng)
        if plan.reason.startswith("interrupted"):
            raise KeyboardInterrupt
        if plan.solved:
            self._paths, self._at = list(plan.paths), 0
        else:
            self.failures += 1
        self.calls.append((time.perf_counter() - began, self._window))

    def _aims(self) -> Int32:
        """(A,) int32 distinct nodes, the oldest goals first, then those who only stay about."""
        aims = np.full(self._problem.num_agents, -1, np.int32)
        taken = np.zeros(self._problem.graph.num_nodes, np.bool_)
        for agent in self._goals:
            wish = self._ahead(agent)
            aims[agent] = self._free(agent, wish, taken)
            self.delayed += bool(aims[agent] != wish)
            self._take(int(aims[agent]), taken)
        for agent in np.flatnonzero(aims < 0).tolist():
            aims[agent] = self._free(agent, int(self._nodes[agent]), taken)
            self._take(int(aims[agent]), taken)
        return aims

    def _ahead(self, agent: int) -> int:
        """The goal, or the node `horizon` steps towards it."""
        goal = self._goals[agent]
        if self._horizon is None:
            return goal
        graph, row = self._weighted.of_agent(agent).forward, self._tables[agent]
        node = int(self._nodes[agent])
        for _ in range(self._horizon):
            if node == goal:
                break
            low, high = graph.indptr[node], graph.indptr[node + 1]
            heads = graph.indices[low:high]
            node = int(heads[np.argmin(row[heads] + graph.weights[low:high])])
        return node

    def _free(self, agent: int, wish: int, taken: Bool) -> int:
        """The free node nearest to `wish` in steps from there, from which the agent's goal can be reached."""
        if not taken[wish]:
            return wish
        graph, row = self._weighted.of_agent(agent).forward, self._tables.get(agent)
        seen = {wish}
        layer = [wish]
        while layer:
            ahead = []
            for node in layer:
                for head in graph.indices[graph.indptr[node] : graph.indptr[node + 1]].tolist():
                    if head in seen or (row is not None and not np.isfinite(row[head])):
                        continue
                    if not taken[head]:
                        return int(head)
                    seen.add(head)
                    ahead.append(head)
            layer = ahead
        return int(self._nodes[agent])  # nothing near is free: the planner will say so

    def _take(self, node: int, taken: Bool) -> None:
        taken[node] = True
        if self._problem.spacing > 0:
            places = self._problem.graph.places
            taken |= np.linalg.norm(places - places[node], axis=1) < self._problem.spacing


def make_fleet(
    problem: Problem, planner: Planner, rng: np.random.Generator, window: int, horizon: int | None, time_limit: float | None
) -> Fleet:
    """The fleet of `problem`, driven by `planner`, which supports it."""
    if planner.stepwise:
        return PibtFleet(problem, planner, rng)
    return WindowFleet(problem, planner, rng, window, horizon, time_limit)


def warm_up_fleet(planner: Planner, problem: Problem) -> None:
    """Compile the planner's kernels for `problem`, and those that a fleet needs beside them."""
    warm_up(planner, problem)
    eager = planner.eager()
    for weight in kinds(problem, PreparedGraph(problem.graph)):
        key = type(planner), weight, problem.masked
        if not planner.kernels or key in _WARM:
            continue
        for tiny in tiny_problems(None, *key[1:]):
            if eager.supports(tiny) is None:
                fleet = make_fleet(tiny, eager, np.random.default_rng(0), 1, None, None)
                for agent, goal in enumerate(tiny.goals.tolist()):
                    fleet.aim(agent, goal)
                fleet.step(tiny.starts)
        _WARM.add(key)
