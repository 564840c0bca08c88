"""Slow, obviously right versions of the single-agent oracle and of geodesic hops. Shares no code with navplan."""

from __future__ import annotations

import math
from typing import Any

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

SAFE = 1e-4


def hop_graph(walls: np.ndarray) -> Any:
    """The free cells, joined with their eight neighbours."""
    graph = nx.Graph()
    free = [(int(i), int(j)) for i, j in np.argwhere(~walls)]
    graph.add_nodes_from(free)
    steps = [(1, -1), (1, 0), (1, 1), (0, 1)]
    graph.add_edges_from((a, (a[0] + i, a[1] + j)) for a in free for i, j in steps if (a[0] + i, a[1] + j) in graph)
    return graph


def wall_gaps(walls: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Distances of points (N, 2) to the nearest wall cell."""
    cells = np.argwhere(walls)
    below = np.maximum(cells - points[:, None], points[:, None] - cells - 1)
    return np.hypot(*np.moveaxis(np.maximum(below, 0), -1, 0)).min(axis=1, initial=math.inf)


def staircase(points: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """(N, 21, 2) positions of moves from points: ten sub-steps, rows before columns."""
    rows = points[:, :1] + moves[:, :1] * np.repeat(np.arange(11), 2)[None, 1:] / 10
    cols = points[:, 1:] + moves[:, 1:] * np.repeat(np.arange(11), 2)[None, :-1] / 10
    return np.stack([rows, cols], axis=-1)


def make_moves(walls: np.ndarray, radius: float, points: np.ndarray, moves: np.ndarray, safe: float) -> np.ndarray:
    """Costs (N,) with the linear hazard, inf for moves that come as near as `safe` to a wall or the edge of the map."""
    places = staircase(points, moves)
    gaps = wall_gaps(walls, places.reshape(-1, 2)).reshape(places.shape[:2])
    edge = np.minimum(places, np.array(walls.shape) - places).min(axis=(1, 2))
    nearest = gaps.min(axis=1)
    cost = np.maximum(2 - 2 * nearest / radius, 0)
    cost[(nearest <= safe) | (edge <= safe)] = np.inf
    return cost


def brute_force(
    walls: np.ndarray, radius: float, start: np.ndarray, goal: np.ndarray, per_cell: int, step_weight: float, tolerance: float
) -> tuple[float, int]:
    """Cost and steps of the best path over all points of a lattice, found by scipy's Dijkstra over every move written out."""
    grid = np.stack(np.meshgrid(*(np.arange(n * per_cell + 1) / per_cell for n in walls.shape), indexing="ij"), -1).reshape(-1, 2)
    inside = (wall_gaps(walls, grid) > SAFE) & (np.minimum(grid, np.array(walls.shape) - grid).min(axis=1) > SAFE)
    nodes = np.concatenate([[start], grid[inside]])
    tail, head = np.nonzero(np.abs(nodes[:, None] - nodes[None]).max(axis=-1) <= 1)
    keep = (tail != head) & (head != 0)
    tail, head = tail[keep], head[keep]
    cost = make_moves(walls, radius, nodes[tail], nodes[head] - nodes[tail], SAFE)
    weights = (1e-4, 1.0) if math.isinf(step_weight) else (1.0, max(step_weight, 1e-4))
    made = np.isfinite(cost)
    edges = csr_array((weights[0] * cost[made] + weights[1], (tail[made], head[made])), shape=(len(nodes), len(nodes)))
    price, parents = dijkstra(edges, indices=0, return_predecessors=True)
    there = np.hypot(*(nodes - goal).T) < tolerance - SAFE
    if there[0]:
        return 0.0, 0
    price[~there] = np.inf
    node = int(np.argmin(price))
    if not np.isfinite(price[node]):
        return math.inf, -1
    costs = {(int(a), int(b)): float(c) for a, b, c in zip(tail[made], head[made], cost[made], strict=True)}
    total, steps = 0.0, 0
    while node != 0:
        total, steps, node = total + costs[int(parents[node]), node], steps + 1, int(parents[node])
    return total, steps
