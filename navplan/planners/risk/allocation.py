"""Sharing one risk budget between agents whose trade-offs of cost and risk are known.

The rules are those of the follow-up paper (iterative risk allocation): equal shares, surplus to those in deficit, and one market
price. `joint` is none of them: it chooses one trade-off per agent so that the sum of costs is least (a knapsack with choices).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from navplan.planners.base import SAME
from navplan.planners.risk.tradeoffs import ParetoFront, within
from navplan.system.arrays import Int64

# Partial sums that the joint choice keeps, at most; beyond it settles for the market's.
MOST_SUMS = 200_000


class Market(NamedTuple):
    """What agents choose at one price of risk.

    Attributes:
        price: the least at which the demand for risk is within the budget.
        bound: no choice within the budget costs less (Lagrangian bound at that price).
        choices: index per front; the demand at that price, then what is left of the budget spent where it saves most.
    """

    price: float
    bound: float
    choices: list[int]


def uniform(least: Sequence[float], budget: float) -> list[float] | None:
    """Equal shares; None when some agent, whose safest path has the `least` risk, cannot keep its share."""
    share = budget / len(least)
    return [share] * len(least) if all(within(risk, share) for risk in least) else None


def surplus_deficit(least: Sequence[float], budget: float, shares: Sequence[float]) -> list[float] | None:
    """Agents that cannot keep their share get what their safest path needs; the others give up, in order, down to their own need.

    Args:
        least: per agent, the risk of its safest path.

    Returns None when the surplus does not cover the deficit.
    """
    after = list(shares)
    failing = [not within(risk, share) for risk, share in zip(least, shares, strict=True)]
    if not any(failing):
        return after
    for agent, fails in enumerate(failing):
        if fails:
            after[agent] = least[agent]
    deficit = math.fsum(after) - budget
    for agent, fails in enumerate(failing):
        if deficit <= 0.0:
            break
        if not fails:
            given = min(deficit, max(0.0, after[agent] - least[agent]))
            after[agent] -= given
            deficit = math.fsum(after) - budget
    return after if within(math.fsum(after), budget) else None


def market_price(fronts: Sequence[ParetoFront], budget: float) -> list[float] | None:
    """Shares as the market at the clearing price demands them, the rest of the budget spread evenly; None when none suffice."""
    if not within(math.fsum(front.least_risk for front in fronts), budget):
        return None
    if math.isinf(budget):
        return [math.inf] * len(fronts)
    risks = [float(front.risk[k]) for front, k in zip(fronts, clear(fronts, budget).choices, strict=True)]
    return spread(risks, budget)


def spread(risks: Sequence[float], budget: float) -> list[float]:
    """Shares that cover `risks` and add up to the budget: what is left over goes to all alike."""
    rest = max(0.0, budget - math.fsum(risks)) / len(risks)
    return [risk + rest for risk in risks]


def demand(fronts: Sequence[ParetoFront], price: float) -> list[int]:
    """Best responses to a price: per front, the index of least ``cost + price * risk``, the safer among equals."""
    choices = []
    for front in fronts:
        worth = front.cost + price * front.risk
        best = worth.min()
        choices.append(int(np.flatnonzero(worth <= best + SAME * (1.0 + abs(best)))[-1]))
    return choices


def clear(fronts: Sequence[ParetoFront], budget: float) -> Market:
    """Bisect on the price of risk until demand meets the budget, which the safest choices must keep.

    Each new price is the one at which the two demands known, one above and one within the budget, are worth the same; the demand
    there either proves that price the best or replaces one of the two, so that the search ends exactly.
    """

    def totals(choices: list[int]) -> tuple[float, float]:
        chosen = list(zip(fronts, choices, strict=True))
        return math.fsum(float(f.cost[k]) for f, k in chosen), math.fsum(float(f.risk[k]) for f, k in chosen)

    above = [0] * len(fronts)
    cost_above, risk_above = totals(above)
    if within(risk_above, budget):
        return Market(0.0, cost_above, above)
    below = [len(front.cost) - 1 for front in fronts]
    cost_below, risk_below = totals(below)
    while True:
        price = (cost_below - cost_above) / (risk_above - risk_below)
        choices = demand(fronts, price)
        cost, risk = totals(choices)
        worth = cost_above + price * risk_above
        if cost + price * risk >= worth - 10 * SAME * (1.0 + abs(worth)) or choices in (above, below):
            break
        if within(risk, budget):
            below, cost_below, risk_below = choices, cost, risk
        else:
            above, cost_above, risk_above = choices, cost, risk
    return Market(price, worth - price * budget, _spend(fronts, below, budget - risk_below))


def _spend(fronts: Sequence[ParetoFront], choices: list[int], left: float) -> list[int]:
    """Change one choice at a time to a cheaper, riskier one that what is left still pays for, the largest saving first."""
    choices = list(choices)
    while True:
        best, saved = -1, 0.0
        for agent, (front, k) in enumerate(zip(fronts, choices, strict=True)):
            cheaper = front.within(float(front.risk[k]) + max(0.0, left))
            if 0 <= cheaper < k and front.cost[k] - front.cost[cheaper] > saved:
                best, saved = agent, float(front.cost[k] - front.cost[cheaper])
        if best < 0:
            return choices
        front = fronts[best]
        cheaper = front.within(float(front.risk[choices[best]]) + max(0.0, left))
        left -= float(front.risk[cheaper] - front.risk[choices[best]])
        choices[best] = cheaper


def joint(fronts: Sequence[ParetoFront], budget: float, market: Market) -> tuple[list[int], float]:
    """One choice per agent of least total cost within the budget, and a lower bound on that cost, which it equals when found.

    Sums over the agents so far are kept unless another is as cheap and as safe, or the market's bound for the remaining agents
    shows that they cannot beat the market's own choice.
    """
    best = math.fsum(float(f.cost[k]) for f, k in zip(fronts, market.choices, strict=True))
    if best <= market.bound * (1.0 + SAME) + SAME:
        return market.choices, best
    order = sorted(range(len(fronts)), key=lambda agent: -len(fronts[agent].cost))
    ahead_risk = np.cumsum([0.0] + [fronts[agent].least_risk for agent in reversed(order)])[::-1]
    worths = [fronts[agent].least_worth(market.price) for agent in reversed(order)]
    ahead_worth = np.cumsum([0.0, *worths])[::-1] - market.price * budget
    limit, worst = budget + SAME * (1.0 + budget), best * (1.0 + SAME) + SAME
    cost, risk = np.zeros(1), np.zeros(1)
    trail: list[tuple[Int64, Int64]] = []
    for step, agent in enumerate(order, 1):
        front = fronts[agent]
        costs = (cost[:, None] + front.cost).ravel()
        risks = (risk[:, None] + front.risk).ravel()
        keep = np.flatnonzero((risks + ahead_risk[step] <= limit) & (costs + market.price * risks + ahead_worth[step] <= worst))
        keep = keep[np.lexsort((risks[keep], costs[keep]))]
        safest = np.minimum.accumulate(risks[keep])
        keep = keep[np.concatenate([[True], risks[keep][1:] < safest[:-1]])] if keep.size else keep
        if keep.size == 0 or keep.size * len(fronts[order[min(step, len(order) - 1)]].cost) > 20 * MOST_SUMS:
            return market.choices, (best if keep.size == 0 else market.bound)
        cost, risk = costs[keep], risks[keep]
        trail.append((keep // len(front.cost), keep % len(front.cost)))
    choices = [0] * len(fronts)
    at = 0
    for agent, (before, chosen) in zip(reversed(order), reversed(trail), strict=True):
        choices[agent] = int(chosen[at])
        at = int(before[at])
    return choices, float(cost[0])
