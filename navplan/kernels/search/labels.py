"""Bi-criteria label search in space and time: every trade-off of cost and risk that one agent has, under constraints.

Labels (node, time step, cost, risk) are settled in order of cost plus exact cost-to-go, then of risk plus exact risk-to-go. In
that order a label is dominated exactly when its state has been settled with as little risk, so that one number a state decides
(BOA*, Hernández et al. 2020). From step `horizon` on the time no longer matters and the dimension collapses; without
constraints it is 0 and this is a search of the graph itself.

Conflicts with other agents' paths may be priced: the search then orders by cost plus price, and dominance is in that sum.

Tested through tests/planners/risk/test_risk.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.fill import fill
from navplan.kernels.common.hashing import home
from navplan.kernels.common.heap import pop, push
from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.kernels.search.conflicts import count_conflicts
from navplan.kernels.search.constraints import forbidden

# Entries of `progress`, which carries a search over from one call to the next; LEAST is the only entry of `values`.
LABELS, QUEUED, EXPANDED, GENERATED, POINTS = 0, 1, 2, 3, 4
LEAST = 0
# Sums of the same risks in another order differ by rounding; such risks are one.
SAME = 1e-12


class TwoCosts(NamedTuple):
    """A directed graph with two numbers an edge and two a wait; row starts and heads int32, the rest float64, all read-only."""

    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    cost: NDArray[np.float64]
    risk: NDArray[np.float64]
    wait_cost: NDArray[np.float64]
    wait_risk: NDArray[np.float64]


class Ahead(NamedTuple):
    """(N,) float64 least from each node to the goal, inf where there is no way: of cost, of risk, each by its own best path, and
    of ``cost + price * risk`` (any such array where `worth_cap` is inf).
    """

    cost: NDArray[np.float64]
    risk: NDArray[np.float64]
    worth: NDArray[np.float64]


class LabelQuery(NamedTuple):
    """What is asked.

    The last arrival must be at step rest_from or later, and cannot be before step arrive_from; time collapses at step
    horizon. Paths of more risk than `cap`, or whose cost and risk at `price` come to more than `worth_cap`, are of no interest.
    The search ends with `max_points` trade-offs, the cheapest first.
    """

    start: int
    goal: int
    rest_from: int
    arrive_from: int
    horizon: int
    skip: int
    stamp: int
    max_points: int
    max_degree: int
    min_cost: float
    min_risk: float
    cap: float
    price: float
    worth_cap: float
    penalty: float
    clearance: float


class LabelWork(NamedTuple):
    """Labels and a heap in arrays of one capacity; per state the least risk settled, in a hash table of a power of two slots.

    `points` holds the labels that arrived and that no other dominates, in order of cost.
    """

    node: NDArray[np.int32]
    time: NDArray[np.int32]
    cost: NDArray[np.float64]
    risk: NDArray[np.float64]
    conflicts: NDArray[np.int32]
    parent: NDArray[np.int32]
    arrived: NDArray[np.bool_]
    keys: NDArray[np.float64]
    ties: NDArray[np.float64]
    items: NDArray[np.int32]
    points: NDArray[np.int32]
    slot_key: NDArray[np.int64]
    slot_stamp: NDArray[np.int64]
    slot_risk: NDArray[np.float64]


@inner
def find_state(work, query, v, t):
    """Hash slot of the state (v, t), or the free one where it belongs (linear probing)."""
    key = np.int64(v) * (query.horizon + 1) + min(t, query.horizon)
    mask = work.slot_key.size - 1
    at = home(key, mask)
    while work.slot_stamp[at] == query.stamp and work.slot_key[at] != key:
        at = (at + 1) & mask
    return at, key


@inner
def risk_limit(query, values):
    """Most risk that a path may have and still be of interest: within the cap, and less than the last trade-off found."""
    least = values[LEAST]
    limit = query.cap * (1.0 + SAME) + SAME
    if least < np.inf:
        limit = min(limit, least - SAME * (1.0 + least))
    return limit


@inner
def resting_conflicts(xy, query, others, t, v):
    """Conflicts with other paths of an agent that rests at node v from step t on."""
    conflicts = 0
    for step in range(t, others.shape[0] - 1):
        conflicts += count_conflicts(xy, query.clearance, others, query.skip, step, v, v)
    return conflicts


@inner
def open_label(xy, query, others, work, progress, parent, v, cost, risk, cost_ahead, risk_ahead, arrived):
    """Queue a label for node v, reached from the label `parent`; conflicts with other paths are counted if they have a price."""
    t = work.time[parent] + 1
    conflicts = work.conflicts[parent]
    if query.penalty > 0.0:
        conflicts += count_conflicts(xy, query.clearance, others, query.skip, t - 1, work.node[parent], v)
        if arrived:
            conflicts += resting_conflicts(xy, query, others, t, v)
    label = progress[LABELS]
    work.node[label] = v
    work.time[label] = t
    work.cost[label] = cost
    work.risk[label] = risk
    work.conflicts[label] = conflicts
    work.parent[label] = parent
    work.arrived[label] = arrived
    progress[LABELS] = label + 1
    progress[GENERATED] += 1
    key = cost + query.penalty * conflicts + cost_ahead
    progress[QUEUED] = push(work.keys, work.ties, work.items, progress[QUEUED], key, risk + risk_ahead, label)


@inner
def expand(graph, xy, ahead, query, table, others, work, progress, values, label):
    """Queue the successors of `label` that may still lead to a new trade-off."""
    u, t = work.node[label], work.time[label]
    left = max(0, query.arrive_from - t - 1)
    rest, risk_rest = left * query.min_cost, left * query.min_risk
    limit = risk_limit(query, values)
    last = graph.indptr[u + 1]
    # one turn more than edges: the wait, which is of no use once time does not matter
    turns = last + 1 if t < query.horizon else last
    for edge in range(graph.indptr[u], turns):
        v = u
        cost = work.cost[label]
        risk = work.risk[label]
        if edge < last:
            v = graph.indices[edge]
            risk += graph.risk[edge]
            cost += graph.cost[edge]
        else:
            risk += graph.wait_risk[u]
            cost += graph.wait_cost[u]
        risk_ahead = max(ahead.risk[v], risk_rest)
        if risk + risk_ahead > limit or ahead.cost[v] == np.inf:
            continue
        if cost + query.price * risk + ahead.worth[v] > query.worth_cap:
            continue
        # waiting at the goal is no arrival: an agent that came too early must leave and return
        arrived = v == query.goal and t + 1 >= query.rest_from and u != v
        if not arrived:
            at, _ = find_state(work, query, v, t + 1)
            if work.slot_stamp[at] == query.stamp and work.slot_risk[at] <= risk:
                continue
        if forbidden(table, xy, query.clearance, t, u, v):
            continue
        cost_ahead = max(ahead.cost[v], rest)
        open_label(xy, query, others, work, progress, label, v, cost, risk, cost_ahead, risk_ahead, arrived)


@inner
def begin(xy, ahead, query, others, work, progress, values):
    """Put the start into an empty search."""
    fill(progress, 0, progress.size, 0)
    values[LEAST] = np.inf
    work.node[0] = query.start
    work.time[0] = 0
    work.cost[0] = 0.0
    work.risk[0] = 0.0
    work.conflicts[0] = 0
    work.parent[0] = -1
    work.arrived[0] = query.start == query.goal and query.rest_from == 0
    if work.arrived[0] and query.penalty > 0.0:
        work.conflicts[0] = resting_conflicts(xy, query, others, 0, query.start)
    progress[LABELS] = 1
    cost, risk = ahead.cost[query.start], ahead.risk[query.start]
    if cost < np.inf and risk <= risk_limit(query, values):
        progress[QUEUED] = push(work.keys, work.ties, work.items, 0, cost, risk, 0)


@kernel
def label_search(graph, xy, ahead, query, table, others, work, progress, values, max_expansions):
    """Run the search for at most `max_expansions` expansions.

    Args:
        graph: TwoCosts.
        xy: (N, D) float64 coordinates.
        ahead: an Ahead.
        query: a LabelQuery.
        table: `navplan.kernels.search.constraints.ConstraintTable`.
        others: (T, K) int32 paths whose conflicts have the price `query.penalty`; column `query.skip` is left out.
        work: LabelWork whose slots carry no entry of `query.stamp` when the search begins.
        progress: (5,) int64; LABELS = 0 begins a search.
        values: (1,) float64: least risk of any path found.

    Returns:
        FOUND (`max_points` reached), EXHAUSTED (these are all), BUDGET, or FULL (begin again with larger arrays).
    """
    if progress[LABELS] == 0:
        begin(xy, ahead, query, others, work, progress, values)
    capacity = work.node.size - query.max_degree - 2
    expanded = 0
    while progress[QUEUED] > 0:
        if expanded >= max_expansions:
            return BUDGET
        if progress[LABELS] > capacity:
            return FULL
        reachable, label = work.ties[0], work.items[0]
        progress[QUEUED] = pop(work.keys, work.ties, work.items, progress[QUEUED])
        if reachable > risk_limit(query, values):
            continue
        if work.arrived[label]:
            work.points[progress[POINTS]] = label
            progress[POINTS] += 1
            values[LEAST] = work.risk[label]
            if progress[POINTS] >= query.max_points:
                return FOUND
            continue
        at, key = find_state(work, query, work.node[label], work.time[label])
        if work.slot_stamp[at] == query.stamp and work.slot_risk[at] <= work.risk[label]:
            continue
        work.slot_stamp[at] = query.stamp
        work.slot_key[at] = key
        work.slot_risk[at] = work.risk[label]
        expanded += 1
        progress[EXPANDED] += 1
        expand(graph, xy, ahead, query, table, others, work, progress, values, label)
    return EXHAUSTED


@kernel
def trace_label(work, label, path):
    """Write the nodes from the start to `label` into `path` (time + 1 entries, int32)."""
    while label >= 0:
        path[work.time[label]] = work.node[label]
        label = work.parent[label]
