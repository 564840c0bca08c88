"""What every planner shares: the protocol, the prepared graph, distance tables, the clock."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from navplan.errors import InvalidInput
from navplan.graph.state_graph import StateGraph
from navplan.kernels.common.status import BUDGET
from navplan.kernels.search.conflicts import longest_row
from navplan.kernels.search.dijkstra import Csr, Queue, breadth_first, dijkstra, reverse
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.system.arrays import Float64, Int32

Guarantee = Literal["optimal", "bounded", "none"]
# Wall seconds that one kernel call may take, about; deadlines and Ctrl-C are looked at in between.
SLICE_S = 0.01


class Planner(Protocol):
    """A frozen dataclass of options; its class says what it promises.

    Attributes:
        name: as registered.
        guarantee: what a solved plan proves about the sum of costs.
        max_agents: agents it can plan for, None for any number.
        graphs: kinds of graph, in words.
        about: one line.
        kernels: dotted names of the kernel modules that it spends its time in; they are compiled before its time counts.
        time_limit: wall seconds for one plan, tables included; None for no limit.
    """

    name: ClassVar[str]
    guarantee: ClassVar[Guarantee]
    max_agents: ClassVar[int | None]
    graphs: ClassVar[str]
    about: ClassVar[str]
    kernels: ClassVar[tuple[str, ...]]

    @property
    def time_limit(self) -> float | None:
        """Wall seconds for one plan, or None."""
        ...

    def prepare(self, graph: StateGraph) -> Any:
        """Work that depends on the graph alone and can be used for many problems on it."""
        ...

    def plan(self, problem: Problem, state: Any, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """Plan for every agent.

        Args:
            problem: the task, on the graph given to `prepare`.
            state: what `prepare` returned.
            deadline: `time.perf_counter` time at which to give up, or None.
            rng: source of every random choice.
        """
        ...


class OutOfTime(Exception):
    """The deadline has passed; caught by the planner that set it."""


@dataclass(frozen=True)
class Clock:
    """A deadline on `time.perf_counter`, None for none."""

    deadline: float | None

    @property
    def passed(self) -> bool:
        """True past the deadline."""
        return self.deadline is not None and time.perf_counter() >= self.deadline

    def check(self) -> None:
        """Raise OutOfTime past the deadline."""
        if self.passed:
            raise OutOfTime


@dataclass(frozen=True, eq=False)
class Prepared:
    """A graph with its edges reversed, ready for the kernels; every array is read-only.

    Attributes:
        graph: the graph.
        indptr, indices, edges: reversed CSR; edges (M,) int32 are the positions in the forward arrays.
        xy: (N, D) float64 coordinates.
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
        xy = np.ascontiguousarray(graph.states, dtype=np.float64)
        freeze(indptr, indices, edges, xy)
        return cls(graph, indptr, indices, edges, xy, int(longest_row(graph.indptr)))


@dataclass(frozen=True, eq=False)
class Weighted:
    """A prepared graph with one problem's costs; every array is read-only.

    Attributes:
        forward, backward: Csr of the graph and of the reversed graph.
        waits: (N,) float64 cost of one wait.
        xy: (N, D) float64 coordinates.
        unit: every edge costs 1.
        min_step: least cost of any move or wait.
        max_degree: largest out-degree.
    """

    forward: Csr
    backward: Csr
    waits: Float64
    xy: Float64
    unit: bool
    min_step: float
    max_degree: int

    @classmethod
    def of(cls, problem: Problem, prepared: Prepared) -> Weighted:
        """Put the costs of `problem` on the graph it was prepared from."""
        graph = problem.graph
        if graph is not prepared.graph:
            raise InvalidInput("the problem's graph is not the one that was prepared")
        weights = np.ascontiguousarray(problem.edge_weights())
        waits = np.ascontiguousarray(problem.wait_weights())
        backward = weights[prepared.edges]
        freeze(weights, waits, backward)
        return cls(
            forward=Csr(graph.indptr, graph.indices, weights),
            backward=Csr(prepared.indptr, prepared.indices, backward),
            waits=waits,
            xy=prepared.xy,
            unit=bool((weights == 1.0).all()),
            min_step=float(min(weights.min(initial=math.inf), waits.min(initial=math.inf))),
            max_degree=prepared.max_degree,
        )


def distance_tables(weighted: Weighted, goals: Int32, clock: Clock) -> Float64:
    """Cost from every node to each goal: (A, N) float64, inf where there is no way.

    Raises:
        OutOfTime: the deadline passed on the way.
    """
    graph = weighted.backward
    nodes = len(graph.indptr) - 1
    tables = np.full((len(goals), nodes), np.inf)
    scratch = np.empty(nodes, np.int32)
    queue = None if weighted.unit else make_queue(len(graph.indices))
    slice_size = expansions_per_slice(weighted.max_degree, 0)
    for table, goal in zip(tables, goals.tolist(), strict=True):
        clock.check()
        if queue is None:
            breadth_first(graph.indptr, graph.indices, goal, table, scratch)
            continue
        seed_queue(queue, table, goal)
        while dijkstra(graph, table, queue, slice_size) == BUDGET:
            clock.check()
    tables.setflags(write=False)
    return tables


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


def check_time_limit(name: str, value: float | None) -> None:
    """Raise InvalidInput unless `value` is None or a number of seconds that is not negative."""
    if value is not None and not (isinstance(value, int | float) and value >= 0):
        raise InvalidInput(f"{name} is {value!r}, expected seconds, at least 0, or None")
