"""Starts and goals drawn among the nodes of a graph, every goal within reach of its start."""

from __future__ import annotations

import numpy as np

from navplan.errors import InvalidProblem
from navplan.graph.state_graph import StateGraph
from navplan.kernels.search.components import components
from navplan.system.arrays import Int32, Int64
from navplan.system.numbers import Rng, generator


def draw_pairs(
    graph: StateGraph, agents: int, rng: Rng, *, spacing: float = 0.0, where: str = "graph", radius: float = 0.0
) -> tuple[Int32, Int32]:
    """Distinct starts and distinct goals, (A,) int32 each, every goal in the strong component of its start.

    Nodes that reach no other are used only when there are not enough of the rest.

    Args:
        spacing: least Euclidean distance between two starts, and between two goals; 0 asks for distinct nodes only.
        where: for the message.
        radius: of the bodies: nodes and edges without room for it are left out.

    Raises:
        InvalidProblem: there is no room for so many.
    """
    rng = generator(rng)
    roomy, _ = graph.has_room(radius)
    graph, n = graph.fitting(radius), graph.num_nodes
    component = _components(graph)
    alone = np.bincount(component)[component] == 1

    order = rng.permutation(n)
    order = order[roomy[order]]
    starts = _spaced(graph, order[np.argsort(alone[order], kind="stable")], agents, spacing)
    if len(starts) < agents:
        size = f" of bodies of radius {radius:g}" if radius else ""
        raise InvalidProblem(f"{where}: room for {len(starts)} starts{size} {spacing:g} apart, expected {agents}")
    goals = np.full(agents, -1, np.int64)
    for label in np.unique(component[starts]):
        members = np.flatnonzero(component[starts] == label)
        nodes = rng.permutation(np.flatnonzero((component == label) & roomy))
        chosen = _spaced(graph, nodes, len(members), spacing, avoid=goals[goals >= 0])
        if len(chosen) < len(members):
            raise InvalidProblem(f"{where}: no room for {agents} goals {spacing:g} apart in reach of their starts")
        goals[members] = _moved(starts[members], chosen, nodes, spacing)
    return starts.astype(np.int32), goals.astype(np.int32)


def _components(graph: StateGraph) -> Int32:
    """(N,) int32 the strong component of each node."""
    n = graph.num_nodes
    if graph.is_grid:  # without scipy, whose import takes longer than planning on most grids
        label = np.empty(n, np.int32)
        components(graph.indptr, graph.indices, label, np.empty(n, np.int32))
        return label
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    matrix = csr_array((np.ones(graph.num_edges, np.int8), graph.indices, graph.indptr), shape=(n, n))
    found: Int32 = connected_components(matrix, directed=True, connection="strong")[1]
    return found


def _spaced(graph: StateGraph, order: Int64, count: int, spacing: float, avoid: Int64 | None = None) -> Int64:
    """The first `count` nodes of `order` that keep their distance from one another and from `avoid`."""
    if spacing <= 0:
        return order[:count]
    if graph.positions is None:
        raise InvalidProblem(f"nodes {spacing:g} apart are wanted, but the graph has no positions: give positions=(N, 2)")
    places = graph.positions
    taken = [] if avoid is None else [places[node] for node in avoid]
    chosen: list[int] = []
    for node in order.tolist():
        if len(chosen) == count:
            break
        if not taken or np.hypot(*(np.array(taken) - places[node]).T).min() >= spacing:
            chosen.append(node)
            taken.append(places[node])
    return np.array(chosen, np.int64)


def _moved(starts: Int64, goals: Int64, nodes: Int64, spacing: float) -> Int64:
    """The goals in an order in which nobody's goal is the own start, as far as that is possible."""
    goals = goals.copy()
    for i in np.flatnonzero(goals == starts).tolist():
        if goals[i] != starts[i]:
            continue  # an earlier swap has moved it
        if len(goals) > 1:
            j = (i + 1) % len(goals)
            goals[i], goals[j] = goals[j], goals[i]
        elif spacing <= 0 and len(nodes) > 1:
            goals[i] = nodes[1] if nodes[0] == starts[i] else nodes[0]
    return goals
