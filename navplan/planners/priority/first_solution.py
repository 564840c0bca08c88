"""A first solution for large-neighbourhood search: paths that meet little, repaired until they do not conflict."""

from __future__ import annotations

import math

import numpy as np

from navplan.kernels.common.status import BUDGET, FOUND
from navplan.kernels.priority.lns import REPAIR, count_clashes, thin_out
from navplan.kernels.priority.neighbourhoods import ITERATIONS, PAIRS, fresh
from navplan.kernels.search.reservation import meetings, remove
from navplan.kernels.search.sipp import CHEAPEST, EXPANDED, FEWEST, HARD
from navplan.planners.base import SAME, Clock
from navplan.planners.priority.lns_search import LNSSearch

# How often every agent plans among the paths of all others before conflicts are repaired, and for what extra cost, in edges.
_PASSES = 3
_DETOUR = 5.0
# Expansions after which two passes are enough.
_ENOUGH = 1_500_000
# Conflicting pairs per agent, after all that, with which repair is long.
_DENSE = 1.5


class FirstSolution:
    """The way to a first solution in the arena of `search`.

    Every method raises OutOfTime when the deadline of `clock` passes.
    """

    def __init__(self, search: LNSSearch, clock: Clock, rng: np.random.Generator) -> None:
        self._search = search
        self._clock = clock
        self._rng = rng

    def find(self, max_repairs: int | None) -> bool:
        """Find it, however long that takes; False when `max_repairs` are used up."""
        self._scatter(self._clock, math.inf)
        self._fill()
        return self.repair(max_repairs)

    def find_if_easy(self, early: Clock) -> bool:
        """Find it unless the agents are so dense that another way is quicker; False without one.

        Args:
            early: when to be content with the paths laid out so far.
        """
        agents = len(self._search.arena.costs)
        return self._scatter(early, _DENSE * agents) and self._fill() <= max(3, agents // 50) and self.repair(10 + agents // 10)

    def _scatter(self, early: Clock, most_pairs: float) -> bool:
        """Short paths that meet each other little; False when more than `most_pairs` pairs of agents still conflict.

        Agents plan again and again among the paths of all others, which costs them little more than their optima: the space
        utilisation of Okumura (2024), by safe intervals.
        """
        arena, pool, clock = self._search.arena, self._search.pool, self._clock
        agents = len(arena.costs)
        weights = arena.field.ground.weights
        detour = _DETOUR * float(weights.mean()) if weights.size else 0.0
        for turn in range(_PASSES):
            if turn > 1 and (pool.tallies[PAIRS] > most_pairs or arena.work.counts[EXPANDED] > _ENOUGH):
                break
            for agent in self._rng.permutation(agents).tolist():
                if turn and meetings(arena.table, agent, pool.marks, fresh(pool), pool.met) == 0:
                    continue
                if turn and early.passed:
                    break
                remove(arena.table, agent)
                if turn == 0 or not arena.plan(agent, FEWEST, clock, arena.field.optima[agent] * (1.0 + SAME) + detour):
                    arena.plan(agent, CHEAPEST, clock)
            count_clashes(arena.table, pool)
        return bool(pool.tallies[PAIRS] <= most_pairs)

    def _fill(self) -> int:
        """Plan those who conflict around the others; returns how many could only be planned with conflicts."""
        arena, pool, clock = self._search.arena, self._search.pool, self._clock
        count = thin_out(arena.table, pool, pool.group)
        late = [agent for agent in pool.group[:count][::-1].tolist() if not arena.plan(agent, HARD, clock)]
        for agent in late:
            arena.plan(agent, FEWEST, clock)
        count_clashes(arena.table, pool)
        return len(late)

    def repair(self, max_repairs: int | None) -> bool:
        """Plan groups of agents again until none conflict; False when `max_repairs` iterations are used up."""
        search, tallies = self._search, self._search.pool.tallies
        done = 0
        status = BUDGET
        search.pairs = int(tallies[PAIRS])
        while status != FOUND and (max_repairs is None or done < max_repairs):
            self._clock.check()
            turns = 64 if max_repairs is None else min(64, max_repairs - done)
            before = int(tallies[ITERATIONS])
            status = search.iterate(REPAIR, turns)
            done += int(tallies[ITERATIONS]) - before
            search.pairs = int(tallies[PAIRS])
        search.repairs = done
        if status != FOUND:
            return False
        search.found()
        return True
