"""Prioritised planning: one agent after another, each around those before it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.graph.state_graph import StateGraph
from navplan.kernels.search.sipp import EXPANDED, HARD
from navplan.plan.plan import Plan, Status
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, Guarantee, OutOfTime, Prepared, check_time_limit
from navplan.planners.priority.reservations import Arena, Field, Hopeless, check_count, finish, refuse_clearance
from navplan.system.arrays import Int64

# So often an order is drawn afresh; in between the agent that found no path is moved to the front.
FRESH = 10


@dataclass(frozen=True, slots=True)
class Prioritized:
    """Prioritised planning (Erdmann and Lozano-Pérez 1987) by safe intervals, in random orders until one works.

    Fast and incomplete: an order may fail where another works, and there are problems that no order solves.
    """

    name: ClassVar[str] = "prioritized"
    guarantee: ClassVar[Guarantee] = "none"
    max_agents: ClassVar[int | None] = None
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; clearance 0"
    about: ClassVar[str] = "one agent after another by safe intervals, random restarts: fast, may find nothing"
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.search.sipp",)

    time_limit: float | None = 30.0
    """Wall seconds for one plan, None for no limit."""
    max_restarts: int | None = 1000
    """Orders to try after the first, None for no limit."""

    def __post_init__(self) -> None:
        check_time_limit("Prioritized.time_limit", self.time_limit)
        check_count("Prioritized.max_restarts", self.max_restarts)

    def prepare(self, graph: StateGraph) -> Prepared:
        """Reverse the graph."""
        return Prepared.of(graph)

    def plan(self, problem: Problem, state: Prepared, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`."""
        began = time.perf_counter()
        refuse_clearance(self.name, problem)
        clock = Clock(deadline)
        field: Field | None = None
        arena: Arena | None = None
        tried = 0
        status: Status = "unsolved"
        solved = False
        try:
            field = Field.of(problem, state, clock)
            arena = Arena(field)
            order = rng.permutation(problem.num_agents)
            while not solved and (self.max_restarts is None or tried <= self.max_restarts):
                tried += 1
                failed = plan_in_order(arena, order, clock)
                solved = failed < 0
                if tried % FRESH == 0:
                    order = rng.permutation(problem.num_agents)
                elif not solved:
                    order = np.concatenate([[failed], order[order != failed]])
            reason = f"none of {tried} priority orders works; the planner is incomplete"
        except Hopeless as why:
            status, reason = "infeasible", str(why)
        except OutOfTime:
            status, reason = "timeout", f"time limit reached in priority order {tried}" if tried else "time limit reached"
        except KeyboardInterrupt:
            reason = f"interrupted in priority order {tried}"
        return finish(
            problem,
            self.name,
            arena.paths() if arena is not None and solved else None,
            field.lower_bound if field is not None else None,
            began=began,
            status=status,
            reason=reason,
            stats={"orders": tried, "expanded": int(arena.work.counts[EXPANDED]) if arena is not None else 0},
        )


def plan_in_order(arena: Arena, order: Int64, clock: Clock) -> int:
    """Plan every agent around those before it in `order`; the first agent that finds no path, -1 if all find one."""
    arena.clear()
    for agent in order.tolist():
        if not arena.plan(agent, HARD, clock):
            return int(agent)
    return -1
