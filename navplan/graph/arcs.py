"""Edges that logs have seen: how many steps it took to come from one node's surroundings to another's.

Every row of the logs belongs to its nearest node. A window is two rows of a trajectory that lie k steps apart; those from one
node to another make an arc. Its steps are the mean (or an upper quantile) of its windows', never the least: shortest paths look
for what is too good to be true. A single step that is far longer than others is a jump, which may have been luck. The arc that it
makes costs what trying until it succeeds costs, ways back from where else one came to included.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from navplan.system.arrays import Bool, Float64, Int64

# A logged step longer than this many times the median is a jump.
JUMP = 3.0


class Windows(NamedTuple):
    """Pairs of rows of one trajectory: first, last (W,) int64 rows, steps (W,) int64 between them."""

    first: Int64
    last: Int64
    steps: Int64


class Arcs(NamedTuple):
    """Arcs between nodes, in ascending order of tail and head.

    tails, heads (K,) int64; steps (K,) float64; seen (K,) int64 windows; cost (K,) float64 mean cost of a window, or None.
    """

    tails: Int64
    heads: Int64
    steps: Float64
    seen: Int64
    cost: Float64 | None


def windows(starts: Int64, lengths: tuple[int, ...]) -> Windows:
    """All windows of these lengths in trajectories with the rows ``starts[e]`` to ``starts[e + 1]``.

    Example:
        >>> windows(np.array([0, 3, 5]), (2,)).first.tolist()
        [0]
    """
    end = np.repeat(starts[1:], np.diff(starts))
    rows = np.arange(len(end))
    parts = [rows[rows + k < end] for k in lengths]
    first = np.concatenate(parts)
    steps = np.repeat(np.array(lengths, np.int64), [len(part) for part in parts])
    return Windows(first, first + steps, steps)


def arcs(
    node: Int64,
    jumps: Bool,
    seen: Windows,
    quantile: float | None = None,
    costs: NDArray[np.floating] | None = None,
    price_luck: bool = True,
) -> Arcs:
    """What the windows say of going from node to node.

    Args:
        node: (R,) the node of each row; -1 for a row of no node.
        jumps: (R,) the step that begins in a row is a jump.
        seen: the windows.
        quantile: of the steps of an arc's windows; None: their mean.
        costs: (R,) of the step that begins in a row; None: not known.
        price_luck: False: arcs with jumps cost what they took when they succeeded.
    """
    tails, heads = node[seen.first], node[seen.last]
    there = (tails >= 0) & (heads >= 0)
    before = np.concatenate([[0], np.cumsum(jumps)])
    jumped = before[seen.last] > before[seen.first]
    ordinary = _grouped(tails, heads, seen, there & ~jumped & (tails != heads), quantile, costs)
    if not jumped.any():
        return ordinary
    lucky = _grouped(tails, heads, seen, there & jumped & (tails != heads), quantile, costs)
    if price_luck:
        lucky = lucky._replace(steps=_tried(lucky, ordinary, tails[there], heads[there]))
    return _merged(ordinary, lucky)


def _grouped(
    tails: Int64, heads: Int64, seen: Windows, chosen: Bool, quantile: float | None, costs: NDArray[np.floating] | None
) -> Arcs:
    """The chosen windows, one arc for each pair of nodes."""
    tails, heads, steps = tails[chosen], heads[chosen], seen.steps[chosen]
    order = np.lexsort((steps, heads, tails))
    tails, heads, steps = tails[order], heads[order], steps[order]
    fresh = np.ones(len(tails), np.bool_)
    fresh[1:] = (tails[1:] != tails[:-1]) | (heads[1:] != heads[:-1])
    at = np.flatnonzero(fresh)
    count = np.diff(np.append(at, len(tails)))
    if quantile is None:
        length = np.add.reduceat(steps.astype(np.float64), at) / count if len(at) else np.empty(0)
    else:
        length = steps[at + np.ceil(quantile * (count - 1)).astype(np.int64)].astype(np.float64)
    paid = None
    if costs is not None:
        total = np.concatenate([[0.0], np.cumsum(costs, dtype=np.float64)])
        each = (total[seen.last[chosen]] - total[seen.first[chosen]])[order]
        paid = np.add.reduceat(each, at) / count if len(at) else np.empty(0)
    return Arcs(tails[at], heads[at], length, count, paid)


def _tried(lucky: Arcs, ordinary: Arcs, tails: Int64, heads: Int64) -> Float64:
    """Expected steps of arcs with jumps: of an attempt, and of the way back after each failure; inf where there is no way back.

    With outcomes o of probability p(o), all windows from the arc's tail counted, and success s:
    ``(steps + sum over o other than s of p(o) * back(o)) / p(s)``.
    """
    size = int(max(tails.max(), heads.max())) + 1
    graph = csr_matrix((ordinary.steps, (ordinary.heads, ordinary.tails)), shape=(size, size))
    price = np.empty(len(lucky.tails))
    for tail in np.unique(lucky.tails):
        back = dijkstra(graph, indices=tail)
        outcome, times = np.unique(heads[tails == tail], return_counts=True)
        share = times / times.sum()
        for k in np.flatnonzero(lucky.tails == tail):
            other = outcome != lucky.heads[k]
            success = float(share[~other][0])
            price[k] = (lucky.steps[k] + (share[other] * back[outcome[other]]).sum()) / success
    return price


def _merged(a: Arcs, b: Arcs) -> Arcs:
    """Both, in order; where both have an arc the cheaper one, which is one that can be had."""
    tails, heads = np.concatenate([a.tails, b.tails]), np.concatenate([a.heads, b.heads])
    steps, count = np.concatenate([a.steps, b.steps]), np.concatenate([a.seen, b.seen])
    cost = None if a.cost is None or b.cost is None else np.concatenate([a.cost, b.cost])
    order = np.lexsort((steps, heads, tails))
    keep = np.ones(len(order), np.bool_)
    keep[1:] = (np.diff(tails[order]) != 0) | (np.diff(heads[order]) != 0)
    order = order[keep & np.isfinite(steps[order])]
    return Arcs(tails[order], heads[order], steps[order], count[order], None if cost is None else cost[order])
