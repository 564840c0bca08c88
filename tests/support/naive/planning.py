"""Slow, obviously right versions of what the planners do, for comparison. Shares no code with planners, kernels or validator."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Sequence
from typing import Any


def successors(problem: Any, agent: int | None = None) -> list[list[tuple[int, float]]]:
    """Per node, (head, cost) of its edges; of one agent those that are not forbidden to it."""
    graph = problem.graph
    forbidden = None if agent is None or problem.forbidden is None else problem.forbidden[agent]
    out: list[list[tuple[int, float]]] = []
    for u in range(len(graph.states)):
        row = []
        for edge in range(int(graph.indptr[u]), int(graph.indptr[u + 1])):
            if forbidden is not None and forbidden[edge]:
                continue
            if problem.weight == "hops":
                cost = 1.0
            else:
                cost = float(graph.distance[edge]) + problem.beta * float(graph.risk[edge])
            row.append((int(graph.indices[edge]), cost))
        out.append(row)
    return out


def wait_costs(problem: Any) -> list[float]:
    """Per node, the cost of one wait."""
    if problem.weight == "hops":
        return [1.0] * len(problem.graph.states)
    return [problem.wait_cost + problem.beta * float(risk) for risk in problem.graph.wait_risk]


def dijkstra(edges: list[list[tuple[int, float]]], source: int) -> list[float]:
    """Costs from `source` to every node."""
    best = [math.inf] * len(edges)
    best[source] = 0.0
    heap = [(0.0, source)]
    while heap:
        cost, u = heapq.heappop(heap)
        if cost > best[u]:
            continue
        for v, weight in edges[u]:
            if cost + weight < best[v]:
                best[v] = cost + weight
                heapq.heappush(heap, (best[v], v))
    return best


def reversed_edges(edges: list[list[tuple[int, float]]]) -> list[list[tuple[int, float]]]:
    """The same edges, from head to tail."""
    out: list[list[tuple[int, float]]] = [[] for _ in edges]
    for u, row in enumerate(edges):
        for v, weight in row:
            out[v].append((u, weight))
    return out


def closest(p0: Any, p1: Any, q0: Any, q1: Any) -> float:
    """Least distance of two points that move from p0 to p1 and from q0 to q1 in the same time (ternary search: it is convex)."""

    apart = [a - b for a, b in zip(p0, q0, strict=True)]
    change = [b - a for a, b in zip(apart, (a - b for a, b in zip(p1, q1, strict=True)), strict=True)]

    def gap(s: float) -> float:
        return math.hypot(*(a + s * c for a, c in zip(apart, change, strict=True)))

    low, high = 0.0, 1.0
    for _ in range(55):  # (2 / 3) ** 55 is 2e-10
        third = (high - low) / 3
        if gap(low + third) <= gap(high - third):
            high -= third
        else:
            low += third
    return min(gap(0.0), gap(1.0), gap((low + high) / 2))


class Rules:
    """Whether two simultaneous moves conflict, remembered."""

    def __init__(self, problem: Any) -> None:
        self.clearance = float(problem.spacing)
        self.points = [tuple(float(x) for x in state) for state in problem.graph.states]
        self.known: dict[tuple[int, int, int, int], bool] = {}

    def blocked(self, u: int, v: int, tails: Sequence[int], heads: Sequence[int]) -> bool:
        """Whether moving from u to v conflicts with the move of any other; those of `tails` without a head have not moved yet."""
        for a, b in zip(tails, heads, strict=False):
            if v == b or u == a or (u == b and v == a) or (self.clearance > 0 and self.conflict(u, v, a, b)):
                return True
        return False

    def conflict(self, u: int, v: int, a: int, b: int) -> bool:
        """Whether moving from u to v while another moves from a to b is forbidden: vertex, swap, following, or too close."""
        if v == b or u == a or (u == b and v == a):
            return True
        if self.clearance == 0:
            return False
        key = (u, v, a, b)
        if key not in self.known:
            gap = closest(self.points[u], self.points[v], self.points[a], self.points[b])
            self.known[key] = gap < self.clearance - 1e-7
        return self.known[key]


def conflicts(problem: Any, paths: Any) -> list[tuple[int, int, int]]:
    """(agent, agent, step) of every conflict of the paths; agents rest at their last nodes for ever."""
    rules = Rules(problem)
    rows = [[int(v) for v in path] for path in paths]
    longest = max(len(row) for row in rows)
    rows = [row + [row[-1]] * (longest + 1 - len(row)) for row in rows]
    return [
        (i, j, step)
        for i, j in itertools.combinations(range(len(rows)), 2)
        for step in range(longest)
        if rules.conflict(rows[i][step], rows[i][step + 1], rows[j][step], rows[j][step + 1])
    ]


def cost(problem: Any, paths: Any) -> float:
    """Sum of costs up to each agent's last arrival; raises if a step is no edge or an end is wrong."""
    edges = [dict(row) for row in successors(problem)]
    waits = wait_costs(problem)
    total = 0.0
    for agent, path in enumerate(paths):
        nodes = [int(v) for v in path]
        assert nodes[0] == problem.starts[agent]
        assert nodes[-1] == problem.goals[agent]
        while len(nodes) > 1 and nodes[-2] == nodes[-1]:
            nodes.pop()
        for u, v in itertools.pairwise(nodes):
            total += waits[u] if u == v else edges[u][v]
    return total


def joint_optimum(problem: Any, limit: int = 200_000) -> float | None:
    """Optimal sum of costs by A* over joint states, the agents' moves chosen one after the other; inf if there is no plan.

    An agent at its goal may retire: it stays for good and pays no more. Returns None when `limit` states were not enough.
    """
    waits = wait_costs(problem)
    goals = tuple(int(g) for g in problem.goals)
    starts = tuple(int(s) for s in problem.starts)
    count = len(goals)
    edges = [successors(problem, agent) for agent in range(count)]
    ahead = [dijkstra(reversed_edges(own), goal) for own, goal in zip(edges, goals, strict=True)]
    rules = Rules(problem)
    for nodes in (starts, goals):
        if any(rules.conflict(u, u, v, v) for u, v in itertools.combinations(nodes, 2)):
            return math.inf
    first = sum(ahead[i][starts[i]] for i in range(count))
    if first == math.inf:
        return math.inf
    origin = (starts, (False,) * count, ())
    best: dict[Any, float] = {origin: 0.0}
    heap: list[Any] = [(first, 0, 0.0, first, origin)]
    ticket = 0
    popped = 0
    while heap:
        _, _, g, rest, state = heapq.heappop(heap)
        if g > best[state]:
            continue
        now, retired, then = state
        if not then and now == goals:
            return g
        popped += 1
        if popped > limit:
            return None
        agent = len(then)
        u = now[agent]
        if retired[agent]:
            choices = [(u, 0.0, True)]
        else:
            choices = [(v, weight, False) for v, weight in edges[agent][u]] + [(u, waits[u], False)]
            if u == goals[agent]:
                choices.append((u, 0.0, True))
        for v, weight, retires in choices:
            if ahead[agent][v] == math.inf or rules.blocked(u, v, now, then):
                continue
            done = retired if retires == retired[agent] else (*retired[:agent], retires, *retired[agent + 1 :])
            moved = (*then, v)
            follow = (moved, done, ()) if len(moved) == count else (now, done, moved)
            total = g + weight
            if total < best.get(follow, math.inf) - 1e-12:
                best[follow] = total
                left = rest - ahead[agent][u] + ahead[agent][v]
                ticket -= 1
                heapq.heappush(heap, (total + left, ticket, total, left, follow))
    return math.inf


def path(problem: Any, agent: int) -> list[int]:
    """A cheapest path of one agent alone, empty when there is none."""
    edges = successors(problem)
    goal = int(problem.goals[agent])
    ahead = dijkstra(reversed_edges(edges), goal)
    node = int(problem.starts[agent])
    if ahead[node] == math.inf:
        return []
    nodes = [node]
    while node != goal:
        node = min(edges[node], key=lambda edge: edge[1] + ahead[edge[0]])[0]
        nodes.append(node)
    return nodes
