"""Who is where and when: the paths that others are to meet as little as can be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from navplan.kernels.cbs.unit_search import Traffic, conflicts_of, put, take
from navplan.system.arrays import Int32

NOBODY = np.empty(0, np.int32)
# Conflicts of one path that are listed, at most.
LISTED = 4096


class TrafficTable:
    """The paths of some agents, changed one at a time.

    Attributes:
        arrays: for the kernels; replaced when paths become longer.
    """

    def __init__(self, agents: int, nodes: int, longest: int) -> None:
        self._agents = agents
        self._nodes = nodes
        self._paths: Sequence[Int32] = [NOBODY] * agents
        self._found = np.empty((LISTED, 3), np.int32)
        self.arrays = self._make(longest + 33)

    def _make(self, times: int) -> Traffic:
        return Traffic(
            head=np.zeros((times, self._nodes), np.int16),
            link=np.empty((self._agents, times), np.int16),
            paths=np.empty((self._agents, times), np.int32),
        )

    def show(self, paths: Sequence[Int32]) -> None:
        """Make `paths` the traffic; an empty path stands for nobody, others have been made room for."""
        known = self._paths
        for agent in [k for k, (old, new) in enumerate(zip(known, paths, strict=True)) if old is not new]:
            if len(known[agent]):
                take(self.arrays, agent)
            if len(paths[agent]):
                put(self.arrays, agent, paths[agent])
        self._paths = paths

    def make_room(self, length: int) -> None:
        """Let the traffic reach beyond paths of `length` nodes."""
        times = self.arrays.head.shape[0]
        if length >= times:
            known, self._paths = self._paths, [NOBODY] * self._agents
            self.arrays = self._make(length + times)
            self.show(known)

    def conflicts(self, path: Int32) -> list[list[int]]:
        """[other agent, time, 1 for a swap] for each conflict of `path` with the traffic."""
        count = int(conflicts_of(self.arrays, path, self._found))
        rows: list[list[int]] = self._found[: min(count, LISTED)].tolist()
        return rows
