"""What an agent must not do where every move and wait costs 1, and the arrays in which kernels look that up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from navplan.kernels.cbs.unit_search import Rules, clear_rules, set_rules

# End of a rule without an end.
FOREVER = 1 << 29


class Rule(NamedTuple):
    """What one agent must not do: be at `node` at any time from `low` to `high`, having come from `origin` unless that is -1.

    With node -1: its last arrival must not be before `low`.
    """

    node: int
    low: int
    high: int
    origin: int = -1


def earliest_end(rules: frozenset[Rule], goal: int) -> int:
    """Time before which the last arrival at `goal` must not be."""
    earliest = max((rule.low for rule in rules if rule.node < 0), default=0)
    rests = (rule.high + 1 for rule in rules if rule.node == goal and rule.origin < 0)
    return max(earliest, max(rests, default=0))


class RulesInForce:
    """The rules of one agent at a time, on a graph of so many nodes."""

    def __init__(self, nodes: int) -> None:
        self._nodes = nodes
        self._rows = np.empty((64, 4), np.int32)
        self._rules = self._make(64)

    def _make(self, room: int) -> Rules:
        return Rules(np.full(self._nodes, -1, np.int32), *(np.empty(room, np.int32) for _ in range(4)))

    @contextmanager
    def of(self, rules: frozenset[Rule]) -> Iterator[tuple[Rules, int]]:
        """Within the block these are in force: the arrays, and the time from which on they do not change."""
        rows = [rule for rule in rules if rule.node >= 0]
        if len(rows) > len(self._rows):
            self._rows = np.empty((2 * len(rows), 4), np.int32)
            self._rules = self._make(2 * len(rows))
        if rows:
            self._rows[: len(rows)] = rows
        set_rules(self._rules, self._rows, len(rows))
        try:
            yield self._rules, max(((rule.low if rule.high >= FOREVER else rule.high) + 1 for rule in rows), default=0)
        finally:
            clear_rules(self._rules, self._rows, len(rows))
