"""Edges that a body of bounded curvature cannot drive through, whatever it does before and afterwards.

Tested through tests/scenarios/bodies/test_edges.py.
"""

from __future__ import annotations

import math

from navplan.kernels.common.jit import inner, kernel


@inner
def drivable(positions, u, v, w, radius):
    """Whether a body that reverses can turn at v from u -> v into v -> w: an arc of the radius that touches both edges.

    The arc begins on the one edge and ends on the other, so the tangent length is at most the shorter edge. A body that stops at
    v and reverses turns by the rest of half a circle instead.
    """
    in_row, in_col = positions[v, 0] - positions[u, 0], positions[v, 1] - positions[u, 1]
    out_row, out_col = positions[w, 0] - positions[v, 0], positions[w, 1] - positions[v, 1]
    before, after = math.sqrt(in_row * in_row + in_col * in_col), math.sqrt(out_row * out_row + out_col * out_col)
    if before == 0.0 or after == 0.0:
        return True
    cosine = abs(in_row * out_row + in_col * out_col) / (before * after)
    angle = math.acos(min(1.0, cosine))
    return radius * math.tan(0.5 * angle) <= min(before, after) + 1e-9


@kernel
def close_turns(indptr, indices, back_indptr, back_indices, back_edges, positions, radius, start, goal, closed):
    """Close edges into whose first node no open edge leads, or out of whose last node none, by a turn that can be driven.

    Backing out the way that it came is no going on, but in a dead end, where there is nothing else to do.

    Args:
        indptr, indices: forward CSR; back_indptr, back_indices, back_edges: of the reversed graph, with the edges' numbers.
        positions: (N, 2) float64 cells.
        radius: least radius of a turn, cells.
        start, goal: nodes before and after which no turn is needed.
        closed: (M,) bool edges that are closed already; changed.

    Returns:
        How many edges were closed in this pass; 0 when there is no more to do.
    """
    count = 0
    for u in range(len(indptr) - 1):
        for edge in range(indptr[u], indptr[u + 1]):
            if closed[edge]:
                continue
            v = indices[edge]
            entered, others = u == start, 0
            for k in range(back_indptr[u], back_indptr[u + 1]):
                if entered:
                    break
                before = back_indices[k]
                if before != v:
                    others += 1
                    entered = not closed[back_edges[k]] and drivable(positions, before, u, v, radius)
            entered = entered or others == 0
            left, others = v == goal, 0
            for k in range(indptr[v], indptr[v + 1]):
                if left or not entered:
                    break
                after = indices[k]
                if after != u:
                    others += 1
                    left = not closed[k] and drivable(positions, u, v, after, radius)
            if not entered or not (left or others == 0):
                closed[edge] = True
                count += 1
    return count
