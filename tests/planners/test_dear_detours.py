from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike

from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import Problem
from navplan.plan.validation import validate
from navplan.planners.solving import solve


class Aisle:
    """Three cells wide; only a strip in the middle costs nothing."""

    def evaluate(self, observations: ArrayLike, goals: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        tails, heads = np.asarray(observations), np.asarray(goals)
        distance = np.maximum(np.abs(heads - tails).max(axis=1), 0.05)
        off = np.maximum(np.abs(tails[:, 0] - 1.5), np.abs(heads[:, 0] - 1.5))
        return distance.astype(np.float32), (distance * np.maximum(off - 0.3, 0)).astype(np.float32)


@pytest.mark.parametrize("seed", [0, 1])
def test_agents_pass_one_another_where_ways_round_are_dear(seed: int) -> None:
    """Dense nodes, dear detours: while a conflict costs less than the way round it, the tree only shifts it to other nodes."""
    ends = [[1.5, 0.5], [1.5, 15.5], [1.3, 3.0], [1.6, 13.0]]
    nodes = np.concatenate([np.random.default_rng(seed).uniform([0.2, 0.2], [2.8, 15.8], (160, 2)), ends]).astype(np.float32)
    graph = StateGraph.from_states(nodes, Aisle(), max_distance=2.5)
    problem = Problem(graph, [160, 161, 162, 163], [161, 160, 163, 162], radius=0.25, clearance=0.7, beta=8.0)
    plan = solve(problem, "ecbs", suboptimality=1.5, max_nodes=30)
    assert plan.solved, plan.reason
    validate(plan, problem)
    assert plan.sum_of_costs is not None
    assert plan.lower_bound is not None
    assert plan.sum_of_costs <= 1.5 * plan.lower_bound
