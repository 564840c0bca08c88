"""PIBT: one time step for all agents at once, by priority inheritance with backtracking (Okumura et al. 2022).

Agents choose in order of priority. One that wants an occupied node lends its priority to the agent there, which must move
first; if that one cannot, the lender tries its next choice. In corridors two agents that must pass each other are told apart
from two that merely meet, and change places at the next junction (the swap technique of LaCAM, Okumura 2023).

`tables` is everywhere (A, N), the cost from each node to each agent's goal: uint16 on unit graphs, float64 on weighted ones. It
is an argument of its own, so that only the kernels that read it are compiled twice.

Tested through tests/planners/lacam/test_pibt.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.common.masks import closed_to


class PibtScene(NamedTuple):
    """What does not change between steps; the graph's arrays are read-only, `goals` may change between steps.

    Attributes:
        indptr, indices, weights: forward CSR with costs.
        costs: (N,) float64 what a wait costs.
        waits: (N,) float64 what a wait counts for when it is compared with moves; positive.
        far: entries of at least this mean unreachable.
        noise: random part of a preference, less than the least difference that matters.
        goals: (A,) int32.
        guide_ptr: (A + 1,) int64, where each agent's hash table of preferred moves begins; sizes are powers of two, or 0.
        guide_from, guide_to: int32 slots: at node `from` prefer `to`; -1 is an empty slot.
        groups, closed: (A,) int32 and (K, M) bool, edges that agents may not use, see `navplan.kernels.common.masks`.
    """

    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    weights: NDArray[np.float64]
    costs: NDArray[np.float64]
    waits: NDArray[np.float64]
    far: float
    noise: float
    goals: NDArray[np.int32]
    guide_ptr: NDArray[np.int64]
    guide_from: NDArray[np.int32]
    guide_to: NDArray[np.int32]
    groups: NDArray[np.int32]
    closed: NDArray[np.bool_]


class Crew(NamedTuple):
    """Working memory of one step.

    Attributes:
        now, then: (A,) int32 nodes before and after the step; `then` is -1 while undecided.
        here, there: (N,) int32 agent at each node before and after the step, or -1.
        agent, turn, options, partner: (A + 1,) int32 frames of the agents in the chain of inheritance.
        choices: (A + 1, degree + 1) int32 nodes in order of preference, per frame.
        keys: (degree + 1,) float64.
        random: (1,) int64 state of the generator.
    """

    now: NDArray[np.int32]
    then: NDArray[np.int32]
    here: NDArray[np.int32]
    there: NDArray[np.int32]
    agent: NDArray[np.int32]
    turn: NDArray[np.int32]
    options: NDArray[np.int32]
    partner: NDArray[np.int32]
    choices: NDArray[np.int32]
    keys: NDArray[np.float64]
    random: NDArray[np.int64]


@inner
def draw(random):
    """The next of 2**32 - 1 pseudo-random integers (xorshift, Marsaglia 2003); the state must not be 0."""
    x = random[0]
    x ^= (x << 13) & 0xFFFFFFFF
    x ^= x >> 17
    x ^= (x << 5) & 0xFFFFFFFF
    random[0] = x
    return x


@kernel
def guided(scene, agent, node):
    """The node that the agent's guide prefers after `node`, or -1."""
    start = scene.guide_ptr[agent]
    size = scene.guide_ptr[agent + 1] - start
    if size == 0:
        return np.int32(-1)
    mask = size - 1
    slot = (node * 40503) & mask
    while scene.guide_from[start + slot] >= 0:
        if scene.guide_from[start + slot] == node:
            return scene.guide_to[start + slot]
        slot = (slot + 1) & mask
    return np.int32(-1)


@inner
def has_edge(scene, agent, u, v):
    """True when u -> v is an edge that the agent may use."""
    for edge in range(scene.indptr[u], scene.indptr[u + 1]):
        if scene.indices[edge] == v:
            return not closed_to(scene.groups, scene.closed, agent, edge)
    return False


@inner
def ways_on(scene, crew, came, at):
    """How many ways lead on from `at`, not counting the one back and dead ends where somebody is home, and one of them."""
    ways = 0
    onward = at
    for edge in range(scene.indptr[at], scene.indptr[at + 1]):
        u = scene.indices[edge]
        if u == came:
            continue
        if scene.indptr[u + 1] - scene.indptr[u] == 1:
            other = crew.here[u]
            if other >= 0 and scene.goals[other] == u:
                continue
        ways += 1
        onward = u
    return ways, onward


@inner
def must_swap(scene, tables, crew, pusher, puller, behind, ahead):
    """True when the pusher, walking from `behind` over `ahead`, gets no further unless the two change places."""
    steps = 0
    while tables[pusher, ahead] < tables[pusher, behind] and steps < crew.here.size:
        steps += 1
        ways, onward = ways_on(scene, crew, behind, ahead)
        if ways >= 2:
            return False
        if ways == 0:
            break
        behind, ahead = ahead, onward
    wants = tables[pusher, ahead] < tables[pusher, behind] or tables[pusher, behind] == 0
    return wants and tables[puller, behind] < tables[puller, ahead]


@inner
def can_swap(scene, crew, origin, at):
    """True when pulling back from `origin` over `at` leads to a junction."""
    came = origin
    steps = 0
    while at != origin and steps < crew.here.size:
        steps += 1
        ways, onward = ways_on(scene, crew, came, at)
        if ways >= 2:
            return True
        if ways == 0:
            return False
        came, at = at, onward
    return False


@inner
def swap_partner(scene, tables, crew, agent, first):
    """The agent to change places with before `agent` can go on to `first`, or -1."""
    at = crew.now[agent]
    other = crew.here[first]
    if (
        other >= 0
        and other != agent
        and crew.then[other] < 0
        and must_swap(scene, tables, crew, agent, other, at, first)
        and can_swap(scene, crew, first, at)
    ):
        return other
    if first != at:
        # make room: somebody behind needs to pass through here against us
        for edge in range(scene.indptr[at], scene.indptr[at + 1]):
            u = scene.indices[edge]
            other = crew.here[u]
            if other < 0 or u == first:
                continue
            if must_swap(scene, tables, crew, other, agent, at, first) and can_swap(scene, crew, first, at):
                return other
    return np.int32(-1)


@inner
def open_frame(scene, tables, crew, depth, agent):
    """List the agent's choices, best first, and whom it must swap with."""
    at = crew.now[agent]
    row = tables[agent]
    choices = crew.choices[depth]
    keys = crew.keys
    preferred = guided(scene, agent, at)
    count = 0
    for edge in range(scene.indptr[at], scene.indptr[at + 1] + 1):
        if edge < scene.indptr[at + 1]:
            if closed_to(scene.groups, scene.closed, agent, edge):
                continue
            v = scene.indices[edge]
            key = np.float64(row[v]) + scene.weights[edge]
            if v == preferred:
                key = -1.0
        else:
            v = at
            key = np.float64(row[v]) + scene.waits[v]
            if row[v] == 0:
                key = 0.0
        if key >= 0.0:
            key += scene.noise * (draw(crew.random) * (1.0 / 4294967296.0))
            if crew.here[v] >= 0 and v != at:
                key += scene.noise
        i = count
        while i > 0 and keys[i - 1] > key:
            keys[i] = keys[i - 1]
            choices[i] = choices[i - 1]
            i -= 1
        keys[i] = key
        choices[i] = v
        count += 1
    partner = swap_partner(scene, tables, crew, agent, choices[0])
    if partner >= 0:
        for i in range(count // 2):
            choices[i], choices[count - 1 - i] = choices[count - 1 - i], choices[i]
    crew.agent[depth] = agent
    crew.turn[depth] = 0
    crew.options[depth] = count
    crew.partner[depth] = partner


@inner
def decide(scene, tables, crew, first):
    """Choose the next node of agent `first` and of all that it pushes; False when it found none."""
    now, then, here, there = crew.now, crew.then, crew.here, crew.there
    depth = -1
    pushed = first
    while True:
        if pushed >= 0:
            depth += 1
            open_frame(scene, tables, crew, depth, pushed)
            pushed = np.int32(-1)
        agent = crew.agent[depth]
        turn = crew.turn[depth]
        if turn == crew.options[depth]:
            # no way out: stay, in the place that the pusher wanted, which then tries its next choice
            if depth == 0:
                return False
            then[agent] = now[agent]
            there[now[agent]] = agent
            depth -= 1
            continue
        crew.turn[depth] = turn + 1
        v = crew.choices[depth, turn]
        other = here[v]
        if there[v] >= 0 or (other >= 0 and other != agent and then[other] == now[agent]):
            continue
        then[agent] = v
        there[v] = agent
        if other >= 0 and other != agent and then[other] < 0:
            pushed = other
            continue
        while depth >= 0:
            pull(scene, crew, depth)
            depth -= 1
        return True


@inner
def pull(scene, crew, depth):
    """Let the swap partner follow an agent that got its first choice."""
    partner = crew.partner[depth]
    agent = crew.agent[depth]
    at = crew.now[agent]
    if (
        partner >= 0
        and crew.turn[depth] == 1
        and crew.then[partner] < 0
        and crew.there[at] < 0
        and crew.then[agent] != at
        and crew.then[agent] != crew.now[partner]
        and has_edge(scene, partner, crew.now[partner], at)
    ):
        crew.then[partner] = at
        crew.there[at] = partner


@inner
def place(crew, nodes):
    """Put the agents at `nodes`, nobody decided; `clear` undoes it."""
    for agent in range(nodes.size):
        crew.now[agent] = nodes[agent]
        crew.then[agent] = -1
        crew.here[nodes[agent]] = agent


@inner
def undecide(crew):
    """Take back every choice."""
    for agent in range(crew.now.size):
        if crew.then[agent] >= 0:
            crew.there[crew.then[agent]] = -1
            crew.then[agent] = -1


@inner
def clear(crew):
    """Take all agents off the nodes: only the nodes touched are reset."""
    undecide(crew)
    for agent in range(crew.now.size):
        crew.here[crew.now[agent]] = -1


@inner
def decide_all(scene, tables, crew, order):
    """Every agent in order of priority; False when one has no choice left (only with choices made before the call)."""
    for k in range(order.size):
        agent = order[k]
        if crew.then[agent] < 0 and not decide(scene, tables, crew, agent):
            return False
    return True


@inner
def reorder(order, ranks, nodes, goals, out):
    """The next step's priorities: agents under way keep their order, those at home come last in their first order.

    Args:
        order: (A,) int32 agents, first priority first.
        ranks: (A,) int32 the same at the start of the search.
        nodes: (A,) int32 where the agents are now.
        out: (A,) int32, written.
    """
    count = 0
    for k in range(order.size):
        agent = order[k]
        if nodes[agent] != goals[agent]:
            out[count] = agent
            count += 1
    for k in range(ranks.size):
        agent = ranks[k]
        if nodes[agent] == goals[agent]:
            out[count] = agent
            count += 1


@kernel
def pibt_step(scene, tables, crew, nodes, order, ranks, out_nodes, out_order):
    """One step of PIBT for all agents, from `nodes` to `out_nodes`, priorities from `order` to `out_order`.

    For lifelong use give agents new goals (and table rows) between steps. On graphs where every edge lies on a cycle each agent
    in turn reaches its goal (Okumura et al. 2022); elsewhere it may not.

    Args:
        nodes, order, ranks: (A,) int32, see `reorder`; out_nodes may be `nodes`, out_order must be another array.
    """
    place(crew, nodes)
    decide_all(scene, tables, crew, order)
    for agent in range(nodes.size):
        out_nodes[agent] = crew.then[agent]
    clear(crew)
    reorder(order, ranks, out_nodes, scene.goals, out_order)
