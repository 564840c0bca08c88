"""Exhaustive answers to small problems with a risk budget. Shares no code with planners, kernels or validator."""

from __future__ import annotations

import dataclasses
import heapq
import math
from typing import Any

import numpy as np

from navplan.plan.problem import Problem
from tests.support.instances import random_digraph
from tests.support.naive import planning as naive


def hazards(problem: Any) -> list[dict[int, float]]:
    """Per node, the risk of each of its edges."""
    graph = problem.graph
    return [
        {int(graph.indices[e]): float(graph.risk[e]) for e in range(int(graph.indptr[u]), int(graph.indptr[u + 1]))}
        for u in range(len(graph.states))
    ]


def risk_of(problem: Any, paths: Any) -> float:
    """Risk of all paths, waits after the last arrival left out."""
    edges = hazards(problem)
    total = 0.0
    for path in paths:
        nodes = [int(v) for v in path]
        while len(nodes) > 1 and nodes[-2] == nodes[-1]:
            nodes.pop()
        for k in range(len(nodes) - 1):
            u, v = nodes[k], nodes[k + 1]
            total += float(problem.graph.wait_risk[u]) if u == v else edges[u][v]
    return total


def front(problem: Any) -> list[tuple[float, float]]:
    """Undominated (cost, risk) over every path of the first agent, cheapest first: labels grow by one edge a round, N rounds."""
    edges, risks = naive.successors(problem), hazards(problem)
    best: list[list[tuple[float, float]]] = [[] for _ in edges]
    best[int(problem.starts[0])] = [(0.0, 0.0)]
    for _ in edges:
        grown = [list(labels) for labels in best]
        for u, labels in enumerate(best):
            for v, weight in edges[u]:
                grown[v] += [(cost + weight, risk + risks[u][v]) for cost, risk in labels]
        best = [undominated(labels) for labels in grown]
    return best[int(problem.goals[0])]


def undominated(labels: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those that no other beats in both numbers, cheapest first."""
    kept: list[tuple[float, float]] = []
    for cost, risk in sorted(labels):
        if not kept or risk < kept[-1][1] - 1e-12:
            kept.append((cost, risk))
    return kept


def joint_optimum(problem: Any, limit: int) -> float | None:
    """Least sum of costs of conflict-free paths within the shared budget; inf if there are none, None past `limit` labels.

    Labels (cost, risk) on joint states, the agents' moves chosen one after the other; a label is dropped when another of its
    state is as cheap and as safe. An agent at its goal may retire: it stays for good and pays no more.
    """
    edges, risks = naive.successors(problem), hazards(problem)
    waits, wait_risks = naive.wait_costs(problem), [float(r) for r in problem.graph.wait_risk]
    goals = tuple(int(g) for g in problem.goals)
    starts = tuple(int(s) for s in problem.starts)
    count = len(goals)
    budget = problem.risk_budget + 1e-9
    back = naive.reversed_edges(edges)
    ahead = [naive.dijkstra(back, goal) for goal in goals]
    back_risk = naive.reversed_edges([list(row.items()) for row in risks])
    safe = [naive.dijkstra(back_risk, goal) for goal in goals]
    rules = naive.Rules(problem)
    for nodes in (starts, goals):
        if any(rules.conflict(nodes[i], nodes[i], nodes[j], nodes[j]) for i in range(count) for j in range(i)):
            return math.inf
    heap: list[Any] = [(sum(ahead[i][starts[i]] for i in range(count)), 0, 0.0, 0.0, (starts, (False,) * count, ()))]
    settled: dict[Any, list[tuple[float, float]]] = {}
    ticket = 0
    while heap:
        f, _, g, r, state = heapq.heappop(heap)
        if f == math.inf:
            return math.inf
        known = settled.setdefault(state, [])
        if any(a <= g + 1e-12 and b <= r + 1e-12 for a, b in known):
            continue
        known.append((g, r))
        now, retired, then = state
        if not then and now == goals:
            return g
        if ticket > limit:
            return None
        agent = len(then)
        u = now[agent]
        if retired[agent]:
            choices = [(u, 0.0, 0.0, True)]
        else:
            choices = [(v, weight, risks[u][v], False) for v, weight in edges[u]] + [(u, waits[u], wait_risks[u], False)]
            if u == goals[agent]:
                choices.append((u, 0.0, 0.0, True))
        for v, weight, risk, retires in choices:
            if any(rules.conflict(u, v, now[j], then[j]) for j in range(agent)):
                continue
            places = [*then, v, *now[agent + 1 :]]
            total, hazard = g + weight, r + risk
            if hazard + sum(safe[j][places[j]] for j in range(count)) > budget:
                continue
            done = (*retired[:agent], retires, *retired[agent + 1 :])
            moved = (*then, v)
            follow = (moved, done, ()) if len(moved) == count else (now, done, moved)
            ticket += 1
            rest = sum(ahead[j][places[j]] for j in range(count))
            heapq.heappush(heap, (total + rest, ticket, total, hazard, follow))
    return math.inf


def least_risk(problem: Any) -> float:
    """Sum of the risks of the agents' safest paths alone."""
    back = naive.reversed_edges([list(row.items()) for row in hazards(problem)])
    return sum(naive.dijkstra(back, int(g))[int(s)] for s, g in zip(problem.starts, problem.goals, strict=True))


def with_budget(rng: np.random.Generator, clearance: float, agents: int) -> Problem:
    """A random directed graph whose budget lies between what the safest paths need and what the cheapest take, or just below."""
    problem = random_digraph(rng, clearance)
    while problem.num_agents < agents:
        problem = random_digraph(rng, clearance)
    graph = dataclasses.replace(problem.graph, risk=problem.graph.risk ** float(rng.choice([1.0, 3.0])))
    if rng.random() < 0.25:  # whole numbers make ties, and sums that meet the budget exactly
        graph = dataclasses.replace(graph, risk=np.floor(4 * graph.risk), wait_risk=np.floor(3 * graph.wait_risk))
    problem = dataclasses.replace(problem, graph=graph, starts=problem.starts[:agents], goals=problem.goals[:agents], beta=0.0)
    low = least_risk(problem)
    high = risk_of(problem, [naive.path(problem, agent) for agent in range(agents)])
    share = float(rng.choice([-0.1, 0.0, 0.2, 0.5, 0.9, 1.1]))
    return dataclasses.replace(problem, risk_budget=float(max(0.0, low + share * (high - low))))
