"""Edges that some agents may not use: one row for each group of agents that may use the same.

Tested through tests/planners/test_forbidden.py.
"""

from __future__ import annotations

from navplan.kernels.common.jit import inner


@inner
def closed_to(groups, closed, agent, edge):
    """Whether an agent may not use an edge: groups (A,) int32 are rows of closed (K, M) bool.

    Where there is nothing to close `closed` is (0,) bool, so that the compiler leaves the question out: asking it would cost some
    searches a quarter of their time.
    """
    if closed.ndim == 1:
        return False
    return closed[groups[agent], edge]
