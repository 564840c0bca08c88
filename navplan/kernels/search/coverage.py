"""Farthest-point sampling (Gonzalez 1985): every chosen point is the one farthest from those chosen before.

Tested through tests/graph/test_nodes.py.
"""

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.jit import kernel


@kernel
def farthest_points(
    states: NDArray[np.float32],
    gap: NDArray[np.float64],
    chosen: NDArray[np.int32],
    done: int,
    stop: int,
    least_gap: float,
) -> int:
    """Extend `chosen` from `done` to `stop` points; exact, O((stop - done) * n).

    Ties go to the lowest index. Call again with a larger `stop` to go on.

    Args:
        states: (n, d) float32.
        gap: (n,) float64, squared distance to the nearest chosen point; inf everywhere before the first call. In place.
        chosen: (count,) int32; ``chosen[:done]`` is set, and ``chosen[0]`` always. In place.
        done: points chosen so far, at least 1; the gaps know all of them but the last.
        stop: points wanted after this call.
        least_gap: distance (exclusive) that a new point must keep from all chosen ones.

    Returns:
        Points chosen; fewer than `stop` when no state keeps the distance.
    """
    n, d = states.shape
    least = least_gap * least_gap
    while done < stop:
        last = chosen[done - 1]
        best, best_gap = -1, least
        for i in range(n):
            square = 0.0
            for k in range(d):
                step = np.float64(states[i, k]) - np.float64(states[last, k])
                square += step * step
            if square < gap[i]:
                gap[i] = square
            if gap[i] > best_gap:
                best, best_gap = i, gap[i]
        if best < 0:
            return done
        chosen[done] = best
        done += 1
    return done
