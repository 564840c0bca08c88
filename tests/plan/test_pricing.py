"""Prices against sums step by step."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from navplan.errors import InvalidInput
from navplan.plan import pricing
from navplan.plan.problem import Problem
from tests.support.instances import random_digraph, random_grid
from tests.support.naive import planning as naive


def walks(rng: np.random.Generator, problem: Problem) -> list[NDArray[np.int32]]:
    """A random walk per agent, waits among the moves, some of no steps."""
    graph = problem.graph
    out = []
    for start in problem.starts.tolist():
        nodes = [start]
        for _ in range(int(rng.integers(0, 9))):
            row = graph.indices[graph.indptr[nodes[-1]] : graph.indptr[nodes[-1] + 1]].tolist()
            nodes.append(int(rng.choice([*row, nodes[-1]])))
        out.append(np.array(nodes, np.int32))
    return out


def test_prices_are_those_of_single_steps() -> None:
    rng = np.random.default_rng(1)
    for number in range(60):
        problem = random_grid(rng) if number % 3 == 0 else random_digraph(rng, 0.0)
        if problem is None:
            continue
        paths = walks(rng, problem)
        total, risks = pricing.price(problem, paths)
        edges, waits = [dict(row) for row in naive.successors(problem)], naive.wait_costs(problem)
        steps = [(int(u), int(v)) for path in paths for u, v in itertools.pairwise(path)]
        assert total == pytest.approx(sum(waits[u] if u == v else edges[u][v] for u, v in steps), rel=1e-12)
        for path, risk in zip(paths, risks, strict=True):
            true = 0.0
            for u, v in itertools.pairwise(path.tolist()):
                low, high = problem.graph.indptr[u], problem.graph.indptr[u + 1]
                row = problem.graph.indices[low:high].tolist()
                true += float(problem.graph.wait_risk[u] if u == v else problem.graph.risk[low + row.index(v)])
            assert risk == pytest.approx(true, rel=1e-12)


def test_a_step_that_is_no_edge_is_named() -> None:
    problem = random_digraph(np.random.default_rng(3), 0.0)
    near = set(problem.graph.indices[: problem.graph.indptr[1]].tolist())
    far = next(v for v in range(1, problem.graph.num_nodes) if v not in near)
    with pytest.raises(InvalidInput, match=f"agent 1: 0 -> {far} is not an edge"):
        pricing.price(problem, [np.array([5], np.int32), np.array([0, 0, far], np.int32)])
