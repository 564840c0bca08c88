"""Edges of a graph that a body cannot take: too narrow for it, or with turns that it cannot drive."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from navplan.graph.prepared import PreparedGraph
from navplan.graph.room import fits
from navplan.graph.state_graph import StateGraph
from navplan.kernels.search.turns import close_turns
from navplan.scenarios.bodies.body import Body
from navplan.system.arrays import Bool, Int32


def forbidden_edges(
    graph: StateGraph, bodies: Sequence[Body], starts: Sequence[int] | Int32, goals: Sequence[int] | Int32
) -> tuple[Bool | None, ...]:
    """What of a graph is closed to each body alone, for `Problem.forbidden`.

    An edge needs room for the radius and the tube of a body, as far as the graph knows of room; at its own start and goal room
    for the radius, which the problem asks for itself, will do. A body that cannot turn on the spot cannot use edges into which no
    other edge leads by a turn that it can drive, or out of which none; see `navplan.kernels.search.turns`. Both are necessary
    only: what is left open may still be hard to drive.

    Args:
        bodies: A of them.
        starts, goals: (A,) nodes.

    Returns:
        For each body (M,) bool, or None where no edge is closed to it.
    """
    return tuple(_closed(graph, body, int(start), int(goal)) for body, start, goal in zip(bodies, starts, goals, strict=True))


def _closed(graph: StateGraph, body: Body, start: int, goal: int) -> Bool | None:
    closed = np.zeros(graph.num_edges, np.bool_)
    if body.tube and graph.walls == "map":
        tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
        ends = np.isin(tails, (start, goal)) | np.isin(graph.indices, (start, goal))
        closed = ~fits(graph.edge_room, body.radius + body.tube) & ~ends
    if body.min_turn_radius is not None and graph.positions is not None:
        back = PreparedGraph(graph).reverse()
        arrays = graph.indptr, graph.indices, back.indptr, back.indices, back.edges, np.ascontiguousarray(graph.positions)
        while close_turns(*arrays, body.min_turn_radius, start, goal, closed):
            pass
    return closed if closed.any() else None
