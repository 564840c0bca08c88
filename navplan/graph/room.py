"""The room of nodes and edges: the radius of the largest disc whose centre may stand there, or move along there."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from navplan.graph.parts import GraphParts
from navplan.system.arrays import Bool, Float64

# Rooms and radii are compared up to this much (cells): distances are rounded.
SLACK = 1e-9
# The cells of a grid are free to their borders, so this much room is everywhere.
HALF_CELL = 0.5


def rooms_of(graph: GraphParts) -> tuple[Float64, Float64]:
    """Node and edge rooms from what the graph knows of its map: its world, or its own cells; inf where it knows none."""
    if graph.node_room is not None and graph.edge_room is not None:
        return graph.node_room, graph.edge_room
    tails = np.repeat(np.arange(len(graph.states)), np.diff(graph.indptr))
    if graph.world is not None and graph.positions is not None:
        ends = graph.positions[tails], graph.positions[graph.indices]
        return frozen(graph.world.room(graph.positions)), frozen(graph.world.sweep_room(*ends))
    if graph.shape is None:
        return frozen(np.full(len(graph.states), np.inf)), frozen(np.full(len(graph.indices), np.inf))
    node = _cell_rooms(graph)
    # Along an axis from centre to centre the distance to a square is least at one of the two ends.
    return frozen(node), frozen(np.minimum(node[tails], node[graph.indices]))


def _cell_rooms(graph: GraphParts) -> Float64:
    from navplan.kernels.search.room import cell_rooms

    assert graph.shape is not None  # grids only
    cells = np.floor(graph.states).astype(np.int64)
    walls = np.ones(graph.shape, np.bool_)
    walls[cells[:, 0], cells[:, 1]] = False
    room = np.empty(graph.shape)
    cell_rooms(walls, np.empty(graph.shape, np.int32), room)
    return room[cells[:, 0], cells[:, 1]]


def fits(room: Float64, radius: float | Float64) -> Bool:
    """Where a disc of this radius fits."""
    return room >= radius - SLACK


def frozen(array: Float64) -> Float64:
    """A read-only float64 array of the same values."""
    result = np.ascontiguousarray(array, dtype=np.float64).view()
    result.setflags(write=False)
    return result


class Measured(Protocol):
    """A graph whose rooms are `Room` fields."""

    @property
    def parts(self) -> GraphParts:
        """All its fields; rooms that nobody has asked for yet are None."""
        ...


class Room:
    """A field of rooms that are worked out when they are first asked for."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_{name}"

    def __get__(self, graph: Measured | None, owner: type) -> Any:
        if graph is None:
            return None  # the field's default
        if graph.__dict__[self._name] is None:
            node, edge = rooms_of(graph.parts)
            graph.__dict__.update(_node_room=node, _edge_room=edge)
        return graph.__dict__[self._name]

    def __set__(self, graph: Measured, value: Float64 | None) -> None:
        graph.__dict__[self._name] = value


def measured(graph: Measured) -> GraphParts:
    """The fields of a graph for a file, see `StateGraph.measured`."""
    parts = graph.parts
    if parts.world is not None:
        node, edge = rooms_of(parts)
        return parts._replace(node_room=node, edge_room=edge)
    bare = parts._replace(node_room=None, edge_room=None)
    given = parts.node_room, parts.edge_room
    same = given[0] is None or all(np.array_equal(a, b) for a, b in zip(given, rooms_of(bare), strict=True))  # type: ignore[arg-type]
    return bare if same else parts
