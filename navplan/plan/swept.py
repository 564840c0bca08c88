"""Discs swept along straight moves against a map's obstacles and its edge, for the validator: numpy and plain Python.

No code is shared with what measures the rooms of graphs: here every move is laid beside the walls themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from navplan.system.arrays import Bool, Float64

# An overlap of no more than this (cells) is rounding.
GAP = 1e-6
# Pairs of a move and a polygon's edge that are looked at together.
_BLOCK = 1 << 20


@runtime_checkable
class Obstacles(Protocol):
    """Cells or polygons in a box [0, height] x [0, width]: `navplan.scenarios.worlds.world.World` is one."""

    @property
    def walls(self) -> NDArray[np.bool_] | None:
        """(H, W) bool, True = wall, or None where polygons are the obstacles."""
        ...

    @property
    def polygons(self) -> Iterable[Any]:
        """Polygons of (row, col) vertices, with `exterior` and `interiors`."""
        ...

    @property
    def height(self) -> float:
        """Rows of the box."""
        ...

    @property
    def width(self) -> float:
        """Columns of the box."""
        ...


def hits_cells(tails: Float64, heads: Float64, radius: float, walls: Bool) -> Bool:
    """(K,) bool: moves (K, 2) -> (K, 2) on which a disc reaches into a wall cell, or over the edge of the (H, W) map."""
    height, width = walls.shape
    hit = np.zeros(len(tails), np.bool_)
    if radius > max(height, width):
        return ~hit
    base = np.floor(tails).astype(np.int64)
    # Moves of one shape overlap the same cells, seen from the cell that they start in.
    keys, which = np.unique(np.concatenate([tails - base, heads - base], axis=1), axis=0, return_inverse=True)
    which = which.reshape(-1)
    for shape, key in enumerate(keys):
        moves = np.flatnonzero(which == shape)
        offsets = _overlapped(key[:2], key[2:], radius)
        for start in range(0, len(offsets), 1 + _BLOCK // max(1, len(moves))):
            part = offsets[start : start + 1 + _BLOCK // max(1, len(moves))]
            rows, cols = (base[moves, None, axis] + part[None, :, axis] for axis in (0, 1))
            outside = (rows < 0) | (rows >= height) | (cols < 0) | (cols >= width)
            blocked = walls[np.clip(rows, 0, height - 1), np.clip(cols, 0, width - 1)]
            hit[moves] |= (outside | blocked).any(axis=1)
    return hit


def _overlapped(tail: Float64, head: Float64, radius: float) -> NDArray[np.int64]:
    """(C, 2) cells that a disc moving from `tail` to `head` overlaps."""
    low = np.floor(np.minimum(tail, head) - radius).astype(np.int64)
    high = np.floor(np.maximum(tail, head) + radius).astype(np.int64)
    cells = np.stack(np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(low, high, strict=True)), indexing="ij"), axis=-1)
    cells = cells.reshape(-1, 2)
    inner = np.concatenate([cells + GAP, cells + 1 - GAP], axis=1)
    corners = [np.concatenate([cells + a, cells + b], axis=1) for a, b in (((0, 0), (0, 1)), ((0, 1), (1, 1)), ((1, 1), (1, 0)))]
    corners.append(np.concatenate([cells + np.array([1, 0]), cells], axis=1))
    gap = np.min([segment_gaps(tail[None], head[None], edges)[0] for edges in corners], axis=0)
    found: NDArray[np.int64] = cells[(gap < radius - GAP) | _passes(tail, head, inner)]
    return found


def _passes(tail: Float64, head: Float64, boxes: Float64) -> Bool:
    """(C,) bool: boxes (C, 4) that hold a point of the segment (clipped axis by axis)."""
    first, last = np.zeros(len(boxes)), np.ones(len(boxes))
    for axis in (0, 1):
        step = head[axis] - tail[axis]
        if step == 0:
            last[(tail[axis] < boxes[:, axis]) | (tail[axis] > boxes[:, axis + 2])] = -1.0
            continue
        ends = np.sort([(boxes[:, axis] - tail[axis]) / step, (boxes[:, axis + 2] - tail[axis]) / step], axis=0)
        first, last = np.maximum(first, ends[0]), np.minimum(last, ends[1])
    return first <= last


def hits_polygons(tails: Float64, heads: Float64, radius: float, world: Obstacles) -> Bool:
    """(K,) bool: moves on which a disc reaches into a polygon or over the edge of the box."""
    size = np.array([world.height, world.width])
    rim = np.min([tails, heads, size - tails, size - heads], axis=(0, 2))
    hit: Bool = rim < radius - GAP
    for polygon in world.polygons:
        edges = np.concatenate([_edges(ring) for ring in (polygon.exterior, *polygon.interiors)])
        for start in range(0, len(tails), max(1, _BLOCK // len(edges))):
            part = slice(start, start + max(1, _BLOCK // len(edges)))
            near = segment_gaps(tails[part], heads[part], edges).min(axis=1)
            hit[part] |= (near < radius - GAP) | (near < 0) | ((near > GAP) & _inside(tails[part], edges))
    return hit


def _edges(ring: Any) -> Float64:
    points = np.asarray(ring.coords, np.float64)[:, :2]
    return np.concatenate([points[:-1], points[1:]], axis=1)


def _inside(points: Float64, edges: Float64) -> Bool:
    """(K,) bool: points with an odd number of edges (S, 4) to one side."""
    row, col = points[:, 0:1], points[:, 1:2]
    spans = (edges[:, 0] > row) != (edges[:, 2] > row)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = edges[:, 1] + (row - edges[:, 0]) / (edges[:, 2] - edges[:, 0]) * (edges[:, 3] - edges[:, 1])
    odd: Bool = ((spans & (col < at)).sum(axis=1) % 2).astype(np.bool_)
    return odd


def segment_gaps(tails: Float64, heads: Float64, edges: Float64) -> Float64:
    """(K, S) distances of the segments (K, 2) -> (K, 2) to the edges (S, 4); -1 where they cross."""
    a, b = tails[:, None], heads[:, None]
    c, d = edges[None, :, :2], edges[None, :, 2:]
    gaps = np.min([_point_gap(a, c, d), _point_gap(b, c, d), _point_gap(c, a, b), _point_gap(d, a, b)], axis=0)
    sides = [_turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)]
    return np.where((sides[0] * sides[1] < 0) & (sides[2] * sides[3] < 0), -1.0, gaps)


def _turn(a: Float64, b: Float64, c: Float64) -> Float64:
    """The sign says on which side of the line through a and b the point c is."""
    return np.sign((b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0]))


def _point_gap(p: Float64, a: Float64, b: Float64) -> Float64:
    """Distance of the points p to the segments a b."""
    along, offset = b - a, p - a
    length = (along * along).sum(axis=-1)
    share = np.clip((offset * along).sum(axis=-1) / np.where(length > 0, length, 1.0), 0.0, 1.0)
    gap: Float64 = np.linalg.norm(offset - share[..., None] * along, axis=-1)
    return gap
