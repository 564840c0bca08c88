"""One environment step for many environments and agents: sub-stepped sliding moves, hazard cost, contacts, arrival.

The dynamics are those of the paper's point environment (facts, sections 1.1 and 2): ten sub-steps, each trying axis 0 and then
axis 1, a move accepted unless it leaves the box or meets an obstacle. All of it is float32, so that a stored state is exactly
the position that was tested. An agent's step is kept as eleven rows and eleven columns: half-step 2k is (row[k+1], col[k]),
half-step 2k+1 is (row[k+1], col[k+1]).
"""

from __future__ import annotations

import math

import numpy as np

from navplan.kernels.jit import kernel
from navplan.kernels.obstacles import BLOCKED, MIXED, hazard_cost, side, squared_distance_to_segment

SUBSTEPS = 10
_DT = np.float32(0.1)
_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)
_FAR = np.float32(np.inf)


@kernel
def step_all(
    geometry, states, actions, goals, contact_distance, tolerance, traces, next_states, cost, reached, contacts, wall_contacts
):
    """Move all agents of all environments by one step.

    Args:
        geometry: scenarios.geometry.Geometry.
        states: (B, A, 2) float32, free positions.
        actions: (B, A, 2) float32, clipped to [-1, 1] here.
        goals: (B, A, 2) float32.
        contact_distance: two centres closer than this are in contact, float64.
        tolerance: an agent nearer than this to its goal has reached it, float64.
        traces: (2, A, 11) float32 workspace.
        next_states: (B, A, 2) float32, filled.
        cost: (B, A) float32, filled with the maximum hazard cost over the step, its start included.
        reached: (B, A) bool, filled.
        contacts: (B, A, A) bool, zeros on entry, set symmetrically.
        wall_contacts: (B, A) int32, filled with the number of rejected axis moves.

    Returns:
        -1, or b * A + a of the first agent whose action is not finite; nothing is moved then.
    """
    environments, agents, _ = states.shape
    for b in range(environments):
        for a in range(agents):
            if not (math.isfinite(actions[b, a, 0]) and math.isfinite(actions[b, a, 1])):
                return b * agents + a
    rows, cols = traces[0], traces[1]
    cell_cols = geometry.cells.shape[1]
    squared_tolerance = tolerance * tolerance
    for b in range(environments):
        for a in range(agents):
            row, col = states[b, a, 0], states[b, a, 1]
            i = min(int(row), geometry.cells.shape[0] - 1)
            j = min(int(col), cell_cols - 1)
            wall_contacts[b, a] = trace_step(geometry, row, col, i, j, actions[b, a, 0], actions[b, a, 1], rows[a], cols[a])
            cost[b, a] = step_cost(geometry, i * cell_cols + j, rows[a], cols[a])
            next_states[b, a, 0] = rows[a, SUBSTEPS]
            next_states[b, a, 1] = cols[a, SUBSTEPS]
            gap_row = float(rows[a, SUBSTEPS]) - float(goals[b, a, 0])
            gap_col = float(cols[a, SUBSTEPS]) - float(goals[b, a, 1])
            reached[b, a] = gap_row * gap_row + gap_col * gap_col < squared_tolerance
        if agents > 1:
            find_contacts(rows, cols, contact_distance, contacts[b])
    return -1


@kernel
def predict_all(geometry, states, actions, traces, positions):
    """Fill `positions` (B, A, 20, 2) float32 with what one step would pass through, moving nothing; returns as `step_all`."""
    environments, agents, _ = states.shape
    for b in range(environments):
        for a in range(agents):
            if not (math.isfinite(actions[b, a, 0]) and math.isfinite(actions[b, a, 1])):
                return b * agents + a
    rows, cols = traces[0, 0], traces[1, 0]
    for b in range(environments):
        for a in range(agents):
            row, col = states[b, a, 0], states[b, a, 1]
            i = min(int(row), geometry.cells.shape[0] - 1)
            j = min(int(col), geometry.cells.shape[1] - 1)
            trace_step(geometry, row, col, i, j, actions[b, a, 0], actions[b, a, 1], rows, cols)
            for k in range(SUBSTEPS):
                positions[b, a, 2 * k, 0] = rows[k + 1]
                positions[b, a, 2 * k, 1] = cols[k]
                positions[b, a, 2 * k + 1, 0] = rows[k + 1]
                positions[b, a, 2 * k + 1, 1] = cols[k + 1]
    return -1


@kernel
def trace_step(geometry, row, col, i, j, action_row, action_col, rows, cols):
    """Trace one agent's step into rows, cols (11,) float32 from (row, col) in cell (i, j); returns the rejected axis moves."""
    d_row = _DT * min(max(action_row, -_ONE), _ONE)
    d_col = _DT * min(max(action_col, -_ONE), _ONE)
    rows[0] = row
    cols[0] = col
    if geometry.clear[i, j]:
        r, c = row, col
        for k in range(SUBSTEPS):
            r = r + d_row
            c = c + d_col
            rows[k + 1] = r
            cols[k + 1] = c
        # Ten rounded additions may carry a full-length move just past the neighbourhood that is known to be free.
        if i - 1 <= r < i + 2 and j - 1 <= c < j + 2:
            return 0
    return _trace_slowly(geometry, row, col, i, j, d_row, d_col, rows, cols)


@kernel
def _trace_slowly(geometry, row, col, i, j, d_row, d_col, rows, cols):
    cells = geometry.cells
    last_row, last_col = cells.shape[0] - 1, cells.shape[1] - 1
    kind = cells[i, j]
    rejected = 0
    for k in range(SUBSTEPS):
        moved = row + d_row
        accepted = False
        if moved >= _ZERO and moved <= geometry.height:
            to = min(int(moved), last_row)
            to_kind = cells[to, j]
            accepted = to_kind != BLOCKED
            if accepted and (kind == MIXED or to_kind == MIXED):
                accepted = not _meets_edge(geometry, 0, float(row), float(moved), float(col), i, j, to, j)
            if accepted:
                row, i, kind = moved, to, to_kind
        if not accepted:
            rejected += 1
        moved = col + d_col
        accepted = False
        if moved >= _ZERO and moved <= geometry.width:
            to = min(int(moved), last_col)
            to_kind = cells[i, to]
            accepted = to_kind != BLOCKED
            if accepted and (kind == MIXED or to_kind == MIXED):
                accepted = not _meets_edge(geometry, 1, float(col), float(moved), float(row), i, j, i, to)
            if accepted:
                col, j, kind = moved, to, to_kind
        if not accepted:
            rejected += 1
        rows[k + 1] = row
        cols[k + 1] = col
    return rejected


@kernel
def _meets_edge(geometry, axis, start, end, across, i, j, to_i, to_j):
    """Whether the axis-parallel move start -> end at `across` on the other axis meets a polygon edge of the cells it is in.

    The start is free, so a move that meets no edge ends outside all polygons: no inside test is needed, and a polygon
    thinner than the move cannot be passed.
    """
    if start == end:
        return False
    cols = geometry.cells.shape[1]
    low, high = min(start, end), max(start, end)
    first, second = i * cols + j, to_i * cols + to_j
    for turn in range(2):
        cell = first if turn == 0 else second
        if turn == 1 and second == first:
            break
        for k in range(geometry.edge_indptr[cell], geometry.edge_indptr[cell + 1]):
            n = geometry.edge_ids[k]
            along0, along1 = geometry.segments[n, axis], geometry.segments[n, axis + 2]
            across0, across1 = geometry.segments[n, 1 - axis], geometry.segments[n, 3 - axis]
            if max(along0, along1) < low or min(along0, along1) > high:
                continue
            if max(across0, across1) < across or min(across0, across1) > across:
                continue
            if across0 == across1:
                return True
            after = side(end, across, along0, across0, along1, across1)
            if after == 0 or after != side(start, across, along0, across0, along1, across1):
                return True
    return False


@kernel
def step_cost(geometry, cell, rows, cols):
    """Maximum hazard cost over a traced step from `cell`: the hazards fall with distance, so the least distance decides."""
    first, last = geometry.rectangle_indptr[cell], geometry.rectangle_indptr[cell + 1]
    segments_from, segments_to = geometry.segment_indptr[cell], geometry.segment_indptr[cell + 1]
    if first == last and segments_from == segments_to:
        return 0.0
    nearest = _FAR
    for n in range(first, last):
        box = geometry.rectangle_ids[n]
        top, left = geometry.rectangles[box, 0], geometry.rectangles[box, 1]
        bottom, right = geometry.rectangles[box, 2], geometry.rectangles[box, 3]
        gap_row = max(top - rows[0], _ZERO, rows[0] - bottom)
        gap_col = max(left - cols[0], _ZERO, cols[0] - right)
        before = gap_col * gap_col
        nearest = min(nearest, gap_row * gap_row + before)
        for k in range(1, SUBSTEPS + 1):
            gap_row = max(top - rows[k], _ZERO, rows[k] - bottom)
            gap_col = max(left - cols[k], _ZERO, cols[k] - right)
            after = gap_col * gap_col
            nearest = min(nearest, gap_row * gap_row + min(before, after))
            before = after
    least = float(nearest)
    for n in range(segments_from, segments_to):
        least = min(least, _least_to_segment(geometry.segments[geometry.segment_ids[n]], rows, cols))
    return hazard_cost(geometry.hazard_kind, geometry.hazard_radius, least)


@kernel
def _least_to_segment(segment, rows, cols):
    row0, col0, row1, col1 = segment[0], segment[1], segment[2], segment[3]
    least = squared_distance_to_segment(float(rows[0]), float(cols[0]), row0, col0, row1, col1)
    for k in range(SUBSTEPS):
        row, before, after = float(rows[k + 1]), float(cols[k]), float(cols[k + 1])
        least = min(least, squared_distance_to_segment(row, before, row0, col0, row1, col1))
        least = min(least, squared_distance_to_segment(row, after, row0, col0, row1, col1))
    return least


@kernel
def find_contacts(rows, cols, contact_distance, contacts):
    """Set contacts[a, b] where two traced agents come closer than `contact_distance` after the same half-step.

    The comparison is float64 on the float32 positions: rounding never turns a touch into a miss.
    """
    agents = len(rows)
    squared = contact_distance * contact_distance
    # Two agents approach by at most two cells per axis in one step; a little more covers rounding.
    reach = contact_distance + 2.0 + 1.0 / 16.0
    for a in range(agents):
        for b in range(a):
            if abs(rows[a, 0] - rows[b, 0]) > reach or abs(cols[a, 0] - cols[b, 0]) > reach:
                continue
            gap_col = float(cols[a, 0]) - float(cols[b, 0])
            for k in range(1, SUBSTEPS + 1):
                gap_row = float(rows[a, k]) - float(rows[b, k])
                close = gap_row * gap_row + gap_col * gap_col < squared
                gap_col = float(cols[a, k]) - float(cols[b, k])
                if close or gap_row * gap_row + gap_col * gap_col < squared:
                    contacts[a, b] = True
                    contacts[b, a] = True
                    break
