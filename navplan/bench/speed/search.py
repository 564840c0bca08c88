"""Shortest paths and Conflict-Based Search, against scipy and networkx in the same run.

Times are the best of several repetitions, warm; kernels are compiled before. The dense state graph has 1,000 uniform points in a
box of 15 x 15 cells and an edge, as long as it is, wherever both coordinates differ by less than 7: what a state graph of the
paper's maps looks like to a planner, about 400,000 directed edges. Starts are at least 1 and goals 1.5 cells apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra as _scipy_dijkstra

from navplan.bench import Row
from navplan.bench.speed import pairs
from navplan.bench.speed.pairs import against, times_of
from navplan.graph.one_to_all import make_queue, seed_queue
from navplan.graph.prepared import PreparedGraph
from navplan.graph.state_graph import StateGraph
from navplan.kernels.search.dijkstra import Csr, breadth_first, dijkstra
from navplan.plan.problem import Problem
from navplan.planners.base import Clock
from navplan.planners.solving import solve
from navplan.planners.weighted import Weighted, distance_tables
from navplan.system.arrays import Float64, Int32, freeze

# scipy's overloads do not say what comes back for one source
scipy_dijkstra: Any = _scipy_dijkstra

SIDE = 256
NODES = 1000


def run(quick: bool) -> list[Row]:
    """Measure; `quick` takes a smaller grid, a smaller graph and fewer problems."""
    repeats = 2 if quick else 7
    grid = _grid(64 if quick else SIDE)
    dense = dense_graph(300 if quick else NODES, 0)
    return [
        *_single_source(grid, "weighted grid", repeats),
        *_hops(_unit(grid), repeats),
        *_single_source(dense, "dense state graph", repeats),
        *pairs.run(grid, quick),
        *_tables(dense, repeats),
        *_many_agents(dense, 3 if quick else 10, 2.0 if quick else 10.0),
    ]


def _grid(side: int) -> StateGraph:
    """A square grid, every fifth cell a wall, whose edges cost something near 1, so that no shortcut for unit costs applies."""
    rng = np.random.default_rng(0)
    walls = rng.random((side, side)) < 0.2
    walls[0, :] = walls[:, 0] = walls[-1, :] = walls[:, -1] = False
    graph = StateGraph.from_grid(walls)
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
    low, high = np.minimum(tails, graph.indices), np.maximum(tails, graph.indices)
    distance = 1.0 + ((low * 7919 + high * 104729) % 1000) / 1000.0
    return StateGraph(graph.states, graph.indptr, graph.indices, distance, graph.risk, graph.wait_risk, graph.shape)


def _unit(graph: StateGraph) -> StateGraph:
    """The same grid with every edge at cost 1."""
    ones = np.ones(graph.num_edges)
    return StateGraph(graph.states, graph.indptr, graph.indices, ones, graph.risk, graph.wait_risk, graph.shape)


def dense_graph(nodes: int, seed: int) -> StateGraph:
    """The dense state graph of the module's docstring."""
    xy = (np.random.default_rng(seed).random((nodes, 2)) * 15).astype(np.float32)
    offset = xy[:, None] - xy[None]
    length = np.linalg.norm(offset.astype(np.float64), axis=2)
    tails, heads = np.nonzero((np.abs(offset).max(axis=2) < 7) & (length > 0))
    return StateGraph(
        states=xy,
        indptr=np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=nodes))]).astype(np.int32),
        indices=heads.astype(np.int32),
        distance=length[tails, heads],
        risk=np.zeros(len(tails)),
        wait_risk=np.zeros(nodes),
    )


def _spread(graph: StateGraph, count: int, spacing: float, rng: np.random.Generator) -> Int32:
    """Random nodes at least `spacing` apart."""
    chosen: list[int] = []
    while len(chosen) < count:
        node = int(rng.integers(graph.num_nodes))
        if all(np.linalg.norm(graph.states[node] - graph.states[other]) >= spacing for other in chosen):
            chosen.append(node)
    return np.array(chosen, np.int32)


def _csr(graph: StateGraph) -> Csr:
    weights = graph.weights()
    freeze(weights)
    return Csr(graph.indptr, graph.indices, weights)


def _best(call: Callable[[], object], repeats: int) -> float:
    """Least wall seconds of one call, after one that does not count."""
    return min(times_of(call, repeats))


def _single_source(graph: StateGraph, what: str, repeats: int) -> list[Row]:
    csr = _csr(graph)
    matrix = csr_array((csr.weights, graph.indices, graph.indptr), shape=(graph.num_nodes, graph.num_nodes))
    queue = make_queue(graph.num_edges)
    distance = np.empty(graph.num_nodes)

    def ours() -> None:
        distance.fill(np.inf)
        seed_queue(queue, distance, 0)
        dijkstra(csr, distance, queue, graph.num_nodes + 1)

    def peer() -> Float64:
        return np.asarray(scipy_dijkstra(matrix, indices=0))

    seconds, peer_seconds = _best(ours, repeats), _best(peer, repeats)
    if not np.allclose(distance, peer()):
        raise AssertionError("distances differ from scipy's")
    note = f"{graph.num_nodes} nodes, {graph.num_edges} edges, weighted"
    return [against(f"single source, {what}", seconds, "scipy.sparse.csgraph.dijkstra", peer_seconds, note)]


def _hops(graph: StateGraph, repeats: int) -> list[Row]:
    """Where every edge costs 1 the planners take breadth-first search instead of a heap."""
    distance, scratch = np.empty(graph.num_nodes), np.empty(graph.num_nodes, np.int32)
    weights = graph.weights()
    matrix = csr_array((weights, graph.indices, graph.indptr), shape=(graph.num_nodes, graph.num_nodes))
    seconds = _best(lambda: breadth_first(graph.indptr, graph.indices, 0, distance, scratch), repeats)
    peer_seconds = _best(lambda: scipy_dijkstra(matrix, indices=0), repeats)
    note = f"{graph.num_nodes} nodes, {graph.num_edges} edges of cost 1"
    return [against("single source, unit grid", seconds, "scipy.sparse.csgraph.dijkstra", peer_seconds, note)]


def _tables(graph: StateGraph, repeats: int) -> list[Row]:
    goals = _spread(graph, 20, 1.5, np.random.default_rng(0))
    problem = Problem(graph, goals, goals, clearance=0.0)
    weighted = Weighted.of(problem, PreparedGraph(graph))
    backward = weighted.backward
    matrix = csr_array((backward.weights, backward.indices, backward.indptr), shape=(graph.num_nodes, graph.num_nodes))
    seconds = _best(lambda: distance_tables(weighted, goals, Clock(None)), repeats)
    peer_seconds = _best(lambda: scipy_dijkstra(matrix, indices=goals), repeats)
    note = f"costs from {graph.num_nodes} nodes to each of 20 goals, {graph.num_edges} edges"
    return [against("20 distance tables", seconds, "scipy.sparse.csgraph.dijkstra", peer_seconds, note)]


def _many_agents(graph: StateGraph, problems: int, limit: float) -> list[Row]:
    """20 agents, tables included; unsolved problems count with the time limit."""
    rows = []
    for planner, clearance in (("cbs", 0.0), ("ecbs", 0.0), ("ecbs", 0.5), ("ecbs", 0.6), ("cbs", 0.5)):
        seconds, solved = [], 0
        for seed in range(problems):
            rng = np.random.default_rng(seed)
            problem = Problem(graph, _spread(graph, 20, 1.0, rng), _spread(graph, 20, 1.5, rng), clearance=clearance)
            plan = solve(problem, planner, time_limit=limit)
            seconds.append(plan.runtime_s)
            solved += plan.solved
        factor = ", w = 1.1" if planner == "ecbs" else ""
        note = (
            f"{graph.num_nodes} nodes, {graph.num_edges} edges; median of {problems} problems, {solved} solved in {limit:g} s "
            f"each; slowest {1e3 * max(seconds):.0f} ms"
        )
        rows.append(against(f"{planner}{factor}, 20 agents, clearance {clearance:g}", float(np.median(seconds)), "", None, note))
    return rows
