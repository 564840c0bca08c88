"""One move per agent so that no two bodies touch at any sub-step: priorities, stepping aside, braking as the last resort.

Tested through tests/execution/test_safety_filter.py.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navplan.kernels.common.fill import fill
from navplan.kernels.common.jit import inner, kernel

UNKNOWN, CLEAR, HIT = -1, 0, 1


class Moves(NamedTuple):
    """Candidate moves of A agents, C each, the last of them braking, which for bodies without momentum is staying put.

    tracks (C, A, S, 2) float64 sub-step positions, until the bodies rest; reach (A,) float64, filled: how far each agent's tracks
    lead from where it is; usable (A, C) bool; here (A, 2) float64 present positions;
    slack (C, A) float64 by which each agent may be off each track; lossy (bool): a move may not be made at all; memo (A, C, A, C)
    int8, UNKNOWN before.
    """

    tracks: np.ndarray
    reach: np.ndarray
    usable: np.ndarray
    here: np.ndarray
    slack: np.ndarray
    lossy: bool
    memo: np.ndarray


@inner
def _closer(tracks, i, c, j, d, limit):
    """Whether the squared distance of the two tracks falls below `limit` at some sub-step."""
    for s in range(tracks.shape[2]):
        dr = tracks[c, i, s, 0] - tracks[d, j, s, 0]
        dc = tracks[c, i, s, 1] - tracks[d, j, s, 1]
        if dr * dr + dc * dc < limit:
            return True
    return False


@inner
def touches(moves, i, c, j, d, spacing):
    """Whether move c of agent i and move d of agent j come too close at some sub-step.

    Too close is less than `spacing` and the slack of both, or less than the present distance where that is smaller already:
    such a pair may stay as it is or part, never close in.
    """
    known = moves.memo[i, c, j, d]
    if known != UNKNOWN:
        return known == HIT
    here = moves.here
    dr, dc = here[i, 0] - here[j, 0], here[i, 1] - here[j, 1]
    now = dr * dr + dc * dc
    wide = spacing + moves.slack[c, i] + moves.slack[d, j]
    limit = min(wide * wide, now)
    hit = False
    near = wide + moves.reach[i] + moves.reach[j]
    if now < near * near:
        hit = _closer(moves.tracks, i, c, j, d, limit)
        if moves.lossy and not hit:
            stay = moves.tracks.shape[0] - 1
            hit = _closer(moves.tracks, i, c, j, stay, limit) or _closer(moves.tracks, i, stay, j, d, limit)
    moves.memo[i, c, j, d] = HIT if hit else CLEAR
    moves.memo[j, d, i, c] = moves.memo[i, c, j, d]
    return hit


@inner
def _measure(moves):
    """Fill `moves.reach`, with a little more for rounding."""
    tracks, here = moves.tracks, moves.here
    for i in range(len(here)):
        squared = 0.0
        for c in range(tracks.shape[0]):
            for s in range(tracks.shape[2]):
                dr, dc = tracks[c, i, s, 0] - here[i, 0], tracks[c, i, s, 1] - here[i, 1]
                squared = max(squared, dr * dr + dc * dc)
        moves.reach[i] = math.sqrt(squared) + 1e-6


@inner
def _fits(moves, i, c, choice, spacing):
    """Whether move c of agent i is usable and clear of every chosen move."""
    if not moves.usable[i, c]:
        return False
    for j in range(len(choice)):
        if j != i and choice[j] >= 0 and touches(moves, i, c, j, choice[j], spacing):
            return False
    return True


@inner
def _in_the_way(moves, trail, size, choice, order, stay, spacing):
    """The first undecided agent, by priority, whose braking would touch a move on the trail; -1 if none."""
    for j in order:
        if choice[j] < 0:
            for n in range(size):
                if touches(moves, trail[n], choice[trail[n]], j, stay, spacing):
                    return j
    return -1


@kernel
def choose(moves, order, own, pushed, spacing, budget, choice):
    """Write into `choice` (A,) int32 one candidate per agent such that no two touch.

    Agents decide by `order` (A,) int32, first to last. Agent i tries its first own[i] candidates; undecided agents that would
    be in the way when braking must move too, each with one of its first pushed[i] candidates, and so on down the line
    (priority inheritance with backtracking, as in PIBT, on continuous moves). If nothing works within `budget` trials, i brakes.

    Braking is always possible: every decided move, with the braking after it, is clear of the braking of every undecided agent
    (that is when a trial is accepted), so an undecided agent that brakes touches no decided move. Two that both brake follow the
    ends of the tracks chosen before, which were clear of one another; at the beginning all rest.
    """
    agents = len(order)
    stay = moves.tracks.shape[0] - 1
    fill(choice, 0, choice.size, -1)
    _measure(moves)
    trail = np.empty(agents, np.int32)
    at = np.empty(agents, np.int32)
    for root in order:
        if choice[root] >= 0:
            continue
        size, left = 1, budget
        trail[0], at[0] = root, -1
        done = False
        while size > 0 and not done:
            mover = trail[size - 1]
            choice[mover] = -1
            at[size - 1] += 1
            c = at[size - 1]
            left -= 1
            if left < 0 or c >= (own[root] if size == 1 else pushed[root]):
                size -= 1
                if left < 0:
                    while size > 0:
                        choice[trail[size - 1]] = -1
                        size -= 1
                continue
            if not _fits(moves, mover, c, choice, spacing):
                continue
            choice[mover] = c
            other = _in_the_way(moves, trail, size, choice, order, stay, spacing)
            if other < 0:
                done = True
            elif size < agents:
                trail[size], at[size] = other, -1
                size += 1
        if not done:
            choice[root] = stay
    return 0
