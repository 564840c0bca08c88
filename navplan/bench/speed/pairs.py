"""Asking many times on one graph: pairs of nodes, one node to all, ten thousand pairs. Medians, beside peers.

The weighted grid is that of suite `search`. The geometric graph has nodes at random in a square, and edges both ways, as long as
they are and up to half as much more at random, between each node and its nearest eight.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra as _scipy_dijkstra
from scipy.spatial import cKDTree

from navplan.bench import Row
from navplan.graph.one_to_all import OneToAll
from navplan.graph.paths import cheapest_path, distances, shortest_path
from navplan.graph.prepared import PreparedGraph
from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import Problem
from navplan.planners.solving import solve
from navplan.system.cores import cores

# scipy's overloads do not say what comes back for one source
scipy_dijkstra: Any = _scipy_dijkstra

# Steps between the near pair.
NEAR = 32
NEIGHBOURS = 8
Query = Callable[[int, int], object]


def run(grid: StateGraph, quick: bool) -> list[Row]:
    """Measure on a weighted `grid`, and on a geometric graph of a million edges; `quick` takes a smaller one and fewer pairs."""
    nodes, count = (2_000, 200) if quick else (110_000, 10_000)
    return [*on_grid(grid, 3 if quick else 9), *on_geometric(geometric_graph(nodes, 0), count, 3 if quick else 5)]


def geometric_graph(nodes: int, seed: int) -> StateGraph:
    """The geometric graph of the module's docstring."""
    rng = np.random.default_rng(seed)
    xy = rng.random((nodes, 2)) * np.sqrt(nodes)
    _, nearest = cKDTree(xy).query(xy, k=NEIGHBOURS + 1)
    tails, heads = np.repeat(np.arange(nodes), NEIGHBOURS), np.asarray(nearest)[:, 1:].ravel().astype(np.int64)
    both = np.unique(np.concatenate([tails * nodes + heads, heads * nodes + tails]))
    tails, heads = both // nodes, both % nodes
    length = np.linalg.norm(xy[tails] - xy[heads], axis=1)
    return StateGraph(
        states=xy.astype(np.float32),
        indptr=np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=nodes))]).astype(np.int32),
        indices=heads.astype(np.int32),
        distance=length * (1.0 + 0.5 * rng.random(len(length))),
        risk=np.zeros(len(length)),
        wait_risk=np.zeros(nodes),
    )


def on_grid(graph: StateGraph, repeats: int) -> list[Row]:
    """A far pair and a near one: `shortest_path` and `solve` on a prepared graph."""
    prepared, bare = graph.prepare(), PreparedGraph(graph)
    costs = bare.costs()
    peers = {"networkx.astar_path": _networkx(graph), "rustworkx.astar_shortest_path": _rustworkx(graph)}
    rows = []
    for name, source, target in (("far pair", 0, graph.num_nodes - 1), ("near pair", *near_pair(graph))):
        ours: dict[str, Query] = {
            "shortest_path": lambda s, t: shortest_path(graph, s, t, prepared=prepared),
            "solve, astar": lambda s, t: solve(Problem(graph, np.array([s]), np.array([t])), "astar", prepared=prepared),
        }
        inside: dict[str, Query] = {
            "navplan's own Dijkstra with a goal test": lambda s, t: cheapest_path(costs, s, t, guided=False),
            "navplan's own A* without landmarks": lambda s, t: cheapest_path(costs, s, t),
            **peers,
        }
        note = f"{name}, {graph.num_nodes} free cells, {graph.num_edges} edges of costs from 1 to 2"
        for what, ask in ours.items():
            seconds = {peer: median_of(partial(other, source, target), repeats) for peer, other in inside.items()}
            mine = median_of(partial(ask, source, target), repeats)
            rows += [against(f"{what}, {name}", mine, peer, each, note) for peer, each in seconds.items()]
    return rows


def on_geometric(graph: StateGraph, count: int, repeats: int) -> list[Row]:
    """One node to all beside scipy, and many random pairs by all cores after preparation."""
    about = f"{graph.num_nodes} nodes, {graph.num_edges} edges"
    matrix = csr_array((graph.distance, graph.indices, graph.indptr), shape=(graph.num_nodes,) * 2)
    costs = PreparedGraph(graph).costs()
    search, row = OneToAll(costs.forward, costs.unit), np.empty(graph.num_nodes)
    mine = median_of(lambda: search.write(costs.forward, 0, row), repeats)
    peer = median_of(lambda: scipy_dijkstra(matrix, indices=0), repeats)
    if not np.allclose(row, scipy_dijkstra(matrix, indices=0)):
        raise AssertionError("distances differ from scipy's")
    began = time.perf_counter()
    prepared = graph.prepare()
    preparing = time.perf_counter() - began
    pairs = np.random.default_rng(1).integers(graph.num_nodes, size=(2, count))
    began = time.perf_counter()
    found = distances(graph, *pairs, prepared=prepared)
    asking = time.perf_counter() - began
    some = slice(0, min(count, 20))
    expected = scipy_dijkstra(matrix, indices=pairs[0, some])[np.arange(min(count, 20)), pairs[1, some]]
    if not np.allclose(found[some], expected):
        raise AssertionError("distances of pairs differ from scipy's")
    note = f"{about}; prepared in {preparing:.2f} s; the peer: one search from each source, from the time of one"
    return [
        against("single source, geometric graph", mine, "scipy.sparse.csgraph.dijkstra", peer, about),
        against(f"{count} pairs, {cores()} cores", asking, "scipy.sparse.csgraph.dijkstra", count * peer, note),
    ]


def near_pair(graph: StateGraph) -> tuple[int, int]:
    """A node in the middle of a grid and one about `NEAR` steps from it."""
    hops = distances(graph, graph.num_nodes // 2, weight="hops")
    return graph.num_nodes // 2, int(np.flatnonzero(hops == min(NEAR, hops[np.isfinite(hops)].max()))[0])


def _networkx(graph: StateGraph) -> Query:
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
    network: nx.DiGraph[int] = nx.DiGraph()
    network.add_weighted_edges_from(zip(tails.tolist(), graph.indices.tolist(), graph.distance.tolist(), strict=True))
    points: list[list[float]] = graph.states.tolist()

    def estimate(u: int, v: int) -> float:
        return abs(points[u][0] - points[v][0]) + abs(points[u][1] - points[v][1])

    return lambda source, target: nx.astar_path(network, source, target, heuristic=estimate)


def _rustworkx(graph: StateGraph) -> Query:
    import rustworkx as rx

    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
    network = rx.PyDiGraph()
    network.add_nodes_from(range(graph.num_nodes))
    network.add_edges_from(list(zip(tails.tolist(), graph.indices.tolist(), graph.distance.tolist(), strict=True)))
    points: list[list[float]] = graph.states.tolist()

    def ask(source: int, target: int) -> object:
        row, col = points[target]
        return rx.astar_shortest_path(
            network, source, lambda node: node == target, float, lambda u: abs(points[u][0] - row) + abs(points[u][1] - col)
        )

    return ask


def median_of(call: Callable[[], object], repeats: int) -> float:
    """Median wall seconds of one call."""
    return float(np.median(times_of(call, repeats)))


def times_of(call: Callable[[], object], repeats: int) -> list[float]:
    """Wall seconds of calls, after one that does not count."""
    call()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return times


def against(name: str, seconds: float, peer: str, peer_seconds: float | None, note: str) -> Row:
    """A figure in milliseconds, beside the peer's where there is one."""
    ratio = None if peer_seconds is None else peer_seconds / seconds
    tail = "" if peer_seconds is None else f"; peer {1e3 * peer_seconds:.3g} ms"
    return Row(name=name, value=1e3 * seconds, unit="ms", peer=peer, ratio=ratio, note=note + tail)
