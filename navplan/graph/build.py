"""Building state graphs from critics: weighing candidate pairs in blocks, attaching.

The reference evaluates all N**2 pairs in Python loops (docs/paper.md, sections 4 and 10; defect D16). Here those that can be
near enough are listed (`navplan.graph.candidates`), and only they reach the critics.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.graph.candidates import candidates, within_budget
from navplan.graph.critics import EdgeCritics, answered, embedded, norm_of
from navplan.graph.limits import EdgeLimits
from navplan.graph.parts import GraphParts, Logged, Surroundings, checked_states
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
        edges = weigh(points, points, critics, limits, batch, same=True, listener=listener)
    return graph_of(points, edges, wait_risk(points, critics, batch), limits, None, world)


def graph_of(
    points: Points, edges: WeighedEdges, waits: Float64, limits: EdgeLimits, logged: Logged | None, world: Surroundings | None
) -> GraphParts:
    """The graph of these nodes and edges, each edge there once."""
    tails, heads, distance, risk = edges
    count = len(points.states)
    order = np.argsort(tails * count + heads, kind="stable")
    return GraphParts(
        states=points.states,
        indptr=_row_starts(tails, count).astype(np.int32),
        indices=heads[order].astype(np.int32),
        distance=distance[order],
        risk=risk[order],
        wait_risk=waits,
        limits=limits,
        positions=points.positions,
        world=world,
        logged=logged,
    )


def attach(
    graph: GraphParts,
    points: ArrayLike,
    critics: EdgeCritics,
    limits: EdgeLimits,
    *,
    batch: int = 8192,
    position: Position = None,
    goals: ArrayLike | None = None,
) -> GraphParts:
    """`graph` with `points` as further nodes, and edges from and to them by `limits`; see `StateGraph.attach`."""
    new = _new_points(graph, points, critics, position, goals)
    where = new.positions
    if (where is None) != (graph.positions is None):
        said = (
            "the graph has positions and the points have none" if where is None else "the points have positions, the graph none"
        )
        raise InvalidInput(f"{said}, expected both or neither: give position=")
    n, p = len(graph.states), len(new.states)
    old = Points(graph.states, graph.positions)
    logged = graph.logged
    if logged is not None:
        old = old._replace(observations=logged.observations, goals=logged.goals, norm=new.norm)
        more = Logged(np.full(p, -1), new.origins, new.targets)
        logged = Logged(*(np.concatenate(both) for both in zip(logged, more, strict=True)))
    out_tails, out_heads, out_distance, out_risk = weigh(new, old, critics, limits, batch)
    in_tails, in_heads, in_distance, in_risk = weigh(new, old, critics, limits, batch, inward=True)
    own_tails, own_heads, own_distance, own_risk = weigh(new, new, critics, limits, batch, same=True)
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
        states=np.concatenate([graph.states, new.states]),
        indptr=(indptr + _row_starts(tails, n + p)).astype(np.int32),
        indices=np.insert(graph.indices, put, heads),
        distance=np.insert(graph.distance, put, np.concatenate([out_distance, in_distance, own_distance])[order]),
        risk=np.insert(graph.risk, put, np.concatenate([out_risk, in_risk, own_risk])[order]),
        wait_risk=np.concatenate([graph.wait_risk, wait_risk(new, critics, batch)]),
        limits=limits,
        positions=positions,
        node_room=node_room,
        edge_room=edge_room,
        world=graph.world,
        names=None if graph.names is None else (*graph.names, *[None] * p),
        logged=logged,
    )


def _new_points(
    graph: GraphParts, points: ArrayLike, critics: EdgeCritics, position: Position, goals: ArrayLike | None
) -> Points:
    """Points to attach: states, or where the graph's nodes are observations, observations."""
    if graph.logged is None:
        if goals is not None:
            raise InvalidInput("goals are given, but the graph's nodes are states, no observations")
        added = checked_states(points, "point", dimension=graph.states.shape[1]).copy()
        return Points(added, positions_of(points, added, position))
    seen = np.asarray(points)
    wanted = graph.logged.observations.shape[1:]
    if seen.shape[1:] != wanted or not len(seen):
        raise InvalidInput(f"points have shape {seen.shape}, expected observations (P, {', '.join(map(str, wanted))})")
    aims = np.asarray(seen if goals is None else goals)
    if aims.shape != (len(seen), *graph.logged.goals.shape[1:]):
        width = ", ".join(map(str, graph.logged.goals.shape[1:]))
        raise InvalidInput(f"goals of the points have shape {aims.shape}, expected ({len(seen)}, {width}): give goals=")
    given = embedded(critics, seen)
    flat = aims.reshape(len(aims), -1) if given is None else given
    states = checked_states(flat, "point", dimension=graph.states.shape[1])
    where = None if position is None else positions_of(seen.reshape(len(seen), -1), states, position)
    return Points(states, where, seen, aims, norm_of(critics))


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


def weigh(
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
                distance, risk = evaluate(critics, columns.origins[j], rows.targets[i])
            else:
                distance, risk = evaluate(critics, rows.origins[i], columns.targets[j])
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


def wait_risk(points: Points, critics: EdgeCritics, batch: int) -> Float64:
    """(N,) cost of one step on the spot: the goal is reached already, so the cost critic counts a single step."""
    blocks = [points.part(slice(start, start + batch)) for start in range(0, len(points.states), batch)]
    return np.concatenate([evaluate(critics, block.origins, block.targets)[1] for block in blocks])
