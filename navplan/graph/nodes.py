"""Choosing graph nodes from replay-buffer states so that they cover what the policy has visited.

The reference draws nodes uniformly (docs/paper.md, section 4), which leaves holes in narrow places and crowds the rest.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.graph.parts import checked_states
from navplan.system.arrays import Float32, Int32
from navplan.system.numbers import Rng, check_numbers, check_whole, generator

NodeChoice = Literal["coverage", "uniform"]

# Kernel work per call, in distance updates (~0.2 s): between calls Python answers Ctrl-C.
_UPDATES_PER_CALL = 200_000_000


def coverage_nodes(
    states: ArrayLike,
    count: int,
    rng: Rng,
    method: NodeChoice = "coverage",
    *,
    keep_away: float = 0.0,
) -> Float32:
    """Choose at most `count` of `states` as graph nodes, no two equal.

    ``"coverage"`` is farthest-point sampling: its covering radius is at most twice the smallest possible (Gonzalez 1985).
    ``"uniform"`` draws without replacement. Fewer than `count` come back only where the remaining states are all within
    `keep_away` of a chosen one.

    Args:
        states: (K, D) finite coordinates in cells; duplicates do no harm.
        count: nodes wanted, at most K.
        rng: draws the first node, or all of them; a generator or a seed.
        method: "coverage" or "uniform".
        keep_away: cells that any two nodes stay apart, exclusive; 0 forbids duplicates only.

    Returns:
        (N, D) float32, in the order of choice: for "coverage" every prefix is itself a covering choice.

    Raises:
        InvalidInput: a state is not finite (the row is named), `count` is not in 1..K, or the method is unknown.
    """
    pool = checked_states(states, "state")
    return pool[coverage_indices(pool, count, rng, method, keep_away=keep_away)]


def coverage_indices(
    states: ArrayLike,
    count: int,
    rng: Rng,
    method: NodeChoice = "coverage",
    *,
    keep_away: float = 0.0,
) -> Int32:
    """Like `coverage_nodes`, but returns the (N,) int32 row numbers."""
    pool, draws = checked_states(states, "state"), generator(rng)
    check_whole(count=count)
    check_numbers(keep_away=keep_away)
    if not 1 <= count <= len(pool):
        raise InvalidInput(f"{count} nodes wanted of {len(pool)} states, expected 1..{len(pool)}")
    if not (np.isfinite(keep_away) and keep_away >= 0):
        raise InvalidInput(f"keep_away is {keep_away}, expected a number of cells that is not negative")
    if method == "coverage":
        return _farthest(pool, count, int(draws.integers(len(pool))), keep_away)
    if method == "uniform":
        return _uniform(pool, count, draws, keep_away)
    raise InvalidInput(f"node selection is {method!r}, expected 'coverage' or 'uniform'")


def covering_radius(points: ArrayLike, nodes: ArrayLike) -> float:
    """Largest distance, in cells, from one of `points` to the nearest of `nodes`: small is good.

    Example:
        >>> covering_radius([[0, 0], [3, 4]], [[0, 0]])
        5.0
    """
    from scipy.spatial import cKDTree

    where = checked_states(points, "point")
    distance, _ = cKDTree(checked_states(nodes, "node", dimension=where.shape[1])).query(where)
    return float(np.max(distance))


def _farthest(pool: Float32, count: int, first: int, keep_away: float) -> Int32:
    from navplan.kernels.search.coverage import farthest_points

    chosen = np.full(count, -1, dtype=np.int32)
    chosen[0] = first
    gap = np.full(len(pool), np.inf)
    rounds = max(1, _UPDATES_PER_CALL // len(pool))
    done, stop = 1, 1
    while done == stop and stop < count:
        stop = min(count, stop + rounds)
        done = int(farthest_points(pool, gap, chosen, done, stop, float(keep_away)))
    return chosen[:done]


def _uniform(pool: Float32, count: int, rng: np.random.Generator, keep_away: float) -> Int32:
    """Random order, taking every state that keeps away from those taken before, until there are enough."""
    order = rng.permutation(len(pool)).astype(np.int32)
    if keep_away == 0:
        _, first_seen = np.unique(pool[order], axis=0, return_index=True)
        return order[np.sort(first_seen)[:count]]
    from scipy.spatial import cKDTree

    tree = cKDTree(pool)
    free = np.ones(len(pool), dtype=np.bool_)
    taken: list[int] = []
    for row in order.tolist():
        if free[row]:
            taken.append(row)
            if len(taken) == count:
                break
            free[tree.query_ball_point(pool[row], keep_away)] = False
    return np.array(taken, dtype=np.int32)
