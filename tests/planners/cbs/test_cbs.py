"""CBS on tiny problems whose agents are coupled tightly: dense mazes, sparse digraphs, waits that cost almost nothing."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from navplan.errors import InvalidInput
from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import Problem
from navplan.plan.validation import validate
from navplan.planners.cbs.cbs import CBS
from navplan.planners.solving import solve
from tests.support.instances import tight_grid
from tests.support.naive import planning as naive

ORACLE_LIMIT = 20_000
# Each way of searching alone, and all together.
VARIANTS: dict[str, dict[str, Any]] = {
    "all": {},
    "joint at once": {"team_after": 0},
    "pair bounds at once": {"joint_after": 0},
    "no bypass": {"bypass": False},
    "general": {"unit": False},
    "corridors alone": {"mutexes": False, "bypass": False},
    "mutexes alone": {"corridors": False, "bypass": False},
    "neither": {"corridors": False, "mutexes": False},
}


def harsh_grid(rng: np.random.Generator) -> Problem:
    """A grid of 3 x 3 to 5 x 5 cells, up to 35 % walls, 2 to 4 agents, as full as it gets."""
    while True:
        walls = rng.random(tuple(rng.integers(3, 6, size=2))) < rng.uniform(0.0, 0.35)
        graph = StateGraph.from_grid(walls)
        agents = int(rng.integers(2, 5))
        if graph.num_nodes > agents:
            starts, goals = (rng.choice(graph.num_nodes, agents, replace=False).astype(np.int32) for _ in range(2))
            return Problem(graph, starts, goals)


def harsh_digraph(rng: np.random.Generator, clearance: float) -> Problem:
    """A ring of 5 to 9 nodes with a few chords, all one-way; waits may be free or nearly so."""
    nodes = int(rng.integers(5, 10))
    agents = int(rng.integers(2, 5))
    there = rng.random((nodes, nodes)) < rng.uniform(0.05, 0.35)
    ring = rng.permutation(nodes)
    there[ring, np.roll(ring, 1)] = True
    np.fill_diagonal(there, False)
    _, heads = np.nonzero(there)
    plain = rng.random() < 0.3
    graph = StateGraph(
        states=(rng.random((nodes, 2)) * 2.5).astype(np.float32),
        indptr=np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int32),
        indices=heads.astype(np.int32),
        distance=rng.integers(1, 4, len(heads)).astype(float) if plain else rng.uniform(0.3, 3.0, len(heads)),
        risk=rng.uniform(0.0, 1.0, len(heads)),
        wait_risk=rng.uniform(0.0, 0.5, nodes),
    )
    starts, goals = (rng.choice(nodes, agents, replace=False).astype(np.int32) for _ in range(2))
    return Problem(
        graph,
        starts,
        goals,
        clearance=clearance,
        beta=0.0 if plain else float(rng.choice([0.0, 0.7])),
        wait_cost=float(rng.choice([0.0, 0.01, 0.5, 1.0, 1.7])),
        weight="hops" if rng.random() < 0.15 else "cost",
    )


@cache
def harsh(kind: str, seed: int, count: int) -> list[tuple[Problem, float]]:
    """`count` problems with their optimal costs, inf where there is no plan; several tests share them."""
    rng = np.random.default_rng([seed, len(kind)])
    found: list[tuple[Problem, float]] = []
    while len(found) < count:
        if kind in ("grid", "tight"):
            problem = harsh_grid(rng) if kind == "grid" else tight_grid(rng)
        else:
            problem = harsh_digraph(rng, float(kind))
        optimum = naive.joint_optimum(problem, ORACLE_LIMIT)
        if optimum is not None:
            found.append((problem, optimum))
    return found


def check(problem: Problem, optimum: float, note: str, **options: Any) -> None:
    plan = solve(problem, "cbs", time_limit=60, **options)
    if optimum == math.inf:
        assert plan.status == "infeasible", f"{note}: {plan.status}: {plan.reason}"
        return
    assert plan.status == "optimal", f"{note}: {plan.status}: {plan.reason}"
    assert plan.sum_of_costs == pytest.approx(optimum, rel=1e-9, abs=1e-9), note
    validate(plan, problem)
    assert not naive.conflicts(problem, plan.paths), note
    assert naive.cost(problem, plan.paths) == pytest.approx(optimum, rel=1e-9, abs=1e-9), note


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "count"), [("grid", 100), ("tight", 150), ("0.0", 100), ("0.25", 100)])
def test_harsh_instances_are_solved_or_proved_infeasible(kind: str, count: int) -> None:
    for number, (problem, optimum) in enumerate(harsh(kind, 7, count)):
        check(problem, optimum, f"instance {number}")


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_technique_keeps_the_optimum(variant: str) -> None:
    for kind in ("grid", "tight", "0.0", "0.25"):
        for number, (problem, optimum) in enumerate(harsh(kind, 8, 10)):
            check(problem, optimum, f"{kind} instance {number}", **VARIANTS[variant])


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["all", "corridors alone", "mutexes alone", "neither"])
def test_the_tree_alone_is_right_where_it_comes_to_an_end(variant: str) -> None:
    ended = 0
    for number, (problem, optimum) in enumerate([*harsh("grid", 10, 60), *harsh("tight", 11, 100)]):
        plan = solve(problem, "cbs", team=0, max_nodes=300, **VARIANTS[variant])
        if plan.status == "unsolved":
            assert plan.lower_bound is not None
            assert plan.lower_bound <= optimum + 1e-9, f"instance {number}"
            continue
        ended += 1
        assert plan.status == ("infeasible" if optimum == math.inf else "optimal"), f"instance {number}"
        if plan.solved:
            assert plan.sum_of_costs == pytest.approx(optimum), f"instance {number}"
            assert not naive.conflicts(problem, plan.paths), f"instance {number}"
    assert ended >= 100


@pytest.mark.kernels
def test_joint_search_as_plain_python() -> None:
    for problem, optimum in harsh("grid", 9, 2):
        check(problem, optimum, "", team_after=0)


def test_a_corridor_full_of_agents_is_proved_infeasible() -> None:
    graph = StateGraph.from_grid(np.zeros((1, 7), bool))
    starts, goals = np.array([0, 1, 2], np.int32), np.array([1, 0, 5], np.int32)
    plan = solve(Problem(graph, starts, goals), "cbs", time_limit=20)
    assert plan.status == "infeasible"


@pytest.mark.parametrize("options", [{"team": -1}, {"team": 17}, {"team_after": 0.5}, {"joint_after": None}])
def test_options_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=f"CBS.{next(iter(options))} is "):
        CBS(**options)
