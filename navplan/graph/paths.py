"""Cheapest paths between nodes, and what they cost: `shortest_path` and `distances`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.graph.limits import Weight
from navplan.graph.one_to_all import OneToAll, expansions_per_slice
from navplan.graph.prepared import Costs, PreparedGraph, check_prepared, grown
from navplan.graph.state_graph import StateGraph
from navplan.kernels.common.status import BUDGET, FOUND, FULL
from navplan.kernels.search.astar import astar, clear, costs_between, dijkstra_to, trace
from navplan.kernels.search.landmarks import choose_landmarks
from navplan.system.arrays import Float64, Int32
from navplan.system.cores import cores
from navplan.system.numbers import as_array, check_beta, check_choice, check_kind, check_whole
from navplan.system.words import said

# Pairs that one kernel call looks at: milliseconds.
_PAIRS_PER_CALL = 32
# From so many targets of one source on, a search from that source to all is the quicker way, with landmarks and without.
_MANY, _FEW = 12, 2


def shortest_path(
    graph: StateGraph,
    source: int,
    target: int,
    *,
    beta: float = 0.0,
    weight: Weight = "cost",
    prepared: PreparedGraph | None = None,
) -> Int32:
    """The nodes of a cheapest path; empty where there is none.

    Args:
        graph: the graph.
        source, target: nodes.
        beta, weight: what an edge costs, see `StateGraph.weights`.
        prepared: what ``graph.prepare()`` returned. The time then follows from what the search looks at and not from the size
            of the graph.

    Returns:
        (L,) int32, from `source` to `target`, both included.

    Raises:
        InvalidInput: not a node, no such weights, or prepared for another graph.

    Example:
        >>> graph = StateGraph.from_grid(np.zeros((1, 4), bool))
        >>> shortest_path(graph, 0, 3, prepared=graph.prepare()).tolist()
        [0, 1, 2, 3]
    """
    costs = _costs(graph, beta, weight, prepared)
    for name, node in (("source", source), ("target", target)):
        check_node(name, node, graph.num_nodes)
    return cheapest_path(costs, int(source), int(target))[0]


def cheapest_path(
    costs: Costs, source: int, target: int, *, guided: bool = True, check: Callable[[], object] = lambda: None
) -> tuple[Int32, int]:
    """The nodes of a cheapest path, empty where there is none, and how many were expanded.

    Args:
        costs: the graph, weighed.
        guided: by A*, with the landmarks that `costs` has; False: by Dijkstra's algorithm.
        check: called before each slice of about `SLICE_S`; it may raise.
    """
    graph = costs.forward
    nodes, edges = len(graph.indptr) - 1, len(graph.indices)
    most = expansions_per_slice(edges // max(1, nodes) + 1, 0)
    heuristic = costs.heuristic() if guided else None
    if heuristic is not None:
        choose_landmarks(heuristic.tables, source, target, heuristic.chosen)
    expanded, status = 0, BUDGET
    with costs.prepared.scratch() as work:
        try:
            while status in (BUDGET, FULL):
                check()
                if heuristic is None:
                    status, count = dijkstra_to(graph, source, target, most, work)
                else:
                    work = grown(work) if status == FULL else work
                    status, count = astar(graph, heuristic, source, target, most, work)
                expanded += count
            path = work.path[: trace(target, work)].copy() if status == FOUND else np.empty(0, np.int32)
        finally:
            clear(work)
    return path, expanded


def distances(
    graph: StateGraph,
    sources: ArrayLike,
    targets: ArrayLike | None = None,
    *,
    beta: float = 0.0,
    weight: Weight = "cost",
    prepared: PreparedGraph | None = None,
    workers: int | None = None,
) -> Float64:
    """Costs of cheapest paths, inf where there is none.

    Args:
        graph: the graph.
        sources: nodes, of any shape.
        targets: None for all nodes; else nodes that are paired with `sources` as NumPy pairs arrays, so that ``sources[:, None]``
            and ``targets[None, :]`` give a matrix.
        beta, weight: what an edge costs, see `StateGraph.weights`.
        prepared: what ``graph.prepare()`` returned; pairs then take a fraction of the time.
        workers: threads; None for as many as there are cores.

    Returns:
        float64 of the shape of `sources` and (N,) together, or with targets of the shape of the pairs.

    Raises:
        InvalidInput: not a node, no such weights, shapes that do not go together, or prepared for another graph.

    Example:
        >>> graph = StateGraph.from_grid(np.zeros((2, 3), bool))
        >>> distances(graph, 0).tolist()
        [0.0, 1.0, 2.0, 1.0, 2.0, 3.0]
        >>> distances(graph, [0, 1], [5, 5]).tolist()
        [3.0, 2.0]
    """
    costs = _costs(graph, beta, weight, prepared)
    starts = _nodes("source", sources, graph.num_nodes)
    threads = cores() if workers is None else _workers(workers)
    if targets is None:
        tables = np.empty((starts.size, graph.num_nodes))
        _from_each(costs, starts.ravel(), tables.__getitem__, threads)
        return tables.reshape(*starts.shape, graph.num_nodes)
    ends = _nodes("target", targets, graph.num_nodes)
    try:
        starts, ends = np.broadcast_arrays(starts, ends)
    except ValueError:
        raise InvalidInput(f"sources have shape {starts.shape} and targets {ends.shape}, which do not pair") from None
    return _between(costs, starts.ravel(), ends.ravel(), threads).reshape(starts.shape)


def _between(costs: Costs, starts: Int32, ends: Int32, threads: int) -> Float64:
    """(P,) cost of each pair: with many targets from its source at once, else by a search of its own."""
    out = np.empty(len(starts))
    order = np.argsort(starts, kind="stable")
    alone, first, count = np.unique(starts[order], return_index=True, return_counts=True)
    many = count >= (_MANY if costs.prepared.landmarks else _FEW)
    groups = [order[a : a + n] for a, n in zip(first[many].tolist(), count[many].tolist(), strict=True)]

    def use(k: int, row: Float64) -> None:
        out[groups[k]] = row[ends[groups[k]]]

    _from_each(costs, alone[many], lambda _: np.empty(len(costs.forward.indptr) - 1), threads, use)
    rest = order[np.repeat(~many, count)]
    if len(rest):
        out[rest] = _pairs(costs, starts[rest], ends[rest], threads)
    return out


def _pairs(costs: Costs, starts: Int32, ends: Int32, threads: int) -> Float64:
    """(P,) cost of each pair by A*."""
    out = np.empty(len(starts))
    costs.heuristic()  # tables are made before there are threads

    def work(worker: int) -> None:
        heuristic = costs.heuristic()
        with costs.prepared.scratch() as memory:
            for first in range(worker * _PAIRS_PER_CALL, len(starts), threads * _PAIRS_PER_CALL):
                at, last = first, min(first + _PAIRS_PER_CALL, len(starts))
                while at < last:
                    at += costs_between(costs.forward, heuristic, starts[at:last], ends[at:last], out[at:last], memory)
                    memory = grown(memory) if at < last else memory

    _in_threads(work, min(threads, -(-len(starts) // _PAIRS_PER_CALL)))
    return out


def _from_each(
    costs: Costs,
    sources: Int32,
    row: Callable[[int], Float64],
    threads: int,
    use: Callable[[int, Float64], object] = lambda _, __: None,
) -> None:
    """Write the costs from source k into the (N,) array `row(k)`, and hand that to `use(k, …)`."""
    graph = costs.forward

    def work(worker: int) -> None:
        search = OneToAll(graph, costs.unit)
        for k in range(worker, len(sources), threads):
            search.write(graph, int(sources[k]), into := row(k))
            use(k, into)

    _in_threads(work, min(threads, len(sources)))


def _in_threads(work: Callable[[int], None], workers: int) -> None:
    """`work(0)`, `work(1)`, …, each in a thread of its own where there are several."""
    if workers <= 1:
        if workers:
            work(0)
        return
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work, worker) for worker in range(workers)]:
            done.result()


def _costs(graph: StateGraph, beta: float, weight: Weight, prepared: PreparedGraph | None) -> Costs:
    """What edges cost, made anew unless it has been prepared."""
    check_kind(graph, StateGraph, "graph", "a StateGraph")
    check_prepared(prepared, graph)
    check_choice("weight", weight, ("cost", "hops"))
    check_beta(beta)
    return (prepared or PreparedGraph(graph)).costs(float(beta), weight)


def check_node(name: str, node: object, count: int) -> None:
    """Raise InvalidInput unless `node` is one of `count` nodes."""
    check_whole(**{name: node})
    if not 0 <= int(node) < count:  # type: ignore[call-overload]  # whole
        raise InvalidInput(f"{name} {node} is not a node, expected one of 0 to {count - 1}")


def _nodes(name: str, values: ArrayLike, count: int) -> Int32:
    """Numbers of nodes, of any shape."""
    array = as_array(values, f"{name}s")
    if array.dtype.kind not in "iu" and array.size:
        raise InvalidInput(f"{name}s are {said(values)}, expected numbers of nodes")
    wrong = (array < 0) | (array >= count) if array.size else np.zeros(0, np.bool_)
    if wrong.any():
        raise InvalidInput(f"{name} {array[wrong][0]} is not a node, expected one of 0 to {count - 1}")
    return array.astype(np.int32)


def _workers(workers: object) -> int:
    check_whole(workers=workers)
    if int(workers) < 1:  # type: ignore[call-overload]  # whole
        raise InvalidInput(f"workers is {said(workers)}, expected at least 1")
    return int(workers)  # type: ignore[call-overload, no-any-return]
