"""What every planner shares: the base class, how a search ends early, the prepared graph, distance tables, the clock."""

from __future__ import annotations

import dataclasses
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from navplan.errors import InvalidInput, InvalidProblem
from navplan.graph.state_graph import StateGraph
from navplan.kernels.common.status import BUDGET
from navplan.kernels.search.conflicts import longest_row
from navplan.kernels.search.dijkstra import Csr, Queue, breadth_first_slice, dijkstra, reverse
from navplan.plan.plan import Plan
from navplan.plan.problem import GRID_CLEARANCE, Problem
from navplan.system.arrays import Float64, Int32
from navplan.system.words import said

Guarantee = Literal["optimal", "bounded", "none"]
# How far a planner tells bodies apart that have room in different places.
Bodies = Literal["one", "nodes", "edges"]
# Wall seconds that one kernel call may take, about; deadlines and Ctrl-C are looked at in between.
SLICE_S = 0.01
# Nodes that a breadth-first search goes through in about that time.
NODES_PER_SLICE = 300_000
# Costs that differ by less, relatively, are one cost summed in two orders.
SAME = 1e-11


class Planner(ABC):
    """A frozen dataclass of options; its class says what it can do and what it promises.

    A planner sets `name` and defines `plan`; all else has a default. Its fields are its options, each with a default of its own;
    one is usually `time_limit`.

    Attributes:
        name: as registered.
        guarantee: what a solved plan proves about the sum of costs.
        about: one line.
        graphs: kinds of graph, in words.
        max_agents: agents it can plan for, None for any number.
        any_clearance: keeps bodies apart by any clearance; False: it avoids shared nodes and swaps only.
        bodies: tells bodies apart that have room at different nodes ("nodes"; each edge as wide as its ends, as on grids), or
            on different edges too ("edges"), or plans for bodies that all have room in the same places ("one").
        keeps_budget: keeps the risk budget of a problem.
        stepwise: each time step follows from the one before by a step of PIBT, so that a lifelong run takes one at a time.
        kernels: dotted names of the kernel modules that it spends its time in; they are compiled before its time counts.
        parts: planners that it is made of, which are compiled side by side.
    """

    __slots__ = ()

    name: ClassVar[str]
    guarantee: ClassVar[Guarantee] = "none"
    about: ClassVar[str] = ""
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs"
    max_agents: ClassVar[int | None] = None
    any_clearance: ClassVar[bool] = True
    bodies: ClassVar[Bodies] = "one"
    keeps_budget: ClassVar[bool] = False
    stepwise: ClassVar[bool] = False
    kernels: ClassVar[tuple[str, ...]] = ()
    parts: ClassVar[tuple[type[Planner], ...]] = ()

    @property
    def time_limit(self) -> float | None:
        """Wall seconds for one plan, tables included; None for no limit."""
        return None

    def supports(self, problem: Problem) -> str | None:
        """None when it can plan for `problem`, else one line that says why not.

        By default that follows from the class variables. A planner with more to say asks them first:
        ``return Planner.supports(self, problem) or ...``.
        """
        if self.max_agents is not None and problem.num_agents > self.max_agents:
            return (
                f"planner {self.name} plans for {self.max_agents} agent and would let {problem.num_agents} collide; "
                f"use one for many agents, such as cbs or ecbs"
            )
        if problem.risk_budget is not None and not self.keeps_budget:
            return f"planner {self.name} cannot keep a risk budget; use risk, or give risk a weight with beta"
        kept = GRID_CLEARANCE if problem.graph.is_grid else 0.0
        if problem.spacing > kept and not self.any_clearance:
            return (
                f"planner {self.name} plans with clearance 0: it avoids shared nodes and swaps only, which on grids keeps agents "
                f"{GRID_CLEARANCE:.2f} apart; here the clearance is {problem.spacing:g}, so use ecbs or cbs"
            )
        if self.bodies != "edges" and needed_bodies(problem) not in ("one", self.bodies):
            return (
                f"planner {self.name} plans for bodies that have room in the same places; radii {problem.radii.min():g} to "
                f"{problem.radii.max():g} have not, so use ecbs or cbs"
            )
        return None

    def eager(self) -> Planner:
        """A variant that uses every kernel at once and stops soon, for compiling them; by default the planner itself."""
        return self

    def prepare(self, graph: StateGraph) -> Any:
        """Work that depends on the graph alone and can be used for many problems on it; by default reversing it."""
        return Prepared.of(graph)

    @abstractmethod
    def plan(self, problem: Problem, state: Any, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """Plan for every agent.

        Args:
            problem: the task, on the graph given to `prepare`; one that it `supports`.
            state: what `prepare` returned.
            deadline: `time.perf_counter` time at which to give up, or None.
            rng: source of every random choice.
        """


def needed_bodies(problem: Problem) -> Bodies:
    """What a planner must tell apart for the radii of `problem`."""
    _, sizes = problem.bodies()
    if len(sizes) == 1:
        return "one"
    graph = problem.graph
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
    for size in sizes:
        nodes, edges = graph.has_room(size)
        if not edges[nodes[tails] & nodes[graph.indices]].all():
            return "edges"
    return "nodes"


def check_supported(planner: Planner, problem: Problem) -> None:
    """Raise InvalidProblem, with the planner's own line, unless it can plan for `problem`."""
    why = planner.supports(problem)
    if why is not None:
        raise InvalidProblem(why)


class OutOfTime(Exception):
    """The deadline has passed."""


class Infeasible(Exception):
    """No plan exists; the message says why."""


class GaveUp(Exception):
    """A limit other than time was reached; the message says which."""


@dataclass(frozen=True)
class Clock:
    """A deadline on `time.perf_counter`, None for none; `tick` is called whenever it is looked at."""

    deadline: float | None
    tick: Callable[[], None] | None = None

    @property
    def passed(self) -> bool:
        """True past the deadline."""
        return self.deadline is not None and time.perf_counter() >= self.deadline

    def check(self) -> None:
        """Raise OutOfTime past the deadline."""
        if self.passed:
            raise OutOfTime
        if self.tick is not None:
            self.tick()


@dataclass(frozen=True, eq=False)
class Prepared:
    """A graph with its edges reversed, ready for the kernels; every array is read-only.

    Attributes:
        graph: the graph.
        indptr, indices, edges: reversed CSR; edges (M,) int32 are the positions in the forward arrays.
        xy: (N, 2) float64 positions; without any (N, D) states, which clearance 0 does not look at.
        max_degree: largest out-degree.
    """

    graph: StateGraph
    indptr: Int32
    indices: Int32
    edges: Int32
    xy: Float64
    max_degree: int

    @classmethod
    def of(cls, graph: StateGraph) -> Prepared:
        """Reverse `graph`."""
        indptr = np.empty_like(graph.indptr)
        indices = np.empty_like(graph.indices)
        edges = np.empty_like(graph.indices)
        reverse(graph.indptr, graph.indices, indptr, indices, edges)
        xy = np.ascontiguousarray(graph.places)
        freeze(indptr, indices, edges, xy)
        return cls(graph, indptr, indices, edges, xy, int(longest_row(graph.indptr)))


@dataclass(frozen=True, eq=False)
class Weighted:
    """A prepared graph with one problem's costs; every array is read-only.

    Attributes:
        forward, backward: Csr of the graph and of the reversed graph.
        waits: (N,) float64 cost of one wait.
        xy: (N, 2) float64 positions; without any (N, D) states, which clearance 0 does not look at.
        unit: every edge costs 1.
        min_step: least cost of any move or wait.
        max_degree: largest out-degree.
        body: (A,) int32 which of `bodies` each agent has.
        bodies: the same graph without what has no room for a body, one for each of several bodies; empty where they need not be
            told apart.
    """

    forward: Csr
    backward: Csr
    waits: Float64
    xy: Float64
    unit: bool
    min_step: float
    max_degree: int
    body: Int32 | None = None
    bodies: tuple[Weighted, ...] = ()

    def of_agent(self, agent: int) -> Weighted:
        """The graph that an agent moves on: node ids are those of the whole graph, edges only what has room for it."""
        return self if self.body is None or not self.bodies else self.bodies[self.body[agent]]

    @classmethod
    def of(cls, problem: Problem, prepared: Prepared, clock: Clock | None = None) -> Weighted:
        """Put the costs of `problem` on the graph it was prepared from.

        Raises:
            OutOfTime: the clock's deadline passed on the way.
        """
        clock = clock or Clock(None)
        graph = problem.graph
        if graph is not prepared.graph:
            raise InvalidInput("the problem's graph is not the one that was prepared")
        body, sizes = problem.bodies()
        whole = cls._of(problem, prepared, body, clock)
        if len(sizes) == 1:
            return whole
        fitting = [graph.fitting(size) for size in sizes]
        alone = dataclasses.replace(problem, radius=float(problem.radii.min()))
        parts = [cls._of(dataclasses.replace(alone, graph=part), Prepared.of(part), body, clock) for part in fitting]
        return dataclasses.replace(whole, bodies=tuple(parts))

    @classmethod
    def _of(cls, problem: Problem, prepared: Prepared, body: Int32, clock: Clock) -> Weighted:
        graph = problem.graph
        weights = np.ascontiguousarray(problem.edge_weights())
        clock.check()
        waits = np.ascontiguousarray(problem.wait_weights())
        unit = bool((weights == 1.0).all())
        clock.check()
        backward = weights if unit else weights[prepared.edges]
        freeze(weights, waits, backward)
        return cls(
            forward=Csr(graph.indptr, graph.indices, weights),
            backward=Csr(prepared.indptr, prepared.indices, backward),
            waits=waits,
            xy=prepared.xy,
            unit=unit,
            min_step=float(min(weights.min(initial=math.inf), waits.min(initial=math.inf))),
            max_degree=prepared.max_degree,
            body=body,
        )


def distance_tables(weighted: Weighted, goals: Int32, clock: Clock, first: int = 0) -> Float64:
    """Cost from every node to each goal: (A, N) float64, inf where there is no way.

    Args:
        goals: (A,) those of the agents from `first` on.

    Raises:
        OutOfTime: the deadline passed on the way.
    """
    nodes = len(weighted.backward.indptr) - 1
    tables = np.empty((len(goals), nodes))
    scratch, front = np.empty(nodes, np.int32), np.zeros(2, np.int64)
    queue = None if weighted.unit else make_queue(len(weighted.backward.indices))
    slice_size = expansions_per_slice(weighted.max_degree, 0)
    for agent, (table, goal) in enumerate(zip(tables, goals.tolist(), strict=True), start=first):
        graph = weighted.of_agent(agent).backward
        clock.check()
        if queue is None:
            hop_counts(graph, goal, table, scratch, front, clock)
            continue
        table.fill(np.inf)
        seed_queue(queue, table, goal)
        while dijkstra(graph, table, queue, slice_size) == BUDGET:
            clock.check()
    tables.setflags(write=False)
    return tables


def hop_counts(graph: Csr, source: int, distance: Float64, queue: Int32, front: NDArray[np.int64], clock: Clock) -> None:
    """Write the hops from `source` into `distance` (N,), inf where there is no way; `queue` (N,) and `front` (2,) are scratch.

    Raises:
        OutOfTime: the deadline passed on the way.
    """
    front[:] = 0
    while breadth_first_slice(graph.indptr, graph.indices, source, distance, queue, front, NODES_PER_SLICE) == BUDGET:
        clock.check()


def check_reachable(problem: Problem, alone: Float64) -> None:
    """Raise Infeasible, naming the first, where agents cannot reach their goals even alone.

    Args:
        alone: (A,) cost of each agent's cheapest path, inf where there is none.
    """
    lost = np.flatnonzero(np.isinf(alone))
    if not lost.size:
        return
    agent = int(lost[0])
    more = f" (nor can {lost.size - 1} others)" if lost.size > 1 else ""
    ends = f"from node {problem.starts[agent]} to node {problem.goals[agent]}"
    raise Infeasible(f"agent {agent} cannot reach its goal: no way {ends}{more}")


def make_queue(edges: int) -> Queue:
    """Heap arrays for a graph of `edges` edges."""
    room = edges + 2
    return Queue(np.empty(room), np.empty(room, np.int32), np.zeros(1, np.int64))


def seed_queue(queue: Queue, distance: Float64, source: int) -> None:
    """Start a Dijkstra search from `source`; `distance` is filled with inf already."""
    distance[source] = 0.0
    queue.keys[0], queue.items[0], queue.size[0] = 0.0, source, 1


def expansions_per_slice(max_degree: int, others: int) -> int:
    """Expansions that take about `SLICE_S`, from the work that each may do: edges, and checks against other agents."""
    seconds = 2e-7 + max_degree * (4e-8 + 5e-9 * others)
    return max(1, int(SLICE_S / seconds))


def freeze(*arrays: NDArray[Any]) -> None:
    """Make arrays read-only: kernels are compiled for read-only inputs once, and nobody changes what is shared."""
    for array in arrays:
        array.setflags(write=False)


def is_number(value: object) -> bool:
    """True for a real number of any type, numpy's included."""
    return isinstance(value, Real)


def is_whole(value: object) -> bool:
    """True for a whole number of any type, numpy's included."""
    return isinstance(value, Integral)


def check_time_limit(name: str, value: float | None) -> None:
    """Raise InvalidInput unless `value` is None or a number of seconds that is not negative."""
    if value is not None and not (is_number(value) and value >= 0):
        raise InvalidInput(f"{name} is {said(value)}, expected seconds, at least 0, or None")


def check_count(name: str, value: int | None) -> None:
    """Raise InvalidInput unless `value` is None or an integer of at least 0."""
    if value is not None and not (is_whole(value) and value >= 0):
        raise InvalidInput(f"{name} is {said(value)}, expected an integer of at least 0 or None")


def check_limit(name: str, value: int | None) -> None:
    """Raise InvalidInput unless `value` is None or a positive integer."""
    if value is not None and not (is_whole(value) and value > 0):
        raise InvalidInput(f"{name} is {said(value)}, expected a positive integer or None")


def check_suboptimality(name: str, value: float) -> None:
    """Raise InvalidInput unless `value` is a ratio to the optimum: a number of at least 1."""
    if not (is_number(value) and 1.0 <= value < math.inf):
        raise InvalidInput(f"{name} is {said(value)}, expected a number of at least 1")


def check_whole(name: str, value: int) -> None:
    """Raise InvalidInput unless `value` is an integer that is not negative."""
    if not is_whole(value) or value < 0:
        raise InvalidInput(f"{name} is {said(value)}, expected an integer of at least 0")


def check_positive(name: str, value: int) -> None:
    """Raise InvalidInput unless `value` is a positive integer."""
    if not is_whole(value) or value < 1:
        raise InvalidInput(f"{name} is {said(value)}, expected a positive integer")
