"""One environment step for many environments and agents: sub-stepped sliding moves, hazard cost, contacts, arrival.

The dynamics are those of the paper's point environment (facts, sections 1.1 and 2): ten sub-steps, each trying axis 0 and then
axis 1, a move accepted unless it leaves the box or meets an obstacle. All of it is float32, so that a stored state is exactly
the position that was tested. An agent's step is kept as eleven rows and eleven columns: half-step 2k is (row[k+1], col[k]),
half-step 2k+1 is (row[k+1], col[k+1]).

That is a point: its radius only counts for contacts. `navplan.kernels.motion.discs` moves discs in the same half-steps.
"""

from __future__ import annotations

import math

import numpy as np

from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.motion.obstacles import BLOCKED, FREE, MIXED, hazard_cost, side

SUBSTEPS = 10
DT = np.float32(0.1)
_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)


@kernel
def step_all(geometry, states, actions, goals, contact_distance, tolerance, traces, next_states, cost, reached, contacts, bumps):
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
        bumps: (B, A) int32, filled with the number of rejected axis moves.

    Returns:
        -1, or b * A + a of the first agent whose action is not finite; nothing is moved then.
    """
    environments, agents, _ = states.shape
    for b in range(environments):
        for a in range(agents):
            if not (math.isfinite(actions[b, a, 0]) and math.isfinite(actions[b, a, 1])):
                return b * agents + a
    rows, cols = traces[0], traces[1]
    cells, height, width = geometry.cells, geometry.height, geometry.width
    boxes, box_indptr, box_ids = geometry.rectangles, geometry.rectangle_indptr, geometry.rectangle_ids
    edge_indptr, edge_ids = geometry.segment_indptr, geometry.segment_ids
    # Just beyond the hazard radius: what is farther away costs nothing.
    too_far = np.float32(geometry.hazard_radius * geometry.hazard_radius * 1.000001 + 1e-30)
    squared_tolerance = tolerance * tolerance
    for b in range(environments):
        for a in range(agents):
            row, col = states[b, a, 0], states[b, a, 1]
            d_row, d_col = DT * clip(actions[b, a, 0]), DT * clip(actions[b, a, 1])
            rejected = 0
            if not _glide(cells, height, width, row, col, d_row, d_col, rows[a], cols[a]):
                rejected = _slide(geometry, row, col, d_row, d_col, rows[a], cols[a])
            bumps[b, a] = rejected
            cell = cell_index(row, cells.shape[0]) * cells.shape[1] + cell_index(col, cells.shape[1])
            first, last = box_indptr[cell], box_indptr[cell + 1]
            least = float(too_far)
            if first < last:
                least = float(least_to_boxes(boxes, box_ids[first:last], too_far, rows[a], cols[a]))
            if edge_indptr[cell] < edge_indptr[cell + 1]:
                edges = edge_ids[edge_indptr[cell] : edge_indptr[cell + 1]]
                least = min(least, least_to_edges(geometry.segments, edges, least, rows[a], cols[a]))
            cost[b, a] = hazard_cost(geometry.hazard_kind, geometry.hazard_radius, least)
            next_states[b, a, 0] = rows[a, SUBSTEPS]
            next_states[b, a, 1] = cols[a, SUBSTEPS]
            gap_row = float(rows[a, SUBSTEPS]) - float(goals[b, a, 0])
            gap_col = float(cols[a, SUBSTEPS]) - float(goals[b, a, 1])
            reached[b, a] = gap_row * gap_row + gap_col * gap_col < squared_tolerance
        if agents > 1:
            find_contacts(rows, cols, contact_distance, contacts[b])
    return -1


@inner
def half_steps(rows, cols, positions):
    """Fill `positions` (20, 2) with those of a trace after each half-step."""
    for k in range(SUBSTEPS):
        positions[2 * k, 0] = rows[k + 1]
        positions[2 * k, 1] = cols[k]
        positions[2 * k + 1, 0] = rows[k + 1]
        positions[2 * k + 1, 1] = cols[k + 1]


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
            d_row, d_col = DT * clip(actions[b, a, 0]), DT * clip(actions[b, a, 1])
            if not _glide(geometry.cells, geometry.height, geometry.width, row, col, d_row, d_col, rows, cols):
                _slide(geometry, row, col, d_row, d_col, rows, cols)
            half_steps(rows, cols, positions[b, a])
    return -1


@inner
def _glide(cells, height, width, row, col, d_row, d_col, rows, cols):
    """Trace a step as if nothing stood in its way; returns whether that is so for certain.

    Kept to few arguments: passing the whole geometry would cost more than the step.
    """
    r, c = row, col
    rows[0] = r
    cols[0] = c
    for k in range(SUBSTEPS):
        r = r + d_row
        c = c + d_col
        rows[k + 1] = r
        cols[k + 1] = c
    if not (r >= _ZERO and c >= _ZERO and r <= height and c <= width):
        return False
    i, j = cell_index(row, cells.shape[0]), cell_index(col, cells.shape[1])
    to_i, to_j = cell_index(r, cells.shape[0]), cell_index(c, cells.shape[1])
    # An unhindered step stays in the cells between its ends: at most four, unless rounding made it longer than one cell.
    if abs(to_i - i) > 1 or abs(to_j - j) > 1:
        return False
    return (cells[i, j] | cells[to_i, j] | cells[i, to_j] | cells[to_i, to_j]) == FREE


@inner
def cell_index(coordinate, count):
    """Cell of a coordinate in the box: floor, and the last cell for the far boundary."""
    index = int(coordinate)
    return index if index < count else count - 1


@inner
def clip(action):
    """An action's component within [-1, 1]."""
    if action > _ONE:
        return _ONE
    return action if action > -_ONE else -_ONE


@inner
def _slide(geometry, row, col, d_row, d_col, rows, cols):
    """Trace a step sub-step by sub-step; returns the number of rejected axis moves."""
    cells = geometry.cells
    i, j = cell_index(row, cells.shape[0]), cell_index(col, cells.shape[1])
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


@inner
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


@inner
def least_to_boxes(boxes, ids, too_far, rows, cols):
    """Least squared distance of a traced step to some rectangles; `too_far` where all are farther away than that."""
    low_row, high_row = _ordered(rows[0], rows[SUBSTEPS])
    low_col, high_col = _ordered(cols[0], cols[SUBSTEPS])
    return least_to_boxes_within(boxes, ids, too_far, rows, cols, (low_row, high_row, low_col, high_col))


@inner
def least_to_boxes_within(boxes, ids, too_far, rows, cols, extent):
    """`least_to_boxes` for a trace that stays within `extent`, (top, bottom, left, right) float32, straight or not."""
    low_row, high_row, low_col, high_col = extent
    nearest = too_far
    for n in range(len(ids)):
        box = ids[n]
        top, left, bottom, right = boxes[box, 0], boxes[box, 1], boxes[box, 2], boxes[box, 3]
        gap_row, gap_col = _gap(top - high_row, low_row - bottom), _gap(left - high_col, low_col - right)
        if gap_row * gap_row + gap_col * gap_col >= nearest:
            continue
        gap_row, gap_col = _gap(top - rows[0], rows[0] - bottom), _gap(left - cols[0], cols[0] - right)
        before = gap_col * gap_col
        squared = gap_row * gap_row + before
        nearest = squared if squared < nearest else nearest
        for k in range(1, SUBSTEPS + 1):
            gap_row, gap_col = _gap(top - rows[k], rows[k] - bottom), _gap(left - cols[k], cols[k] - right)
            after = gap_col * gap_col
            squared = gap_row * gap_row + (before if before < after else after)
            nearest = squared if squared < nearest else nearest
            before = after
    return nearest


@inner
def _gap(below, above):
    """Distance to an interval from its two signed gaps."""
    gap = below if below > above else above
    return gap if gap > _ZERO else _ZERO


@inner
def _ordered(a, b):
    return (a, b) if a < b else (b, a)


@inner
def least_to_edges(segments, ids, too_far, rows, cols):
    """Least squared distance of a traced step to some polygon edges; `too_far` where all are farther away than that."""
    low_row, high_row = _ordered(float(rows[0]), float(rows[SUBSTEPS]))
    low_col, high_col = _ordered(float(cols[0]), float(cols[SUBSTEPS]))
    return least_to_edges_within(segments, ids, too_far, rows, cols, (low_row, high_row, low_col, high_col))


@inner
def least_to_edges_within(segments, ids, too_far, rows, cols, extent):
    """`least_to_edges` for a trace that stays within `extent`, (top, bottom, left, right), straight or not."""
    low_row, high_row, low_col, high_col = extent
    nearest = too_far
    for n in range(len(ids)):
        edge = ids[n]
        row0, col0, row1, col1 = segments[edge, 0], segments[edge, 1], segments[edge, 2], segments[edge, 3]
        top, bottom = _ordered(row0, row1)
        left, right = _ordered(col0, col1)
        gap_row, gap_col = max(top - high_row, 0.0, low_row - bottom), max(left - high_col, 0.0, low_col - right)
        if gap_row * gap_row + gap_col * gap_col >= nearest:
            continue
        along_row, along_col = row1 - row0, col1 - col0
        length = along_row * along_row + along_col * along_col
        scale = 1.0 / length if length > 0.0 else 0.0
        for k in range(2 * SUBSTEPS + 1):
            row, col = float(rows[(k + 1) // 2]) - row0, float(cols[k // 2]) - col0
            t = (row * along_row + col * along_col) * scale
            t = 0.0 if t < 0.0 else (1.0 if t > 1.0 else t)
            row, col = row - t * along_row, col - t * along_col
            squared = row * row + col * col
            nearest = squared if squared < nearest else nearest
    return nearest


@inner
def find_contacts(rows, cols, contact_distance, contacts):
    """Set contacts[a, b] where two traced agents come closer than `contact_distance` after the same half-step.

    The comparison is float64 on the float32 positions: rounding never turns a touch into a miss.
    """
    for a in range(len(rows)):
        for b in range(a):
            if touching(rows, cols, a, b, contact_distance):
                contacts[a, b] = True
                contacts[b, a] = True


@inner
def touching(rows, cols, a, b, contact_distance):
    """Whether two of the traced agents come closer than `contact_distance` after the same half-step."""
    squared = contact_distance * contact_distance
    # Two agents approach by at most two cells per axis in one step; a little more covers rounding.
    reach = contact_distance + 2.0 + 1.0 / 16.0
    if abs(rows[a, 0] - rows[b, 0]) > reach or abs(cols[a, 0] - cols[b, 0]) > reach:
        return False
    gap_col = float(cols[a, 0]) - float(cols[b, 0])
    for k in range(1, SUBSTEPS + 1):
        gap_row = float(rows[a, k]) - float(rows[b, k])
        close = gap_row * gap_row + gap_col * gap_col < squared
        gap_col = float(cols[a, k]) - float(cols[b, k])
        if close or gap_row * gap_row + gap_col * gap_col < squared:
            return True
    return False
