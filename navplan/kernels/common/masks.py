"""Edges that some agents may not use: one row for each group of agents that may use the same.

Tested through tests/planners/test_forbidden.py.
"""

from __future__ import annotations

from navplan.kernels.common.jit import inner


@inner
def closed_to(groups, closed, agent, edge):
    """Whether an agent may not use an edge: groups (A,) int32 are rows of closed (K, M) bool, or -1 for none.

    Where `closed` is (0,) bool the compiler leaves the question out, for a search that would spend a quarter of its time on it.
    """
    if closed.ndim == 1:
        return False
    group = groups[agent]
    return group >= 0 and closed[group, edge]
