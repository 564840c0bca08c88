"""State graphs from and to networkx."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import networkx as nx
import numpy as np

from navplan.errors import InvalidInput
from navplan.graph.parts import GraphParts
from navplan.system.arrays import Float64
from navplan.system.words import said

NAMED = "named"
"""Attribute of graphs whose nodes carry their names as the attribute "name"."""


def to_networkx(graph: GraphParts, weights: Float64) -> nx.DiGraph[int]:
    """`graph` as a ``networkx.DiGraph`` over ids 0..N-1, see `StateGraph.to_networkx`; `weights` (M,) become ``weight``."""
    result: nx.DiGraph[int] = nx.DiGraph(shape=graph.shape, limits=graph.limits)
    places = graph.states if graph.positions is None else graph.positions
    apart = graph.positions is not None and not np.array_equal(graph.positions.astype(np.float32), graph.states)
    rooms = _column(graph.node_room, len(graph.states))
    if graph.names is not None:
        result.graph[NAMED] = True
    for node, (place, wait, room) in enumerate(zip(places.tolist(), graph.wait_risk.tolist(), rooms, strict=True)):
        more: dict[str, Any] = {"state": tuple(graph.states[node].tolist())} if apart else {}
        if graph.names is not None:
            more["name"] = graph.names[node]
        result.add_node(node, pos=tuple(place), wait_risk=wait, room=room, **more)
    tails = np.repeat(np.arange(len(graph.states)), np.diff(graph.indptr)).tolist()
    columns = (graph.indices.tolist(), graph.distance.tolist(), graph.risk.tolist(), weights.tolist())
    edge_rooms = _column(graph.edge_room, len(graph.indices))
    result.add_edges_from(
        (tail, head, {"distance": distance, "risk": risk, "weight": cost, "room": room})
        for tail, head, distance, risk, cost, room in zip(tails, *columns, edge_rooms, strict=True)
    )
    return result


def _column(rooms: Float64 | None, count: int) -> list[float]:
    return [math.inf] * count if rooms is None else rooms.tolist()


def from_networkx(graph: Any, weight: str | None = None) -> GraphParts:
    """A state graph from a networkx graph.

    Node ids follow the order in which networkx lists the nodes; what they are called there become `names`, unless they are 0, 1,
    2, … themselves. Every node needs ``pos``, or ``x`` and ``y``, which become (row, col) = (y, x); every edge needs the
    attribute `weight` or, where that is None, ``distance`` or else ``weight``. Of parallel edges the least is taken, by distance,
    then risk; ``risk`` and ``wait_risk`` are 0 and ``room`` is inf where absent. Nodes with a ``state`` have that as their
    state and ``pos`` as their position; ``pos`` of other than two numbers is a state without a position. An undirected edge
    becomes one edge each way; self-loops are refused, because waiting is implicit.

    Raises:
        InvalidInput: no networkx graph, a missing attribute (the node or edge is named), a self-loop, values that are no numbers.
    """
    if not isinstance(graph, nx.Graph):
        raise InvalidInput(f"graph is a {type(graph).__name__}, expected a networkx graph")
    if weight is not None and not isinstance(weight, str):
        raise InvalidInput(f"weight is {said(weight)}, expected the name of an attribute, or None")
    ids = {label: number for number, label in enumerate(graph.nodes)}
    positions, states, waits, rooms = [], [], [], []
    for label, attributes in graph.nodes(data=True):
        place = attributes.get("pos")
        if place is None and "x" in attributes and "y" in attributes:
            place = attributes["y"], attributes["x"]
        if not isinstance(place, Iterable):
            raise InvalidInput(f"node {label!r} has no 'pos', expected its coordinates")
        positions.append(tuple(place))
        states.append(tuple(attributes.get("state", place)))
        waits.append(attributes.get("wait_risk", 0.0))
        rooms.append(attributes.get("room", math.inf))
    edges = []
    for tail, head, attributes in (graph if graph.is_directed() else graph.to_directed()).edges(data=True):
        distance = attributes.get("distance", attributes.get("weight")) if weight is None else attributes.get(weight)
        if distance is None:
            lacks = "has neither 'distance' nor 'weight'" if weight is None else f"has no {said(weight)}"
            raise InvalidInput(f"edge {tail!r} -> {head!r} {lacks}")
        if tail == head:
            raise InvalidInput(f"node {tail!r} has an edge to itself; waiting is implicit")
        edges.append((ids[tail], ids[head], distance, attributes.get("risk", 0.0), attributes.get("room", math.inf)))
    edges = _least(edges)
    tails = np.array([edge[0] for edge in edges], dtype=np.int64)
    try:
        with np.errstate(over="ignore"):  # what becomes infinite is refused by the graph
            rows = np.array(states, dtype=np.float32).reshape(len(ids), -1 if ids else 2)
        where = np.array(positions, dtype=np.float64).reshape(len(ids), -1 if ids else 2)
        node_room = np.array(rooms, dtype=np.float64)
        edge_room = np.array([edge[4] for edge in edges], dtype=np.float64)
        distance = np.array([edge[2] for edge in edges], dtype=np.float64)
        risk = np.array([edge[3] for edge in edges], dtype=np.float64)
        wait_risk = np.array(waits, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput("node positions, distances and risks must be numbers, positions of one length") from error
    measured = bool(np.isfinite(node_room).any() or np.isfinite(edge_room).any())
    return GraphParts(
        states=rows,
        indptr=np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=len(ids)))]).astype(np.int32),
        indices=np.array([edge[1] for edge in edges], dtype=np.int32),
        distance=distance,
        risk=risk,
        wait_risk=wait_risk,
        shape=graph.graph.get("shape"),
        limits=graph.graph.get("limits"),
        positions=where if where.shape[1] == 2 else None,
        node_room=node_room if measured else None,
        edge_room=edge_room if measured else None,
        names=_names(graph),
    )


def _least(edges: list[tuple[int, int, Any, Any, Any]]) -> list[tuple[int, int, Any, Any, Any]]:
    """The edges by tail and head, of parallel ones the least by distance and risk."""
    try:
        edges.sort(key=lambda edge: edge[:4])
    except (TypeError, ValueError) as error:
        raise InvalidInput("distances and risks of edges must be numbers") from error
    return [edge for k, edge in enumerate(edges) if k == 0 or edge[:2] != edges[k - 1][:2]]


def _names(graph: Any) -> tuple[Any, ...] | None:
    """What the nodes are called, None where that is only their number."""
    if graph.graph.get(NAMED):
        return tuple(attributes.get("name") for _, attributes in graph.nodes(data=True))
    labels = tuple(graph.nodes)
    return None if labels == tuple(range(len(labels))) else labels
