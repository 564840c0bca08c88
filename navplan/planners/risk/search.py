"""Many agents that share one risk budget: conflict trees whose low level trades cost against risk.

Two searches of the same kind of tree take turns, and small problems are now and then planned jointly (`team`):

* `JointSearch` keeps, per node, every trade-off that each agent has under its constraints, and chooses one each such that the
  sum of costs is least within the budget. That choice is the node's cost: no plan below the node costs less, whoever gets how
  much of the budget. Best first, so that the first choice without conflicts is optimal.
* `ShareSearch` gives each agent a share of the budget by one of the rules of `navplan.planners.risk.allocation` and plans its
  cheapest path within it that meets few others; shares are dealt anew when an agent cannot keep its own. Fewest conflicts first.

Sources: the follow-up paper's risk allocation; Conflict-Based Search (Sharon et al. 2015). Deviations: fronts of
trade-offs instead of one label per state, the joint choice, and the proof of its optimality.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from navplan.planners.base import SAME
from navplan.planners.cbs.agent_search import pack
from navplan.planners.cbs.best_first import OpenNodes
from navplan.planners.cbs.conflicts import Conflict
from navplan.planners.cbs.constraints import Constraint
from navplan.planners.cbs.vertex_cover import matching
from navplan.planners.risk import allocation
from navplan.planners.risk.allocation import Market
from navplan.planners.risk.shared import Shared, Solution
from navplan.planners.risk.team import TeamAttempts
from navplan.planners.risk.tradeoffs import ParetoFront, Point, within

Constraints = tuple[frozenset[Constraint], ...]
# Conflicts of a node whose children are tried before one is chosen to split on.
TRIED = 6
# Conflict-tree nodes that `ShareSearch` may have to itself before both searches take turns.
HEAD_START = 50


class JointNode(NamedTuple):
    """Constraints and fronts per agent; the joint choice, which costs `cost`; the market it was bounded with."""

    constraints: Constraints
    fronts: tuple[ParetoFront, ...]
    points: tuple[Point, ...]
    cost: float
    market: Market


class JointSearch:
    """Best-first search over joint choices: proves optimality."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._open = OpenNodes[JointNode]()
        # least bound of a node that can be split no further, though its own choice is not proved to be its best
        self._floor = math.inf

    def begin(self) -> None:
        """Make the root, which bounds every plan."""
        shared = self._shared
        nobody: Constraints = (frozenset(),) * shared.problem.num_agents
        fronts = [shared.useful(agent, nobody[agent]) for agent in range(len(nobody))]
        self._push(self._node(nobody, fronts), shared.lower_bound)

    def run(self) -> Iterator[None]:
        """Search until the best solution is proved good enough or no node is left; yields after each node."""
        shared = self._shared
        while self._open:
            self._raise_bound()
            if shared.done():
                return
            shared.count()
            bound, node, _ = self._open.pop()
            self._expand(bound, node)
            yield
        self._raise_bound()

    def _raise_bound(self) -> None:
        """What is left open cannot cost less than this; nor can what has been found and proved best."""
        shared = self._shared
        least = min(self._floor, self._open.least)
        if shared.best is not None:
            least = min(least, shared.best.cost)
        shared.lower_bound = max(shared.lower_bound, least)

    def _node(self, constraints: Constraints, fronts: Sequence[ParetoFront | None]) -> JointNode | None:
        """Choose jointly; None when even the safest choices exceed the budget."""
        budget = self._shared.budget
        known = tuple(front for front in fronts if front is not None)
        if len(known) < len(fronts) or not within(math.fsum(front.least_risk for front in known), budget):
            return None
        market = allocation.clear(known, budget)
        choices, bound = allocation.joint(known, budget, market)
        points = tuple(front.points[k] for front, k in zip(known, choices, strict=True))
        return JointNode(constraints, known, points, bound, market)

    def _push(self, node: JointNode | None, f: float) -> None:
        if node is None:
            return
        shared = self._shared
        f = max(f, node.cost)
        if shared.best is not None and f >= shared.best.cost * (1.0 - SAME):
            return
        conflicts = shared.conflicts(pack([point.path for point in node.points]))
        if not conflicts:
            risks = [point.risk for point in node.points]
            shared.offer(Solution(node.points, tuple(allocation.spread(risks, shared.budget))))
            if node.cost < math.fsum(point.cost for point in node.points) * (1.0 - SAME):
                self._floor = min(self._floor, f)
            return
        self._open.push(f, len(conflicts), node)

    def _expand(self, f: float, node: JointNode) -> None:
        """Split on the conflict whose children's bounds rise most; or put the node back with a better bound of its own."""
        shared = self._shared
        conflicts = shared.conflicts(pack([point.path for point in node.points]))[:TRIED]
        worths = [front.least_worth(node.market.price) for front in node.fronts]
        rises = []
        weights: dict[tuple[int, int], float] = {}
        for conflict in conflicts:
            pair = (conflict.first, conflict.second)
            rise = tuple(
                self._worth(node, agent, extra) - worths[agent]
                for agent, extra in zip(pair, (conflict.for_first, conflict.for_second), strict=True)
            )
            rises.append(rise)
            weights[pair] = max(weights.get(pair, 0.0), min(rise))
        better = node.market.bound + matching(weights)
        if better > f * (1.0 + SAME) + SAME:
            if math.isfinite(better):
                self._push(node, better)
            return
        best = max(range(len(conflicts)), key=lambda k: (min(rises[k]), max(rises[k]), -k))
        chosen = conflicts[best]
        for agent, extra in ((chosen.first, chosen.for_first), (chosen.second, chosen.for_second)):
            constraints = _with(node.constraints, agent, extra)
            fronts = (*node.fronts[:agent], shared.useful(agent, constraints[agent]), *node.fronts[agent + 1 :])
            self._push(self._node(constraints, fronts), f)

    def _worth(self, node: JointNode, agent: int, extra: Sequence[Constraint]) -> float:
        """What `agent` pays at least at the node's price of risk, under the constraints of a child."""
        front = self._shared.useful(agent, node.constraints[agent].union(extra))
        return math.inf if front is None else front.least_worth(node.market.price)


class ShareNode(NamedTuple):
    """Constraints, paths and shares per agent."""

    constraints: Constraints
    points: tuple[Point, ...]
    shares: tuple[float, ...]


class ShareSearch:
    """Search for one solution in which every agent keeps its share, the shares dealt by a rule.

    Attributes:
        reason: why there is none, if so.
    """

    def __init__(self, shared: Shared, rule: str) -> None:
        self._shared = shared
        self._rule = rule
        self._open = OpenNodes[ShareNode]()
        self.reason = ""
        self._exhausted = False

    def run(self) -> Iterator[None]:
        """Search until the first solution; yields after each node."""
        shared = self._shared
        nobody: Constraints = (frozenset(),) * shared.problem.num_agents
        equal = [shared.budget / len(nobody)] * len(nobody)
        shares = shared.market.shares if self._rule == "market-price" else None
        if shares is None:
            shares = self._deal(nobody, equal)
        if shares is None:
            self.reason = f"some agent's safest path needs more than its equal share of the risk budget, {equal[0]:g}"
            return
        self._push(self._planned(nobody, {}, shares, range(len(nobody))))
        while self._open:
            shared.count()
            _, node, _ = self._open.pop()
            paths = pack([point.path for point in node.points])
            conflicts = shared.conflicts(paths)
            if not conflicts:
                shared.offer(Solution(node.points, node.shares))
                return
            self._split(node, conflicts[0])
            yield
        if self._rule == "uniform":
            self.reason = "equal shares leave some agent without a path in every way of resolving the conflicts"
        # the other rules give up a node only where the safest paths together exceed the budget
        self._exhausted = self._rule != "uniform"

    def hopeless(self) -> bool:
        """True when the search has proved that the problem has no solution."""
        return self._exhausted

    def _deal(self, constraints: Constraints, shares: Sequence[float]) -> list[float] | None:
        """The rule's shares under `constraints`; None when it has none to give."""
        shared = self._shared
        if self._rule == "market-price":
            fronts = [shared.front(agent, own) for agent, own in enumerate(constraints)]
            known = [front for front in fronts if front is not None]
            return allocation.market_price(known, shared.budget) if len(known) == len(fronts) else None
        least = [shared.least_risk(agent, own) for agent, own in enumerate(constraints)]
        if self._rule == "uniform":
            return allocation.uniform(least, shared.budget)
        return allocation.surplus_deficit(least, shared.budget, shares)

    def _split(self, node: ShareNode, conflict: Conflict) -> None:
        for agent, extra in ((conflict.first, conflict.for_first), (conflict.second, conflict.for_second)):
            constraints = _with(node.constraints, agent, extra)
            kept = {other: point for other, point in enumerate(node.points) if other != agent}
            child = self._planned(constraints, kept, node.shares, [agent])
            if child is None and self._rule != "uniform":
                shares = self._deal(constraints, node.shares)
                if shares is None:
                    continue
                over = [other for other, point in kept.items() if not within(point.risk, shares[other])]
                kept = {other: point for other, point in kept.items() if other not in over}
                child = self._planned(constraints, kept, shares, [agent, *over])
            self._push(child)

    def _planned(
        self, constraints: Constraints, kept: dict[int, Point], shares: Sequence[float], missing: Sequence[int]
    ) -> ShareNode | None:
        """Plan those `missing` within their shares, one after the other, charged for conflicts with those who have paths."""
        shared = self._shared
        points = dict(kept)
        for agent in missing:
            others = pack([point.path for point in points.values()])
            found = shared.low.search(agent, constraints[agent], cap=shares[agent], most=1, others=others, penalty=shared.penalty)
            if not found:
                return None
            points[agent] = found[0]
        return ShareNode(constraints, tuple(points[agent] for agent in range(len(constraints))), tuple(shares))

    def _push(self, node: ShareNode | None) -> None:
        if node is None:
            return
        shared = self._shared
        conflicts = len(shared.conflicts(pack([point.path for point in node.points])))
        key = math.fsum(point.cost for point in node.points) + shared.penalty * conflicts
        self._open.push(key, 0, node)


def _with(constraints: Constraints, agent: int, extra: Sequence[Constraint]) -> Constraints:
    return (*constraints[:agent], constraints[agent].union(extra), *constraints[agent + 1 :])


_END = object()


def search(shared: Shared, attempts: TeamAttempts) -> str:
    """Run what the options ask for; returns why there is no solution, or nothing."""
    rule = shared.options.allocation
    if rule != "joint":
        shares = ShareSearch(shared, rule)
        for _ in shares.run():
            pass
        return shares.reason
    helper = ShareSearch(shared, "market-price")
    steps = helper.run()
    going = all(next(steps, _END) is not _END for _ in range(HEAD_START))
    if helper.hopeless():
        return ""
    shared.polish()
    if shared.done():
        return ""
    if attempts.due() and attempts.run():
        return ""
    exact = JointSearch(shared)
    exact.begin()
    for _ in exact.run():
        if attempts.due() and attempts.run():
            return ""
        if not going:
            continue
        going = next(steps, _END) is not _END
        if helper.hopeless():
            break
        if not going:
            shared.polish()
    return ""
