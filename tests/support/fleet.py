"""Fakes for execution tests: an analytic critic, a slow prioritised planner on grids, unruly low levels."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from navplan.control.straight_line import StraightLine
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan, make_plan
from navplan.plan.problem import Problem
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.world import World


@dataclass
class AnalyticCritics:
    """Straight-line lengths and hazard costs, infinite through obstacles: what a perfectly trained checkpoint would say."""

    world: World
    num_states: int = 600
    policy: StraightLine = field(default_factory=StraightLine)
    stage: int = 1

    def __post_init__(self):
        self.env = PointEnv(self.world, rng=np.random.default_rng(5))
        self.states = self.env.sample_free(self.num_states, np.random.default_rng(6))
        self.scenario = self.world.name

    @property
    def policies(self):
        return {"policy": self.policy}

    def evaluate(self, observations, goals):
        """Distance: longest axis, 100 where the segment is blocked; risk: hazard cost at every whole step."""
        along = np.linspace(0, 1, 33, dtype=np.float32)[None, :, None]
        points = observations[:, None] + along * (goals - observations)[:, None]
        free = self.env.is_free(points).all(axis=1)
        distance = np.abs(goals - observations).max(axis=1)
        risk = self.env.cost_at(points).mean(axis=1) * np.maximum(distance, 1.0)
        return np.where(free, np.maximum(distance, 1.0), 100.0).astype(np.float32), risk.astype(np.float32)

    def distance(self, observations, goals):
        return self.evaluate(observations, goals)[0]


@dataclass
class Unruly:
    """Straight-line control that is late, veers off, and now and then does nothing."""

    seed: int = 0
    noise: float = 0.4
    idle: float = 0.2

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)

    def act(self, observations, goals, condition=None):
        actions = StraightLine().act(observations, goals)
        actions = actions + self.rng.normal(0, self.noise, actions.shape)
        actions[self.rng.random(len(actions)) < self.idle] = 0
        return np.clip(actions, -1, 1).astype(np.float32)


def prioritised(walls, starts, goals, horizon=120) -> Plan:
    """Plan cells one agent after the other, avoiding vertex, swap and corner-squeezing conflicts with those before."""
    graph = StateGraph.from_grid(walls)
    problem = Problem(graph, np.asarray(starts, np.int32), np.asarray(goals, np.int32), clearance=0.0)
    taken: list[list[int]] = []
    for start, goal in zip(problem.starts.tolist(), problem.goals.tolist(), strict=True):
        taken.append(_space_time(graph, start, goal, taken, horizon))
    return make_plan(problem, "prioritised", "feasible", taken)


def _space_time(graph, start, goal, taken, horizon):
    def at(path, t):
        return path[min(t, len(path) - 1)]

    def free(u, v, t):
        return all(at(p, t + 1) != v and not (at(p, t) == v and at(p, t + 1) == u) for p in taken)

    queue, parent = deque([(start, 0)]), {(start, 0): None}
    while queue:
        node, t = queue.popleft()
        if node == goal and all(at(p, s) != goal for p in taken for s in range(t, horizon + 1)):
            path, state = [], (node, t)
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


def env_for(walls, plan, **options) -> PointEnv:
    """An environment whose agents stand at the plan's starts."""
    env = PointEnv(World.from_walls("test", walls), num_agents=plan.num_agents, rng=np.random.default_rng(0), **options)
    env.reset(starts=np.stack([c[0] for c in plan.coordinates]), goals=np.stack([c[-1] for c in plan.coordinates]))
    return env
