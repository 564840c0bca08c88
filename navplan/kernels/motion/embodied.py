"""One environment step of bodies with momentum, and the braking that may follow it; the counterpart of `discs` for fleets.

Each agent is a disc of its own radius. It moves in the half-steps of `navplan.kernels.motion.stepping`, ten sub-steps of one axis
and then the other; a tracker says at each sub-step how far it goes, and walls stop or turn it as they do any disc.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navplan.kernels.common.fill import fill
from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.motion.body import inside, press
from navplan.kernels.motion.discs import go_straight
from navplan.kernels.motion.obstacles import hazard_cost
from navplan.kernels.motion.stepping import (
    DT,
    SUBSTEPS,
    cell_index,
    half_steps,
    least_to_boxes_within,
    least_to_edges_within,
    touching,
)
from navplan.kernels.motion.trackers import POINT, SPEED, advance, direction, resting, stopped

_SINGLE = np.float32


class BodyTable(NamedTuple):
    """What A bodies are: kinds (A,) int64 and limits (A, 5) float64 as `trackers` has them, radii (A,) float64 cells."""

    kinds: np.ndarray
    radii: np.ndarray
    limits: np.ndarray


class Near(NamedTuple):
    """The obstacles that a body may touch in a step: rectangles and their numbers, polygon edges likewise, radius, box."""

    boxes: np.ndarray
    box_ids: np.ndarray
    segments: np.ndarray
    edge_ids: np.ndarray
    radius: float
    height: float
    width: float


@inner
def _near(geometry, disc, radius, row, col):
    """What a disc of this radius may touch in a step from (row, col); `disc` lists it for the largest radius."""
    shape = geometry.cells.shape
    cell = cell_index(row, shape[0]) * shape[1] + cell_index(col, shape[1])
    return Near(
        geometry.rectangles,
        disc.rectangle_ids[disc.rectangle_indptr[cell] : disc.rectangle_indptr[cell + 1]],
        geometry.segments,
        disc.segment_ids[disc.segment_indptr[cell] : disc.segment_indptr[cell + 1]],
        radius,
        float(geometry.height),
        float(geometry.width),
    )


@inner
def _pressed(near, d_row, d_col, rows, cols):
    """Make a straight trace that of a disc among obstacles; returns how many half-steps were cut."""
    if len(near.box_ids) == 0 and len(near.edge_ids) == 0 and inside(near.radius, near.height, near.width, rows, cols):
        return 0
    boxes, segments = near.boxes, near.segments
    return press(near.radius, near.height, near.width, boxes, near.box_ids, segments, near.edge_ids, d_row, d_col, rows, cols)


@inner
def extent(rows, cols):
    """(top, bottom, left, right) float64 of a trace that may be curved."""
    top, bottom, left, right = rows[0], rows[0], cols[0], cols[0]
    for k in range(1, len(rows)):
        top, bottom = min(top, rows[k]), max(bottom, rows[k])
        left, right = min(left, cols[k]), max(right, cols[k])
    return float(top), float(bottom), float(left), float(right)


@inner
def _clear(near, box):
    """Whether a disc whose centre stays within `box` (top, bottom, left, right) touches nothing."""
    top, bottom, left, right = box
    radius = near.radius
    squared = radius * radius
    if top < radius or left < radius or bottom > near.height - radius or right > near.width - radius:
        return False
    for k in range(len(near.box_ids)):
        n = near.box_ids[k]
        gap_row = max(float(near.boxes[n, 0]) - bottom, top - float(near.boxes[n, 2]), 0.0)
        gap_col = max(float(near.boxes[n, 1]) - right, left - float(near.boxes[n, 3]), 0.0)
        if gap_row * gap_row + gap_col * gap_col < squared:
            return False
    for k in range(len(near.edge_ids)):
        n = near.edge_ids[k]
        row0, col0, row1, col1 = near.segments[n, 0], near.segments[n, 1], near.segments[n, 2], near.segments[n, 3]
        gap_row = max(min(row0, row1) - bottom, top - max(row0, row1), 0.0)
        gap_col = max(min(col0, col1) - right, left - max(col0, col1), 0.0)
        if gap_row * gap_row + gap_col * gap_col < squared:
            return False
    return True


@inner
def _unhindered(kind, limits, state, row, col, rows, cols):
    """Trace a step from rows[0], cols[0] towards the wish (row, col) as if nothing stood in its way."""
    towards = direction(kind, row, col)
    for k in range(SUBSTEPS):
        d_row, d_col = advance(kind, limits, state, row, col, towards)
        rows[k + 1] = rows[k] + _SINGLE(d_row)
        cols[k + 1] = cols[k] + _SINGLE(d_col)


@inner
def drive(near, walled, kind, limits, state, row, col, rows, cols):
    """Trace one step from rows[0], cols[0] towards the wish (row, col), `state` changed; returns how many half-steps were cut."""
    if kind == POINT:
        most = _SINGLE(limits[SPEED])
        d_row, d_col = DT * min(max(row, -most), most), DT * min(max(col, -most), most)
        go_straight(rows[0], cols[0], d_row, d_col, rows, cols)
        return _pressed(near, d_row, d_col, rows, cols) if walled else 0
    before = state[0], state[1], state[2], state[3]
    wish_row, wish_col = min(max(float(row), -1.0), 1.0), min(max(float(col), -1.0), 1.0)
    _unhindered(kind, limits, state, wish_row, wish_col, rows, cols)
    if not walled or _clear(near, extent(rows, cols)):
        return 0
    state[0], state[1], state[2], state[3] = before
    cut, towards = 0, direction(kind, wish_row, wish_col)
    for k in range(SUBSTEPS):
        d_row, d_col = advance(kind, limits, state, wish_row, wish_col, towards)
        straight_row, straight_col = rows[k] + _SINGLE(d_row), cols[k] + _SINGLE(d_col)
        rows[k + 1], cols[k + 1] = straight_row, straight_col
        hit = _pressed(near, _SINGLE(d_row), _SINGLE(d_col), rows[k : k + 2], cols[k : k + 2])
        if hit > 0:
            cut += hit
            moved_row, moved_col = float(rows[k + 1]) - float(rows[k]), float(cols[k + 1]) - float(cols[k])
            turned_row, turned_col = rows[k + 1] != straight_row, cols[k + 1] != straight_col
            stopped(kind, limits, state, moved_row, moved_col, turned_row, turned_col)
    return cut


@kernel
def step_bodies(geometry, disc, table, body, states, actions, goals, tolerance, traces, out):
    """`stepping.step_all` for bodies.

    Args:
        disc: scenarios.worlds.geometry.Disc of the largest radius.
        table: of the A bodies.
        body: (B, A, 4) float64 their states, changed.
        out: next_states, cost, reached, contacts, bumps of `stepping.step_all`; bumps are half-steps that were cut short.
    """
    next_states, cost, reached, contacts, bumps = out
    environments, agents, _ = states.shape
    for b in range(environments):
        for a in range(agents):
            if not (math.isfinite(actions[b, a, 0]) and math.isfinite(actions[b, a, 1])):
                return b * agents + a
    rows, cols = traces[0], traces[1]
    too_far = _SINGLE(geometry.hazard_radius * geometry.hazard_radius * 1.000001 + 1e-30)
    for b in range(environments):
        for a in range(agents):
            rows[a, 0], cols[a, 0] = states[b, a, 0], states[b, a, 1]
            near = _near(geometry, disc, table.radii[a], rows[a, 0], cols[a, 0])
            action = actions[b, a]
            bumps[b, a] = drive(near, True, table.kinds[a], table.limits[a], body[b, a], action[0], action[1], rows[a], cols[a])
            cost[b, a] = _cost(geometry, too_far, rows[a], cols[a])
            next_states[b, a, 0], next_states[b, a, 1] = rows[a, SUBSTEPS], cols[a, SUBSTEPS]
            gap_row = float(rows[a, SUBSTEPS]) - float(goals[b, a, 0])
            gap_col = float(cols[a, SUBSTEPS]) - float(goals[b, a, 1])
            reached[b, a] = gap_row * gap_row + gap_col * gap_col < tolerance * tolerance
        for a in range(agents):
            for other in range(a):
                if touching(rows, cols, a, other, table.radii[a] + table.radii[other]):
                    contacts[b, a, other] = True
                    contacts[b, other, a] = True
    return -1


@inner
def _cost(geometry, too_far, rows, cols):
    """The largest hazard cost along a trace."""
    shape = geometry.cells.shape
    cell = cell_index(rows[0], shape[0]) * shape[1] + cell_index(cols[0], shape[1])
    first, last = geometry.rectangle_indptr[cell], geometry.rectangle_indptr[cell + 1]
    low, high = geometry.segment_indptr[cell], geometry.segment_indptr[cell + 1]
    least = float(too_far)
    if first < last or low < high:
        top, bottom, left, right = extent(rows, cols)
        single = _SINGLE(top), _SINGLE(bottom), _SINGLE(left), _SINGLE(right)
        near = geometry.rectangle_ids[first:last]
        least = float(least_to_boxes_within(geometry.rectangles, near, too_far, rows, cols, single))
        edges = geometry.segment_ids[low:high]
        least = min(least, least_to_edges_within(geometry.segments, edges, least, rows, cols, (top, bottom, left, right)))
    return hazard_cost(geometry.hazard_kind, geometry.hazard_radius, least)


@kernel
def predict_bodies(geometry, disc, table, body, states, actions, walled, traces, positions, later):
    """What one step of each body, and its braking afterwards, would pass through; nothing is moved.

    Args:
        body: (N, A, 4) float64 states of the bodies, changed to those after all of it.
        states, actions: (N, A, 2) float32.
        walled: whether walls stop bodies.
        positions: (N, A, 20 * S, 2) float32, filled: after each half-step, wish 0 from the second step on.
        later: (N, A, 4) float64, filled with the states of the bodies after the first step.

    Returns:
        As `stepping.step_all`.
    """
    rows, cols = traces[0, 0], traces[1, 0]
    agents = states.shape[1]
    for n in range(len(states)):
        for a in range(agents):
            if not (math.isfinite(actions[n, a, 0]) and math.isfinite(actions[n, a, 1])):
                return n * agents + a
            kind, state, row, col = table.kinds[a], body[n, a], actions[n, a, 0], actions[n, a, 1]
            rows[0], cols[0] = states[n, a, 0], states[n, a, 1]
            for first in range(0, positions.shape[2], 2 * SUBSTEPS):
                if first > 0 and resting(kind, state):
                    fill(rows, 0, rows.size, rows[0])
                    fill(cols, 0, cols.size, cols[0])
                else:
                    near = _near(geometry, disc, table.radii[a], rows[0], cols[0])
                    drive(near, walled, kind, table.limits[a], state, row, col, rows, cols)
                half_steps(rows, cols, positions[n, a, first : first + 2 * SUBSTEPS])
                rows[0], cols[0] = rows[SUBSTEPS], cols[SUBSTEPS]
                if first == 0:
                    for k in range(4):
                        later[n, a, k] = state[k]
                    row, col = _SINGLE(0.0), _SINGLE(0.0)
    return -1
