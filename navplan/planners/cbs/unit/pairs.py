"""Pairs of agents in conflict: what they must pay, and where to split them."""

from __future__ import annotations

import math

from navplan.planners.cbs.best_first import SearchOptions
from navplan.planners.cbs.pair_bounds import PairBounds
from navplan.planners.cbs.unit.corridors import Corridors
from navplan.planners.cbs.unit.diagrams import Diagrams
from navplan.planners.cbs.unit.mutexes import Mutexes
from navplan.planners.cbs.unit.node import Branch, Clash, Pair, UnitNode
from navplan.planners.cbs.unit.rules import FOREVER, Rule
from navplan.system.arrays import Int32

# Rises of a pair that are tried for being too little.
HEAVIEST = 4


class PairReasoning:
    """Weighs the pairs of a node and chooses what to split on."""

    def __init__(
        self, diagrams: Diagrams, mutexes: Mutexes, corridors: Corridors, least: PairBounds, options: SearchOptions
    ) -> None:
        self._diagrams = diagrams
        self._mutexes = mutexes
        self._corridors = corridors
        self._least = least
        self._options = options

    def weight(self, node: UnitNode, pair: Pair, *, jointly: bool) -> float:
        """By how much two agents must cost more than now: 0 unless the pair is cardinal.

        Args:
            jointly: plan the two together for a better bound.
        """
        i, j = pair
        dead = self._mutexes.dead_level(node.asked(i), node.asked(j))
        if dead == -1:
            return 0.0
        least = self._least(i, j) if jointly else 0.0
        if least == math.inf:
            return math.inf
        weight = max(1 if dead >= 0 else 0, math.ceil(least - node.steps(i) - node.steps(j) - 1e-6))
        while 0 < weight < HEAVIEST and self._must_pay(node, pair, weight):
            weight += 1
        return weight

    def _must_pay(self, node: UnitNode, pair: Pair, rise: int) -> bool:
        """True when two agents cannot do with costing exactly `rise` more."""
        i, j = pair
        for k in range(rise + 1):
            if node.steps(i) + k > node.limit(i) or node.steps(j) + rise - k > node.limit(j):
                continue
            if self._mutexes.dead_level(node.asked(i, k), node.asked(j, rise - k)) < 0:
                return False
        return True

    def choose(self, node: UnitNode, weights: dict[Pair, float]) -> tuple[Branch, Branch]:
        """What to split on: what costs most first, then what may be resolved for one of the two only, then the earliest."""
        most = max(weights.values())
        best = max(
            (pair for pair, weight in weights.items() if weight == most),
            key=lambda pair: (self._narrow(node, pair), -node.clashes[pair][0].time, -pair[0], -pair[1]),
        )
        rows = node.clashes[best]
        for clash in rows:
            branches = _at_goal(node, best, clash)
            if branches is not None:
                return branches
        if self._options.corridors:
            for clash in rows:
                rules = self._corridors.split(node, best, clash)
                if rules is not None:
                    return Branch(best[0], rules[0]), Branch(best[1], rules[1])
        if self._options.mutexes:
            found = self._cut(node, best, rows[0].time)
            if found is not None:
                return found
        clash = max(rows, key=lambda row: (self._singles(node, best, row), -row.time))
        one, two = (Branch(agent, frozenset([_plain(node.paths[agent], clash)])) for agent in best)
        return one, two

    def _cut(self, node: UnitNode, pair: Pair, since: int) -> tuple[Branch, Branch] | None:
        """Nodes that the agents are at, at one time, and as many more as cannot go together: all, if the diagrams run dry.

        A diagram tells where its agent can be up to its least cost; who would have arrived before must arrive later.
        """
        i, j = pair
        one, two = node.asked(i), node.asked(j)
        dead = self._mutexes.dead_level(one, two)
        cut = (
            self._mutexes.cut(one, two, (node.paths[i], node.paths[j]), since)
            if dead < 0
            else (dead, self._diagrams.level(one, dead), self._diagrams.level(two, dead))
        )
        if cut is None:
            return None
        time, mine, theirs = cut
        return _kept_out(node, i, time, mine), _kept_out(node, j, time, theirs)

    def _narrow(self, node: UnitNode, pair: Pair) -> int:
        return max(self._singles(node, pair, clash) for clash in node.clashes[pair])

    def _singles(self, node: UnitNode, pair: Pair, clash: Clash) -> int:
        """How many of the two cannot but be there."""
        count = 0
        for agent in pair:
            cost = node.steps(agent)
            diagram = self._diagrams(*node.asked(agent))
            if diagram is None:
                continue
            levels = range(clash.time - int(clash.swap), clash.time + 1)
            count += all(t > cost or diagram.first[t + 1] - diagram.first[t] == 1 for t in levels)
        return count


def _plain(path: Int32, clash: Clash) -> Rule:
    v = int(path[min(clash.time, len(path) - 1)])
    return Rule(v, clash.time, clash.time, int(path[clash.time - 1]) if clash.swap else -1)


def _at_goal(node: UnitNode, pair: Pair, clash: Clash) -> tuple[Branch, Branch] | None:
    """Either the agent at rest arrives for the last time later, or all others keep off its goal from then on."""
    for agent in pair:
        if not clash.swap and clash.time >= node.steps(agent):
            return Branch(agent, frozenset([Rule(-1, clash.time + 1, FOREVER)])), Branch(agent, frozenset(), clash.time)
    return None


def _kept_out(node: UnitNode, agent: int, time: int, level: list[int]) -> Branch:
    """The agent is at none of the nodes of `level` at `time`."""
    cost = node.steps(agent)
    rules = [Rule(-1, cost + 1, FOREVER)] if time >= cost else [Rule(v, time, time) for v in level]
    return Branch(agent, frozenset(rules))
