"""Which pairs of states are given to the critics: all that pass the screen, or of each state so many that time grows with them.

Near pairs are listed by a k-d tree of positions. Where a state may have `max_neighbors` candidates at most and more pass, half
are the nearest and the others lie evenly among the farther ones. Up to `LISTED` pairs that is done exactly, by their ranks.
Beyond, nobody lists them all: the nearest are looked up, and the farther ones of row i are looked for among the columns j with
(i + j) % s = 0 only, which are a sample of all places. States without positions are as near as their numbers are (kNN).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
from scipy.spatial import cKDTree

from navplan.errors import InvalidInput
from navplan.graph.limits import EdgeLimits
from navplan.graph.positions import Points
from navplan.system.arrays import Float64, Int64

# Candidate pairs listed at once (24 bytes each in the k-d tree's answer).
PAIRS_PER_BLOCK = 2_000_000
# Up to so many states all pairs that pass are evaluated; of more, so many candidates each.
MOST_WHOLE, NEIGHBORS = 3000, 48
# Up to so many pairs that pass the screen, all are listed before they are thinned.
LISTED = 8_000_000

Pairs = tuple[Int64, Int64]
# Rows, columns, and how far apart they are.
Listed = tuple[Int64, Int64, Float64]


def within_budget(points: Points, limits: EdgeLimits, max_pairs: int | None) -> EdgeLimits:
    """`limits` with a cap on the neighbours when more than `max_pairs` pairs pass the screen; see `StateGraph.from_states`.

    Raises:
        InvalidInput: fewer pairs than states.
    """
    count = len(points.states)
    if max_pairs is None:
        if count <= MOST_WHOLE or limits.max_neighbors is not None:
            return limits
        max_pairs = NEIGHBORS * count
    if max_pairs < count:
        raise InvalidInput(f"max_pairs is {max_pairs}, expected at least one pair per state ({count}) or None")
    if passing(points, points, limits) - count <= max_pairs:
        return limits
    cap = max_pairs // count
    return dataclasses.replace(limits, max_neighbors=min(cap, limits.max_neighbors or cap))


def passing(rows: Points, columns: Points, limits: EdgeLimits) -> int:
    """How many pairs pass the screen, equal states included."""
    here, there = rows.where, columns.where
    if here is None or there is None or not math.isfinite(limits.reach):
        return len(rows.states) * len(columns.states)
    return int(cKDTree(here).count_neighbors(cKDTree(there), limits.reach, p=rows.p))


def candidates(rows: Points, columns: Points, limits: EdgeLimits, same: bool) -> Iterator[Pairs]:
    """Blocks of candidate pairs (row ids, column ids), ordered by row.

    Args:
        rows: R states whose candidates are listed.
        columns: C states that are candidates.
        limits: the rule.
        same: rows and columns are the same states; none is its own candidate.
    """
    most = limits.max_neighbors
    sampled = most is not None and passing(rows, columns, limits) > LISTED
    there = columns.where
    screened = rows.where is not None and there is not None and math.isfinite(limits.reach)
    block = max(1, PAIRS_PER_BLOCK // (2 * (most or 1) if sampled and screened else len(columns.states)))
    for start in range(0, len(rows.states), block):
        part = rows.part(slice(start, start + block))
        here = part.where
        if here is not None and there is not None and screened:
            i, j, apart = _near(here, there, limits.reach, most if sampled else None, start, same, rows.p)
        else:
            i, j, apart = _alike(part, columns, most, sampled, start, same)
        if same:
            other = i + start != j
            i, j, apart = i[other], j[other], apart[other]
        if most is not None:
            i, j = _thinned(i, j, apart, len(part.states), most)
        yield i + start, j


def _near(where: Float64, there: Float64, reach: float, most: int | None, start: int, same: bool, p: float) -> Listed:
    """Pairs of places within `reach`: all of them, or of a row with more than `most` the nearest and a sample of the others.

    Args:
        most: None for all pairs.
        start: id of the first row.
        p: of the norm.
    """
    rows, columns = np.arange(len(where)), np.arange(len(there))
    if most is None:
        return _within(where, rows, there, columns, reach, p)
    tree, nearest = cKDTree(there), (most + 1) // 2
    counts = tree.query_ball_point(where, reach, p=p, return_length=True) - same
    parts = [_within(where, rows[counts <= most], there, columns, reach, p)]
    # One column in s, s a power of 2: as many as are wanted of the farther ones, up to twice as many.
    stride = 1 << np.log2(np.maximum(1, (counts - nearest) // max(1, most - nearest))).astype(np.int64)
    last = np.full(len(where), np.inf)
    crowded = rows[counts > most]
    if len(crowded):
        gaps, ids = (np.asarray(part) for part in tree.query(where[crowded], k=np.arange(1, nearest + same + 1), p=p))
        parts.append((np.repeat(crowded, ids.shape[1]), ids.ravel().astype(np.int64), gaps.ravel()))
        last[crowded] = gaps[:, -1]
    for s in np.unique(stride[crowded]).tolist():
        for kind in range(s):
            mine = crowded[(stride[crowded] == s) & ((crowded + start) % s == kind)]
            i, j, apart = _within(where, mine, there, columns[-kind % s :: s], reach, p)
            beyond = apart > last[i]
            parts.append((i[beyond], j[beyond], apart[beyond]))
    i, j, apart = (np.concatenate(column) for column in zip(*parts, strict=True))
    return i, j, apart


def _within(where: Float64, mine: Int64, there: Float64, theirs: Int64, reach: float, p: float) -> Listed:
    """The pairs of some rows and some columns nearer than `reach`, in the p-norm."""
    if not len(mine) or not len(theirs):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    # The tree's answer includes pairs at the radius itself; the comparison below is the exclusive one of the rule.
    found = cKDTree(where[mine]).sparse_distance_matrix(cKDTree(there[theirs]), reach, p=p, output_type="ndarray")
    found = found[found["v"] < reach]
    return mine[found["i"]], theirs[found["j"]], found["v"]


def _alike(rows: Points, columns: Points, most: int | None, sampled: bool, start: int, same: bool) -> Listed:
    """All pairs, by how far apart their positions are or else their states; or the nearest and a sample of the others."""
    size, others = len(rows.states), len(columns.states)
    if most is None:
        i, j = (axis.ravel() for axis in np.indices((size, others), dtype=np.int64))
        return i, j, np.zeros(len(i))
    here, there = rows.where, columns.where
    if here is not None and there is not None and rows.p == math.inf:
        apart = np.abs(here[:, None] - there[None]).max(axis=2)
    else:
        apart = _gaps(rows.states.astype(np.float64), columns.states.astype(np.float64))
    if not sampled:
        i, j = (axis.ravel() for axis in np.indices((size, others), dtype=np.int64))
        return i, j, apart.ravel()
    nearest = min((most + 1) // 2 + same, others)
    near = np.argpartition(apart, nearest - 1, axis=1)[:, :nearest]
    stride = max(1, (others - nearest) // max(1, most - most // 2))
    chosen = (np.arange(size)[:, None] + start + np.arange(others)[None]) % stride == 0
    np.put_along_axis(chosen, near, True, axis=1)
    i, j = np.nonzero(chosen)
    return i, j, apart[i, j]


def _gaps(rows: Float64, columns: Float64) -> Float64:
    """(R, C) squared Euclidean distances."""
    squares = (rows**2).sum(axis=1)[:, None] + (columns**2).sum(axis=1)[None] - 2.0 * rows @ columns.T
    gaps: Float64 = np.maximum(squares, 0.0)
    return gaps


def _thinned(i: Int64, j: Int64, apart: Float64, num_rows: int, most: int) -> Pairs:
    """At most `most` candidates per row: half of them nearest, half at even ranks among the farther ones."""
    order = np.lexsort((j, apart, i))
    i, j = i[order], j[order]
    counts = np.bincount(i, minlength=num_rows)
    rank = np.arange(len(i)) - np.repeat(np.cumsum(counts) - counts, counts)
    nearest = (most + 1) // 2
    spread = most - nearest
    farther = np.maximum(counts - nearest, 1)[i]
    place = rank - nearest
    # Rank r of the F farther ones is chosen when floor(r * spread / F) steps up: exactly `spread` of them, evenly.
    chosen = ((place + 1) * spread) // farther > (place * spread) // farther
    keep = (counts[i] <= most) | (rank < nearest) | chosen
    return i[keep], j[keep]
