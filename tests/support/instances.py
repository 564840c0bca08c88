"""Random small problems in which agents meet, drawn without asking any planner."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import Problem
from tests.support.naive import planning as naive


def random_grid(rng: np.random.Generator) -> Problem | None:
    """A grid of 9 to 25 cells with obstacles and 2 to 4 agents; None when the draw has too few free cells."""
    height, width = rng.integers(3, 6, size=2)
    walls = rng.random((height, width)) < rng.uniform(0.0, 0.25)
    graph = StateGraph.from_grid(walls)
    agents = int(rng.integers(2, 5))
    if graph.num_nodes < 3 * agents:
        return None
    starts, goals = (rng.choice(graph.num_nodes, agents, replace=False).astype(np.int32) for _ in range(2))
    return Problem(graph, starts, goals)


def tight_grid(rng: np.random.Generator) -> Problem:
    """2 to 4 agents where symmetries are: open rectangles, corridors with sidings, rooms with a door, rings, narrow halls."""
    while True:
        height, width = (int(side) for side in rng.integers(3, 6, size=2))
        kind = int(rng.integers(5))
        if kind == 0:
            walls = np.zeros((height - 1, width), bool)
        elif kind == 1:
            walls = np.ones((3, width + 4), bool)
            walls[1] = False
            for column in rng.choice(width + 4, int(rng.integers(1, 4)), replace=False):
                walls[int(rng.choice([0, 2])), column] = False
        elif kind == 2:
            walls = np.zeros((height, width + 2), bool)
            walls[:, width // 2 + 1] = True
            walls[int(rng.integers(height)), width // 2 + 1] = False
        elif kind == 3:
            walls = np.zeros((height, width + 2), bool)
            walls[1:-1, 1:-1] = True
            walls[1:-1, int(rng.integers(width + 2))] = False
        else:
            walls = rng.random((2, width + 3)) < 0.15
        graph = StateGraph.from_grid(walls)
        agents = int(rng.integers(2, 5))
        if graph.num_nodes > agents:
            starts, goals = (rng.choice(graph.num_nodes, agents, replace=False).astype(np.int32) for _ in range(2))
            return Problem(graph, starts, goals)


def random_digraph(rng: np.random.Generator, clearance: float) -> Problem:
    """A directed graph with asymmetric weights over random points, 2 to 4 agents; waits cost something other than 1."""
    agents = int(rng.integers(2, 5))
    nodes = int(rng.integers(3 * agents, 3 * agents + 5))
    states = (rng.random((nodes, 2)) * 3.5).astype(np.float32)
    there = rng.random((nodes, nodes)) < rng.uniform(0.2, 0.45)
    ring = rng.permutation(nodes)
    there[ring, np.roll(ring, 1)] = True
    np.fill_diagonal(there, False)
    _, heads = np.nonzero(there)
    # whole numbers make many paths tie, real ones make none
    plain = rng.random() < 0.3
    distance = rng.integers(1, 4, len(heads)).astype(float) if plain else rng.uniform(0.3, 3.0, len(heads))
    graph = StateGraph(
        states=states,
        indptr=np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int32),
        indices=heads.astype(np.int32),
        distance=distance,
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
        wait_cost=float(rng.choice([0.5, 1.0, 1.7])),
        weight="hops" if rng.random() < 0.15 else "cost",
    )


def interact(problem: Problem) -> bool:
    """True when the agents' cheapest paths alone conflict, and starts and goals are far enough apart."""
    points = problem.graph.states.astype(float)
    for nodes in (problem.starts, problem.goals):
        if any(np.linalg.norm(points[u] - points[v]) < problem.spacing for u, v in itertools.combinations(nodes, 2)):
            return False
    paths = [naive.path(problem, agent) for agent in range(problem.num_agents)]
    return all(paths) and bool(naive.conflicts(problem, paths))


def relabelled(problem: Problem, order: NDArray[np.int64]) -> Problem:
    """The same problem with node v called order[v]."""
    graph = problem.graph
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
    new_tails, new_heads = order[tails], order[graph.indices]
    sequence = np.lexsort((new_heads, new_tails))
    back = np.argsort(order)
    moved = StateGraph(
        states=graph.states[back],
        indptr=np.concatenate([[0], np.cumsum(np.bincount(new_tails, minlength=graph.num_nodes))]).astype(np.int32),
        indices=new_heads[sequence].astype(np.int32),
        distance=graph.distance[sequence],
        risk=graph.risk[sequence],
        wait_risk=graph.wait_risk[back],
    )
    return Problem(
        moved,
        order[problem.starts].astype(np.int32),
        order[problem.goals].astype(np.int32),
        radius=problem.radius,
        clearance=problem.spacing,
        beta=problem.beta,
        wait_cost=problem.wait_cost,
        weight=problem.weight,
    )
