"""What timed paths cost, for millions of steps at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from navplan.errors import InvalidInput
from navplan.plan.problem import Problem
from navplan.system.arrays import Float64, Int32, Int64


def price(problem: Problem, paths: Sequence[Int32]) -> tuple[float, list[float]]:
    """Sum of costs of all steps, and the risk of each agent's path, both rounded once.

    Raises:
        InvalidInput: a step is neither a wait nor an edge of the graph.
    """
    graph = problem.graph
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
    distance, risk, wait_risk = graph.distance[edges], graph.risk[edges], graph.wait_risk[tails]
    hops = problem.weight == "hops"
    cost = np.ones(len(tails)) if hops else problem.wait_cost + problem.beta * wait_risk
    cost[moves] = 1.0 if hops else distance + problem.beta * risk if problem.beta else distance
    if not (graph.largest[1] or graph.largest[2]):
        return exact_sum(cost), [0.0] * len(paths)
    wait_risk[moves] = risk
    return exact_sum(cost), [exact_sum(part) for part in np.split(wait_risk, np.cumsum(steps)[:-1])]


def find_edges(indptr: Int32, indices: Int32, tails: Int64, heads: Int64) -> Int64:
    """Positions of the edges tails -> heads in a CSR graph with ascending rows, -1 where there is none."""
    low = indptr[tails].astype(np.int64)
    last = indptr[tails + 1].astype(np.int64)
    end = last.copy()
    while (low < end).any():  # halving the part of a row in which the head may be, all rows at once
        middle = (low + end) >> 1
        below = indices[np.minimum(middle, len(indices) - 1)] < heads
        inside = low < end
        low = np.where(inside & below, middle + 1, low)
        end = np.where(inside & ~below, middle, end)
    at = np.minimum(low, len(indices) - 1)
    return np.where((low < last) & (indices[at] == heads), low, -1) if len(indices) else np.full(len(tails), -1, np.int64)


def exact_sum(values: Float64) -> float:
    """The sum, rounded once."""
    if values.size and (values == np.rint(values)).all() and float(np.abs(values).max()) * values.size < 2.0**53:
        return float(values.sum())
    return math.fsum(values.tolist())
