"""Large-neighbourhood search: repair, improvement, its tables against counting from the paths alone."""

from __future__ import annotations

import time

import numpy as np
import pytest

from navplan.errors import InvalidInput, InvalidProblem
from navplan.graph.prepared import PreparedGraph
from navplan.graph.state_graph import StateGraph
from navplan.kernels.common.status import FOUND
from navplan.kernels.priority.lns import IMPROVE, REPAIR, count_clashes
from navplan.kernels.priority.neighbourhoods import PAIRS, draw
from navplan.kernels.search.sipp import FEWEST, HARD
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.plan.validation import validate
from navplan.planners.base import Clock
from navplan.planners.field import Field
from navplan.planners.priority.first_solution import FirstSolution
from navplan.planners.priority.lns import LNS
from navplan.planners.priority.lns_search import LNSSearch
from navplan.planners.priority.prioritized import Prioritized
from navplan.planners.solving import solve
from navplan.scenarios.problems.load import load_problem
from tests.support.folders import MOVINGAI, needs_movingai
from tests.support.instances import random_digraph, random_grid
from tests.support.naive import planning as naive


def random_problem(seed: int) -> Problem | None:
    rng = np.random.default_rng(seed)
    return random_grid(rng) if seed % 2 else random_digraph(rng, 0.0)


def dense_grid(seed: int, side: int, agents: int, walls: float = 0.1) -> Problem:
    rng = np.random.default_rng(seed)
    graph = StateGraph.from_grid(rng.random((side, side)) < walls)
    starts, goals = (rng.choice(graph.num_nodes, agents, replace=False).astype(np.int32) for _ in range(2))
    return Problem(graph, starts, goals)


def search_on(problem: Problem, seed: int = 0, neighbours: int = 8) -> LNSSearch:
    field = Field.of(problem, PreparedGraph(problem.graph), Clock(None))
    return LNSSearch(field, neighbours, np.random.default_rng(seed))


def pairs_in_conflict(problem: Problem, search: LNSSearch) -> set[tuple[int, int]]:
    return {(i, j) for i, j, _ in naive.conflicts(problem, search.arena.paths())}


def check_tables(problem: Problem, search: LNSSearch) -> None:
    """Everything that the search keeps beside the paths is what the paths say."""
    paths = search.arena.paths()
    table, pool = search.arena.table, search.pool
    assert naive.cost(problem, paths) == pytest.approx(search.cost)
    pairs = pairs_in_conflict(problem, search)
    kept = pool.clashes.tolist(), int(pool.tallies[PAIRS])
    if pool.tallies[PAIRS] or not search.solved:
        assert kept == ([sum(agent in pair for pair in pairs) for agent in range(len(paths))], len(pairs))
    else:
        assert not pairs
    occupied = np.zeros((problem.graph.num_nodes, search.arena.steps), bool)
    for agent, path in enumerate(paths):
        occupied[path, np.arange(len(path))] = True
        assert table.rests[problem.goals[agent]] == len(path)
    assert ((table.head > 0) == occupied).all()
    bits = np.unpackbits(table.bits.view(np.uint8), axis=1, bitorder="little").astype(bool)
    assert (bits == occupied).all()


def spoiled(problem: Problem, seed: int) -> LNSSearch | None:
    """A search whose agents each walk as if alone, so that conflicts are left to repair; None when one cannot reach its goal."""
    if not all(naive.path(problem, agent) for agent in range(problem.num_agents)):
        return None
    search = search_on(problem, seed, neighbours=3)
    for agent in range(problem.num_agents):
        path = naive.path(problem, agent)
        search.arena.put(agent, np.array(path, np.int32), search.arena.field.costs([np.array(path)])[0])
    count_clashes(search.arena.table, search.pool)
    return search


def run_repair(seed: int, problem: Problem | None) -> bool:
    search = spoiled(problem, seed) if problem is not None else None
    if problem is None or search is None:
        return False
    last = len(pairs_in_conflict(problem, search))
    for _ in range(30):
        check_tables(problem, search)
        status = search.iterate(REPAIR, 2)
        assert len(pairs_in_conflict(problem, search)) <= last
        last = len(pairs_in_conflict(problem, search))
        assert (status == FOUND) == (last == 0)
        if status == FOUND:
            return True
    return False


def run_improvement(seed: int, problem: Problem | None) -> bool:
    if problem is None or not all(naive.path(problem, agent) for agent in range(problem.num_agents)):
        return False
    search = search_on(problem, seed, neighbours=3)
    if not FirstSolution(search, Clock(None), np.random.default_rng(seed)).find(200):
        return False
    cost = search.cost
    for _ in range(30):
        check_tables(problem, search)
        search.iterate(IMPROVE, 1)
        assert search.cost <= cost * (1 + 1e-12)
        cost = search.cost
    return True


def test_repair_never_adds_pairs_and_keeps_its_tables() -> None:
    done = [run_repair(seed, random_problem(seed)) for seed in range(120)]
    done += [run_repair(seed, dense_grid(seed, 6, 10)) for seed in range(10)]
    assert sum(done) > 60


def test_improvement_never_worsens_and_keeps_its_tables() -> None:
    assert sum(run_improvement(seed, random_problem(seed)) for seed in range(80)) > 50
    assert sum(run_improvement(seed, dense_grid(seed, 6, 10)) for seed in range(20)) > 10


@pytest.mark.kernels
def test_kernels_on_a_few() -> None:
    assert sum(run_repair(seed, random_problem(seed)) for seed in range(3, 9))
    assert sum(run_improvement(seed, random_problem(seed)) for seed in range(3, 6))


@pytest.mark.kernels
def test_random_numbers_are_even() -> None:
    state = np.array([1, 2, 3, 4], np.int64)
    drawn = [int(draw(state, 10)) for _ in range(4000)]
    assert set(drawn) == set(range(10))
    assert all(330 < count < 470 for count in np.bincount(drawn[100:]))


def test_plans_are_valid_near_the_optimum_and_bounds_true() -> None:
    options = LNS(max_iterations=200, max_repairs=300, time_limit=None)
    excess = []
    for seed in range(300):
        problem = random_problem(seed)
        if problem is None:
            continue
        plan = solve(problem, options)
        if not plan.solved:
            assert plan.reason
            continue
        validate(plan, problem)
        assert plan.sum_of_costs is not None
        assert plan.lower_bound is not None
        if seed % 6 == 0 and problem.num_agents < 4:
            best = naive.joint_optimum(problem, 50_000)
            if best is not None:
                assert plan.lower_bound <= best * (1 + 1e-9)
                assert plan.sum_of_costs >= best * (1 - 1e-9)
                assert plan.status != "optimal" or plan.sum_of_costs == pytest.approx(best)
                excess.append(plan.sum_of_costs / best)
    assert np.mean(excess) < 1.03


def test_repair_solves_what_no_order_does() -> None:
    repaired = 0
    for seed in range(40):
        problem = dense_grid(seed, 6, 14, 0.15)
        if solve(problem, Prioritized(max_restarts=20)).status != "unsolved":
            continue
        plan = solve(problem, LNS(max_iterations=0, max_repairs=3000))
        if plan.solved:
            validate(plan, problem)
            repaired += plan.stats["repairs"] > 0
    assert repaired >= 5


def test_same_seed_same_plan() -> None:
    problem = dense_grid(3, 12, 40)
    options = LNS(max_iterations=300, time_limit=None)
    first, second, other = (solve(problem, options, seed=seed) for seed in (4, 4, 5))
    assert [p.tolist() for p in first.paths] == [p.tolist() for p in second.paths]
    assert [p.tolist() for p in first.paths] != [p.tolist() for p in other.paths]


def test_improves_any_plan_and_refuses_a_wrong_one() -> None:
    problem = dense_grid(1, 12, 30)
    start = solve(problem, Prioritized())
    assert start.sum_of_costs is not None
    rng = np.random.default_rng(0)
    better = LNS(max_iterations=500).improve(problem, start, PreparedGraph(problem.graph), deadline=None, rng=rng)
    validate(better, problem)
    assert better.sum_of_costs is not None
    assert better.sum_of_costs < start.sum_of_costs
    assert better.stats["first_sum_of_costs"] == start.sum_of_costs
    turned = Problem(problem.graph, problem.goals, problem.starts)
    with pytest.raises(InvalidProblem, match="does not lead"):
        LNS().improve(turned, start, PreparedGraph(problem.graph), deadline=None, rng=rng)


def test_a_plan_with_conflicts_is_refused() -> None:
    graph = StateGraph.from_grid(np.zeros((1, 3), bool))
    problem = Problem(graph, [0, 2], [2, 0])
    plan = Plan("feasible", "none", 2, (np.array([0, 1, 2], np.int32), np.array([2, 1, 0], np.int32)))
    with pytest.raises(InvalidProblem, match="1 pairs"):
        LNS().improve(problem, plan, PreparedGraph(graph), deadline=None, rng=np.random.default_rng(0))


@pytest.mark.alone
def test_statuses() -> None:
    corridor = Problem(StateGraph.from_grid(np.zeros((1, 5), bool)), [0, 4], [4, 0])
    plan = solve(corridor, LNS(max_repairs=50))
    assert plan.status == "unsolved"
    assert "50 repairs" in plan.reason
    began = time.perf_counter()
    plan = solve(corridor, LNS(), time_limit=0.3)
    assert plan.status == "timeout"
    assert "1 pairs" in plan.reason
    assert time.perf_counter() - began < 0.4
    assert solve(Problem(StateGraph.from_grid(np.array([[0, 1, 0]], bool)), [0], [1]), LNS()).status == "infeasible"
    alone = Problem(StateGraph.from_grid(np.zeros((9, 9), bool)), [0], [80])
    assert solve(alone, LNS()).status == "optimal"
    for wrong in ({"neighbours": 0}, {"max_iterations": -1}, {"time_limit": -1.0}, {"max_repairs": 1.5}):
        with pytest.raises(InvalidInput):
            LNS(**wrong)
    with pytest.raises(InvalidProblem, match="clearance"):
        solve(random_digraph(np.random.default_rng(0), 0.5), LNS())


def test_soft_search_that_must_conflict_is_repaired_from_scratch() -> None:
    """Every path planned around none, with conflicts allowed, then repaired: the way of the hardest problems."""
    problem = dense_grid(5, 8, 16)
    search = search_on(problem)
    for agent in range(16):
        if not search.arena.plan(agent, HARD, Clock(None)):
            search.arena.plan(agent, FEWEST, Clock(None))
    count_clashes(search.arena.table, search.pool)
    assert FirstSolution(search, Clock(None), np.random.default_rng(0)).repair(2000)
    check_tables(problem, search)


@pytest.mark.alone
@needs_movingai
def test_benchmark_within_the_deadline() -> None:
    problem = load_problem(MOVINGAI / "maps/random-32-32-20.map", MOVINGAI / "scens/random-32-32-20-random-1.scen", agents=150)
    solve(problem, LNS(max_iterations=0))
    plan = solve(problem, LNS(), time_limit=1.5)
    assert plan.runtime_s < 1.7
    validate(plan, problem)
    assert plan.stats["first_sum_of_costs"] > plan.sum_of_costs
