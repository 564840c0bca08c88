"""Large-neighbourhood search: a first solution, repaired if need be, then improved until the deadline."""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.errors import InvalidInput, InvalidProblem
from navplan.graph.state_graph import StateGraph
from navplan.kernels.common.status import BUDGET, FOUND, FULL
from navplan.kernels.priority.lns import IMPROVE, REPAIR, count_clashes, iterate, thin_out
from navplan.kernels.priority.neighbourhoods import ACCEPTED, ITERATIONS, PAIRS, Pool, fresh
from navplan.kernels.search.reservation import meetings, remove
from navplan.kernels.search.sipp import CHEAPEST, EXPANDED, FEWEST, HARD
from navplan.plan.plan import Plan, Status
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, Guarantee, OutOfTime, Prepared, check_time_limit
from navplan.planners.priority.reservations import SAME, Arena, Field, Hopeless, check_count, finish, refuse_clearance

# How often every agent plans among the paths of all others before conflicts are repaired, and for what extra cost, in edges.
_PASSES = 3
_DETOUR = 5.0
# Expansions after which two passes are enough.
_ENOUGH = 1_500_000
# Conflicting pairs per agent, after all that, with which repair is long.
_DENSE = 1.5


@dataclass(frozen=True, slots=True)
class LNS:
    """MAPF-LNS2 (Li et al. 2022): paths that meet little, repaired until they do not conflict, improved until the deadline.

    Some agents are taken out and planned again together, over and over; what is no worse is kept. Incomplete, and no ratio to the
    optimum is promised, but the sum of the agents' own optima is a proved bound.
    """

    name: ClassVar[str] = "lns"
    guarantee: ClassVar[Guarantee] = "none"
    max_agents: ClassVar[int | None] = None
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; clearance 0"
    about: ClassVar[str] = "large-neighbourhood search: a plan by repair, then better ones until the time limit"
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.priority.lns",)

    time_limit: float | None = 10.0
    """Wall seconds for one plan, which are used up unless the plan is proved optimal; None for no limit."""
    max_iterations: int | None = None
    """Iterations of improvement, None for no limit."""
    max_repairs: int | None = None
    """Iterations of repair before giving up (status unsolved), None for no limit."""
    neighbours: int = 8
    """Agents that are planned again together."""

    def __post_init__(self) -> None:
        check_time_limit("LNS.time_limit", self.time_limit)
        check_count("LNS.max_iterations", self.max_iterations)
        check_count("LNS.max_repairs", self.max_repairs)
        if not isinstance(self.neighbours, int) or self.neighbours < 1:
            raise InvalidInput(f"LNS.neighbours is {self.neighbours!r}, expected a positive integer")

    def eager(self) -> LNS:
        """The same planner stopping at once, for warming up."""
        return dataclasses.replace(self, max_iterations=0)

    def prepare(self, graph: StateGraph) -> Prepared:
        """Reverse the graph."""
        return Prepared.of(graph)

    def plan(self, problem: Problem, state: Prepared, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`."""
        return _run(self, problem, state, None, deadline, rng)

    def improve(self, problem: Problem, plan: Plan, state: Prepared, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """A plan that costs no more than `plan`, which must be valid for `problem`.

        Raises:
            InvalidProblem: it is not.
        """
        return _run(self, problem, state, plan, deadline, rng)


def _run(
    options: LNS, problem: Problem, state: Prepared, given: Plan | None, deadline: float | None, rng: np.random.Generator
) -> Plan:
    began = time.perf_counter()
    refuse_clearance(options.name, problem)
    clock = Clock(deadline)
    search: Search | None = None
    field: Field | None = None
    status: Status = "unsolved"
    reason = ""
    try:
        field = Field.of(problem, state, clock)
        search = Search(field, options.neighbours, rng)
        if given is not None:
            search.adopt(given)
        elif not search.first(clock, rng, options.max_repairs):
            left = f"{search.pairs} pairs of agents still conflict after {options.max_repairs} repairs"
            reason = f"{left}; the planner is incomplete"
        if search.solved:
            search.improve(clock, options.max_iterations)
    except Hopeless as why:
        status, reason = "infeasible", str(why)
    except OutOfTime:
        status, reason = "timeout", f"time limit reached{_progress(search)}"
    except KeyboardInterrupt:
        reason = f"interrupted{_progress(search)}"
    return finish(
        problem,
        options.name,
        search.arena.paths() if search is not None and search.solved else None,
        field.lower_bound if field is not None else None,
        began=began,
        status=status,
        reason=reason,
        stats=search.stats() if search is not None else {},
    )


def _progress(search: Search | None) -> str:
    if search is None:
        return " while the distance tables were built"
    return f" with {search.pairs} pairs of agents in conflict" if search.pairs >= 0 else ""


class Search:
    """An arena with the memory of a large-neighbourhood search.

    Attributes:
        arena: the paths.
        pool: arrays for the kernels.
        solved: every agent has a path and none conflict.
        pairs: conflicting pairs during repair, -1 before.
        first_s, first_cost: when the first solution was there, from the start of the search, and its sum of costs.
    """

    def __init__(self, field: Field, neighbours: int, rng: np.random.Generator) -> None:
        self._began = time.perf_counter()
        self.arena = Arena(field)
        self.solved = False
        self.pairs = -1
        self.first_s = 0.0
        self.first_cost = 0.0
        self._repairs = 0
        self._size = min(neighbours, field.problem.num_agents)
        degrees = np.diff(field.ground.indptr)
        agents, nodes = field.ground.tables.shape
        self.pool = Pool(
            costs=self.arena.costs,
            optima=field.optima,
            clashes=np.zeros(agents, np.int32),
            weights=np.ones(4),
            random=rng.integers(1, 1 << 32, 4, dtype=np.int64),
            group=np.empty(2 * agents + self._size, np.int32),
            tabu=np.zeros(agents, np.uint8),
            marks=np.zeros(agents, np.int64),
            members=np.zeros(agents, np.int64),
            stamp=np.zeros(1, np.int64),
            met=np.empty(agents, np.int32),
            changed=np.zeros(agents, np.uint8),
            queue=np.empty(nodes, np.int32),
            seen=np.zeros(nodes, np.int64),
            junctions=np.flatnonzero(degrees > 2).astype(np.int32),
            old_paths=np.empty((self._size, self.arena.steps), np.int32),
            old_lengths=np.zeros(self._size, np.int32),
            old_costs=np.zeros(self._size),
            tallies=np.zeros(8, np.int64),
        )
        # nothing to do yet: compiled before they are needed
        count_clashes(self.arena.table, self.pool)
        self._iterate(REPAIR, 0)
        thin_out(self.arena.table, self.pool, self.pool.group)

    @property
    def cost(self) -> float:
        """Sum of costs of the paths."""
        return float(self.arena.costs.sum())

    def adopt(self, plan: Plan) -> None:
        """Start from the paths of `plan`.

        Raises:
            InvalidProblem: they are not a solution of this problem.
        """
        problem = self.arena.field.problem
        ends = [(int(p[0]), int(p[-1])) for p in plan.paths]
        if ends != list(zip(problem.starts.tolist(), problem.goals.tolist(), strict=True)):
            raise InvalidProblem("the plan to improve does not lead from this problem's starts to its goals")
        costs = self.arena.field.costs(plan.paths).tolist()
        if min(costs) < 0.0:
            raise InvalidProblem("the plan to improve takes a step that is no edge of this problem's graph")
        self.arena.clear()
        self.arena.widen(max(len(path) for path in plan.paths) + 32)
        for agent, path in enumerate(plan.paths):
            self.arena.put(agent, path, costs[agent])
        count_clashes(self.arena.table, self.pool)
        if self.pool.tallies[PAIRS]:
            raise InvalidProblem(f"the plan to improve has {self.pool.tallies[PAIRS]} pairs of agents in conflict")
        self.found()

    def first(self, clock: Clock, rng: np.random.Generator, max_repairs: int | None) -> bool:
        """Find a first solution, however long it takes; False when `max_repairs` are used up."""
        self._scatter(clock, clock, rng, math.inf)
        self._fill(clock)
        return self._repair(clock, max_repairs)

    def first_if_easy(self, clock: Clock, early: Clock, rng: np.random.Generator) -> bool:
        """Find a first solution unless the agents are so dense that another way is quicker; False without one.

        Args:
            early: when to be content with the paths laid out so far.
        """
        agents = len(self.arena.costs)
        dense = _DENSE * agents
        return (
            self._scatter(clock, early, rng, dense)
            and self._fill(clock) <= max(3, agents // 50)
            and self._repair(clock, 10 + agents // 10)
        )

    def _scatter(self, clock: Clock, early: Clock, rng: np.random.Generator, most_pairs: float) -> bool:
        """Short paths that meet each other little; False when more than `most_pairs` pairs of agents still conflict.

        Agents plan again and again among the paths of all others, which costs them little more than their optima: the space
        utilisation of Okumura (2024), by safe intervals.
        """
        arena, pool = self.arena, self.pool
        agents = len(arena.costs)
        weights = arena.field.ground.weights
        detour = _DETOUR * float(weights.mean()) if weights.size else 0.0
        for turn in range(_PASSES):
            if turn > 1 and (pool.tallies[PAIRS] > most_pairs or arena.work.counts[EXPANDED] > _ENOUGH):
                break
            for agent in rng.permutation(agents).tolist():
                if turn and meetings(arena.table, agent, pool.marks, fresh(pool), pool.met) == 0:
                    continue
                if turn and early.passed:
                    break
                remove(arena.table, agent)
                if turn == 0 or not arena.plan(agent, FEWEST, clock, arena.field.optima[agent] * (1.0 + SAME) + detour):
                    arena.plan(agent, CHEAPEST, clock)
            count_clashes(arena.table, pool)
        return bool(pool.tallies[PAIRS] <= most_pairs)

    def _fill(self, clock: Clock) -> int:
        """Plan those who conflict around the others; returns how many could only be planned with conflicts."""
        arena, pool = self.arena, self.pool
        count = thin_out(arena.table, pool, pool.group)
        late = [agent for agent in pool.group[:count][::-1].tolist() if not arena.plan(agent, HARD, clock)]
        for agent in late:
            arena.plan(agent, FEWEST, clock)
        count_clashes(arena.table, pool)
        return len(late)

    def _repair(self, clock: Clock, max_repairs: int | None) -> bool:
        pool = self.pool
        done = 0
        status = BUDGET
        self.pairs = int(pool.tallies[PAIRS])
        while status != FOUND and (max_repairs is None or done < max_repairs):
            clock.check()
            turns = 64 if max_repairs is None else min(64, max_repairs - done)
            before = int(pool.tallies[ITERATIONS])
            status = self._iterate(REPAIR, turns)
            done += int(pool.tallies[ITERATIONS]) - before
            self.pairs = int(pool.tallies[PAIRS])
        self._repairs = done
        if status != FOUND:
            return False
        self.found()
        return True

    def improve(self, clock: Clock, max_iterations: int | None) -> None:
        """Lower the sum of costs until the deadline, the bound or `max_iterations` is reached, or Ctrl-C is pressed."""
        try:
            done = 0
            while (max_iterations is None or done < max_iterations) and not self.optimal:
                clock.check()
                before = int(self.pool.tallies[ITERATIONS])
                self._iterate(IMPROVE, 1000 if max_iterations is None else min(1000, max_iterations - done))
                done += int(self.pool.tallies[ITERATIONS]) - before
        except (OutOfTime, KeyboardInterrupt):
            return  # every kernel call leaves a solution behind

    def slice(self, turns: int, expansions: int) -> None:
        """Improvement for at most `turns` iterations and about so many expansions."""
        self._iterate(IMPROVE, turns, expansions)

    def _iterate(self, task: int, turns: int, expansions: int | None = None) -> int:
        """At most `turns` iterations, about as many as fit into a slice of time; memory grows as needed."""
        arena = self.arena
        if self.pool.old_paths.shape[1] != arena.steps:
            self.pool = self.pool._replace(old_paths=np.empty((self._size, arena.steps), np.int32))
        status = iterate(
            arena.field.ground,
            arena.table,
            arena.work,
            self.pool,
            task,
            self._size,
            turns,
            arena.field.slice_size if expansions is None else expansions,
        )
        if status == FULL:
            arena.grow()
        return int(status)

    @property
    def optimal(self) -> bool:
        """The sum of costs has reached the bound."""
        return self.cost <= self.arena.field.lower_bound * (1.0 + SAME)

    def found(self) -> None:
        """Note that the paths are a solution, the first."""
        self.solved = True
        self.first_s = time.perf_counter() - self._began
        self.first_cost = self.cost
        self.pool.tallies[ITERATIONS] = 0
        self.pool.tallies[ACCEPTED] = 0
        self.pool.weights[:] = 1.0
        self.pool.changed[:] = 0

    def stats(self) -> dict[str, float]:
        """Counters for the plan."""
        return {
            "expanded": int(self.arena.work.counts[EXPANDED]),
            "repairs": self._repairs,
            "iterations": int(self.pool.tallies[ITERATIONS]) if self.solved else 0,
            "accepted": int(self.pool.tallies[ACCEPTED]) if self.solved else 0,
            "first_s": round(self.first_s, 3),
            "first_sum_of_costs": self.first_cost,
        }
