"""PIBT: one step at a time, fast, incomplete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.graph.prepared import PreparedGraph
from navplan.kernels.lacam.pibt import pibt_step
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.attempt import attempt
from navplan.planners.base import Bodies, Clock, GaveUp, Guarantee, Planner, check_reachable
from navplan.planners.checks import check_limit, check_time_limit
from navplan.planners.lacam.team import PibtTeam, make_team, paths_of
from navplan.system.arrays import Int32


@dataclass(frozen=True, slots=True)
class PIBT(Planner):
    """Priority Inheritance with Backtracking (Okumura et al. 2022) until all agents are at their goals at once.

    Where all cannot be at their goals at once by pushing each other, the agents dance for ever: the plan is then unsolved.
    """

    name: ClassVar[str] = "pibt"
    guarantee: ClassVar[Guarantee] = "none"
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; clearance 0"
    about: ClassVar[str] = "PIBT: one step at a time, fastest for thousands of agents; incomplete"
    any_clearance: ClassVar[bool] = False
    bodies: ClassVar[Bodies] = "edges"
    stepwise: ClassVar[bool] = True
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.lacam.pibt",)

    time_limit: float | None = None
    """Wall seconds for one plan, None for no limit."""
    max_steps: int | None = None
    """Time steps to try; None for six times the longest of the shortest paths (in steps), plus 100."""

    def __post_init__(self) -> None:
        check_time_limit("PIBT.time_limit", self.time_limit)
        check_limit("PIBT.max_steps", self.max_steps)

    def plan(self, problem: Problem, state: PreparedGraph, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`."""
        with attempt(self.name, problem, deadline, early="") as run:
            team = make_team(problem, state, run.clock, rng)
            check_reachable(problem, team.alone)
            run.lower_bound = float(team.alone.sum())
            rows, home = self._walk(problem, team, run.clock)
            run.stats["expanded"] = run.stats["generated"] = len(rows) - 1
            if not home:
                raise GaveUp(f"not all agents were at their goals at once within {len(rows) - 1} steps")
            run.found(paths_of(np.stack(rows)))
        return run.plan()

    def _walk(self, problem: Problem, team: PibtTeam, clock: Clock) -> tuple[list[Int32], bool]:
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
