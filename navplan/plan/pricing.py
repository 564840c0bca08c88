"""What timed paths cost, for millions of steps at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from navplan.errors import InvalidInput
from navplan.plan.problem import Problem
from navplan.system.arrays import Float64, Int32, Int64

# Up to this degree the edges of a node are tried one after the other, all steps at once; above it they are looked up.
FEW = 12


def price(problem: Problem, paths: Sequence[Int32]) -> tuple[float, list[float]]:
    """Sum of costs of all steps, and the risk of each agent's path, both rounded once.

    Raises:
        InvalidInput: a step is neither a wait nor an edge of the graph.
    """
    graph = problem.graph
    weights, waits = problem.edge_weights(), problem.wait_weights()
    nodes = np.concatenate(paths).astype(np.int64)
    steps = np.array([len(path) - 1 for path in paths])
    inside = np.ones(len(nodes), np.bool_)
    inside[np.cumsum(steps + 1) - 1] = False
    tails = nodes[inside]
    heads = nodes[1:][inside[:-1]]
    moves = tails != heads
    edges = find_edges(graph.indptr, graph.indices, tails[moves], heads[moves])
    if (edges < 0).any():
        at = int(np.flatnonzero(moves)[np.flatnonzero(edges < 0)[0]])
        agent = int(np.searchsorted(np.cumsum(steps), at, side="right"))
        raise InvalidInput(f"agent {agent}: {tails[at]} -> {heads[at]} is not an edge of the graph")
    cost = waits[tails]
    cost[moves] = weights[edges]
    if not (graph.risk.any() or graph.wait_risk.any()):
        return exact_sum(cost), [0.0] * len(paths)
    risk = graph.wait_risk[tails]
    risk[moves] = graph.risk[edges]
    return exact_sum(cost), [exact_sum(part) for part in np.split(risk, np.cumsum(steps)[:-1])]


def find_edges(indptr: Int32, indices: Int32, tails: Int64, heads: Int64) -> Int64:
    """Positions of the edges tails -> heads in a CSR graph with ascending rows, -1 where there is none."""
    low = indptr[tails].astype(np.int64)
    degree = indptr[tails + 1] - low
    most = int(degree.max(initial=0))
    found = np.full(len(tails), -1, np.int64)
    if most > FEW:
        rows = np.repeat(np.arange(len(indptr) - 1, dtype=np.int64), np.diff(indptr))
        keys = rows * len(indptr) + indices
        wanted = tails * len(indptr) + heads
        at = np.searchsorted(keys, wanted)
        there = keys[np.minimum(at, len(keys) - 1)] == wanted
        found[there] = at[there]
        return found
    for k in range(most):
        at = np.minimum(low + k, len(indices) - 1)
        there = (k < degree) & (indices[at] == heads)
        found[there] = at[there]
    return found


def exact_sum(values: Float64) -> float:
    """The sum, rounded once."""
    if values.size and (values == np.rint(values)).all() and float(np.abs(values).max()) * values.size < 2.0**53:
        return float(values.sum())
    return math.fsum(values.tolist())
