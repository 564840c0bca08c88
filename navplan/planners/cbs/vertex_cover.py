"""Least total that agents must pay so that every pair among them pays its due: an edge-weighted vertex cover, from below."""

from __future__ import annotations

import math
from collections.abc import Mapping

# Steps of the exact search; beyond, disjoint pairs are summed instead, which is less but as true.
MOST_STEPS = 3000


def cover(weights: Mapping[tuple[int, int], float]) -> float:
    """A lower bound on sum x over x >= 0 whole with x_i + x_j >= weight of each pair (Li et al. 2019); inf if a weight is.

    Exact for components that a short search can do.
    """
    dues = {pair: weight for pair, weight in weights.items() if weight > 0.0}
    if any(weight == math.inf for weight in dues.values()):
        return math.inf
    return sum(_component(part) for part in _components(dues))


def _components(dues: dict[tuple[int, int], float]) -> list[dict[tuple[int, int], float]]:
    leader: dict[int, int] = {}

    def find(v: int) -> int:
        while leader.setdefault(v, v) != v:
            v = leader[v]
        return v

    for i, j in dues:
        leader[find(i)] = find(j)
    parts: dict[int, dict[tuple[int, int], float]] = {}
    for pair, weight in dues.items():
        parts.setdefault(find(pair[0]), {})[pair] = weight
    return list(parts.values())


def _component(dues: dict[tuple[int, int], float]) -> float:
    if len(dues) == 1:
        return next(iter(dues.values()))
    exact = _CoverSearch(sorted(dues.items(), key=lambda item: (-item[1], item[0])))
    return exact.best if exact.run() else matching(dues)


def matching(weights: Mapping[tuple[int, int], float]) -> float:
    """Sum of the weights of pairs without a common agent, greedily the largest first: a lower bound on what all must pay."""
    total = 0.0
    taken: set[int] = set()
    for (i, j), weight in sorted(weights.items(), key=lambda item: (-item[1], item[0])):
        if weight > 0.0 and i not in taken and j not in taken:
            total += weight
            taken.update((i, j))
    return total


class _CoverSearch:
    """Depth-first search: the first pair short of its due is made up for in every way."""

    def __init__(self, dues: list[tuple[tuple[int, int], float]]) -> None:
        self._dues = dues
        self._paid: dict[int, float] = {}
        self._steps = 0
        self.best = math.inf

    def run(self) -> bool:
        """True when done within `MOST_STEPS`."""
        self._visit(0.0)
        return self._steps < MOST_STEPS

    def _visit(self, total: float) -> None:
        self._steps += 1
        if self._steps >= MOST_STEPS:
            return
        paid = self._paid
        short: dict[tuple[int, int], float] = {}
        for (i, j), due in self._dues:
            missing = due - paid.get(i, 0.0) - paid.get(j, 0.0)
            if missing > 0.0:
                short[i, j] = missing
        if not short:
            self.best = min(self.best, total)
            return
        if total + matching(short) >= self.best:
            return
        (i, j), missing = max(short.items(), key=lambda item: item[1])
        for part in _shares(missing):
            paid[i] = paid.get(i, 0.0) + part
            paid[j] = paid.get(j, 0.0) + missing - part
            self._visit(total + missing)
            paid[i] -= part
            paid[j] -= missing - part


def _shares(missing: float) -> list[float]:
    """Ways to share a whole number between two, the lopsided ones first."""
    whole = int(missing)
    middle = [float(k) for k in range(1, whole)]
    return [float(whole), 0.0, *middle]
