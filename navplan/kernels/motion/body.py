"""A disc body among obstacles: how far it may go along an axis, how it slides past what stops it, and where it has room.

The centre of a disc of radius r may be where its distance to every obstacle and to the edge is at least r. A half-step moves it
along one axis, so what one obstacle forbids is one interval of that axis: a slice of a rounded rectangle or of a capsule. The
centre stops where the interval begins, rounded to float32 on the side that it comes from, so a stored position is clear of
everything, and nothing can be jumped over.

What is left of a move that a slanted edge or a corner stopped is turned along it, as a body without friction glides: its share of
the other axis is added to the next half-step. Flat walls add nothing.

Tested through tests/scenarios/environments/test_body.py.
"""

from __future__ import annotations

import math

import numpy as np

from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.motion.obstacles import squared_distance_to_segment

TOUCH = 1e-6
"""Cells by which a disc may overlap an obstacle and still count as beside it."""

# An obstacle stops a disc that would come this much nearer than its radius; less is the rounding of where it stopped before.
_GRAZE = 1.0 - 1e-8
_LONGEST = np.float32(0.1)
_ZERO = np.float32(0.0)


@inner
def inside(radius, height, width, rows, cols):
    """Whether a straight traced step keeps a disc inside the box."""
    last = len(rows) - 1
    top, bottom = min(rows[0], rows[last]), max(rows[0], rows[last])
    left, right = min(cols[0], cols[last]), max(cols[0], cols[last])
    return top >= radius and left >= radius and bottom <= height - radius and right <= width - radius


@inner
def press(radius, height, width, boxes, box_ids, segments, edge_ids, d_row, d_col, rows, cols):
    """Make a straight trace of a step that of a disc; returns how many half-steps were cut.

    Args:
        boxes, box_ids: (N, 4) float32 rectangles, and those of them that the disc can touch.
        segments, edge_ids: (S, 4) float64 polygon edges likewise.
        d_row, d_col: float32 half-steps wished for.
        rows, cols: (11,) float32 the trace.
    """
    last = len(rows) - 1
    top, bottom = float(min(rows[0], rows[last])), float(max(rows[0], rows[last]))
    left, right = float(min(cols[0], cols[last])), float(max(cols[0], cols[last]))
    free = inside(radius, height, width, rows, cols)
    squared = radius * radius
    for k in range(len(box_ids)):
        box = box_ids[k]
        gap_row = max(float(boxes[box, 0]) - bottom, top - float(boxes[box, 2]), 0.0)
        gap_col = max(float(boxes[box, 1]) - right, left - float(boxes[box, 3]), 0.0)
        free &= gap_row * gap_row + gap_col * gap_col >= squared
    for k in range(len(edge_ids)):
        edge = edge_ids[k]
        row0, col0, row1, col1 = segments[edge, 0], segments[edge, 1], segments[edge, 2], segments[edge, 3]
        gap_row = max(min(row0, row1) - bottom, top - max(row0, row1), 0.0)
        gap_col = max(min(col0, col1) - right, left - max(col0, col1), 0.0)
        free &= gap_row * gap_row + gap_col * gap_col >= squared
    if free:
        return 0
    return _push(radius, height, width, boxes, box_ids, segments, edge_ids, d_row, d_col, rows, cols)


@inner
def _push(radius, height, width, boxes, box_ids, segments, edge_ids, d_row, d_col, rows, cols):
    """Trace a disc's step from rows[0], cols[0], stopped and turned by what is in its way; returns how many half-steps were cut.

    One loop over half-steps of either axis, as its body is large.
    """
    cut = 0
    turned = 0.0
    row, col = rows[0], cols[0]
    for half in range(2 * (len(rows) - 1)):
        axis = half % 2
        start, wish, size = (row, d_row, height) if axis == 0 else (col, d_col, width)
        beside = float(col if axis == 0 else row)
        if turned != 0.0:
            wish = _bounded(float(wish) + turned)
            turned = 0.0
        moved = start + wish
        if wish != _ZERO:
            # Mirrored where the move goes down the axis: the disc always moves up.
            ahead = 1.0 if wish > _ZERO else -1.0
            begin, target = ahead * float(start), ahead * float(moved)
            limit = min(target, max(begin, size - radius if ahead > 0.0 else -radius))
            which = -1
            for k in range(len(box_ids)):
                box = box_ids[k]
                gap = max(float(boxes[box, 1 - axis]) - beside, beside - float(boxes[box, 3 - axis]), 0.0)
                low, high = float(boxes[box, axis]), float(boxes[box, axis + 2])
                if ahead < 0.0:
                    low, high = -high, -low
                if gap < radius and low - radius < limit and high + radius > begin:
                    stop = _stop(radius, begin, limit, low, 0.0, high, 0.0, low, high, gap, beside, True)
                    if stop < limit:
                        limit, which = stop, k
            for k in range(len(edge_ids)):
                edge = edge_ids[k]
                b0, b1 = segments[edge, 1 - axis], segments[edge, 3 - axis]
                gap = max(min(b0, b1) - beside, beside - max(b0, b1), 0.0)
                a0, a1 = ahead * segments[edge, axis], ahead * segments[edge, axis + 2]
                low, high = min(a0, a1), max(a0, a1)
                if gap < radius and low - radius < limit and high + radius > begin:
                    stop = _stop(radius, begin, limit, a0, b0, a1, b1, low, high, gap, beside, False)
                    if stop < limit:
                        limit, which = stop, len(box_ids) + k
            if limit < target:
                cut += 1
                moved = _rounded_back(ahead * limit, start)
                out, out_across = 0.0, 0.0
                if which >= len(box_ids):
                    edge = edge_ids[which - len(box_ids)]
                    out, out_across = _away_from_segment(ahead * limit, beside, segments[edge], axis)
                elif which >= 0:
                    box = box_ids[which]
                    out = ahead * limit - min(max(ahead * limit, float(boxes[box, axis])), float(boxes[box, axis + 2]))
                    low, high = float(boxes[box, 1 - axis]), float(boxes[box, 3 - axis])
                    out_across = beside - min(max(beside, low), high)
                squared = out * out + out_across * out_across
                if squared > 0.0:
                    turned = -ahead * (target - limit) * out * out_across / squared
        if axis == 0:
            row = moved
            rows[half // 2 + 1] = row
        else:
            col = moved
            cols[half // 2 + 1] = col
    return cut


@inner
def _bounded(move):
    """`move` as float32, no longer than a half-step of a full action."""
    short = np.float32(move)
    if short > _LONGEST:
        return _LONGEST
    return short if short > -_LONGEST else -_LONGEST


@inner
def _rounded_back(limit, start):
    """`limit` as float32, never beyond it as seen from `start`, nor before `start`."""
    rounded = np.float32(limit)
    if start <= limit:
        if float(rounded) > limit:
            rounded = np.nextafter(rounded, np.float32(-np.inf))
        return max(rounded, start)
    if float(rounded) < limit:
        rounded = np.nextafter(rounded, np.float32(np.inf))
    return min(rounded, start)


@inner
def _away_from_segment(along, across, edge, axis):
    """The vector, (along, across) an axis, to a point from the nearest point of a segment (4,)."""
    a0, b0, a1, b1 = edge[axis], edge[1 - axis], edge[axis + 2], edge[3 - axis]
    way, sideways = a1 - a0, b1 - b0
    length = way * way + sideways * sideways
    t = 0.0
    if length > 0.0:
        t = min(1.0, max(0.0, ((along - a0) * way + (across - b0) * sideways) / length))
    return along - a0 - t * way, across - b0 - t * sideways


@inner
def _stop(radius, begin, target, a0, b0, a1, b1, low, high, gap, beside, solid):
    """Where an obstacle stops a disc that moves up from `begin`; infinity if not before `target`.

    The obstacle is the rectangle between two corners (`solid`) or the segment between two ends, (along, across) each; it lies
    within [low, high] along and is `gap` away across. A disc that overlaps it already may stay as far in as it is or part.
    """
    near = radius * _GRAZE
    first, last = _slice(near, a0, b0, a1, b1, low, high, gap, beside, solid)
    if first >= target or last <= begin or first > last:
        return np.inf
    if first >= begin:
        first, last = _slice(radius, a0, b0, a1, b1, low, high, gap, beside, solid)
        return max(first, begin)
    if solid:
        out = max(low - begin, begin - high, 0.0)
        distance = math.sqrt(out * out + gap * gap)
    else:
        distance = math.sqrt(squared_distance_to_segment(begin, beside, a0, b0, a1, b1))
    if distance == 0.0:  # the centre itself is inside: it may only leave, by the nearer end
        return begin if 2.0 * begin < low + high else np.inf
    near = min(radius, distance) * _GRAZE
    first, last = _slice(near, a0, b0, a1, b1, low, high, gap, beside, solid)
    if first >= target or last <= begin or first > last:
        return np.inf
    return max(first, begin)


@inner
def _slice(radius, a0, b0, a1, b1, low, high, gap, beside, solid):
    """(first, last) positions along the axis at which a centre at `beside` is nearer than `radius`; first > last if none."""
    if gap >= radius:
        return np.inf, -np.inf
    if solid:
        half = math.sqrt(radius * radius - gap * gap)
        return low - half, high + half
    first, last = np.inf, -np.inf
    for end in range(2):
        along, across = (a0, b0) if end == 0 else (a1, b1)
        off = beside - across
        if abs(off) < radius:
            half = math.sqrt(radius * radius - off * off)
            first, last = min(first, along - half), max(last, along + half)
    along, sideways = a1 - a0, b1 - b0
    if sideways != 0.0:
        length = math.sqrt(along * along + sideways * sideways)
        for turn in range(2):
            out = radius / length if turn == 0 else -radius / length
            t = (beside - b0 - out * along) / sideways
            if t >= 0.0 and t <= 1.0:
                crossing = a0 - out * sideways + t * along
                first, last = min(first, crossing), max(last, crossing)
    return first, last


@kernel
def lacking_room(geometry, body, points, lacking):
    """Set `lacking` (n,) bool where a disc at a point (n, 2) float32 in the box overlaps the edge or an obstacle by `TOUCH`."""
    radius = body.radius - TOUCH
    rows, cols = geometry.cells.shape
    for n in range(len(points)):
        if lacking[n]:
            continue
        row, col = float(points[n, 0]), float(points[n, 1])
        if min(row, col) < radius or row > geometry.height - radius or col > geometry.width - radius:
            lacking[n] = True
            continue
        cell = min(int(row), rows - 1) * cols + min(int(col), cols - 1)
        for k in range(body.rectangle_indptr[cell], body.rectangle_indptr[cell + 1]):
            box = geometry.rectangles[body.rectangle_ids[k]]
            gap_row = max(float(box[0]) - row, 0.0, row - float(box[2]))
            gap_col = max(float(box[1]) - col, 0.0, col - float(box[3]))
            if gap_row * gap_row + gap_col * gap_col < radius * radius:
                lacking[n] = True
        for k in range(body.segment_indptr[cell], body.segment_indptr[cell + 1]):
            edge = geometry.segments[body.segment_ids[k]]
            if squared_distance_to_segment(row, col, edge[0], edge[1], edge[2], edge[3]) < radius * radius:
                lacking[n] = True
