"""What PIBT and LaCAM share: a problem as their kernels want it, the distance tables built by several threads."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.graph.state_graph import StateGraph
from navplan.kernels.common.tables import FAR, hops
from navplan.kernels.lacam.pibt import Crew, PibtScene
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, Prepared, Weighted, distance_tables, freeze
from navplan.system.arrays import Float64, Int32

# Goals per kernel call of the table builder: milliseconds.
BATCH = 16


class PibtTeam(NamedTuple):
    """A problem ready for the kernels.

    Attributes:
        scene, tables, crew: see `navplan.kernels.lacam.pibt`.
        ranks: (A,) int32 agents by first priority, the farthest from its goal first.
        alone: (A,) float64 cost of each agent's cheapest path, inf where there is none.
        branching: most choices of one agent.
    """

    scene: PibtScene
    tables: NDArray[np.uint16] | Float64
    crew: Crew
    ranks: Int32
    alone: Float64
    branching: int


def threads() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def hop_tables(indptr: Int32, indices: Int32, goals: Int32, clock: Clock, workers: int) -> NDArray[np.uint16]:
    """(A, N) uint16 hops from every node to each goal over a reversed CSR, FAR where there is no way.

    Raises:
        OutOfTime: the deadline passed on the way.
    """
    nodes = len(indptr) - 1
    tables = np.empty((len(goals), nodes), np.uint16)

    def work(worker: int) -> None:
        queue = np.empty(nodes, np.int32)
        for first in range(worker * BATCH, len(goals), workers * BATCH):
            clock.check()
            hops(indptr, indices, goals, tables, first, min(first + BATCH, len(goals)), queue)

    if workers == 1 or len(goals) <= BATCH:
        workers = 1
        work(0)
        return tables
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work, worker) for worker in range(workers)]:
            done.result()
    return tables


def make_team(problem: Problem, prepared: Prepared, clock: Clock, rng: np.random.Generator) -> PibtTeam:
    """Build the tables and the working memory; no guide yet.

    Raises:
        OutOfTime: the deadline passed on the way.
    """
    weighted = Weighted.of(problem, prepared, clock)
    graph: StateGraph = problem.graph
    agents, nodes = problem.num_agents, graph.num_nodes
    tables: NDArray[np.uint16] | Float64
    if weighted.unit and nodes <= FAR:
        tables = hop_tables(weighted.backward.indptr, weighted.backward.indices, problem.goals, clock, threads())
        far, noise, waits = float(FAR), 0.5, np.ones(nodes)
        alone = tables[np.arange(agents), problem.starts].astype(np.float64)
        alone[alone == far] = np.inf
    else:
        tables = distance_tables(weighted, problem.goals, clock).copy()
        typical = float(np.median(weighted.forward.weights)) if graph.num_edges else 1.0
        far, noise, waits = float("inf"), 0.05 * typical, np.maximum(weighted.waits, 0.5 * typical)
        alone = tables[np.arange(agents), problem.starts].astype(np.float64)
    freeze(waits)
    none = np.full(1, -1, np.int32)
    goals = problem.goals.copy()
    scene = PibtScene(
        graph.indptr,
        graph.indices,
        weighted.forward.weights,
        weighted.waits,
        waits,
        far,
        noise,
        goals,
        np.zeros(agents + 1, np.int64),
        none,
        none.copy(),
    )
    branching = weighted.max_degree + 1
    crew = Crew(
        now=np.empty(agents, np.int32),
        then=np.full(agents, -1, np.int32),
        here=np.full(nodes, -1, np.int32),
        there=np.full(nodes, -1, np.int32),
        agent=np.empty(agents + 1, np.int32),
        turn=np.empty(agents + 1, np.int32),
        options=np.empty(agents + 1, np.int32),
        partner=np.empty(agents + 1, np.int32),
        choices=np.empty((agents + 1, branching), np.int32),
        keys=np.empty(branching),
        random=np.array([int(rng.integers(1, 2**32))], np.int64),
    )
    ranks = np.lexsort((rng.random(agents), -alone)).astype(np.int32)
    return PibtTeam(scene, tables, crew, ranks, alone, branching)


def paths_of(rows: Int32) -> list[Int32]:
    """Per agent its path, from (T, A) configurations; trailing waits included."""
    return list(np.ascontiguousarray(rows.T))
