"""How a planning call may end, and the plan that comes of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from navplan.errors import InvalidProblem
from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import Problem
from navplan.planners.attempt import Attempt, attempt
from navplan.planners.base import SAME, GaveUp, Infeasible, OutOfTime, check_reachable

# Two agents that walk side by side, four steps each.
PROBLEM = Problem(StateGraph.from_grid(np.zeros((2, 5), bool)), [0, 5], [4, 9])
PATHS = [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
COST = 8.0


@dataclass
class Tally:
    """A search that has come somewhere."""

    lower_bound: float | None = 5.0
    counters: dict[str, float] = field(default_factory=lambda: {"expanded": 3})

    def progress(self) -> str:
        return f" after {self.counters['expanded']} nodes"

    def stats(self) -> dict[str, float]:
        return self.counters


def ended_by(error: BaseException | None, *, watched: bool = False, found: bool = False, **options: Any) -> Attempt:
    """An attempt whose body raises `error`, after it has begun a search and found paths, or not."""
    with attempt("tester", PROBLEM, None, **options) as run:
        if watched:
            run.watch(Tally())
        if found:
            run.found(PATHS)
        if error is not None:
            raise error
    return run


ERRORS = {
    "timeout": (OutOfTime(), "timeout", "time limit reached"),
    "gave up": (GaveUp("node limit of 3 reached"), "unsolved", "node limit of 3 reached"),
    "interrupted": (KeyboardInterrupt(), "unsolved", "interrupted"),
}


@pytest.mark.parametrize("ending", ERRORS)
def test_what_ends_a_search_is_its_status_and_reason(ending: str) -> None:
    error, status, words = ERRORS[ending]
    run = ended_by(error, watched=True)
    plan = run.plan()
    assert run.ending == ending
    assert (plan.planner, plan.status, plan.reason) == ("tester", status, f"{words} after 3 nodes")
    assert (plan.paths, plan.lower_bound, plan.stats) == ((), 5.0, {"expanded": 3})


@pytest.mark.parametrize("ending", ERRORS)
def test_before_there_is_a_search_the_reason_says_so(ending: str) -> None:
    error, status, words = ERRORS[ending]
    plan = ended_by(error).plan()
    assert (plan.status, plan.reason) == (status, f"{words} while the distance tables were built")
    assert (plan.lower_bound, plan.stats) == (None, {"expanded": 0, "generated": 0})
    plan = ended_by(error, early=", early", stats={"orders": 0}).plan()
    assert (plan.reason, plan.stats) == (f"{words}, early", {"orders": 0})


@pytest.mark.parametrize("ending", ERRORS)
def test_paths_found_before_are_the_plan_and_the_reason_is_kept(ending: str) -> None:
    error, _, words = ERRORS[ending]
    plan = ended_by(error, watched=True, found=True).plan()
    assert (plan.status, plan.reason) == ("feasible", f"{words} after 3 nodes")
    assert [path.tolist() for path in plan.paths] == PATHS
    assert (plan.sum_of_costs, plan.lower_bound, plan.suboptimality) == (COST, 5.0, COST / 5.0)


def test_a_proof_that_there_is_no_plan_has_no_bound_and_no_progress() -> None:
    run = ended_by(Infeasible("the agents cannot pass"), watched=True)
    plan = run.plan()
    assert run.ending == "infeasible"
    assert (plan.status, plan.reason, plan.lower_bound) == ("infeasible", "the agents cannot pass", None)
    assert plan.stats == {"expanded": 3}


def test_a_search_that_completes_without_paths_says_why() -> None:
    with attempt("tester", PROBLEM, None) as run:
        run.watch(Tally())
        run.stop("gave up", "no order works")
    plan = run.plan()
    assert (run.ending, plan.status, plan.reason, plan.lower_bound) == ("gave up", "unsolved", "no order works", 5.0)


def test_a_search_that_completes() -> None:
    run = ended_by(None, watched=True, found=True)
    assert (run.ending, run.plan().status, run.plan().reason) == ("complete", "feasible", "")


def test_the_last_paths_found_count_and_their_status() -> None:
    with attempt("tester", PROBLEM, None) as run:
        run.watch(Tally(lower_bound=7.0))
        run.found([[0, 0, 1, 2, 3, 4], PATHS[1]])
        run.found(PATHS, "bounded")
    plan = run.plan()
    assert (plan.status, plan.sum_of_costs, plan.lower_bound) == ("bounded", COST, 7.0)


@pytest.mark.parametrize("status", ["feasible", "bounded"])
@pytest.mark.parametrize("bound", [COST, COST * (1.0 - 0.5 * SAME), COST * (1.0 + 0.5 * SAME), COST + 1.0])
def test_a_bound_that_has_met_the_cost_proves_it_optimal(status: Any, bound: float) -> None:
    with attempt("tester", PROBLEM, None) as run:
        run.watch(Tally(lower_bound=bound))
        run.found(PATHS, status)
        raise OutOfTime
    plan = run.plan()
    assert (plan.status, plan.lower_bound, plan.suboptimality) == ("optimal", COST, 1.0)
    assert plan.reason == "time limit reached after 3 nodes"


@pytest.mark.parametrize("bound", [None, 0.0, COST * (1.0 - 3.0 * SAME)])
def test_a_bound_below_the_cost_does_not(bound: float | None) -> None:
    with attempt("tester", PROBLEM, None) as run:
        run.lower_bound = bound
        run.found(PATHS)
    plan = run.plan()
    assert (plan.status, plan.lower_bound) == ("feasible", bound)


def test_what_is_proved_by_itself_needs_no_bound() -> None:
    with attempt("tester", PROBLEM, None) as run:
        run.found(PATHS, "optimal")
    plan = run.plan()
    assert (plan.status, plan.lower_bound, plan.suboptimality) == ("optimal", COST, 1.0)


def test_a_bound_from_before_the_search_counts_until_there_is_one() -> None:
    with attempt("tester", PROBLEM, None) as run:
        run.lower_bound = 4.0
        run.stats["expanded"] = 2
        raise OutOfTime
    assert (run.plan().lower_bound, run.plan().stats) == (4.0, {"expanded": 2, "generated": 0})
    search = run.watch(Tally())
    assert search.lower_bound == run.plan().lower_bound == 5.0


def test_allocations_go_into_the_plan() -> None:
    problem = Problem(PROBLEM.graph, PROBLEM.starts, PROBLEM.goals, risk_budget=1.0)
    with attempt("tester", problem, None) as run:
        run.found(PATHS, "bounded", (0.5, 0.5))
    assert run.plan().allocations == (0.5, 0.5)


def test_the_clock_keeps_the_deadline_and_the_plan_its_time() -> None:
    with attempt("tester", PROBLEM, time.perf_counter() + 0.02) as run:
        while True:
            run.clock.check()
    plan = run.plan()
    assert plan.status == "timeout"
    assert 0.02 <= plan.runtime_s < 5.0


def test_other_exceptions_pass() -> None:
    with pytest.raises(InvalidProblem, match="contradiction"):
        ended_by(InvalidProblem("contradiction"))
    with pytest.raises(MemoryError):
        ended_by(MemoryError())


def test_what_the_body_opened_is_closed_before_the_plan_is_made() -> None:
    order: list[str] = []

    @contextmanager
    def helper() -> Iterator[None]:
        try:
            yield
        finally:
            order.append("closed")

    with attempt("tester", PROBLEM, None) as run, helper():
        raise KeyboardInterrupt
    order.append(run.plan().reason)
    assert order == ["closed", "interrupted while the distance tables were built"]


def test_agents_that_cannot_reach_their_goals_are_named() -> None:
    check_reachable(PROBLEM, np.array([4.0, 4.0]))
    with pytest.raises(Infeasible, match=r"^agent 1 cannot reach its goal: no way from node 5 to node 9$"):
        check_reachable(PROBLEM, np.array([4.0, np.inf]))
    with pytest.raises(Infeasible, match=r"^agent 0 .* \(nor can 1 others\)$"):
        check_reachable(PROBLEM, np.array([np.inf, np.inf]))
