"""PIBT: every step is legal, plans are valid, the step serves streams of goals."""

from __future__ import annotations

import numpy as np
import pytest

from navplan.errors import InvalidInput, InvalidProblem
from navplan.graph.prepared import PreparedGraph
from navplan.graph.state_graph import StateGraph
from navplan.kernels.lacam.pibt import pibt_step
from navplan.plan.problem import Problem
from navplan.plan.validation import validate
from navplan.planners.base import Clock
from navplan.planners.lacam.team import hop_tables, make_team
from navplan.planners.solving import solve
from navplan.planners.weighted import Weighted
from tests.support.instances import random_digraph, random_grid
from tests.support.naive import planning as naive


@pytest.mark.kernels
def test_plans_are_valid_or_given_up_with_a_reason() -> None:
    rng = np.random.default_rng(4)
    solved = 0
    for number in range(40):
        problem = random_grid(rng) if number % 2 else random_digraph(rng, 0.0)
        if problem is None:
            continue
        plan = solve(problem, "pibt", max_steps=60)
        if plan.solved:
            solved += 1
            validate(plan, problem)
            assert not naive.conflicts(problem, plan.paths)
        else:
            assert plan.status in ("unsolved", "infeasible")
            assert plan.reason
    assert solved >= 15


def test_every_step_is_legal_and_every_agent_gets_home_in_turn() -> None:
    """On a grid without dead ends, with a new goal for each agent that arrives."""
    rng = np.random.default_rng(9)
    graph = StateGraph.from_grid(np.zeros((8, 8), bool))
    agents = 30
    starts, goals = (rng.choice(64, agents, replace=False).astype(np.int32) for _ in range(2))
    prepared, problem = PreparedGraph(graph), Problem(graph, starts, goals)
    team, weighted = make_team(problem, prepared, Clock(None), rng), Weighted.of(problem, prepared)
    edges = [set(graph.indices[graph.indptr[u] : graph.indptr[u + 1]].tolist()) for u in range(64)]
    now, then = starts.copy(), np.empty_like(starts)
    order, after = team.ranks.copy(), np.empty_like(team.ranks)
    arrivals = np.zeros(agents, int)
    for _ in range(400):
        pibt_step(team.scene, team.tables, team.crew, now, order, team.ranks, then, after)
        assert len(set(then.tolist())) == agents
        moves = {(int(u), int(v)) for u, v in zip(now, then, strict=True) if u != v}
        assert not any((v, u) in moves for u, v in moves)
        assert all(v in edges[u] for u, v in moves)
        for agent in np.flatnonzero(then == team.scene.goals).tolist():
            arrivals[agent] += 1
            team.scene.goals[agent] = goal = int(rng.integers(64))
            team.tables[agent] = hop_tables(weighted, np.array([goal], np.int32), Clock(None))[0]
        now, then, order, after = then, now, after, order
    assert arrivals.min() >= 5
    assert (team.crew.here == -1).all()
    assert (team.crew.there == -1).all()


def test_agents_that_can_never_all_be_home_are_given_up() -> None:
    corridor = StateGraph.from_grid(np.zeros((1, 5), bool))
    plan = solve(Problem(corridor, np.array([0, 4], np.int32), np.array([4, 0], np.int32)), "pibt")
    assert plan.status == "unsolved"
    assert "steps" in plan.reason


def test_the_same_seed_gives_the_same_plan() -> None:
    graph = StateGraph.from_grid(np.zeros((12, 12), bool))
    rng = np.random.default_rng(2)
    starts, goals = (rng.choice(144, 40, replace=False).astype(np.int32) for _ in range(2))
    plans = [solve(Problem(graph, starts, goals), "pibt", seed=seed) for seed in (1, 1, 2)]
    assert plans[0].solved
    same = [all(np.array_equal(a, b) for a, b in zip(plans[0].paths, plan.paths, strict=True)) for plan in plans]
    assert same == [True, True, False]


@pytest.mark.kernels
@pytest.mark.parametrize("table_bytes", [0, 1000, 1 << 20])
def test_hop_tables_are_breadth_first(table_bytes: int) -> None:
    rng = np.random.default_rng(3)
    graph = StateGraph.from_grid(rng.random((7, 7)) < 0.3)
    goals = np.arange(graph.num_nodes, dtype=np.int32)
    weighted = Weighted.of(Problem(graph, goals, goals), PreparedGraph(graph, table_bytes=table_bytes))
    hop_tables(weighted, goals[::2].copy(), Clock(None))
    tables = hop_tables(weighted, goals, Clock(None))
    edges = [[(int(v), 1.0) for v in graph.indices[graph.indptr[u] : graph.indptr[u + 1]]] for u in range(graph.num_nodes)]
    for goal in goals.tolist():
        true = np.array(naive.dijkstra(edges, goal))
        assert np.array_equal(np.where(np.isinf(true), 65535, true), tables[goal])


def test_what_it_cannot_do_is_refused() -> None:
    problem = random_digraph(np.random.default_rng(1), 0.5)
    with pytest.raises(InvalidProblem, match="clearance"):
        solve(problem, "pibt")
    with pytest.raises(InvalidInput, match="max_steps"):
        solve(problem, "pibt", max_steps=0)
