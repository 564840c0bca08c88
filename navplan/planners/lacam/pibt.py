"""PIBT: one step at a time, fast, incomplete."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.errors import InvalidInput
from navplan.graph.state_graph import StateGraph
from navplan.kernels.lacam.pibt import pibt_step
from navplan.plan.plan import Plan, Status, make_plan
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, Guarantee, OutOfTime, Prepared, check_time_limit
from navplan.planners.lacam.team import Team, lost_reason, make_team, paths_of, refuse_clearance, settle
from navplan.system.arrays import Int32


@dataclass(frozen=True, slots=True)
class PIBT:
    """Priority Inheritance with Backtracking (Okumura et al. 2022) until all agents are at their goals at once.

    Where all cannot be at their goals at once by pushing each other, the agents dance for ever: the plan is then unsolved.
    """

    name: ClassVar[str] = "pibt"
    guarantee: ClassVar[Guarantee] = "none"
    max_agents: ClassVar[int | None] = None
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; clearance 0"
    about: ClassVar[str] = "PIBT: one step at a time, fastest for thousands of agents; incomplete"
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.lacam.pibt",)

    time_limit: float | None = None
    """Wall seconds for one plan, None for no limit."""
    max_steps: int | None = None
    """Time steps to try; None for six times the longest of the shortest paths (in steps), plus 100."""

    def __post_init__(self) -> None:
        check_time_limit("PIBT.time_limit", self.time_limit)
        if self.max_steps is not None and not (isinstance(self.max_steps, int) and self.max_steps > 0):
            raise InvalidInput(f"PIBT.max_steps is {self.max_steps!r}, expected a positive integer or None")

    def prepare(self, graph: StateGraph) -> Prepared:
        """Reverse the graph."""
        return Prepared.of(graph)

    def plan(self, problem: Problem, state: Prepared, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`."""
        refuse_clearance(self.name, problem)
        began = time.perf_counter()
        clock = Clock(deadline)
        rows: list[Int32] = []
        bound: float | None = None
        status: Status = "unsolved"
        try:
            team = make_team(problem, state, clock, rng)
            reason = lost_reason(problem, team.alone)
            if reason:
                status = "infeasible"
            else:
                bound = float(team.alone.sum())
                rows, home = self._walk(problem, team, clock)
                if home:
                    status = "feasible"
                else:
                    reason = f"not all agents were at their goals at once within {len(rows) - 1} steps"
        except OutOfTime:
            status, reason = "timeout", "time limit reached"
        except KeyboardInterrupt:
            reason = "interrupted"
        plan = make_plan(
            problem,
            self.name,
            status,
            paths_of(np.stack(rows)) if status == "feasible" else (),
            lower_bound=bound,
            runtime_s=time.perf_counter() - began,
            reason=reason,
            stats={"expanded": max(0, len(rows) - 1), "generated": max(0, len(rows) - 1)},
        )
        return settle(plan)

    def _walk(self, problem: Problem, team: Team, clock: Clock) -> tuple[list[Int32], bool]:
        """Configurations step by step, and whether the last one is all agents at their goals."""
        weights = team.scene.weights
        shortest = float(weights.min()) if weights.size else 1.0
        most = self.max_steps if self.max_steps is not None else 100 + int(6 * team.alone.max() / shortest)
        rows = [np.asarray(problem.starts)]
        order, after = team.ranks.copy(), np.empty_like(team.ranks)
        while not np.array_equal(rows[-1], problem.goals):
            if len(rows) > most:
                return rows, False
            clock.check()
            now, then = rows[-1].copy(), np.empty_like(rows[-1])
            pibt_step(team.scene, team.tables, team.crew, now, order, team.ranks, then, after)
            rows.append(then)
            order, after = after, order
        return rows, True
