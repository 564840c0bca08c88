"""A few agents that share a risk budget, planned together to optimality: the joint states of `joint`, with labels of two numbers.

Labels come off the heap in order of cost, so that of a state's labels one number is kept: the least risk of those that came. One
that is no safer than an earlier, cheaper one leads nowhere new. So a wait that costs and risks nothing adds no label, and the
search ends however free the waits are.

Tested through tests/planners/risk/test_risk.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.cbs.joint import MADE, POPPED, RESULT, SIZE, arrived, slot_of, turn, written
from navplan.kernels.common.heap import pop, push
from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL

# Sums of the same risks in another order differ by rounding; such risks are one.
SAME = 1e-12


class RiskTeam(NamedTuple):
    """The agents.

    Attributes:
        starts, goals: (K,) int32.
        cost, risk: (K, N) float64 least of either from everywhere to each goal, inf where it cannot be reached.
        cap: most risk of all together.
        clearance: theirs.
    """

    starts: NDArray[np.int32]
    goals: NDArray[np.int32]
    cost: NDArray[np.float64]
    risk: NDArray[np.float64]
    cap: float
    clearance: float


class RiskWork(NamedTuple):
    """Labels and a hash table of states.

    Attributes:
        rows: (C, 2 K + 1) int32: as in `navplan.kernels.cbs.joint.JointWork`.
        cost, risk: (C,) float64 so far.
        parent: (C,) int32.
        slots: (S,) int32 per state the last label that came off the heap, or -1; S a power of two, at least 2 C.
        keys, ties, items: the heap, (C,).
    """

    rows: NDArray[np.int32]
    cost: NDArray[np.float64]
    risk: NDArray[np.float64]
    parent: NDArray[np.int32]
    slots: NDArray[np.int32]
    keys: NDArray[np.float64]
    ties: NDArray[np.float64]
    items: NDArray[np.int32]


@inner
def beaten(work, record, risk):
    """Whether a label of the state in row `record` has come off the heap that is as safe as one of this risk."""
    known = work.slots[slot_of(work, record)]
    return known >= 0 and work.risk[known] <= risk + SAME * (1.0 + risk)


@inner
def enter(team, work, progress, parent, cost, risk):
    """Open the label of the state written in the next free row, if it can lead to a plan that no other is as good as."""
    record = progress[MADE]
    agents = team.goals.size
    cost_ahead = 0.0
    risk_ahead = 0.0
    for agent in range(agents):
        chosen = work.rows[record, agents + agent]
        v = chosen if chosen >= 0 else work.rows[record, agent]
        cost_ahead += team.cost[agent, v]
        risk_ahead += team.risk[agent, v]
    if cost_ahead == np.inf or risk + risk_ahead > team.cap * (1.0 + SAME) + SAME or beaten(work, record, risk):
        return
    work.cost[record] = cost
    work.risk[record] = risk
    work.parent[record] = parent
    progress[SIZE] = push(
        work.keys, work.ties, work.items, progress[SIZE], cost + cost_ahead, risk + risk_ahead, np.int32(record)
    )
    progress[MADE] = record + 1


@inner
def choose(xy, team, work, progress, parent, agent, v, cost, risk, retires):
    """Open the label in which `agent` goes to v next."""
    if written(xy, team.clearance, work.rows, progress[MADE], parent, agent, v, retires):
        enter(team, work, progress, parent, work.cost[parent] + cost, work.risk[parent] + risk)


@kernel
def joint_label_search(graph, xy, team, work, progress, max_expansions):
    """Run the search for at most `max_expansions` expansions; call again after BUDGET.

    Args:
        graph: TwoCosts.
        xy: (N, D) float64.
        team: a RiskTeam.
        work: a RiskWork; slots all -1 at the beginning.
        progress: (4,) int64, all 0 at the beginning; RESULT holds the last label when FOUND.

    Returns:
        FOUND, EXHAUSTED (there is no plan), BUDGET, or FULL. While labels are open, keys[0] is a lower bound on the cost.
    """
    agents = team.goals.size
    if progress[MADE] == 0:
        for agent in range(agents):
            work.rows[0, agent] = team.starts[agent]
            work.rows[0, agents + agent] = -1
        work.rows[0, 2 * agents] = 0
        enter(team, work, progress, -1, 0.0, 0.0)
    expanded = 0
    while progress[SIZE] > 0:
        if expanded >= max_expansions:
            return BUDGET
        record = work.items[0]
        if beaten(work, record, work.risk[record]):
            progress[SIZE] = pop(work.keys, work.ties, work.items, progress[SIZE])
            continue
        agent = turn(team, work.rows, record)
        if agent == 0 and arrived(team, work.rows, record):
            progress[RESULT] = record
            return FOUND
        u = work.rows[record, agent]
        first, last = graph.indptr[u], graph.indptr[u + 1]
        if progress[MADE] + last - first + 2 >= work.cost.size or progress[SIZE] + last - first + 2 >= work.keys.size:
            return FULL
        progress[SIZE] = pop(work.keys, work.ties, work.items, progress[SIZE])
        work.slots[slot_of(work, record)] = record
        expanded += 1
        progress[POPPED] += 1
        if work.rows[record, 2 * agents] >> agent & 1:
            choose(xy, team, work, progress, record, agent, u, 0.0, 0.0, True)
            continue
        for edge in range(first, last):
            choose(xy, team, work, progress, record, agent, graph.indices[edge], graph.cost[edge], graph.risk[edge], False)
        choose(xy, team, work, progress, record, agent, u, graph.wait_cost[u], graph.wait_risk[u], False)
        if u == team.goals[agent]:
            choose(xy, team, work, progress, record, agent, u, 0.0, 0.0, True)
    return EXHAUSTED
