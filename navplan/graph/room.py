"""The room of nodes and edges: the radius of the largest disc whose centre may stand there, or move along there."""

from __future__ import annotations

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
