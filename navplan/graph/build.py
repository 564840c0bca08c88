"""Building state graphs from critics: weighing candidate pairs in blocks, attaching.

The reference evaluates all N**2 pairs in Python loops (docs/paper.md, sections 4 and 10; defect D16). Here those that can be
near enough are listed (`navplan.graph.candidates`), and only they reach the critics.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.graph.candidates import candidates, within_budget
from navplan.graph.critics import EdgeCritics, answered
from navplan.graph.limits import EdgeLimits
from navplan.graph.parts import GraphParts, Surroundings, checked_states
from navplan.graph.positions import Points, Position, positions_of
from navplan.system.arrays import Float32, Float64, Int64
from navplan.system.numbers import check_whole
from navplan.system.progress import SILENCE, Listener, Progress, told

# A move takes time even between equal states; critics that answer 0 there get this many steps instead.
LEAST_DISTANCE = 1e-3

WeighedEdges = tuple[Int64, Int64, Float64, Float64]


def build(
    states: ArrayLike,
    critics: EdgeCritics,
    limits: EdgeLimits,
    *,
    max_pairs: int | None = None,
    whole: bool = False,
    batch: int = 8192,
    position: Position = None,
    world: Surroundings | None = None,
    progress: Progress = None,
) -> GraphParts:
    """The state graph over `states` by `limits`, see `StateGraph.from_states`; `whole` evaluates all pairs that pass."""
    nodes = checked_states(states, "state").copy()
    where = positions_of(states, nodes, position)
    if world is not None and where is None:
        raise InvalidInput("rooms are measured at positions, and the states have none: give position=")
    points = Points(nodes, where)
    if not whole:
        limits = within_budget(points, limits, max_pairs)
    with told(progress) as listener:
        listener.stage(f"weighing the edges between {len(nodes)} states")
        tails, heads, distance, risk = _weigh(points, points, critics, limits, batch, same=True, listener=listener)
    order = np.argsort(tails * len(nodes) + heads, kind="stable")
    return GraphParts(
        states=nodes,
        indptr=_row_starts(tails, len(nodes)).astype(np.int32),
        indices=heads[order].astype(np.int32),
        distance=distance[order],
        risk=risk[order],
        wait_risk=_wait_risk(nodes, critics, batch),
        limits=limits,
        positions=where,
        world=world,
    )


def attach(
    graph: GraphParts,
    points: ArrayLike,
    critics: EdgeCritics,
    limits: EdgeLimits,
    *,
    batch: int = 8192,
    position: Position = None,
) -> GraphParts:
    """`graph` with `points` as further nodes, and edges from and to them by `limits`; see `StateGraph.attach`."""
    added = checked_states(points, "point", dimension=graph.states.shape[1]).copy()
    where = positions_of(points, added, position)
    if (where is None) != (graph.positions is None):
        said = (
            "the graph has positions and the points have none" if where is None else "the points have positions, the graph none"
        )
        raise InvalidInput(f"{said}, expected both or neither: give position=")
    n, p = len(graph.states), len(added)
    new, old = Points(added, where), Points(graph.states, graph.positions)
    out_tails, out_heads, out_distance, out_risk = _weigh(new, old, critics, limits, batch)
    in_tails, in_heads, in_distance, in_risk = _weigh(new, old, critics, limits, batch, inward=True)
    own_tails, own_heads, own_distance, own_risk = _weigh(new, new, critics, limits, batch, same=True)
    tails = np.concatenate([out_tails + n, in_tails, own_tails + n])
    heads = np.concatenate([out_heads, in_heads + n, own_heads + n])
    order = np.argsort(tails * (n + p) + heads, kind="stable")
    tails, heads = tails[order], heads[order]
    # New heads exceed all old ones, so within an old row they go to its end; new rows follow the last old edge.
    indptr = np.concatenate([graph.indptr, np.full(p, len(graph.indices))]).astype(np.int64)
    put = indptr[tails + 1]
    positions = None if where is None or graph.positions is None else np.concatenate([graph.positions, where])
    node_room, edge_room = _more_rooms(graph, positions, tails, heads, put)
    return GraphParts(
        states=np.concatenate([graph.states, added]),
        indptr=(indptr + _row_starts(tails, n + p)).astype(np.int32),
        indices=np.insert(graph.indices, put, heads),
        distance=np.insert(graph.distance, put, np.concatenate([out_distance, in_distance, own_distance])[order]),
        risk=np.insert(graph.risk, put, np.concatenate([out_risk, in_risk, own_risk])[order]),
        wait_risk=np.concatenate([graph.wait_risk, _wait_risk(added, critics, batch)]),
        limits=limits,
        positions=positions,
        node_room=node_room,
        edge_room=edge_room,
        world=graph.world,
        names=None if graph.names is None else (*graph.names, *[None] * p),
    )


def _more_rooms(
    graph: GraphParts, positions: Float64 | None, tails: Int64, heads: Int64, put: Int64
) -> tuple[Float64 | None, Float64 | None]:
    """Node and edge rooms with those of the new nodes and edges; None where they are still to be worked out."""
    if graph.node_room is None or graph.edge_room is None:
        return None, None
    new = positions[len(graph.states) :] if positions is not None else np.empty((len(heads), 2))
    if graph.world is not None and positions is not None:
        node, edge = graph.world.room(new), graph.world.sweep_room(positions[tails], positions[heads])
    elif np.isfinite(graph.node_room).any():
        raise InvalidInput("the graph's rooms were measured in a map that it does not hold: give world=")
    else:
        return None, None
    return np.concatenate([graph.node_room, node]), np.insert(graph.edge_room, put, edge)


def _row_starts(tails: Int64, num_nodes: int) -> Int64:
    return np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=num_nodes))])


def _weigh(
    rows: Points,
    columns: Points,
    critics: EdgeCritics,
    limits: EdgeLimits,
    batch: int,
    *,
    same: bool = False,
    inward: bool = False,
    listener: Listener = SILENCE,
) -> WeighedEdges:
    """Edges between `rows` and `columns`: tails, heads, distance, risk.

    Args:
        rows: R states whose candidates are listed.
        columns: C states that are candidates.
        critics: weighs pairs.
        limits: the rule.
        batch: pairs per call of the critics.
        same: rows and columns are the same nodes; no self-loops.
        inward: edges run from columns to rows.
        listener: told how many rows are done.
    """
    check_whole(batch=batch)
    if batch < 1:
        raise InvalidInput(f"batch is {batch}, expected a positive number of pairs")
    empty = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0))
    if not len(rows.states) or not len(columns.states):
        return empty
    parts: list[WeighedEdges] = [empty]
    for near, far in candidates(rows, columns, limits, same):
        for start in range(0, len(near), batch):
            i, j = near[start : start + batch], far[start : start + batch]
            if inward:
                distance, risk = evaluate(critics, columns.states[j], rows.states[i])
            else:
                distance, risk = evaluate(critics, rows.states[i], columns.states[j])
            keep = limits.admit(distance, risk)
            tails, heads = (j, i) if inward else (i, j)
            parts.append((tails[keep], heads[keep], distance[keep], risk[keep]))
            listener.show(int(near[start]), len(rows.states))
    tails, heads, distance, risk = (np.concatenate(column) for column in zip(*parts, strict=True))
    return tails, heads, distance, risk


def evaluate(critics: EdgeCritics, origins: Float32, goals: Float32) -> tuple[Float64, Float64]:
    """The critics' distance and risk of each pair, checked, in float64; an unreachable pair is inf.

    Raises:
        InvalidInput: an answer of another shape, NaN or a negative value.
    """
    answers = answered(critics, origins, goals)
    for name, values in zip(("distance", "risk"), answers, strict=True):
        wrong = ~(values >= 0)
        if wrong.any():
            k = int(np.flatnonzero(wrong)[0])
            pair = f"{origins[k].tolist()} -> {goals[k].tolist()}"
            raise InvalidInput(f"the critics' {name} of {pair} is {values[k]}, expected a number that is not negative")
    return np.maximum(answers[0], LEAST_DISTANCE), answers[1]


def _wait_risk(states: Float32, critics: EdgeCritics, batch: int) -> Float64:
    """(N,) cost of one step on the spot: the goal is reached already, so the cost critic counts a single step."""
    blocks = [states[start : start + batch] for start in range(0, len(states), batch)]
    return np.concatenate([evaluate(critics, block, block)[1] for block in blocks])
