"""One environment step of disc bodies, which walls keep at a distance; the counterpart of `navplan.kernels.motion.stepping`.

Tested through tests/scenarios/environments/test_body.py.
"""

from __future__ import annotations

import math

import numpy as np

from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.motion.body import inside, press
from navplan.kernels.motion.obstacles import hazard_cost
from navplan.kernels.motion.stepping import (
    DT,
    SUBSTEPS,
    cell_index,
    clip,
    find_contacts,
    half_steps,
    least_to_boxes,
    least_to_edges,
)


@kernel
def step_discs(
    geometry, body, states, actions, goals, contact_distance, tolerance, traces, next_states, cost, reached, contacts, bumps
):
    """`stepping.step_all` for discs: `body` is a scenarios.worlds.geometry.Disc; bumps are the axis moves that were cut short."""
    environments, agents, _ = states.shape
    for b in range(environments):
        for a in range(agents):
            if not (math.isfinite(actions[b, a, 0]) and math.isfinite(actions[b, a, 1])):
                return b * agents + a
    rows, cols = traces[0], traces[1]
    shape, radius, height, width = geometry.cells.shape, body.radius, float(geometry.height), float(geometry.width)
    near_boxes, near_edges = body.rectangle_indptr, body.segment_indptr
    boxes, box_indptr, box_ids = geometry.rectangles, geometry.rectangle_indptr, geometry.rectangle_ids
    edge_indptr, edge_ids = geometry.segment_indptr, geometry.segment_ids
    too_far = np.float32(geometry.hazard_radius * geometry.hazard_radius * 1.000001 + 1e-30)
    squared_tolerance = tolerance * tolerance
    for b in range(environments):
        for a in range(agents):
            row, col = states[b, a, 0], states[b, a, 1]
            d_row, d_col = DT * clip(actions[b, a, 0]), DT * clip(actions[b, a, 1])
            go_straight(row, col, d_row, d_col, rows[a], cols[a])
            cell = cell_index(row, shape[0]) * shape[1] + cell_index(col, shape[1])
            first, last, low, high = near_boxes[cell], near_boxes[cell + 1], near_edges[cell], near_edges[cell + 1]
            cut = 0
            if first < last or low < high or not inside(radius, height, width, rows[a], cols[a]):
                ids, edges = body.rectangle_ids[first:last], body.segment_ids[low:high]
                cut = press(radius, height, width, boxes, ids, geometry.segments, edges, d_row, d_col, rows[a], cols[a])
            bumps[b, a] = cut
            least = float(too_far)
            if box_indptr[cell] < box_indptr[cell + 1]:
                near = box_ids[box_indptr[cell] : box_indptr[cell + 1]]
                least = float(least_to_boxes(boxes, near, too_far, rows[a], cols[a]))
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


@kernel
def predict_discs(geometry, body, states, actions, traces, positions):
    """`stepping.predict_all` for discs, as `step_discs` moves them."""
    environments, agents, _ = states.shape
    for b in range(environments):
        for a in range(agents):
            if not (math.isfinite(actions[b, a, 0]) and math.isfinite(actions[b, a, 1])):
                return b * agents + a
    rows, cols = traces[0, 0], traces[1, 0]
    shape, radius, height, width = geometry.cells.shape, body.radius, float(geometry.height), float(geometry.width)
    near_boxes, near_edges = body.rectangle_indptr, body.segment_indptr
    boxes = geometry.rectangles
    for b in range(environments):
        for a in range(agents):
            row, col = states[b, a, 0], states[b, a, 1]
            d_row, d_col = DT * clip(actions[b, a, 0]), DT * clip(actions[b, a, 1])
            go_straight(row, col, d_row, d_col, rows, cols)
            cell = cell_index(row, shape[0]) * shape[1] + cell_index(col, shape[1])
            first, last, low, high = near_boxes[cell], near_boxes[cell + 1], near_edges[cell], near_edges[cell + 1]
            if first < last or low < high or not inside(radius, height, width, rows, cols):
                ids, edges = body.rectangle_ids[first:last], body.segment_ids[low:high]
                press(radius, height, width, boxes, ids, geometry.segments, edges, d_row, d_col, rows, cols)
            half_steps(rows, cols, positions[b, a])
    return -1


@inner
def go_straight(row, col, d_row, d_col, rows, cols):
    """Trace a step as if nothing stood in its way."""
    rows[0] = row
    cols[0] = col
    for k in range(SUBSTEPS):
        row = row + d_row
        col = col + d_col
        rows[k + 1] = row
        cols[k + 1] = col


@kernel
def free_motion(states, actions, positions):
    """Fill `positions` (B, A, 20, 2) float32 with what one step from states (B, A, 2) would pass without walls."""
    rows, cols = np.empty(SUBSTEPS + 1, np.float32), np.empty(SUBSTEPS + 1, np.float32)
    for b in range(len(states)):
        for a in range(states.shape[1]):
            d_row, d_col = DT * clip(actions[b, a, 0]), DT * clip(actions[b, a, 1])
            go_straight(states[b, a, 0], states[b, a, 1], d_row, d_col, rows, cols)
            half_steps(rows, cols, positions[b, a])
