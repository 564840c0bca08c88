"""One call of a planner's `plan`: how it ends, and the Plan that comes of it.

Example:
    >>> import numpy as np
    >>> from navplan.graph.state_graph import StateGraph
    >>> problem = Problem(StateGraph.from_grid(np.zeros((1, 3), bool)), [0], [2])
    >>> with attempt("example", problem, deadline=0.0) as run:
    ...     run.clock.check()
    ...     run.found([[0, 1, 2]])
    >>> plan = run.plan()
    >>> plan.status, plan.reason
    ('timeout', 'time limit reached while the distance tables were built')
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol, TypeVar

from navplan.plan.plan import Plan, Status, make_plan
from navplan.plan.problem import Problem
from navplan.planners.base import SAME, Clock, GaveUp, Infeasible, OutOfTime
from navplan.system.arrays import Int32
from navplan.system.progress import Silence, heard
from navplan.system.signals import searching

Ending = Literal["complete", "timeout", "infeasible", "gave up", "interrupted"]
# Seconds between two looks at how far a search has come.
_TELL_S = 0.5
# What an ending means where there are no paths; a search that completes without says why by `Attempt.stop`.
WITHOUT_PATHS: dict[Ending, Status] = {
    "complete": "unsolved",
    "timeout": "timeout",
    "infeasible": "infeasible",
    "gave up": "unsolved",
    "interrupted": "unsolved",
}


class Watched(Protocol):
    """A search that can be asked how far it has come, whenever it ends."""

    @property
    def lower_bound(self) -> float | None:
        """Proved so far for the sum of costs; None for nothing yet."""
        ...

    def progress(self) -> str:
        """What follows "time limit reached" in a plan's reason, with a space or a mark before it; may be empty."""
        ...

    def stats(self) -> Mapping[str, float]:
        """Counters for the plan."""
        ...


W = TypeVar("W", bound=Watched)


class Attempt:
    """What is known of one planning call while it lasts, and its Plan afterwards; see `attempt`.

    Attributes:
        clock: the deadline.
        ending: how the search ended; "complete" while it has not.
        reason: why there is no plan, or why no better one.
        lower_bound: proved for the sum of costs before there is a search to watch, None for nothing.
        stats: counters of a planner without a search to watch.
    """

    def __init__(self, planner: str, problem: Problem, deadline: float | None, early: str, stats: Mapping[str, float]) -> None:
        self._listener = heard()
        self._next = 0.0
        self.clock = Clock(deadline, None if isinstance(self._listener, Silence) else self._tell)
        self.ending: Ending = "complete"
        self.reason = ""
        self.lower_bound: float | None = None
        self.stats = dict(stats)
        self._planner = planner
        self._problem = problem
        self._early = early
        self._search: Watched | None = None
        self._paths: Sequence[Sequence[int] | Int32] = ()
        self._status: Status = "unsolved"
        self._allocations: Sequence[float] = ()
        self._began = time.perf_counter()

    def watch(self, search: W) -> W:
        """From now on `search` is asked for bound, progress and counters; returns it."""
        self._search = search
        return search

    def found(
        self, paths: Sequence[Sequence[int] | Int32], status: Status = "feasible", allocations: Sequence[float] = ()
    ) -> None:
        """The best paths so far, one per agent: what the plan will hold, however the search ends.

        Args:
            status: feasible; bounded, where the bound is within a promised factor; optimal, where that is proved by itself.
            allocations: per agent, what it may risk, where the problem has a risk budget.
        """
        self._paths, self._status, self._allocations = paths, status, allocations

    def stop(self, ending: Ending, reason: str) -> None:
        """The search has ended, and why."""
        self.ending, self.reason = ending, reason

    def progress(self) -> str:
        """How far the search has come, to follow the words that say how it ended."""
        return self._early if self._search is None else self._search.progress()

    def _tell(self) -> None:
        """Tell whoever waits how far the search has come, at most twice a second."""
        now = time.perf_counter()
        if now >= self._next:
            self._next = now + _TELL_S
            self._listener.show(0, 0, self.progress().strip("; "))

    def plan(self) -> Plan:
        """The Plan: optimal where the bound has met the cost."""
        status = self._status if self._paths else WITHOUT_PATHS[self.ending]
        bound = self.lower_bound if self._search is None else self._search.lower_bound
        plan = make_plan(
            self._problem,
            self._planner,
            status,
            self._paths,
            lower_bound=None if status == "infeasible" else bound,
            allocations=self._allocations,
            runtime_s=time.perf_counter() - self._began,
            reason=self.reason,
            stats=self.stats if self._search is None else self._search.stats(),
        )
        return _settled(plan)


def _settled(plan: Plan) -> Plan:
    """The plan, optimal where that is proved: by the search itself, or by a bound that has met the cost."""
    cost, bound = plan.sum_of_costs, plan.lower_bound
    if cost is None:
        return plan
    if plan.status == "optimal" or (bound is not None and cost <= bound * (1.0 + SAME)):
        return dataclasses.replace(plan, status="optimal", lower_bound=cost, suboptimality=1.0)
    return plan


@contextmanager
def attempt(
    planner: str,
    problem: Problem,
    deadline: float | None,
    *,
    early: str = " while the distance tables were built",
    stats: Mapping[str, float] | None = None,
) -> Iterator[Attempt]:
    """Search in its body; whatever ends the search there, the plan is `Attempt.plan`'s afterwards.

    The deadline (OutOfTime), a proof that there is no plan (Infeasible), another limit (GaveUp) and Ctrl-C (KeyboardInterrupt)
    end the body and become status, reason, bound and counters of the plan; other exceptions pass.

    Args:
        planner: its name.
        deadline: `time.perf_counter` time at which to give up, or None.
        early: the progress before there is a search to watch.
        stats: the counters before there is one; None for no nodes expanded and none generated.
    """
    run = Attempt(planner, problem, deadline, early, {"expanded": 0, "generated": 0} if stats is None else stats)
    try:
        with searching():
            yield run
    except OutOfTime:
        run.stop("timeout", f"time limit reached{run.progress()}")
    except Infeasible as why:
        run.stop("infeasible", str(why))
    except GaveUp as why:
        run.stop("gave up", f"{why}{run.progress()}")
    except KeyboardInterrupt:
        run.stop("interrupted", f"interrupted{run.progress()}")
