"""A graph prepared for many questions: what follows from the graph and its costs alone is worked out once."""

from __future__ import annotations

import contextlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from navplan.errors import InvalidInput
from navplan.graph.landmarks import landmark_tables
from navplan.graph.limits import Weight
from navplan.graph.one_to_all import NODES_PER_SLICE
from navplan.kernels.search.astar import Heuristic, QueryWork, cheapest_rates
from navplan.kernels.search.conflicts import longest_row
from navplan.kernels.search.dijkstra import Csr, reverse_slice
from navplan.system.arrays import Float32, Float64, Int32, freeze
from navplan.system.numbers import check_beta, check_choice, check_whole
from navplan.system.progress import Progress, told
from navplan.system.words import said

# Landmarks that one query looks at.
CHOSEN = 8
# A query looks at all tables once, so that more would cost it more than they save.
MOST_LANDMARKS = 256
# Ways of weighing that a prepared graph keeps, and what else it keeps for planners: the last ones used.
MOST_KEPT = 8
# Bytes of distance tables that a prepared graph keeps.
TABLE_BYTES = 1 << 28


class Searchable(Protocol):
    """What is prepared of a `StateGraph`, which prepares itself."""

    @property
    def indptr(self) -> Int32: ...  # noqa: D102
    @property
    def indices(self) -> Int32: ...  # noqa: D102
    @property
    def distance(self) -> Float64: ...  # noqa: D102
    @property
    def places(self) -> Float64: ...  # noqa: D102
    @property
    def num_nodes(self) -> int: ...  # noqa: D102
    @property
    def num_edges(self) -> int: ...  # noqa: D102
    def weights(self, beta: float = 0.0, weight: Weight = "cost") -> Float64: ...  # noqa: D102
    def fits_everywhere(self, radius: float) -> bool: ...  # noqa: D102
    def fitting(self, radius: float) -> Searchable: ...  # noqa: D102


class Reverse(NamedTuple):
    """A graph with every edge turned round: CSR, and edges (M,) int32, the positions in the forward arrays; read-only."""

    indptr: Int32
    indices: Int32
    edges: Int32


class Costs:
    """One way of weighing a prepared graph; all arrays are read-only.

    Attributes:
        weights: (M,) float64 cost of each edge.
        unit: every edge costs 1.
        forward: Csr of the graph.
        prepared: the graph.
    """

    def __init__(self, prepared: PreparedGraph, beta: float, weight: Weight) -> None:
        graph = prepared.graph
        weights = graph.distance if weight == "cost" and beta == 0.0 else graph.weights(beta, weight)
        self.weights = np.ascontiguousarray(weights)
        freeze(self.weights)
        self.unit = bool((self.weights == 1.0).all())
        self.forward = Csr(graph.indptr, graph.indices, self.weights)
        self.prepared = prepared
        self._lock = prepared.lock
        self._landmarks: Float32 | None = None

    @cached_property
    def least(self) -> float:
        """The cheapest edge, inf without edges."""
        return float(self.weights.min(initial=math.inf))

    @cached_property
    def rates(self) -> Float64:
        """(3,) float64 of `navplan.kernels.search.astar.cheapest_rates`."""
        rates = np.empty(3)
        cheapest_rates(self.forward, self.prepared.xy, rates)
        freeze(rates)
        return rates

    def backward(self, check: Callable[[], object] = lambda: None) -> Csr:
        """Csr of the reversed graph; `check` is called now and then while it is made, and may raise."""
        reverse = self.prepared.reverse(check)
        with self._lock:
            if "_backward" not in self.__dict__:
                weights = self.weights if self.unit else self.weights[reverse.edges]
                freeze(weights)
                self._backward = Csr(reverse.indptr, reverse.indices, weights)
            return self._backward

    @property
    def landmarks(self) -> Float32:
        """(N, 2 K) float32 tables, see `navplan.kernels.search.landmarks`; K is 0 unless the graph was prepared with some."""
        with self._lock:
            if self._landmarks is None:
                count = self.prepared.landmarks
                made = landmark_tables(self.forward, self.backward(), self.unit, count) if count else None
                self._landmarks = np.empty((self.prepared.graph.num_nodes, 0), np.float32) if made is None else made
                freeze(self._landmarks)
            return self._landmarks

    def heuristic(self) -> Heuristic:
        """What leads queries, with landmarks still to be chosen."""
        tables = self.landmarks
        chosen = np.zeros(min(CHOSEN, tables.shape[1] // 2), np.int32)
        return Heuristic(self.prepared.xy, self.rates, tables, chosen)


class PreparedGraph:
    """A graph with what many searches on it share; made by `StateGraph.prepare`, used by several threads if need be.

    What was not prepared, such as another `beta`, is made when it is first asked for.

    Attributes:
        graph: the graph.
        landmarks: how many each way of weighing has.
        lock: held while something is made.
    """

    def __init__(self, graph: Searchable, landmarks: int = 0, table_bytes: int = 0) -> None:
        self.graph = graph
        self.landmarks = landmarks
        self.lock = threading.RLock()
        self.tables = TableStore(table_bytes)
        self._reverse: Reverse | None = None
        self._costs: OrderedDict[tuple[float, str], Costs] = OrderedDict()
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._fitting: dict[float, PreparedGraph] = {}
        self._scratch: list[QueryWork] = []

    def __repr__(self) -> str:
        graph = self.graph
        return f"<PreparedGraph of {graph.num_nodes} nodes, {graph.num_edges} edges, {self.landmarks} landmarks>"

    @cached_property
    def xy(self) -> Float64:
        """(N, 2) float64 positions; without any (N, D) states, which clearance 0 does not look at."""
        xy = np.ascontiguousarray(self.graph.places)
        freeze(xy)
        return xy

    @cached_property
    def max_degree(self) -> int:
        """Largest out-degree."""
        return int(longest_row(self.graph.indptr))

    def reverse(self, check: Callable[[], object] = lambda: None) -> Reverse:
        """The graph turned round; `check` is called now and then while that is made, and may raise."""
        with self.lock:
            if self._reverse is None:
                graph = self.graph
                made = Reverse(np.empty_like(graph.indptr), np.empty_like(graph.indices), np.empty_like(graph.indices))
                for first in range(0, max(1, graph.num_nodes), NODES_PER_SLICE):
                    check()
                    reverse_slice(graph.indptr, graph.indices, *made, first, min(first + NODES_PER_SLICE, graph.num_nodes))
                freeze(*made)
                self._reverse = made
            return self._reverse

    def costs(self, beta: float = 0.0, weight: Weight = "cost") -> Costs:
        """The graph weighed by ``distance + beta * risk``, or with 1 for every edge.

        Raises:
            InvalidInput: a beta or weight that there is not.
        """
        key = (0.0 if weight == "hops" else float(beta), weight)
        found: Costs = remembered(self._costs, key, lambda: Costs(self, *key), self.lock)
        return found

    def kept(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` returned when `key` was last asked for; the last few are kept."""
        return remembered(self._kept, key, make, self.lock)

    def fitting(self, radius: float) -> PreparedGraph:
        """The same for the edges with room for a disc of this radius; itself where all have."""
        if self.graph.fits_everywhere(radius):
            return self
        with self.lock:
            if radius not in self._fitting:
                part = self.graph.fitting(radius)
                other = self if part is self.graph else PreparedGraph(part, self.landmarks, self.tables.most)
                self._fitting[radius] = other
            return self._fitting[radius]

    @contextlib.contextmanager
    def scratch(self) -> Iterator[QueryWork]:
        """Clean working memory of one query, which the body leaves clean or not at all."""
        try:
            work = self._scratch.pop()
        except IndexError:
            work = query_work(self.graph.num_nodes, self.graph.num_edges)
        yield work
        self._scratch.append(work)


class TableStore:
    """Distance tables by what they are about, the last ones used, up to so many bytes."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._rows: OrderedDict[Hashable, NDArray[Any]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: Hashable) -> NDArray[Any] | None:
        """The row that was put there, unless it has had to go."""
        if not self.most:
            return None
        with self._lock:
            row = self._rows.get(key)
            if row is not None:
                self._rows.move_to_end(key)
            return row

    def put(self, key: Hashable, row: NDArray[Any]) -> None:
        """Keep a copy of `row`."""
        if row.nbytes > self.most:
            return
        with self._lock:
            if key not in self._rows:
                self._rows[key] = row.copy()
                self._bytes += row.nbytes
            while self._bytes > self.most:
                self._bytes -= self._rows.popitem(last=False)[1].nbytes


def remembered(store: OrderedDict[Any, Any], key: Hashable, make: Callable[[], Any], lock: threading.RLock) -> Any:
    """The value of `key`, made if it is not there, and the oldest gone where there are too many."""
    with lock:
        if key not in store:
            store[key] = make()
            while len(store) > MOST_KEPT:
                store.popitem(last=False)
        store.move_to_end(key)
        return store[key]


def check_prepared(prepared: object, graph: Searchable) -> None:
    """Raise InvalidInput unless `prepared` is None or what `graph.prepare()` returned."""
    if prepared is None:
        return
    if not isinstance(prepared, PreparedGraph):
        raise InvalidInput(f"prepared is {said(prepared)}, expected what graph.prepare() returns")
    if prepared.graph is not graph:
        has = f"{prepared.graph.num_nodes} nodes and {prepared.graph.num_edges} edges"
        raise InvalidInput(
            f"prepared is of another graph, with {has}, expected that of this graph object ({graph.num_nodes} nodes, "
            f"{graph.num_edges} edges)"
        )


def query_work(nodes: int, edges: int) -> QueryWork:
    """Clean working memory for one query at a time."""
    # an estimate is consistent up to rounding, so an edge may improve its head a second time
    room = 2 * edges + 2
    return QueryWork(
        g=np.full(nodes, np.inf),
        ahead=np.empty(nodes),
        closed=np.zeros(nodes, np.bool_),
        parent=np.full(nodes, -1, np.int32),
        keys=np.empty(room),
        items=np.empty(room, np.int32),
        ready=np.empty(room, np.int32),
        reached=np.empty(nodes, np.int32),
        path=np.empty(nodes, np.int32),
        sizes=np.zeros(3, np.int64),
        f=np.zeros(1),
    )


def grown(work: QueryWork) -> QueryWork:
    """The same search with twice the room in heap and stack."""
    room = 2 * len(work.keys)
    larger = [np.concatenate([part, np.empty(room - len(part), part.dtype)]) for part in (work.keys, work.items, work.ready)]
    return work._replace(keys=larger[0], items=larger[1], ready=larger[2])


def prepare(graph: Searchable, beta: float, weight: Weight, landmarks: int, progress: Progress) -> PreparedGraph:
    """See `StateGraph.prepare`."""
    check_choice("weight", weight, ("cost", "hops"))
    check_beta(beta)
    check_whole(landmarks=landmarks)
    if not 0 <= landmarks <= MOST_LANDMARKS:
        raise InvalidInput(f"landmarks is {landmarks}, expected 0 to {MOST_LANDMARKS}")
    prepared = PreparedGraph(graph, int(landmarks), TABLE_BYTES)
    with told(progress) as listener:
        listener.stage(f"preparing a graph of {graph.num_nodes} nodes and {graph.num_edges} edges")
        costs = prepared.costs(float(beta), weight)
        costs.backward()
        costs.heuristic()
    return prepared
