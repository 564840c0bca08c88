"""Order of passage: which pieces of motion wait for which, how far each agent may go, how far it has come.

Tested through tests/execution/test_passage.py.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navplan.kernels.common.jit import inner, kernel


class Passage(NamedTuple):
    """Planned motion of A agents over T time steps, cut into K pieces.

    nodes (A, T + 1, 2) float64; arrival (A,) int32 time step of the last arrival; offsets (T + 1,) int32 first piece of each
    time step; needs (A, K, A) int32: agent j's progress that agent i's piece k asks for, never falling along k.
    """

    nodes: np.ndarray
    arrival: np.ndarray
    offsets: np.ndarray
    needs: np.ndarray


@inner
def point_gap2(pr, pc, ar, ac, br, bc):
    """Squared distance of point p to segment ab."""
    dr, dc = br - ar, bc - ac
    length2 = dr * dr + dc * dc
    along = 0.0
    if length2 > 0.0:
        along = min(1.0, max(0.0, ((pr - ar) * dr + (pc - ac) * dc) / length2))
    gr, gc = pr - ar - along * dr, pc - ac - along * dc
    return gr * gr + gc * gc


@inner
def segment_gap2(ar, ac, br, bc, cr, cc, dr, dc):
    """Squared distance of segments ab and cd; 0 where they cross."""
    s1 = (br - ar) * (cc - ac) - (bc - ac) * (cr - ar)
    s2 = (br - ar) * (dc - ac) - (bc - ac) * (dr - ar)
    s3 = (dr - cr) * (ac - cc) - (dc - cc) * (ar - cr)
    s4 = (dr - cr) * (bc - cc) - (dc - cc) * (br - cr)
    if s1 * s2 < 0.0 and s3 * s4 < 0.0:
        return 0.0
    first = min(point_gap2(ar, ac, cr, cc, dr, dc), point_gap2(br, bc, cr, cc, dr, dc))
    second = min(point_gap2(cr, cc, ar, ac, br, bc), point_gap2(dr, dc, ar, ac, br, bc))
    return min(first, second)


@kernel
def fill_needs(passage, clearance, lag):
    """Write `passage.needs` (zeros before): piece k of i needs progress l + 1 of j for each l <= k - lag nearer than that."""
    nodes, arrival, offsets, needs = passage
    limit = clearance * clearance
    agents = len(arrival)
    for i in range(agents):
        for j in range(agents):
            if i == j:
                continue
            for t in range(arrival[i]):
                for u in range(min(arrival[j], t + 1)):
                    _needs_between(nodes, offsets, needs, i, t, j, u, limit, lag)
            for k in range(1, offsets[arrival[i]]):
                needs[i, k, j] = max(needs[i, k, j], needs[i, k - 1, j])
    return 0


@inner
def _needs_between(nodes, offsets, needs, i, t, j, u, limit, lag):
    """The part of `fill_needs` between agent i's time step t and agent j's time step u."""
    ar, ac, br, bc = nodes[i, t, 0], nodes[i, t, 1], nodes[i, t + 1, 0], nodes[i, t + 1, 1]
    cr, cc, dr, dc = nodes[j, u, 0], nodes[j, u, 1], nodes[j, u + 1, 0], nodes[j, u + 1, 1]
    if segment_gap2(ar, ac, br, bc, cr, cc, dr, dc) >= limit:
        return
    mine, theirs = offsets[t + 1] - offsets[t], offsets[u + 1] - offsets[u]
    for a in range(mine):
        k = offsets[t] + a
        f, g = a / mine, (a + 1) / mine
        er, ec, fr, fc = ar + f * (br - ar), ac + f * (bc - ac), ar + g * (br - ar), ac + g * (bc - ac)
        b = min(theirs - 1, k - lag - offsets[u])
        while b >= 0 and offsets[u] + b + 1 > needs[i, k, j]:
            f, g = b / theirs, (b + 1) / theirs
            gr, gc, hr, hc = cr + f * (dr - cr), cc + f * (dc - cc), cr + g * (dr - cr), cc + g * (dc - cc)
            if segment_gap2(er, ec, fr, fc, gr, gc, hr, hc) < limit:
                needs[i, k, j] = offsets[u] + b + 1
                break
            b -= 1


@kernel
def find_frontier(passage, progress, frontier):
    """Write into `frontier` (A,) int32 the progress up to which each agent may go, given everyone's `progress` (A,) float64."""
    arrival, offsets, needs = passage.arrival, passage.offsets, passage.needs
    agents = len(arrival)
    for i in range(agents):
        end = offsets[arrival[i]]
        k = int(progress[i])
        while k < end:
            free = True
            for j in range(agents):
                # an agent at its goal has left all its pieces: no need is greater than its last one
                if progress[j] < needs[i, k, j]:
                    free = False
                    break
            if not free:
                break
            k += 1
        frontier[i] = k
    return 0


@kernel
def advance(passage, positions, tolerance, step, progress, frontier):
    """Move `step` (A,) int32 and `progress` (A,) float64 forward to where `positions` (A, 2) float64 show the agents to be.

    Progress never falls. A wait is passed as soon as the order allows; a move by projection, its end by coming within
    `tolerance` of the node (or past it). Repeats until nothing changes, for one agent's progress may free another's way.
    Writes `frontier`.
    """
    nodes, arrival, offsets = passage.nodes, passage.arrival, passage.offsets
    agents = len(arrival)
    changed = True
    while changed:
        changed = False
        find_frontier(passage, progress, frontier)
        for i in range(agents):
            while step[i] < arrival[i]:
                before, t = progress[i], step[i]
                last = offsets[t + 1]
                ar, ac, br, bc = nodes[i, t, 0], nodes[i, t, 1], nodes[i, t + 1, 0], nodes[i, t + 1, 1]
                dr, dc = br - ar, bc - ac
                length2 = dr * dr + dc * dc
                if length2 == 0.0:
                    progress[i] = max(before, float(min(frontier[i], last)))
                else:
                    pr, pc = positions[i, 0], positions[i, 1]
                    along = ((pr - ar) * dr + (pc - ac) * dc) / length2
                    gap2 = (pr - br) * (pr - br) + (pc - bc) * (pc - bc)
                    near = gap2 < tolerance * tolerance or (along >= 1.0 and gap2 < 4.0 * tolerance * tolerance)
                    if near and frontier[i] >= last:
                        progress[i] = last
                    else:
                        reach = offsets[t] + min(0.999, max(0.0, along)) * (last - offsets[t])
                        progress[i] = max(before, min(reach, float(frontier[i])))
                if progress[i] > before:
                    changed = True
                if progress[i] < last:
                    break
                step[i] = t + 1
                changed = True
    return 0


@kernel
def speed_limits(passage, positions, step, progress, frontier, actions, scale):
    """Write into `scale` (A,) float64 the factor in [0, 1] at which each of `actions` (A, 2) stays within the frontier."""
    nodes, arrival, offsets = passage.nodes, passage.arrival, passage.offsets
    for i in range(len(arrival)):
        scale[i] = 1.0
        t = step[i]
        if t >= arrival[i]:
            continue
        last = offsets[t + 1]
        if frontier[i] >= last:
            continue
        dr, dc = nodes[i, t + 1, 0] - nodes[i, t, 0], nodes[i, t + 1, 1] - nodes[i, t, 1]
        length2 = dr * dr + dc * dc
        if length2 == 0.0:
            # waiting on the spot: free to come closer to the node, nothing to overrun
            continue
        pieces = last - offsets[t]
        along = ((positions[i, 0] - nodes[i, t, 0]) * dr + (positions[i, 1] - nodes[i, t, 1]) * dc) / length2
        gain = (actions[i, 0] * dr + actions[i, 1] * dc) / length2 * pieces
        room = frontier[i] - (offsets[t] + along * pieces)
        if gain > room:
            scale[i] = max(0.0, room / gain)
    return 0


@kernel
def chebyshev_pieces(nodes, arrival, durations, piece_length, offsets):
    """Write into `offsets` (T + 1,) int32 the first piece of each time step; a piece lasts `piece_length` steps at most.

    An edge lasts the larger of `durations` (A, T) and its longest axis, for an agent moves one cell per axis and step at most.
    """
    for t in range(len(offsets) - 1):
        longest = 0.0
        for i in range(len(arrival)):
            if t < arrival[i]:
                dr = abs(nodes[i, t + 1, 0] - nodes[i, t, 0])
                dc = abs(nodes[i, t + 1, 1] - nodes[i, t, 1])
                longest = max(longest, max(durations[i, t], max(dr, dc)))
        offsets[t + 1] = offsets[t] + max(1, math.ceil(longest / piece_length - 1e-9))
    return 0
