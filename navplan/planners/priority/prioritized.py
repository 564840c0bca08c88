"""Prioritised planning: one agent after another, each around those before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.graph.prepared import PreparedGraph
from navplan.kernels.search.sipp import EXPANDED, HARD
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.attempt import attempt
from navplan.planners.base import Bodies, Clock, Guarantee, Planner
from navplan.planners.checks import check_count, check_time_limit
from navplan.planners.field import Field
from navplan.planners.priority.reservations import Arena
from navplan.system.arrays import Int64

# So often an order is drawn afresh; in between the agent that found no path is moved to the front.
FRESH = 10


@dataclass(frozen=True, slots=True)
class Prioritized(Planner):
    """Prioritised planning (Erdmann and Lozano-Pérez 1987) by safe intervals, in random orders until one works.

    Fast and incomplete: an order may fail where another works, and there are problems that no order solves.
    """

    name: ClassVar[str] = "prioritized"
    guarantee: ClassVar[Guarantee] = "none"
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; clearance 0"
    about: ClassVar[str] = "one agent after another by safe intervals, random restarts: fast, may find nothing"
    any_clearance: ClassVar[bool] = False
    bodies: ClassVar[Bodies] = "edges"
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.search.sipp",)

    time_limit: float | None = 30.0
    """Wall seconds for one plan, None for no limit."""
    max_restarts: int | None = 1000
    """Orders to try after the first, None for no limit."""

    def __post_init__(self) -> None:
        check_time_limit("Prioritized.time_limit", self.time_limit)
        check_count("Prioritized.max_restarts", self.max_restarts)

    def plan(self, problem: Problem, state: PreparedGraph, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`."""
        with attempt(self.name, problem, deadline, early="", stats={"orders": 0, "expanded": 0}) as run:
            search = run.watch(OrderSearch(Arena(Field.of(problem, state, run.clock)), run.clock))
            if search.solve(rng, self.max_restarts):
                run.found(search.arena.paths())
            else:
                run.stop("gave up", f"none of {search.tried} priority orders works; the planner is incomplete")
        return run.plan()


class OrderSearch:
    """Orders of the agents, one after another, until one works.

    Attributes:
        arena: the paths of the present order.
        tried: orders.
    """

    def __init__(self, arena: Arena, clock: Clock) -> None:
        self.arena = arena
        self.tried = 0
        self._clock = clock

    def solve(self, rng: np.random.Generator, max_restarts: int | None) -> bool:
        """True when an order worked: the arena holds its paths; False when `max_restarts` more than the first did not."""
        agents = len(self.arena.costs)
        order = rng.permutation(agents)
        while max_restarts is None or self.tried <= max_restarts:
            self.tried += 1
            failed = plan_in_order(self.arena, order, self._clock)
            if failed < 0:
                return True
            order = rng.permutation(agents) if self.tried % FRESH == 0 else np.concatenate([[failed], order[order != failed]])
        return False

    @property
    def lower_bound(self) -> float:
        """Proved for the sum of costs."""
        return self.arena.field.lower_bound

    def progress(self) -> str:
        """How far it came, for a plan's reason."""
        return f" in priority order {self.tried}"

    def stats(self) -> dict[str, float]:
        """Counters for the plan."""
        return {"orders": self.tried, "expanded": int(self.arena.work.counts[EXPANDED])}


def plan_in_order(arena: Arena, order: Int64, clock: Clock) -> int:
    """Plan every agent around those before it in `order`; the first agent that finds no path, -1 if all find one."""
    arena.clear()
    for agent in order.tolist():
        if not arena.plan(agent, HARD, clock):
            return int(agent)
    return -1
