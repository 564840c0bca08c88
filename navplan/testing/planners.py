"""Is it a planner: does it say what it can, is every plan valid, does it keep what it promises?"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.base import Planner
from navplan.planners.outside import fault_of
from navplan.planners.registry import adopted, get
from navplan.planners.solving import configured, solve
from navplan.testing.faulty import asked, check_options, require

_GUARANTEES = ("optimal", "bounded", "none")
_SECONDS = 1.0
# As long as the bound is exact in real numbers, rounding stays below this.
_ROUNDING = 1e-9


def check_planner(planner: str | type[Any] | Planner) -> None:
    """Plan small problems, on grids and on a weighted graph, for one to four agents, and look at every plan.

    Args:
        planner: a registered name, a class, or an object with its options.

    Raises:
        Faulty: it is no planner, a plan breaks a rule, claims more than is true, or differs for the same seed.
        UnknownName, BrokenPlugin: of a name.
    """
    given: Any = get(planner) if isinstance(planner, str) else planner
    what = f"planner {getattr(given, 'name', None) or getattr(given, '__name__', type(given).__name__)}"
    kind = given if isinstance(given, type) else type(given)
    check_options(kind, what)
    asked(what, adopted, kind)
    chosen = asked(what, configured, asked(what, kind) if isinstance(given, type) else given, {})
    require(
        chosen.guarantee in _GUARANTEES, f"{what}: guarantee is {chosen.guarantee!r}, expected one of {', '.join(_GUARANTEES)}"
    )
    tried = 0
    for name, problem in _problems().items():
        where = f"{what} on {name}"
        why = asked(where, chosen.supports, problem)
        require(why is None or isinstance(why, str), f"{where}: supports() returned {why!r}, expected None or one line")
        if why is None:
            tried += 1
            _check_plans(chosen, problem, where)
    require(tried, f"{what} supports none of the problems that it was asked, expected at least one agent on a grid")


def _check_plans(planner: Planner, problem: Problem, where: str) -> None:
    plans = [_plan(planner, problem, where) for _ in range(2)]
    same = plans[0].status == plans[1].status and all(map(np.array_equal, plans[0].paths, plans[1].paths))
    require(same or "timeout" in (plans[0].status, plans[1].status), f"{where}: two plans for the same seed differ")
    plan, best = plans[0], solve(problem, "cbs", time_limit=_SECONDS)
    if best.status == "infeasible":
        require(not plan.solved, f"{where}: a plan for a problem that has none")
        return
    require(plan.status != "infeasible", f"{where}: infeasible, but there is a plan of cost {best.sum_of_costs}")
    optimum = best.sum_of_costs
    if optimum is not None and best.status == "optimal":
        limit = optimum * (1 + _ROUNDING) + _ROUNDING
        bound, cost = plan.lower_bound, plan.sum_of_costs
        require(bound is None or bound <= limit, f"{where}: lower_bound is {bound}, but there is a plan of cost {optimum}")
        fair = plan.status != "optimal" or cost is None or cost <= limit
        require(fair, f"{where}: status is optimal at cost {cost}, but there is a plan of cost {optimum}")
    late = asked(where, solve, problem, planner, time_limit=0.0)
    require(fault_of(late, problem) is None, f"{where}: with no time left, {fault_of(late, problem) or late.reason}")


def _plan(planner: Planner, problem: Problem, where: str) -> Plan:
    """What its own `plan` returns, as `solve` would call it, checked here whoever wrote it."""
    state = asked(where, planner.prepare, problem.graph)
    found = asked(where, planner.plan, problem, state, deadline=time.perf_counter() + _SECONDS, rng=np.random.default_rng(0))
    fault = fault_of(found, problem)
    require(fault is None, f"{where}: {fault}")
    return found


def _problems() -> dict[str, Problem]:
    floor = np.zeros((4, 5), bool)
    floor[1, 1:3] = True
    grid = StateGraph.from_grid(floor)
    corridor = StateGraph.from_grid(np.zeros((1, 4), bool))
    return {
        "a grid with one agent": _problem(grid, [0], [17]),
        "a grid with an agent that is at its goal": _problem(grid, [3], [3]),
        "a grid with four agents": _problem(grid, [0, 4, 13, 17], [17, 13, 4, 0]),
        "a corridor in which two agents meet": _problem(corridor, [0, 3], [3, 0]),
        "a weighted graph with one agent": _problem(_weighted(), [0], [11], beta=2.0),
        "a weighted graph with two agents": _problem(_weighted(), [0, 3], [11, 8], clearance=0.0, beta=2.0),
    }


def _problem(graph: StateGraph, starts: list[int], goals: list[int], **options: float) -> Problem:
    return Problem(graph, np.array(starts, np.int32), np.array(goals, np.int32), **options)  # type: ignore[arg-type]


def _weighted() -> StateGraph:
    """A 3 x 4 lattice with one-way diagonals; distances and risks are no whole numbers."""
    places = np.stack(np.meshgrid(np.arange(3), np.arange(4), indexing="ij"), axis=-1).reshape(-1, 2).astype(np.float32)
    gap = places[None] - places[:, None]
    tails, heads = np.nonzero((np.abs(gap).sum(axis=-1) == 1) | (gap == 1).all(axis=-1))
    rng = np.random.default_rng(5)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=len(places)))]).astype(np.int32)
    distance, risk = rng.uniform(0.5, 2.0, len(tails)), rng.uniform(0.0, 1.0, len(tails))
    return StateGraph(places, indptr, heads.astype(np.int32), distance, risk, np.full(len(places), 0.1))
