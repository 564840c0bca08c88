"""What PIBT and LaCAM share: a problem as their kernels want it, the distance tables built by several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.graph.prepared import PreparedGraph
from navplan.graph.state_graph import StateGraph
from navplan.kernels.common.tables import FAR, hops
from navplan.kernels.lacam.pibt import Crew, PibtScene
from navplan.plan.problem import Problem
from navplan.planners.base import Clock
from navplan.planners.weighted import Weighted, distance_tables
from navplan.system.arrays import Float64, Int32, freeze
from navplan.system.cores import cores

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


def hop_tables(weighted: Weighted, goals: Int32, clock: Clock) -> NDArray[np.uint16]:
    """(A, N) uint16 hops from every node to each goal, FAR where there is no way; what the prepared graph has of them is taken.

    Raises:
        OutOfTime: the deadline passed on the way.
    """
    store, nodes = weighted.prepared.tables, len(weighted.backward.indptr) - 1
    known = [store.get(("hops", goal)) for goal in goals.tolist()]
    new = np.array([k for k, row in enumerate(known) if row is None], np.int64)
    found = _hop_tables(weighted.backward.indptr, weighted.backward.indices, goals[new], clock, cores())
    for goal, row in zip(goals[new].tolist(), found, strict=True):
        store.put(("hops", goal), row)
    if len(new) == len(goals):
        return found
    tables = np.empty((len(goals), nodes), np.uint16)
    tables[new] = found
    for k, row in enumerate(known):
        if row is not None:
            tables[k] = row
    return tables


def _hop_tables(indptr: Int32, indices: Int32, goals: Int32, clock: Clock, workers: int) -> NDArray[np.uint16]:
    """The same over a reversed CSR, all of them worked out.

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


def make_team(problem: Problem, prepared: PreparedGraph, clock: Clock, rng: np.random.Generator) -> PibtTeam:
    """Build the tables and the working memory; no guide yet.

    Raises:
        OutOfTime: the deadline passed on the way.
    """
    weighted = Weighted.of(problem, prepared, clock)
    graph: StateGraph = problem.graph
    agents, nodes = problem.num_agents, graph.num_nodes
    tables: NDArray[np.uint16] | Float64
    if weighted.unit and nodes <= FAR and not weighted.bodies:
        tables = hop_tables(weighted, problem.goals, clock)
        far, noise, waits = float(FAR), 0.5, np.ones(nodes)
        alone = tables[np.arange(agents), problem.starts].astype(np.float64)
        alone[alone == far] = np.inf
    else:
        tables = distance_tables(weighted, problem.goals, clock)
        tables.setflags(write=True)  # nobody else has them; kernels know them writable
        clock.check()
        typical = 1.0 if weighted.unit or not graph.num_edges else float(np.median(weighted.forward.weights))
        far, noise, waits = float("inf"), 0.05 * typical, np.maximum(weighted.waits, 0.5 * typical)
        alone = tables[np.arange(agents), problem.starts].astype(np.float64)
    freeze(waits)
    clock.check()
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
        *weighted.masks,
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
