"""Beside the conflict trees: all agents of a small problem planned jointly, within the budget that they share.

A conflict tree has no end where waits cost and risk nothing, or nearly: every conflict is put off by a step, again and again, at
no higher bound. Joint states are finitely many.
"""

from __future__ import annotations

import math

import numpy as np

from navplan.kernels.cbs.joint import MADE, POPPED, RESULT, SIZE, joint_trace
from navplan.kernels.cbs.joint_labels import RiskTeam, RiskWork, joint_label_search
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND
from navplan.planners.cbs.joint import SLICE, upto_arrival
from navplan.planners.cbs.joint_attempts import JointAttempts
from navplan.planners.risk import allocation
from navplan.planners.risk.shared import Shared, Solution
from navplan.planners.risk.tables import RiskTables
from navplan.planners.risk.tradeoffs import Point
from navplan.system.arrays import Int32, Int64, freeze


class TeamAttempts:
    """Plans all agents jointly, with more room each time.

    Args:
        shared: the problem, its best solution and its bound, which are bettered.
        tables: of the problem.
        team: most agents for which that is tried.
        team_after: expanded tree nodes before the first attempt.

    Attributes:
        expanded: joint labels.
    """

    def __init__(self, shared: Shared, tables: RiskTables, team: int, team_after: int) -> None:
        self._shared, self._tables = shared, tables
        self._next: float = team_after if shared.problem.num_agents <= team else math.inf
        self._room = JointAttempts.FIRST
        self.expanded = 0

    def due(self) -> bool:
        """True when the trees have grown enough for another attempt."""
        return self._shared.expanded >= self._next

    def run(self) -> bool:
        """Whether that ended the search: the best solution is an optimal one, or there is none.

        Raises:
            OutOfTime: the deadline passed; the bound so far is kept.
        """
        status = self._search()
        self._room *= 4
        self._next = 4 * (self._next + 1) if self._room <= JointAttempts.LAST else math.inf
        return status in (FOUND, EXHAUSTED)

    def _search(self) -> int:
        shared, tables, problem = self._shared, self._tables, self._shared.problem
        agents, room = problem.num_agents, self._room
        starts, goals = np.array(problem.starts, np.int32), np.array(problem.goals, np.int32)
        team = RiskTeam(starts, goals, tables.cost, tables.risk, float(shared.budget), shared.clearance)
        freeze(team.starts, team.goals)
        work = RiskWork(
            rows=np.empty((room, 2 * agents + 1), np.int32),
            cost=np.empty(room),
            risk=np.empty(room),
            parent=np.empty(room, np.int32),
            slots=np.full(1 << (2 * room - 1).bit_length(), -1, np.int32),
            keys=np.empty(room),
            ties=np.empty(room),
            items=np.empty(room, np.int32),
        )
        progress = np.zeros(4, np.int64)
        status = BUDGET
        while status == BUDGET:
            try:
                shared.clock.check()
            finally:
                self._bound(work, progress)
            status = joint_label_search(tables.graph, tables.weighted.xy, team, work, progress, SLICE)
        self.expanded += int(progress[POPPED])
        if status == FOUND:
            self._offer(work, progress)
        elif status == EXHAUSTED and shared.best is None:
            shared.lower_bound = math.inf
        else:
            self._bound(work, progress)
        return status

    def _bound(self, work: RiskWork, progress: Int64) -> None:
        """No plan costs less than the cheapest open label can come to."""
        if progress[SIZE] > 0:
            least = float(work.keys[0])
            best = self._shared.best
            self._shared.lower_bound = max(self._shared.lower_bound, least if best is None else min(least, best.cost))

    def _offer(self, work: RiskWork, progress: Int64) -> None:
        """The optimum becomes the best solution, its cost the bound."""
        shared, agents, record = self._shared, self._shared.problem.num_agents, int(progress[RESULT])
        table = np.empty((int(progress[MADE]) + 1, agents), np.int32)
        table = table[: joint_trace(agents, work, record, table)]
        points = tuple(self._point(upto_arrival(table[:, agent])) for agent in range(agents))
        shares = allocation.spread([point.risk for point in points], shared.budget)
        shared.offer(Solution(points, tuple(shares)))
        assert shared.best is not None  # there is one now
        shared.lower_bound = max(shared.lower_bound, min(shared.best.cost, float(work.cost[record])))

    def _point(self, path: Int32) -> Point:
        """A path with what it costs and risks."""
        graph = self._tables.graph
        cost = risk = 0.0
        for u, v in zip(path[:-1].tolist(), path[1:].tolist(), strict=True):
            if u == v:
                cost, risk = cost + float(graph.wait_cost[u]), risk + float(graph.wait_risk[u])
                continue
            edge = int(graph.indptr[u]) + int(np.searchsorted(graph.indices[graph.indptr[u] : graph.indptr[u + 1]], v))
            cost, risk = cost + float(graph.cost[edge]), risk + float(graph.risk[edge])
        return Point(cost, risk, path)
