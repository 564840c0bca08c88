"""A few agents planned together to optimality: A* over joint states, one agent's move at a time (Standley 2010).

Between two time steps the agents choose in turn; a choice that conflicts with an earlier one is dropped at once, so that a state
has as many successors as one agent has moves, not the product over all. An agent at its goal may retire: it stays for good, pays
no more and remains in the way.

Tested through tests/planners/cbs/test_cbs.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.heap import pop, push
from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.kernels.search.conflicts import moves_conflict

# Entries of `progress`.
MADE, SIZE, RESULT, POPPED = 0, 1, 2, 3
# Sums of the same costs in another order differ by rounding; such states are no cheaper.
SLACK = 1e-12


class JointTeam(NamedTuple):
    """The agents.

    Attributes:
        starts, goals: (K,) int32.
        tables: (K, N) float64 exact distances to each goal, inf where it cannot be reached.
        clearance: theirs.
    """

    starts: NDArray[np.int32]
    goals: NDArray[np.int32]
    tables: NDArray[np.float64]
    clearance: float


class JointWork(NamedTuple):
    """Records and their hash table.

    Attributes:
        rows: (C, 2 K + 1) int32: nodes now, nodes chosen for the next step (-1 when not yet), retired agents as bits.
        g: (C,) float64 cost, inf for a record that a cheaper one has replaced.
        parent: (C,) int32.
        slots: (S,) int32 record or -1; S a power of two, at least 2 C.
        keys, ties, items: the heap, (C,).
    """

    rows: NDArray[np.int32]
    g: NDArray[np.float64]
    parent: NDArray[np.int32]
    slots: NDArray[np.int32]
    keys: NDArray[np.float64]
    ties: NDArray[np.float64]
    items: NDArray[np.int32]


@inner
def slot_of(work, record):
    """Hash slot that holds the state of `record`, or the free one where it belongs."""
    mask = work.slots.size - 1
    folded = np.int64(0)
    for column in range(work.rows.shape[1]):
        folded = ((folded ^ (work.rows[record, column] + 1)) * 0x9E3779B1) & 0x7FFFFFFF
        folded ^= folded >> 15
    at = folded & mask
    while work.slots[at] >= 0:
        known = work.slots[at]
        same = True
        for column in range(work.rows.shape[1]):
            if work.rows[known, column] != work.rows[record, column]:
                same = False
                break
        if same:
            return at
        at = (at + 1) & mask
    return at


@inner
def enter(team, work, progress, parent, g):
    """Open the state written in the next free row, unless it is known as cheap."""
    record = progress[MADE]
    at = slot_of(work, record)
    known = work.slots[at]
    if known >= 0:
        if work.g[known] <= g + SLACK:
            return
        work.g[known] = np.inf
    agents = team.goals.size
    h = 0.0
    for agent in range(agents):
        chosen = work.rows[record, agents + agent]
        h += team.tables[agent, chosen if chosen >= 0 else work.rows[record, agent]]
    if h == np.inf:
        return
    work.slots[at] = record
    work.g[record] = g
    work.parent[record] = parent
    progress[SIZE] = push(work.keys, work.ties, work.items, progress[SIZE], g + h, h, np.int32(record))
    progress[MADE] = record + 1


@inner
def written(xy, clearance, rows, record, parent, agent, v, retires):
    """Whether `agent` may go to v next; the state after that, written in row `record`.

    No: an agent that has chosen is in conflict with it.
    """
    agents = rows.shape[1] // 2
    u = rows[parent, agent]
    for other in range(agent):
        if moves_conflict(xy, clearance, u, v, rows[parent, other], rows[parent, agents + other]):
            return False
    for column in range(rows.shape[1]):
        rows[record, column] = rows[parent, column]
    if retires:
        rows[record, 2 * agents] |= 1 << agent
    rows[record, agents + agent] = v
    if agent == agents - 1:
        for other in range(agents):
            rows[record, other] = rows[record, agents + other]
            rows[record, agents + other] = -1
    return True


@inner
def choose(xy, team, work, progress, parent, agent, v, cost, retires):
    """Open the state in which `agent` goes to v next."""
    if written(xy, team.clearance, work.rows, progress[MADE], parent, agent, v, retires):
        enter(team, work, progress, parent, work.g[parent] + cost)


@inner
def turn(team, rows, record):
    """Whose turn it is: the first agent that has not chosen."""
    agents = team.goals.size
    for agent in range(agents):
        if rows[record, agents + agent] < 0:
            return agent
    return 0


@inner
def arrived(team, rows, record):
    """True when every agent is at its goal and none has chosen yet."""
    for agent in range(team.goals.size):
        if rows[record, agent] != team.goals[agent]:
            return False
    return True


@kernel
def joint_search(graph, waits, xy, team, work, progress, max_expansions):
    """Run the search for at most `max_expansions` expansions; call again after BUDGET.

    Args:
        graph: Csr, forward.
        waits: (N,) float64.
        xy: (N, D) float64.
        team: a JointTeam.
        work: a JointWork; slots all -1 at the beginning.
        progress: (4,) int64, all 0 at the beginning; RESULT holds the last record when FOUND.

    Returns:
        FOUND, EXHAUSTED (there is no plan), BUDGET, or FULL. While states are open, keys[0] is a lower bound on the cost.
    """
    agents = team.goals.size
    if progress[MADE] == 0:
        for agent in range(agents):
            work.rows[0, agent] = team.starts[agent]
            work.rows[0, agents + agent] = -1
        work.rows[0, 2 * agents] = 0
        enter(team, work, progress, -1, 0.0)
    expanded = 0
    while progress[SIZE] > 0:
        if expanded >= max_expansions:
            return BUDGET
        record = work.items[0]
        u = work.rows[record, 0]
        if work.g[record] == np.inf:
            progress[SIZE] = pop(work.keys, work.ties, work.items, progress[SIZE])
            continue
        agent = turn(team, work.rows, record)
        if agent == 0 and arrived(team, work.rows, record):
            progress[RESULT] = record
            return FOUND
        u = work.rows[record, agent]
        first, last = graph.indptr[u], graph.indptr[u + 1]
        if progress[MADE] + last - first + 2 >= work.g.size or progress[SIZE] + last - first + 2 >= work.keys.size:
            return FULL
        progress[SIZE] = pop(work.keys, work.ties, work.items, progress[SIZE])
        expanded += 1
        progress[POPPED] += 1
        if work.rows[record, 2 * agents] >> agent & 1:
            choose(xy, team, work, progress, record, agent, u, 0.0, True)
            continue
        for edge in range(first, last):
            choose(xy, team, work, progress, record, agent, graph.indices[edge], graph.weights[edge], False)
        choose(xy, team, work, progress, record, agent, u, waits[u], False)
        if u == team.goals[agent]:
            choose(xy, team, work, progress, record, agent, u, 0.0, True)
    return EXHAUSTED


@kernel
def joint_trace(agents, work, record, out):
    """Write the joint path up to `record` to `out` (T, K) int32 from its first row on, if it fits; returns its length."""
    length = 0
    at = record
    while at >= 0:
        if work.rows[at, agents] < 0:
            length += 1
        at = work.parent[at]
    if length > out.shape[0]:
        return length
    row = length - 1
    at = record
    while at >= 0:
        if work.rows[at, agents] < 0:
            for agent in range(agents):
                out[row, agent] = work.rows[at, agent]
            row -= 1
        at = work.parent[at]
    return length
