"""Decision diagrams: all paths of one agent that keep its rules and have one cost, built once and remembered."""

from __future__ import annotations

import numpy as np

from navplan.kernels.cbs.unit_diagrams import Diagram, build_diagram
from navplan.planners.cbs.unit.problem import UnitProblem
from navplan.planners.cbs.unit.rules import Rule, RulesInForce, earliest_end

# Nodes of the largest diagram, and bytes of those that are remembered.
MOST_NODES = 1 << 20
MOST_HELD = 1 << 29
NO_PATHS = Diagram(*(np.zeros(size, np.int32) for size in (2, 0, 1, 0)))

# Agent, rules, cost.
Asked = tuple[int, frozenset[Rule], int]


class Diagrams:
    """Builds the diagrams of a problem's agents.

    Attributes:
        built: nodes of all that were built.
    """

    def __init__(self, problem: UnitProblem, rules: RulesInForce) -> None:
        self._problem = problem
        self._rules = rules
        self._place = np.full(problem.nodes, -1, np.int32)
        self._room = _make_diagram(1 << 12, 1 << 14)
        self._known: dict[Asked, Diagram | None] = {}
        self._held = 0
        self.built = 0

    def forget(self) -> None:
        """Drop what is remembered."""
        self._known.clear()
        self._held = 0

    def __call__(self, agent: int, rules: frozenset[Rule], cost: int) -> Diagram | None:
        """All paths of an agent within `rules` whose last arrival is at `cost`; None if they are too many."""
        key = (agent, rules, cost)
        if key in self._known:
            return self._known[key]
        diagram = self._build(agent, rules, cost)
        if diagram is not None:
            self._held += _bytes(diagram)
        while self._held > MOST_HELD:
            oldest = self._known.pop(next(iter(self._known)))
            self._held -= 0 if oldest is None else _bytes(oldest)
        self._known[key] = diagram
        return diagram

    def _build(self, agent: int, rules: frozenset[Rule], cost: int) -> Diagram | None:
        problem = self._problem
        problem.clock.check()
        start, goal = problem.starts[agent], problem.goals[agent]
        if cost < earliest_end(rules, goal):
            return NO_PATHS
        if len(self._room.first) < cost + 2:
            self._room = self._room._replace(first=np.empty(2 * cost + 2, np.int32))
        with self._rules.of(rules) as (arrays, _):
            while True:
                room = self._room
                nodes, links = build_diagram(
                    problem.indptr, problem.indices, problem.h[agent], start, goal, cost, arrays, self._place, room
                )
                if nodes < len(room.nodes) and links <= len(room.successors):
                    break
                if nodes > MOST_NODES:
                    return None
                fresh = _make_diagram(max(2 * nodes, len(room.nodes)), max(2 * links, len(room.successors)))
                self._room = fresh._replace(first=room.first)
        self.built += nodes
        if nodes == 0:
            return NO_PATHS
        return Diagram(
            room.first[: cost + 2].copy(),
            room.nodes[:nodes].copy(),
            room.after[: nodes + 1].copy(),
            room.successors[:links].copy(),
        )

    def passes(self, agent: int, rules: frozenset[Rule], cost: int, node: int, time: int) -> bool:
        """True when a path of `cost` within `rules` is at `node` at `time` or later, or when there are too many to tell."""
        if cost < time + self._problem.h[agent, node]:
            return False
        diagram = self(agent, rules, cost)
        return diagram is None or bool((diagram.nodes[diagram.first[time] :] == node).any())

    def level(self, asked: Asked, time: int) -> list[int]:
        """Where an agent can be at `time`, at rest after its last arrival."""
        diagram = self(*asked)
        if diagram is None:
            return [self._problem.goals[asked[0]]]
        at = min(time, len(diagram.first) - 2)
        nodes: list[int] = diagram.nodes[diagram.first[at] : diagram.first[at + 1]].tolist()
        return nodes


def _make_diagram(nodes: int, links: int) -> Diagram:
    return Diagram(
        np.empty(1 << 12, np.int32), np.empty(nodes, np.int32), np.empty(nodes + 1, np.int32), np.empty(links, np.int32)
    )


def _bytes(diagram: Diagram) -> int:
    return sum(part.nbytes for part in diagram)
