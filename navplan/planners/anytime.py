"""A first plan by LaCAM or priorities, then large-neighbourhood search on two cores until the deadline."""

from __future__ import annotations

import dataclasses
import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.graph.prepared import PreparedGraph
from navplan.kernels.priority.lns import follow, merge
from navplan.kernels.priority.neighbourhoods import ITERATIONS
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.attempt import attempt
from navplan.planners.base import Clock, Guarantee, Infeasible, OutOfTime, Planner
from navplan.planners.cbs.cbs import CBS
from navplan.planners.checks import check_count, check_positive, check_time_limit
from navplan.planners.field import Field
from navplan.planners.lacam.lacam import LaCAM
from navplan.planners.priority.first_solution import FirstSolution
from navplan.planners.priority.lns import LNS
from navplan.planners.priority.lns_search import LNSSearch

# An exact search comes first where there are no more agents, for so many nodes of its tree and at most this share of the time.
_FEW, _NODES, _SHARE = 16, 300, 0.25
# Iterations that each search makes between two merges.
_TURNS = 1000


@dataclass(frozen=True, slots=True)
class Anytime(Planner):
    """LaCAM for a first plan, complete; then large-neighbourhood search until the deadline, on two cores.

    It ends when its plan is proved optimal; of few agents an exact search (CBS, of some hundred nodes) may do so at once.

    While LaCAM runs, the other core lays out paths that meet little and tries to repair them; the cheaper plan is improved. Two
    searches then work on copies of it and take over each other's changes, as far as they fit, after every slice of work. Slices
    are counted in search expansions, so that the result does not depend on which core is faster.
    """

    name: ClassVar[str] = "anytime"
    guarantee: ClassVar[Guarantee] = "none"
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; clearance 0"
    about: ClassVar[str] = "lacam, then lns on two cores until the time limit (10 s): the best plan for many agents"
    any_clearance: ClassVar[bool] = False
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.priority.lns",)
    parts: ClassVar[tuple[type[Planner], ...]] = (CBS, LNS, LaCAM)

    time_limit: float | None = 10.0
    """Wall seconds for one plan, which are used up unless the plan is proved optimal; None for no limit."""
    max_rounds: int | None = None
    """Slices of improvement, None for no limit."""
    neighbours: int = 8
    """Agents that are planned again together."""
    exact: bool = True
    """Let an exact search try first where there are few agents."""

    def __post_init__(self) -> None:
        check_time_limit("Anytime.time_limit", self.time_limit)
        check_count("Anytime.max_rounds", self.max_rounds)
        check_positive("Anytime.neighbours", self.neighbours)

    def eager(self) -> Anytime:
        """The same planner stopping soon, for warming up."""
        return dataclasses.replace(self, max_rounds=1, exact=False)

    def plan(self, problem: Problem, state: PreparedGraph, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`."""
        began = time.perf_counter()
        seeds = [np.random.default_rng(int(seed)) for seed in rng.integers(0, 1 << 62, 3)]
        with attempt(self.name, problem, deadline, early="", stats={}) as run, ThreadPoolExecutor(1) as helper:
            exact = self._exact(problem, state, deadline)
            if exact is not None and exact.status in ("optimal", "infeasible"):
                return dataclasses.replace(exact, planner=self.name, runtime_s=time.perf_counter() - began)
            if exact is not None and exact.reason.startswith("interrupted"):
                raise KeyboardInterrupt
            setting_up = helper.submit(_set_up, self, problem, state, deadline, seeds[1])
            first = LaCAM().plan(problem, state, deadline=deadline, rng=seeds[0])
            run.lower_bound = first.lower_bound
            run.found(first.paths)  # none, or a plan to return when Ctrl-C comes while the other core is waited for
            search = setting_up.result()
            if search is None or not (first.solved or search.solved):
                return dataclasses.replace(first, planner=self.name, runtime_s=time.perf_counter() - began)
            if first.solved and not (search.solved and search.cost <= (first.sum_of_costs or 0.0)):
                search.adopt(first)
            if exact is not None:
                search.proved = max(search.proved, exact.lower_bound or 0.0)
            pair = run.watch(SearchPair(search, LNSSearch(search.arena.field, self.neighbours, seeds[2]), helper, first))
            pair.improve(run.clock, self.max_rounds)
            run.found(search.arena.paths())
        return run.plan()

    def _exact(self, problem: Problem, state: PreparedGraph, deadline: float | None) -> Plan | None:
        """What an exact search makes of a small problem; None for a large one, or where none is wanted."""
        if not self.exact or problem.num_agents > _FEW:
            return None
        now = time.perf_counter()
        soon = deadline if deadline is None else now + _SHARE * (deadline - now)
        return CBS(max_nodes=_NODES).plan(problem, state, deadline=soon, rng=np.random.default_rng(0))


def _set_up(
    options: Anytime, problem: Problem, state: PreparedGraph, deadline: float | None, rng: np.random.Generator
) -> LNSSearch | None:
    """Tables, memory, and perhaps a plan; None when there is no time or no hope, of which LaCAM knows too."""
    search: LNSSearch | None = None
    try:
        now = time.perf_counter()
        left = math.inf if deadline is None else deadline - now
        clock, early = Clock(now + 0.75 * left), Clock(now + 0.4 * left)
        search = LNSSearch(Field.of(problem, state, clock), options.neighbours, rng)
        FirstSolution(search, clock, rng).find_if_easy(early)
    except OutOfTime:
        return search
    except Infeasible:
        return None
    return search


class SearchPair:
    """Two searches that improve the same plan side by side.

    Attributes:
        lead: the search that holds the result after each round.
        mate: the other.
    """

    def __init__(self, lead: LNSSearch, mate: LNSSearch, helper: ThreadPoolExecutor, first: Plan) -> None:
        self._first = first
        self.lead, self.mate = lead, mate
        self._helper = helper
        self._rounds = 0
        self._merged = 0.0
        agents = len(lead.arena.costs)
        self._taken = np.zeros(agents, np.uint8)
        self._old_lengths = np.zeros(agents, np.int32)
        self._old_paths = np.empty((agents, lead.arena.steps), np.int32)
        lead.pool.changed[:] = 1
        self._even()
        follow(mate.arena.table, mate.pool, lead.arena.table, lead.pool)
        mate.found()

    def improve(self, clock: Clock, max_rounds: int | None) -> None:
        """Rounds of improvement until the deadline, the bound or `max_rounds` is reached, or Ctrl-C is pressed."""
        expansions = self.lead.arena.field.slice_size
        try:
            while (max_rounds is None or self._rounds < max_rounds) and not self.lead.optimal:
                clock.check()
                beside = self._helper.submit(self.mate.slice, _TURNS, expansions)
                try:
                    self.lead.slice(_TURNS, expansions)
                finally:
                    beside.result()
                self._rounds += 1
                self._share()
        except (OutOfTime, KeyboardInterrupt):
            return  # every slice leaves a solution behind

    def _share(self) -> None:
        """Merge the mate's changes into the lead, and make the mate follow."""
        lead, mate = self.lead, self.mate
        self._even()
        self._merged += merge(
            lead.arena.table, lead.pool, mate.arena.table, mate.pool, self._old_paths, self._old_lengths, self._taken
        )
        follow(mate.arena.table, mate.pool, lead.arena.table, lead.pool)

    def _even(self) -> None:
        """Both tables for the same number of steps."""
        steps = max(self.lead.arena.steps, self.mate.arena.steps)
        self.lead.arena.widen(steps)
        self.mate.arena.widen(steps)
        if self._old_paths.shape[1] < steps:
            self._old_paths = np.empty((len(self._taken), steps), np.int32)

    @property
    def lower_bound(self) -> float:
        """Proved for the sum of costs."""
        return self.lead.lower_bound

    def progress(self) -> str:
        """How good the plan is so far."""
        return f" at a sum of costs of {self.lead.cost:g}, of which {self.lead.lower_bound:g} is proved to be needed"

    def stats(self) -> dict[str, float]:
        """Counters for the plan."""
        return {
            **self.lead.stats(),
            "rounds": self._rounds,
            "mate_iterations": int(self.mate.pool.tallies[ITERATIONS]),
            "mate_gain": self._merged,
            "lacam_s": round(self._first.runtime_s, 3),
        }
