"""Corridors of graphs with unit costs, and what agents that want to pass each other in one must do."""

from __future__ import annotations

import math

import numpy as np

from navplan.kernels.cbs.unit_corridors import hops_around
from navplan.kernels.search.dijkstra import Csr
from navplan.planners.cbs.unit.node import Clash, Pair, UnitNode
from navplan.planners.cbs.unit.problem import UnitProblem
from navplan.planners.cbs.unit.rules import Rule
from navplan.system.arrays import Int32


class Corridors:
    """Chains of nodes with two neighbours, where agents cannot pass each other (corridor reasoning, Li et al. 2021).

    Args:
        back: the reversed graph.
    """

    def __init__(self, problem: UnitProblem, back: Csr) -> None:
        self._problem = problem
        self._back = back
        self._hops = np.full(problem.nodes, -1, np.int32)
        self._queue = np.empty(problem.nodes, np.int32)
        self._blocked = np.zeros(problem.nodes, np.uint8)
        self._known: dict[int, list[int]] = {}
        self._steps: dict[tuple[int, int, tuple[int, ...]], float] = {}

    def _neighbours(self, v: int) -> list[int]:
        """Those of v if they are two and edges lead both ways; else none."""
        if v not in self._known:
            indptr, indices = self._problem.indptr, self._problem.indices
            out = indices[indptr[v] : indptr[v + 1]].tolist()
            into = self._back.indices[self._back.indptr[v] : self._back.indptr[v + 1]].tolist()
            self._known[v] = out if len(out) == 2 and sorted(out) == sorted(into) and v not in out else []
        return self._known[v]

    def _chain(self, v: int, stops: set[int]) -> list[int]:
        """The nodes of the corridor that holds v, without its ends; empty when v is not inside one."""
        if v in stops or not self._neighbours(v):
            return []
        inner = [v]
        for first in self._neighbours(v):
            before, at = v, first
            while at not in stops and self._neighbours(at):
                if at in inner:
                    return []
                inner.append(at)
                one, two = self._neighbours(at)
                before, at = at, two if one == before else one
        return inner

    def _passage(self, path: Int32, clash: Clash, inner: set[int]) -> tuple[int, int, int] | None:
        """Where the path enters the corridor and leaves it round `clash`, and when it leaves."""
        came = clash.time - 1 if clash.swap else clash.time
        while came >= 0 and int(path[came]) in inner:
            came -= 1
        left = clash.time
        while left < len(path) and int(path[left]) in inner:
            left += 1
        if came < 0 or left >= len(path):
            return None
        return int(path[came]), int(path[left]), left

    def split(self, node: UnitNode, pair: Pair, clash: Clash) -> tuple[frozenset[Rule], frozenset[Rule]] | None:
        """Rules for the far ends, for as long as one of the two must have given way; None where the agents do not pass a corridor
        in opposite directions, or one of the paths stays as it is.
        """
        i, j = pair
        problem = self._problem
        if clash.time >= min(len(node.paths[i]), len(node.paths[j])):
            return None
        stops = {problem.starts[i], problem.goals[i], problem.starts[j], problem.goals[j]}
        u, v = int(node.paths[i][clash.time - 1]), int(node.paths[i][clash.time])
        inner = self._chain(v, stops)
        if not inner and clash.swap:
            inner = self._chain(u, stops)
        if not inner and not clash.swap:
            return None
        one = self._passage(node.paths[i], clash, set(inner))
        two = self._passage(node.paths[j], clash, set(inner))
        if one is None or two is None or one[0] == one[1] or (one[0], one[1]) != (two[1], two[0]):
            return None
        length = len(inner) + 1
        ends = (one[0], one[1])
        first = min(self._around(i, one[1], inner, ends) - 1, self._around(j, two[1], [], ()) + length)
        second = min(self._around(j, two[1], inner, ends) - 1, self._around(i, one[1], [], ()) + length)
        if one[2] > first or two[2] > second:
            return None
        return frozenset([Rule(one[1], 0, int(first))]), frozenset([Rule(two[1], 0, int(second))])

    def _around(self, agent: int, end: int, inner: list[int], ends: tuple[int, ...]) -> float:
        """Least steps of an agent to `end`, not through the corridor if one is given; a lower bound whatever its rules."""
        key = (agent, end, (*ends, len(inner)))
        if key not in self._steps:
            steps = self._detour(self._problem.starts[agent], end, inner, ends)
            self._steps[key] = math.inf if steps < 0 else steps
        return self._steps[key]

    def _detour(self, start: int, goal: int, inner: list[int], ends: tuple[int, ...]) -> int:
        """Steps from `start` to `goal` that do not pass the corridor of `inner` nodes, or the edge of its ends; -1 for no way."""
        indptr, indices = self._problem.indptr, self._problem.indices
        if inner:
            self._blocked[inner] = 1
        else:
            self._blocked[list(ends)] = 2
        found = int(hops_around(indptr, indices, start, self._blocked, goal, self._hops, self._queue))
        self._blocked[inner] = 0
        self._blocked[list(ends)] = 0
        return found
