"""Lower bounds from landmarks and the triangle inequality (ALT: Goldberg and Harrelson, SODA 2005).

Of landmark k a table holds, for every node u, the cost from the landmark to u in column 2 k and from u to the landmark in column
2 k + 1, rounded to float32, inf where there is no way.
"""

from __future__ import annotations

import numpy as np

from navplan.kernels.common.jit import inner, kernel

# Half a unit in the last place of float32, and a little more for the sums that were rounded.
SLACK = 6.0e-8


@inner
def apart(longer, shorter):
    """At least how much the one cost exceeds the other, both rounded to float32; 0 where the shorter is not known."""
    if shorter == np.inf:
        return 0.0
    return longer * (1.0 - SLACK) - shorter * (1.0 + SLACK)


@kernel
def landmark_bound(tables, chosen, u, goal):
    """Lower bound on the cost from `u` to `goal`, by the chosen landmarks; inf where they prove that there is no way."""
    bound = 0.0
    for k in range(chosen.size):
        there, back = 2 * chosen[k], 2 * chosen[k] + 1
        bound = max(bound, apart(tables[goal, there], tables[u, there]), apart(tables[u, back], tables[goal, back]))
    return bound


@kernel
def choose_landmarks(tables, source, goal, chosen):
    """Write the landmarks with the largest bounds for this query into `chosen` (C,), best first; -1 nowhere: C <= K."""
    taken = 0
    bounds = np.empty(chosen.size)
    one = np.empty(1, np.int32)
    for k in range(tables.shape[1] // 2):
        one[0] = k
        bound = landmark_bound(tables, one, source, goal)
        at = taken
        while at > 0 and bounds[at - 1] < bound:
            at -= 1
        if at >= chosen.size:
            continue
        taken = min(taken + 1, chosen.size)
        for after in range(taken - 1, at, -1):
            bounds[after], chosen[after] = bounds[after - 1], chosen[after - 1]
        bounds[at], chosen[at] = bound, k


@kernel
def write_landmark(there, back, tables, k):
    """Put the costs from landmark `k` (N,) float64 and to it into its columns."""
    for u in range(there.size):
        tables[u, 2 * k] = there[u]
        tables[u, 2 * k + 1] = back[u]
