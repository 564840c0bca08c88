"""Many agents that share one risk budget: conflict trees whose low level trades cost against risk.

Two searches of the same kind of tree take turns:

* `Exact` keeps, per node, every trade-off that each agent has under its constraints, and chooses one each such that the sum of
  costs is least within the budget. That choice is the node's cost: no plan below the node costs less, whoever gets how much of
  the budget. Best first, so that the first choice without conflicts is optimal.
* `Shares` gives each agent a share of the budget by one of the rules of `navplan.planners.allocation` and plans its cheapest
  path within it that meets few others; shares are dealt anew when an agent cannot keep its own. Fewest conflicts first.

Sources: the follow-up paper's risk allocation; Conflict-Based Search (Sharon et al. 2015). Deviations: fronts of
trade-offs instead of one label per state, the joint choice, and the proof of its optimality.
"""

from __future__ import annotations

import dataclasses
import heapq
import math
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.plan import Plan, Status, make_plan
from navplan.planners import allocation
from navplan.planners.allocation import Front, Market
from navplan.planners.base import Clock, OutOfTime, Prepared
from navplan.planners.cbs import disjoint_sum
from navplan.planners.fronts import SAME, Fronts, Point, RiskTables, Worth, within
from navplan.planners.low_level import Constraint, pack, typical_step
from navplan.planners.risk import budget_reason
from navplan.planners.tree import Conflict, GaveUp, Tree, apart_reason, reach_reason
from navplan.problem import Problem

if TYPE_CHECKING:
    from navplan.planners.risk import Risk

Constraints = tuple[frozenset[Constraint], ...]
# Conflicts of a node whose children are tried before one is chosen to split on.
TRIED = 6
# What a conflict is worth to `Shares`, in typical steps.
PRICE = 2.0
# Such a conflict is worth that many times more when it must not be.
HARD = 1e4
# Conflict-tree nodes that `Shares` may have to itself before both searches take turns.
HEAD_START = 50
# Prices that the market tries at most; each costs one distance table per agent.
QUOTES = 24


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
    worths: NDArray[np.float64]
    tables: NDArray[np.float64]
    shares: list[float] | None


def open_market(low: Fronts, agents: int, budget: float) -> OpenMarket:
    """Bisect on the price of risk, every agent answering with its cheapest path at that price (tatonnement).

    The price rises until the demand is within the budget; from then on each new price is the one at which the two demands known,
    one above and one within the budget, are worth the same, as in `navplan.planners.allocation.clear`.
    """
    above: tuple[float, float] | None = None
    below: tuple[float, float] | None = None
    best: OpenMarket | None = None
    price, meeting = 0.0, math.inf
    for _ in range(QUOTES):
        tables = low.priced(price)
        worths = np.array([tables[agent, low.start(agent)] for agent in range(agents)])
        answers = [low.follow(agent, tables[agent], price) for agent in range(agents)]
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
        lower_bound: proved so far for the sum of costs.
        best: the cheapest solution so far.
        expanded: tree nodes.
    """

    def __init__(self, problem: Problem, tables: RiskTables, clock: Clock, options: Risk) -> None:
        self.problem = problem
        self.options = options
        self.clock = clock
        self.budget = problem.risk_limit
        self.tree = Tree(problem, tables.weighted, tables.cost, clock)
        self.low = Fronts(problem, tables, self.tree.clearance, clock)
        self.penalty = PRICE * typical_step(tables.weighted)
        self.lower_bound = self.tree.lower_bound
        self.best: Solution | None = None
        self.expanded = 0
        least = [self.low.least_risk(agent) for agent in range(problem.num_agents)]
        # no agent may risk more than what the others' safest paths leave
        self._caps = [self.budget - (math.fsum(least) - own) for own in least]
        self.market = open_market(self.low, problem.num_agents, self.budget)
        self.lower_bound = max(self.lower_bound, self.market.bound)
        self._fronts: dict[tuple[int, frozenset[Constraint]], Front | None] = {}
        self._useful: dict[tuple[int, frozenset[Constraint]], Front | None] = {}

    def useful(self, agent: int, constraints: frozenset[Constraint]) -> Front | None:
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
            self._useful[key] = Front.of(points) if points else None
        return self._useful[key]

    def front(self, agent: int, constraints: frozenset[Constraint]) -> Front | None:
        """Every trade-off of `agent` that leaves the others their safest paths; None when there is none."""
        key = (agent, constraints)
        if key not in self._fronts:
            cap = self._caps[agent]
            points = self.low.search(agent, constraints, cap=cap, most=1 if math.isinf(cap) else None)
            self._fronts[key] = Front.of(points) if points else None
        return self._fronts[key]

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


class ExactNode(NamedTuple):
    """Constraints and fronts per agent; the joint choice, which costs `cost`; the market it was bounded with."""

    constraints: Constraints
    fronts: tuple[Front, ...]
    points: tuple[Point, ...]
    cost: float
    market: Market


class Exact:
    """Best-first search over joint choices: proves optimality."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._open: list[tuple[float, int, int, ExactNode]] = []
        self._pushed = 0
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
            f, _, _, node = self._open[0]
            if shared.done():
                return
            shared.count()
            heapq.heappop(self._open)
            self._expand(f, node)
            yield
        self._raise_bound()

    def _raise_bound(self) -> None:
        """What is left open cannot cost less than this; nor can what has been found and proved best."""
        shared = self._shared
        least = min(self._floor, self._open[0][0] if self._open else math.inf)
        if shared.best is not None:
            least = min(least, shared.best.cost)
        shared.lower_bound = max(shared.lower_bound, least)

    def _node(self, constraints: Constraints, fronts: Sequence[Front | None]) -> ExactNode | None:
        """Choose jointly; None when even the safest choices exceed the budget."""
        budget = self._shared.budget
        known = tuple(front for front in fronts if front is not None)
        if len(known) < len(fronts) or not within(math.fsum(front.least_risk for front in known), budget):
            return None
        market = allocation.clear(known, budget)
        choices, bound = allocation.joint(known, budget, market)
        points = tuple(front.points[k] for front, k in zip(known, choices, strict=True))
        return ExactNode(constraints, known, points, bound, market)

    def _push(self, node: ExactNode | None, f: float) -> None:
        if node is None:
            return
        shared = self._shared
        f = max(f, node.cost)
        if shared.best is not None and f >= shared.best.cost * (1.0 - SAME):
            return
        conflicts = shared.tree.conflicts(pack([point.path for point in node.points]))
        if not conflicts:
            risks = [point.risk for point in node.points]
            shared.offer(Solution(node.points, tuple(allocation.spread(risks, shared.budget))))
            if node.cost < math.fsum(point.cost for point in node.points) * (1.0 - SAME):
                self._floor = min(self._floor, f)
            return
        self._pushed += 1
        heapq.heappush(self._open, (f, len(conflicts), -self._pushed, node))

    def _expand(self, f: float, node: ExactNode) -> None:
        """Split on the conflict whose children's bounds rise most; or put the node back with a better bound of its own."""
        shared = self._shared
        conflicts = shared.tree.conflicts(pack([point.path for point in node.points]))[:TRIED]
        worths = [float((front.cost + node.market.price * front.risk).min()) for front in node.fronts]
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
        better = node.market.bound + disjoint_sum(weights)
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

    def _worth(self, node: ExactNode, agent: int, extra: Sequence[Constraint]) -> float:
        """What `agent` pays at least at the node's price of risk, under the constraints of a child."""
        front = self._shared.useful(agent, node.constraints[agent].union(extra))
        return math.inf if front is None else float((front.cost + node.market.price * front.risk).min())


class SharesNode(NamedTuple):
    """Constraints, paths and shares per agent."""

    constraints: Constraints
    points: tuple[Point, ...]
    shares: tuple[float, ...]


class Shares:
    """Search for one solution in which every agent keeps its share, the shares dealt by a rule.

    Attributes:
        reason: why there is none, if so.
    """

    def __init__(self, shared: Shared, rule: str) -> None:
        self._shared = shared
        self._rule = rule
        self._open: list[tuple[float, int, SharesNode]] = []
        self._pushed = 0
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
            _, _, node = heapq.heappop(self._open)
            paths = pack([point.path for point in node.points])
            conflicts = shared.tree.conflicts(paths)
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
        fronts = [shared.front(agent, own) for agent, own in enumerate(constraints)]
        known = [front for front in fronts if front is not None]
        if len(known) < len(fronts):
            return None
        if self._rule == "uniform":
            return allocation.uniform(known, shared.budget)
        if self._rule == "surplus-deficit":
            return allocation.surplus_deficit(known, shared.budget, shares)
        return allocation.market_price(known, shared.budget)

    def _split(self, node: SharesNode, conflict: Conflict) -> None:
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
    ) -> SharesNode | None:
        """Plan those `missing` within their shares, one after the other, charged for conflicts with those who have paths."""
        shared = self._shared
        points = dict(kept)
        for agent in missing:
            others = pack([point.path for point in points.values()])
            found = shared.low.search(agent, constraints[agent], cap=shares[agent], most=1, others=others, penalty=shared.penalty)
            if not found:
                return None
            points[agent] = found[0]
        return SharesNode(constraints, tuple(points[agent] for agent in range(len(constraints))), tuple(shares))

    def _push(self, node: SharesNode | None) -> None:
        if node is None:
            return
        shared = self._shared
        conflicts = len(shared.tree.conflicts(pack([point.path for point in node.points])))
        key = math.fsum(point.cost for point in node.points) + shared.penalty * conflicts
        self._pushed += 1
        heapq.heappush(self._open, (key, -self._pushed, node))


def _with(constraints: Constraints, agent: int, extra: Sequence[Constraint]) -> Constraints:
    return (*constraints[:agent], constraints[agent].union(extra), *constraints[agent + 1 :])


_END = object()


def search(shared: Shared) -> str:
    """Run what the options ask for; returns why there is no solution, or nothing."""
    rule = shared.options.allocation
    if rule != "joint":
        shares = Shares(shared, rule)
        for _ in shares.run():
            pass
        return shares.reason
    helper = Shares(shared, "market-price")
    steps = helper.run()
    going = all(next(steps, _END) is not _END for _ in range(HEAD_START))
    if helper.hopeless():
        return ""
    shared.polish()
    if shared.done():
        return ""
    exact = Exact(shared)
    exact.begin()
    for _ in exact.run():
        if not going:
            continue
        going = next(steps, _END) is not _END
        if helper.hopeless():
            break
        if not going:
            shared.polish()
    return ""


def plan_together(options: Risk, problem: Problem, prepared: Prepared, deadline: float | None) -> Plan:
    """Check what is impossible at once, build the tables, search, and turn the outcome into a Plan with its proof."""
    began = time.perf_counter()
    clock = Clock(deadline)
    shared: Shared | None = None
    status: Status = "infeasible"
    reason = ""
    try:
        clock.check()
        reason = apart_reason(problem, prepared.xy)
        if not reason:
            tables = RiskTables.of(problem, prepared, clock)
            fronts = Fronts(problem, tables, problem.spacing, clock)
            reason = reach_reason(problem, tables.cost) or budget_reason(problem, fronts)
        if not reason:
            shared = Shared(problem, tables, clock, options)
            reason = search(shared)
            status = "unsolved" if reason else "infeasible"
            reason = (
                reason or f"every way of resolving the agents' conflicts needs more than the risk budget of {shared.budget:g}"
            )
    except OutOfTime:
        status, reason = "timeout", "time limit reached"
    except GaveUp as stop:
        status, reason = "unsolved", str(stop)
    except KeyboardInterrupt:
        status, reason = "unsolved", "interrupted"
    return _plan(options, problem, shared, status, reason, time.perf_counter() - began)


def _plan(options: Risk, problem: Problem, shared: Shared | None, status: Status, reason: str, seconds: float) -> Plan:
    best = shared.best if shared is not None else None
    bound = shared.lower_bound if shared is not None and math.isfinite(shared.lower_bound) else None
    if best is not None:
        status = "bounded"
        reason = reason if reason in ("interrupted", "time limit reached") else ""
    elif bound is not None and status != "infeasible":
        reason += f"; no solution costs less than {bound:g}"
    plan = make_plan(
        problem,
        options.name,
        status,
        [point.path for point in best.points] if best is not None else (),
        lower_bound=None if status == "infeasible" else bound,
        allocations=best.shares if best is not None and problem.risk_budget is not None else (),
        runtime_s=seconds,
        reason=reason,
        stats=_stats(shared),
    )
    cost = plan.sum_of_costs
    if cost is not None and bound is not None and cost <= bound * (1.0 + SAME):
        return dataclasses.replace(plan, status="optimal", lower_bound=cost, suboptimality=1.0, reason="")
    return plan if plan.suboptimality is not None or not plan.solved else dataclasses.replace(plan, status="feasible")


def _stats(shared: Shared | None) -> dict[str, float]:
    if shared is None:
        return {"expanded": 0, "generated": 0}
    low = shared.low
    return {
        "expanded": shared.expanded,
        "low_level_searches": low.searches,
        "low_level_expanded": low.expanded,
        "low_level_generated": low.generated,
    }
