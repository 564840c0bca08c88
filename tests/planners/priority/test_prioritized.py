"""Prioritised planning, and the safe-interval search below it against a space-time Dijkstra over the same reservations."""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections.abc import Sequence

import numpy as np
import pytest

from navplan.errors import InvalidInput, InvalidProblem
from navplan.graph.prepared import PreparedGraph
from navplan.graph.state_graph import StateGraph
from navplan.kernels.search.reservation import NEVER, next_free, next_taken
from navplan.kernels.search.sipp import CHEAPEST, FEWEST, HARD, SOFT
from navplan.plan.problem import Problem
from navplan.plan.validation import validate
from navplan.planners.base import Clock
from navplan.planners.field import Field
from navplan.planners.priority.prioritized import Prioritized
from navplan.planners.priority.reservations import Arena
from navplan.planners.solving import solve
from tests.support.instances import random_digraph, random_grid, relabelled
from tests.support.naive import planning as naive


def random_problem(seed: int) -> Problem | None:
    rng = np.random.default_rng(seed)
    return random_grid(rng) if seed % 2 else random_digraph(rng, 0.0)


def crowded(seed: int) -> tuple[Problem, list[list[int]]]:
    """A problem of a few agents and random walks to their goals for all but agent 0, which may conflict with one another."""
    rng = np.random.default_rng(seed)
    while True:
        problem = random_grid(rng) if seed % 2 else random_digraph(rng, 0.0)
        if problem is not None and all(naive.path(problem, agent) for agent in range(problem.num_agents)):
            break
    edges = naive.successors(problem)
    walks: list[list[int]] = []
    for agent in range(1, problem.num_agents):
        node = int(problem.starts[agent])
        walk = [node]
        for _ in range(int(rng.integers(0, 5))):
            node = int(rng.choice([node, *[v for v, _ in edges[node]]]))
            walk.append(node)
        away = Problem(problem.graph, [node], [int(problem.goals[agent])], clearance=0.0, weight=problem.weight)
        walks.append(walk + naive.path(away, 0)[1:])
    return problem, walks


def obstacles_met(walks: Sequence[list[int]], hard: Sequence[bool], u: int, v: int, step: int) -> int:
    """Soft walks in conflict with the move u -> v at `step`; -1 if a hard one is."""
    count = 0
    for walk, solid in zip(walks, hard, strict=True):
        a, b = walk[min(step, len(walk) - 1)], walk[min(step + 1, len(walk) - 1)]
        if v == b or (u == b and v == a):
            if solid:
                return -1
            count += 1
    return count


def oracle(problem: Problem, walks: list[list[int]], hard: Sequence[bool]) -> float:
    """Least cost for agent 0 among hard walks alone, by Dijkstra over node and time; inf if there is no path."""
    solid = [walk for walk, flag in zip(walks, hard, strict=True) if flag]
    edges, waits = naive.successors(problem), naive.wait_costs(problem)
    last = max((len(walk) for walk in solid), default=1)
    start, goal = int(problem.starts[0]), int(problem.goals[0])
    if any(walk[0] == start for walk in solid):
        return math.inf
    best: dict[tuple[int, int], float] = {(start, 0): 0.0}
    heap = [(0.0, start, 0)]
    while heap:
        cost, u, step = heapq.heappop(heap)
        if cost > best[u, step]:
            continue
        if u == goal and all(walk[min(t, len(walk) - 1)] != goal for walk in solid for t in range(step, last + 1)):
            return cost
        for v, weight in [*edges[u], (u, waits[u])]:
            if obstacles_met(solid, [True] * len(solid), u, v, step) < 0:
                continue
            key = (v, min(step + 1, last))
            if cost + weight < best.get(key, math.inf) - 1e-12:
                best[key] = cost + weight
                heapq.heappush(heap, (cost + weight, v, min(step + 1, last)))
    return math.inf


def arena_with(problem: Problem, walks: list[list[int]]) -> Arena:
    arena = Arena(Field.of(problem, PreparedGraph(problem.graph), Clock(None)))
    for agent, walk in enumerate(walks, start=1):
        arena.put(agent, np.array(walk, np.int32), 0.0)
    return arena


def check_search(seed: int) -> bool:
    """One agent among hard walks, mixed ones and soft ones; True when the hard search found a path."""
    problem, walks = crowded(seed)
    best = oracle(problem, walks, [True] * len(walks))
    arena = arena_with(problem, walks)
    assert arena.plan(0, HARD, Clock(None)) == (best < math.inf)
    if best < math.inf:
        path = arena.path(0).tolist()
        assert naive.cost(
            Problem(
                problem.graph,
                [problem.starts[0]],
                [problem.goals[0]],
                clearance=0.0,
                beta=problem.beta,
                wait_cost=problem.wait_cost,
                weight=problem.weight,
            ),
            [path],
        ) == pytest.approx(best)
        assert arena.costs[0] == pytest.approx(best)
        assert not [c for c in naive.conflicts(problem, [path, *walks]) if c[0] == 0]
    hard = (np.random.default_rng(seed).random(len(walks)) < 0.5).tolist()
    allowed = oracle(problem, walks, hard)
    for mode in (FEWEST, CHEAPEST):
        arena = arena_with(problem, walks)
        arena.work.hard[1:] = hard
        assert arena.plan(0, mode, Clock(None)) == (allowed < math.inf)
        if allowed == math.inf:
            continue
        path = arena.path(0).tolist()
        met = {c[1] for c in naive.conflicts(problem, [path, *walks]) if c[0] == 0}
        assert not any(hard[agent - 1] for agent in met)
        assert bool(met) == bool(arena.work.counts[SOFT])
        if mode == CHEAPEST:
            assert arena.costs[0] == pytest.approx(allowed)
        if best < math.inf and mode == FEWEST:
            assert not met
            assert arena.costs[0] == pytest.approx(best)
    return best < math.inf


def test_search_equals_space_time_dijkstra() -> None:
    assert 100 < sum(check_search(seed) for seed in range(400)) < 400


@pytest.mark.kernels
def test_search_equals_space_time_dijkstra_on_a_few() -> None:
    for seed in range(1000, 1012):
        check_search(seed)


@pytest.mark.kernels
def test_bits_find_taken_and_free_times() -> None:
    rng = np.random.default_rng(0)
    for density in (0.02, 0.5, 0.98, 0.0, 1.0):
        times = rng.random(128) < density
        bits = np.zeros((1, 4), np.uint32)
        for t in np.flatnonzero(times).tolist():
            bits[0, t // 32] |= np.uint32(1 << (t % 32))
        for t in range(140):
            taken = [s for s in range(t, 128) if times[s]]
            assert next_taken(bits, 0, t) == (taken[0] if taken else NEVER)
            assert next_free(bits, 0, t) == next(s for s in itertools.count(t) if s >= 128 or not times[s])


def test_plans_are_valid_and_bounds_true() -> None:
    solved = 0
    for seed in range(300):
        problem = random_problem(seed)
        if problem is None:
            continue
        plan = solve(problem, Prioritized(max_restarts=20))
        if plan.solved:
            solved += 1
            validate(plan, problem)
            assert not naive.conflicts(problem, plan.paths)
            if seed % 10 == 0:
                best = naive.joint_optimum(problem)
                assert best is None or plan.lower_bound <= best * (1 + 1e-9) <= plan.sum_of_costs * (1 + 2e-9)
        else:
            assert plan.reason
            assert plan.status in ("infeasible", "unsolved")
    assert solved > 200


def test_same_seed_same_plan_and_relabelling() -> None:
    for seed in range(2, 40, 2):
        problem = random_problem(seed)
        assert problem is not None
        first, second = (solve(problem, "prioritized", seed=5, max_restarts=5) for _ in range(2))
        assert [p.tolist() for p in first.paths] == [p.tolist() for p in second.paths]
        order = np.random.default_rng(seed).permutation(problem.graph.num_nodes)
        other = solve(relabelled(problem, order), "prioritized", seed=5, max_restarts=5)
        if first.solved and other.solved:
            assert other.lower_bound == pytest.approx(first.lower_bound)


def test_impossible_swap_is_given_up_and_a_lost_agent_is_named() -> None:
    corridor = StateGraph.from_grid(np.zeros((1, 5), bool))
    plan = solve(Problem(corridor, [0, 4], [4, 0]), "prioritized", max_restarts=7)
    assert (plan.status, plan.stats["orders"]) == ("unsolved", 8)
    assert "incomplete" in plan.reason
    apart = StateGraph.from_grid(np.array([[0, 1, 0]], bool))
    plan = solve(Problem(apart, [0], [1]), "prioritized")
    assert plan.status == "infeasible"
    assert "agent 0 cannot reach its goal" in plan.reason


@pytest.mark.alone
def test_deadline_is_kept() -> None:
    corridor = StateGraph.from_grid(np.zeros((1, 9), bool))
    problem = Problem(corridor, [0, 8], [8, 0])
    solve(problem, "prioritized", max_restarts=0)
    began = time.perf_counter()
    plan = solve(problem, "prioritized", time_limit=0.3, max_restarts=None)
    assert plan.status == "timeout"
    assert time.perf_counter() - began < 0.4


def test_bad_input_is_refused() -> None:
    graph = random_digraph(np.random.default_rng(0), 0.5)
    with pytest.raises(InvalidProblem, match=r"clearance is 0\.5"):
        solve(graph, "prioritized")
    with pytest.raises(InvalidInput, match="max_restarts"):
        Prioritized(max_restarts=-1)
    with pytest.raises(InvalidInput, match="time_limit"):
        Prioritized(time_limit=-1.0)


def test_table_grows_when_paths_are_long() -> None:
    """A serpentine of one cell's width: the path is longer than the first table of a weighted problem."""
    walls = np.zeros((21, 20), bool)
    walls[1::4, :-1] = True
    walls[3::4, 1:] = True
    graph = StateGraph.from_grid(walls)
    last = graph.num_nodes - 1
    problem = Problem(graph, [0], [last], wait_cost=0.5)
    plan = solve(problem, "prioritized")
    validate(plan, problem)
    assert plan.status == "optimal"
    assert plan.makespan is not None
    assert plan.makespan > 64
