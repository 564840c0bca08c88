"""What tests of execution drive: plans on grids, environments that stand at their starts, an unruly low level."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from navplan.control.straight_line import StraightLine
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan, make_plan
from navplan.plan.problem import Problem
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool, Float32


@dataclass
class Unruly:
    """Straight-line control that is late, veers off, and now and then does nothing."""

    seed: int = 0
    noise: float = 0.4
    idle: float = 0.2

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def act(self, observations: Float32, goals: Float32, condition: Float32 | None = None) -> Float32:
        """Actions (B, 2) from observations and goals (B, 2)."""
        straight = StraightLine().act(observations, goals)
        actions = straight + self.rng.normal(0, self.noise, straight.shape)
        actions[self.rng.random(len(actions)) < self.idle] = 0
        return np.clip(actions, -1, 1).astype(np.float32)


def prioritised(walls: Bool, starts: ArrayLike, goals: ArrayLike, horizon: int = 120) -> Plan:
    """Plan cells one agent after the other, avoiding vertex, swap and corner-squeezing conflicts with those before."""
    graph = StateGraph.from_grid(walls)
    problem = Problem(graph, np.asarray(starts, np.int32), np.asarray(goals, np.int32), clearance=0.0)
    taken: list[list[int]] = []
    for start, goal in zip(problem.starts.tolist(), problem.goals.tolist(), strict=True):
        taken.append(_space_time(graph, start, goal, taken, horizon))
    return make_plan(problem, "prioritised", "feasible", taken)


def _space_time(graph: StateGraph, start: int, goal: int, taken: list[list[int]], horizon: int) -> list[int]:
    """A shortest path in time, found breadth first, that stays clear of the paths in `taken`, rests at goals included."""

    def at(path: list[int], t: int) -> int:
        return path[min(t, len(path) - 1)]

    def free(u: int, v: int, t: int) -> bool:
        return all(at(p, t + 1) != v and not (at(p, t) == v and at(p, t + 1) == u) for p in taken)

    queue = deque([(start, 0)])
    parent: dict[tuple[int, int], tuple[int, int] | None] = {(start, 0): None}
    while queue:
        node, t = queue.popleft()
        if node == goal and all(at(p, s) != goal for p in taken for s in range(t, horizon + 1)):
            path: list[int] = []
            state: tuple[int, int] | None = (node, t)
            while state is not None:
                path.append(state[0])
                state = parent[state]
            return path[::-1]
        if t == horizon:
            continue
        for v in (node, *graph.indices[graph.indptr[node] : graph.indptr[node + 1]].tolist()):
            if (v, t + 1) not in parent and free(node, v, t):
                parent[(v, t + 1)] = (node, t)
                queue.append((v, t + 1))
    raise AssertionError("no plan; draw another problem")


def env_for(walls: Bool, plan: Plan, **options: Any) -> PointEnv:
    """An environment whose agents stand at the plan's starts."""
    env = PointEnv(World.from_walls("test", walls), num_agents=plan.num_agents, rng=np.random.default_rng(0), **options)
    env.reset(starts=np.stack([c[0] for c in plan.coordinates]), goals=np.stack([c[-1] for c in plan.coordinates]))
    return env
