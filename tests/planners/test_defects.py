"""The defects D1 to D4 of the paper's published planner, as cases that this one gets right."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from navplan.graph.prepared import PreparedGraph
from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import Problem
from navplan.plan.validation import validate
from navplan.planners.base import Clock
from navplan.planners.cbs.agent_search import pack
from navplan.planners.cbs.tree import Tree
from navplan.planners.solving import solve
from navplan.planners.weighted import Weighted, distance_tables
from tests.support.naive import planning as naive

pytestmark = pytest.mark.kernels


def graph_of(states: list[tuple[float, float]], edges: dict[tuple[int, int], float]) -> StateGraph:
    """A state graph with the given directed edges."""
    rows = sorted(edges)
    counts = np.bincount([u for u, _ in rows], minlength=len(states))
    return StateGraph(
        states=np.array(states, np.float32),
        indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        indices=np.array([v for _, v in rows], np.int32),
        distance=np.array([edges[row] for row in rows]),
        risk=np.zeros(len(rows)),
        wait_risk=np.zeros(len(states)),
    )


def both_ways(edges: dict[tuple[int, int], float]) -> dict[tuple[int, int], float]:
    return edges | {(v, u): w for (u, v), w in edges.items()}


def tree_of(problem: Problem) -> Tree:
    weighted = Weighted.of(problem, PreparedGraph(problem.graph))
    return Tree(problem, weighted, distance_tables(weighted, problem.goals, Clock(None)), Clock(None))


def test_d1_conflicts_late_on_the_way_are_seen() -> None:
    """Two agents cross a plus-shaped map and meet in its middle at step 6; the paper looks at step 0 only."""
    walls = np.ones((13, 13), bool)
    walls[6, :] = walls[:, 6] = False
    graph = StateGraph.from_grid(walls)
    node = {(int(r), int(c)): i for i, (r, c) in enumerate(graph.cells())}
    problem = Problem(graph, [node[6, 0], node[0, 6]], [node[6, 12], node[12, 6]])
    alone = [naive.path(problem, agent) for agent in range(2)]
    assert min(step for _, _, step in naive.conflicts(problem, alone)) == 5
    plan = solve(problem, "cbs")
    assert plan.sum_of_costs == 25.0
    validate(plan, problem)


def test_d1_an_agent_at_its_goal_is_still_in_the_way() -> None:
    """A line with one siding: agent 1 must stand aside before agent 0 comes, far later than either's first step."""
    walls = np.ones((2, 9), bool)
    walls[1, :] = False
    walls[0, 5] = False
    graph = StateGraph.from_grid(walls)
    node = {(int(r), int(c)): i for i, (r, c) in enumerate(graph.cells())}
    problem = Problem(graph, [node[1, 0], node[1, 5]], [node[1, 8], node[1, 6]])
    plan = solve(problem, "cbs")
    assert plan.sum_of_costs == naive.joint_optimum(problem)
    validate(plan, problem)


@pytest.mark.parametrize("planner", ["cbs", "ecbs"])
def test_d2_starts_within_the_clearance_are_infeasible_at_once(planner: str) -> None:
    graph = graph_of([(0, 0), (0, 0.3), (0, 3), (3, 0)], both_ways({(0, 2): 3.0, (1, 3): 3.0, (2, 3): 4.0}))
    plan = solve(Problem(graph, [0, 1], [2, 3], clearance=0.5), planner)
    assert plan.status == "infeasible"
    assert plan.stats["expanded"] == 0
    assert "agents 0 and 1 start 0.3 apart" in plan.reason
    plan = solve(Problem(graph, [2, 3], [0, 1], clearance=0.5), planner)
    assert plan.status == "infeasible"
    assert "agents 0 and 1 goal" in plan.reason


def test_d3_both_children_forbid_their_own_agents_move() -> None:
    """Whatever the conflict: each child bars its agent from the move it made, and no pair of moves escapes both bars."""
    rng = np.random.default_rng(3)
    seen = 0
    while seen < 40:
        states = [tuple(row) for row in rng.random((10, 2)) * 2.0]
        edges = {(u, v): 1.0 + rng.random() for u, v in itertools.permutations(range(10), 2) if rng.random() < 0.5}
        graph = graph_of(states, edges)
        ends = rng.choice(10, (2, 2), replace=False).astype(np.int32)
        problem = Problem(graph, ends[0], ends[1], clearance=float(rng.choice([0.0, 0.3])))
        rules = naive.Rules(problem)
        if any(rules.conflict(a, a, b, b) for a, b in ends) or not all(naive.path(problem, k) for k in range(2)):
            continue
        tree = tree_of(problem)
        root = tree.root(range(2), 1.0)
        assert root is not None
        paths = pack(root.paths())
        conflicts = tree.conflicts(paths)
        assert bool(conflicts) == bool(naive.conflicts(problem, root.paths()))
        for conflict in conflicts:
            seen += 1
            for agent, extra in ((0, conflict.for_first), (1, conflict.for_second)):
                child = tree.child(root, paths, conflicts, agent, extra, 1.0)
                if child is not None:
                    assert child.routes[agent].path.tolist() != root.routes[agent].path.tolist()
                    assert child.routes[1 - agent] is root.routes[1 - agent]
                    assert child.cost >= root.cost


def test_d3_asymmetric_weights_have_an_exact_heuristic() -> None:
    """Cheap one way, dear the other: the table to the goal follows the edges' own directions."""
    edges = {(0, 1): 1.0, (1, 2): 1.0, (2, 3): 1.0, (3, 2): 9.0, (2, 1): 9.0, (1, 0): 9.0, (0, 3): 5.0, (3, 0): 2.0}
    graph = graph_of([(0, 0), (0, 2), (0, 4), (0, 6)], edges)
    there = Problem(graph, [0], [3], clearance=0.0)
    back = Problem(graph, [3], [0], clearance=0.0)
    for problem, cost in ((there, 3.0), (back, 2.0)):
        for planner in ("cbs", "astar", "dijkstra"):
            plan = solve(problem, planner)
            assert plan.sum_of_costs == plan.lower_bound == cost
    weighted = Weighted.of(there, PreparedGraph(graph))
    table = distance_tables(weighted, there.goals, Clock(None))[0]
    assert table.tolist() == [3.0, 2.0, 1.0, 0.0]


@pytest.mark.parametrize(("wait_cost", "expected"), [(0.5, 4.5), (3.0, 5.5)])
def test_d3_waits_are_priced_the_same_in_search_and_sum(wait_cost: float, expected: float) -> None:
    """Waiting for the crossing costs `wait_cost` in both; when that is dear, the detour of 1.5 is taken."""
    states = [(0, 0), (0, 2), (0, 4), (-2, 2), (2, 2), (3, 1)]
    edges = {(0, 1): 1.0, (1, 2): 1.0, (3, 1): 1.0, (1, 4): 1.0, (3, 5): 2.0, (5, 4): 1.5}
    problem = Problem(graph_of(states, edges), [0, 3], [2, 4], clearance=0.0, wait_cost=wait_cost)
    plan = solve(problem, "cbs")
    assert plan.sum_of_costs == expected == naive.joint_optimum(problem)
    assert naive.cost(problem, plan.paths) == expected
    assert plan.lower_bound == expected


def test_d3_a_child_without_a_path_does_not_end_the_search() -> None:
    """Agent 1 stands in a dead end with one way out; barring it there leaves only the other child."""
    walls = np.array([[0, 0, 0, 0], [1, 1, 0, 1]], bool)
    graph = StateGraph.from_grid(walls)
    problem = Problem(graph, [0, 3], [3, 0])
    plan = solve(problem, "cbs")
    assert plan.sum_of_costs == naive.joint_optimum(problem)
    validate(plan, problem)


@pytest.mark.parametrize("clearance", [0.5, 0.6])
def test_d4_simultaneous_moves_keep_the_clearance_between_the_nodes(clearance: float) -> None:
    """Two crossing edges meet in the middle, far from any node: node conflicts alone would let them touch."""
    states = [(0.0, 0.0), (4.0, 4.0), (0.0, 4.0), (4.0, 0.0)]
    graph = graph_of(states, both_ways({(0, 1): 5.0, (2, 3): 5.0}))
    crossing = Problem(graph, [0, 2], [1, 3], clearance=clearance)
    assert solve(Problem(graph, [0, 2], [1, 3], clearance=0.0)).sum_of_costs == 10.0
    for planner in ("cbs", "ecbs"):
        plan = solve(crossing, planner)
        assert plan.sum_of_costs == 11.0
        validate(plan, crossing)
