"""What the searches for agents that share a risk budget have in common: the market, the fronts, the best solution, the bound."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navplan.plan.problem import Problem
from navplan.planners.base import SAME, Clock, GaveUp
from navplan.planners.cbs.agent_search import pack, typical_step
from navplan.planners.cbs.conflicts import ConflictFinder
from navplan.planners.cbs.constraints import Constraint
from navplan.planners.cbs.tree import effective_clearance
from navplan.planners.risk import allocation
from navplan.planners.risk.prices import Prices
from navplan.planners.risk.tables import RiskTables
from navplan.planners.risk.tradeoffs import ParetoFront, Point, TradeoffSearch, Worth, within
from navplan.system.arrays import Float64, Int32

# What a conflict is worth to `ShareSearch`, in typical steps.
PRICE = 2.0
# Such a conflict is worth that many times more when it must not be.
HARD = 1e4
# Prices that the market tries at most; each costs one distance table per agent.
QUOTES = 24


class RiskOptions(NamedTuple):
    """What the searches take from the options of `navplan.planners.risk.planner.Risk`, which explain them."""

    allocation: str
    suboptimality: float
    max_nodes: int | None


class Solution(NamedTuple):
    """Paths without conflicts, one per agent, and what each agent may risk."""

    points: tuple[Point, ...]
    shares: tuple[float, ...]

    @property
    def cost(self) -> float:
        """Sum of costs."""
        return math.fsum(point.cost for point in self.points)


class OpenMarket(NamedTuple):
    """What the agents would choose alone at one price of risk.

    Attributes:
        price: the best found.
        bound: no plan within the budget costs less (Lagrangian bound).
        worths: (A,) what each agent pays at least, its risk included.
        tables: (A, N) the same from everywhere.
        shares: what each agent may risk: its demand and an equal part of the rest; None when no price was high enough.
    """

    price: float
    bound: float
    worths: Float64
    tables: Float64
    shares: list[float] | None


def open_market(prices: Prices, starts: Int32, budget: float) -> OpenMarket:
    """Bisect on the price of risk, every agent answering with its cheapest path at that price (tatonnement).

    The price rises until the demand is within the budget; from then on each new price is the one at which the two demands known,
    one above and one within the budget, are worth the same, as in `navplan.planners.risk.allocation.clear`.
    """
    above: tuple[float, float] | None = None
    below: tuple[float, float] | None = None
    best: OpenMarket | None = None
    price, meeting = 0.0, math.inf
    for _ in range(QUOTES):
        tables = prices.ahead(price)
        worths = tables[np.arange(len(starts)), starts]
        answers = [prices.follow(agent, tables[agent], price) for agent in range(len(starts))]
        cost, risk = (math.fsum(column) for column in zip(*answers, strict=True))
        bound = math.fsum(worths) - (price * budget if price > 0.0 else 0.0)
        shares = best.shares if best is not None else None
        if within(risk, budget):
            below = (cost, risk)
            shares = allocation.spread([answer[1] for answer in answers], budget)
        else:
            above = (cost, risk)
        gain = best is None or bound > best.bound + SAME * (1.0 + abs(bound))
        best = OpenMarket(price, bound, worths, tables, shares) if best is None or gain else best._replace(shares=shares)
        proved = cost + price * risk >= meeting - 10 * SAME * (1.0 + abs(meeting))
        if above is None or proved:
            break
        if below is None:
            price = 4.0 * price if price > 0.0 else cost / risk
        else:
            price = (below[0] - above[0]) / (above[1] - below[1])
            meeting = above[0] + price * above[1]
    assert best is not None  # there is at least one quote
    return best


class Shared:
    """What both searches have in common: the problem, the low level, the fronts known so far, the bound, the best solution.

    Attributes:
        clearance: between the agents.
        low: the low level.
        conflicts: finds those of packed paths.
        lower_bound: proved so far for the sum of costs.
        best: the cheapest solution so far.
        expanded: tree nodes.
    """

    def __init__(self, problem: Problem, tables: RiskTables, clock: Clock, options: RiskOptions) -> None:
        self.problem = problem
        self.options = options
        self.clock = clock
        self.budget = problem.risk_limit
        self.clearance = effective_clearance(problem)
        self.low = TradeoffSearch(problem, tables, self.clearance, clock)
        self.conflicts = ConflictFinder(tables.weighted.xy, self.clearance, problem.num_agents)
        self.penalty = PRICE * typical_step(tables.weighted)
        self.best: Solution | None = None
        self.expanded = 0
        least = [self.low.least_risk(agent) for agent in range(problem.num_agents)]
        # no agent may risk more than what the others' safest paths leave
        self._caps = [self.budget - (math.fsum(least) - own) for own in least]
        self.market = open_market(Prices(problem, tables, clock), problem.starts, self.budget)
        alone = tables.cost[np.arange(problem.num_agents), problem.starts]
        self.lower_bound = max(float(sum(alone.tolist())), self.market.bound)
        self._fronts: dict[tuple[int, frozenset[Constraint]], ParetoFront | None] = {}
        self._useful: dict[tuple[int, frozenset[Constraint]], ParetoFront | None] = {}

    def useful(self, agent: int, constraints: frozenset[Constraint]) -> ParetoFront | None:
        """The trade-offs of `front` that can be part of a plan cheaper than the best so far; None when there is none.

        At the market's price the others pay their least at least: what is left of the best plan's cost bounds this agent's.
        """
        if self.best is None:
            return self.front(agent, constraints)
        key = (agent, constraints)
        if key not in self._useful:
            market = self.market
            most = self.best.cost - market.bound + float(market.worths[agent])
            worth = Worth(market.price, most + 1e-9 * (1.0 + abs(most)), market.tables[agent])
            points = self.low.search(agent, constraints, cap=self._caps[agent], worth=worth)
            self._useful[key] = ParetoFront.of(points) if points else None
        return self._useful[key]

    def front(self, agent: int, constraints: frozenset[Constraint]) -> ParetoFront | None:
        """Every trade-off of `agent` that leaves the others their safest paths; None when there is none."""
        key = (agent, constraints)
        if key not in self._fronts:
            cap = self._caps[agent]
            points = self.low.search(agent, constraints, cap=cap, most=1 if math.isinf(cap) else None)
            self._fronts[key] = ParetoFront.of(points) if points else None
        return self._fronts[key]

    def least_risk(self, agent: int, constraints: frozenset[Constraint]) -> float:
        """Risk of the safest path under `constraints`, inf when there is none within reach of the budget."""
        if not constraints:
            return self.low.least_risk(agent)
        front = self.front(agent, constraints)
        return math.inf if front is None else front.least_risk

    def offer(self, solution: Solution) -> None:
        """Remember `solution` if it is the cheapest so far."""
        if self.best is None or solution.cost < self.best.cost:
            self.best = solution

    def count(self) -> None:
        """One more node; raises GaveUp past the limit, OutOfTime past the deadline."""
        self.clock.check()
        if self.options.max_nodes is not None and self.expanded >= self.options.max_nodes:
            raise GaveUp(f"node limit of {self.options.max_nodes} reached")
        self.expanded += 1

    def polish(self) -> None:
        """Plan agents of the best solution again, one at a time, within what of the budget the others leave, while that saves."""
        if self.best is None:
            return
        points = list(self.best.points)
        saved = True
        while saved:
            saved = False
            for agent, old in enumerate(points):
                cap = self.budget - math.fsum(point.risk for other, point in enumerate(points) if other != agent)
                paths = pack([point.path for point in points])
                found = self.low.search(agent, cap=cap, most=1, others=paths, skip=agent, penalty=HARD * self.penalty)
                if found and found[0].conflicts == 0 and found[0].cost < old.cost * (1.0 - SAME):
                    points[agent] = found[0]
                    saved = True
        shares = allocation.spread([point.risk for point in points], self.budget)
        self.offer(Solution(tuple(points), tuple(shares)))

    def done(self) -> bool:
        """True when the best solution is proved to be good enough."""
        w = self.options.suboptimality
        return self.best is not None and self.best.cost <= self.lower_bound * w * (1.0 + SAME)
