"""The space-utilisation step before PIBT and LaCAM: paths spread over the map, kept as preferences."""

from __future__ import annotations

import time

import numpy as np

from navplan.kernels.common.tables import FAR
from navplan.kernels.lacam.guide import GuideWork, Paths, make_guide, scatter
from navplan.kernels.lacam.pibt import PibtScene
from navplan.plan.problem import Problem
from navplan.planners.base import Clock
from navplan.planners.lacam.team import PibtTeam

# Memory for who is where when; larger problems go without.
MOST_BYTES = 1 << 30
# Agents per kernel call: tens of milliseconds.
BATCH = 32
ROUNDS = 8


def add_guide(
    problem: Problem, team: PibtTeam, clock: Clock, rng: np.random.Generator, margin: int, until: float | None
) -> PibtTeam:
    """The team with a guide for each agent, or as it is where there is none: weighted graphs, or too large a problem.

    Args:
        margin: steps by which a path may be longer than the shortest.
        until: `time.perf_counter` time after which no further round begins, or None.

    Raises:
        OutOfTime: the deadline passed on the way.
    """
    agents, nodes = team.tables.shape
    longest = int(team.alone.max()) + margin + 1
    if team.tables.dtype != np.uint16 or longest >= FAR or 4 * longest * (nodes + 2 * agents) > MOST_BYTES:
        return team
    paths = Paths(
        steps=np.full(agents, -1, np.int32),
        nodes=np.empty((agents, longest), np.int32),
        next=np.empty((agents, longest), np.int32),
        first=np.full((longest + 1, nodes), -1, np.int32),
        rest=np.full(nodes, longest + 1, np.int32),
    )
    work = GuideWork(
        key=np.empty(nodes),
        came=np.empty(nodes, np.int32),
        at=np.empty(nodes, np.int32),
        stamp=np.zeros(nodes, np.int32),
        closed=np.zeros(nodes, np.int32),
        keys=np.empty(problem.graph.num_edges + 2),
        items=np.empty(problem.graph.num_edges + 2, np.int32),
    )
    least, searches = np.inf, 0
    for turn in range(ROUNDS):
        order = rng.permutation(agents).astype(np.int32)
        met = 0
        for first in range(0, agents, BATCH):
            clock.check()
            last = min(first + BATCH, agents)
            met += scatter(
                team.scene.indptr,
                team.scene.indices,
                team.tables,
                problem.starts,
                problem.goals,
                order,
                first,
                last,
                margin,
                longest + 1,
                paths,
                work,
                searches,
            )
            searches += last - first
        late = until is not None and time.perf_counter() > until
        if met == 0 or met >= least or late:
            break
        if turn > 0:  # in the first round the later agents' paths were not known yet
            least = met
    return team._replace(scene=_guided(team, paths))


def _guided(team: PibtTeam, paths: Paths) -> PibtScene:
    sizes = np.where(paths.steps > 0, 2 ** np.ceil(np.log2(np.maximum(2 * paths.steps, 2))), 0).astype(np.int64)
    ptr = np.concatenate([[0], np.cumsum(sizes)])
    room = max(1, int(ptr[-1]))
    scene = team.scene._replace(guide_ptr=ptr, guide_from=np.full(room, -1, np.int32), guide_to=np.empty(room, np.int32))
    make_guide(paths, ptr, scene.guide_from, scene.guide_to)
    return scene
