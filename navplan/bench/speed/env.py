"""Agent-steps per second of the environment with costs, on one core, against numpy written in two ways.

The peers move the same agents with the same actions in the same run: `loop` is one agent at a time with a distance to every wall
cell at each sub-step, as the paper's reference environment works; `batched` is the same over all agents at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from navplan.bench import Row
from navplan.scenarios.bodies.body import KINDS, Body
from navplan.scenarios.environments.embodied import EmbodiedEnv
from navplan.scenarios.environments.point import Outline, PointEnv
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool, Float32

_DT = np.float32(0.1)


def run(quick: bool) -> list[Row]:
    """Measure every scenario; `quick` takes fewer and shorter repetitions."""
    rows: list[Row] = []
    for name in ("center-dot", "four-rooms-modified"):
        rows.extend(_grid_rows(name, quick))
    rows.append(_row("polygons", _rate_of_env(load_scenario("polygons").world, 2048, 1, quick), "", None, "2048 x 1 agents"))
    crowd = _rate_of_env(load_scenario("center-dot").world, 128, 20, quick)
    rows.append(_row("center-dot, 20 agents that touch", crowd, "", None, "128 x 20 agents, all pairs checked at 20 half-steps"))
    for name in ("center-dot", "polygons"):
        discs = _rate_of_env(load_scenario(name).world, 2048, 1, quick, "disc")
        rows.append(_row(f"{name}, discs", discs, "", None, "2048 x 1 bodies of radius 0.25 that walls keep at a distance"))
    for kind in KINDS[1:]:
        moved = _rate_of_env(load_scenario("center-dot").world, 2048, 1, quick, bodies=(Body(kind),))
        rows.append(_row(f"center-dot, {kind}", moved, "", None, "2048 x 1 bodies with momentum, which follow wishes"))
    single = _rate_of_env(load_scenario("center-dot").world, 1, 1, quick)
    rows.append(_row("center-dot, one agent a call", single, "", None, "1 x 1 agent: what a call costs"))
    return rows


def _grid_rows(name: str, quick: bool) -> list[Row]:
    world = load_scenario(name).world
    ours = _rate_of_env(world, 2048, 1, quick)
    peer = NumpyPeer.of(world)
    rng = np.random.default_rng(0)
    starts = PointEnv(world, body="point", rng=rng).sample_free(256)
    actions = rng.uniform(-1, 1, size=(256, 2)).astype(np.float32)
    some = 16 if quick else 256

    def loop() -> None:
        for k in range(some):
            peer.step(starts[k : k + 1], actions[k : k + 1])

    def batched() -> None:
        peer.step(starts, actions)

    loop_rate = some / _best_time(loop, 1 if quick else 3)
    batched_rate = 256 / _best_time(batched, 1 if quick else 3)
    note = "2048 x 1 agents, uniform random states and actions, 32 steps"
    return [
        _row(name, ours, "numpy, one agent at a time", ours / loop_rate, f"{note}; peer {loop_rate:,.0f}/s"),
        _row(name, ours, "numpy, 256 agents at once", ours / batched_rate, f"{note}; peer {batched_rate:,.0f}/s"),
    ]


def _row(name: str, rate: float, peer: str, ratio: float | None, note: str) -> Row:
    return Row(name=name, value=rate, unit="agent-steps/s", peer=peer, ratio=ratio, note=note)


def _rate_of_env(
    world: World, environments: int, agents: int, quick: bool, body: Outline = "point", bodies: tuple[Body, ...] = ()
) -> float:
    rng = np.random.default_rng(0)
    env: PointEnv = PointEnv(world, num_envs=environments, num_agents=agents, body=body, rng=rng)
    if bodies:
        env = EmbodiedEnv(world, num_envs=environments, bodies=bodies, rng=rng)
    batches = 4 if quick else 32
    actions = rng.uniform(-1, 1, size=(batches, environments, agents, 2)).astype(np.float32)
    env.step(actions[0])  # compiles

    def place() -> None:
        env.reset()

    def steps() -> None:
        for batch in actions:
            env.step(batch)

    return batches * environments * agents / _best_time(steps, 2 if quick else 20, place)


def _best_time(work: Callable[[], None], repetitions: int, prepare: Callable[[], None] | None = None) -> float:
    """Least wall time of `work` in seconds, without `prepare`: other load on the machine only ever adds to it."""
    best = np.inf
    for _ in range(repetitions):
        if prepare is not None:
            prepare()
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return float(best)


@dataclass(frozen=True)
class NumpyPeer:
    """The same dynamics and linear hazard in plain numpy: (N, 2) states and actions, every wall cell at every sub-step."""

    walls: Bool
    cells: Float32
    radius: float

    @classmethod
    def of(cls, world: World) -> NumpyPeer:
        """The peer of a grid world with a linear hazard."""
        assert world.walls is not None
        return cls(world.walls, np.argwhere(world.walls).astype(np.float32), world.hazard.radius)

    def step(self, states: Float32, actions: Float32) -> tuple[Float32, Float32]:
        """Positions (N, 2) after one step and its cost (N,)."""
        moves = _DT * np.clip(actions, -1, 1)
        states = states.copy()
        cost = self._cost(states)
        size = np.array(self.walls.shape, dtype=np.float32)
        for _ in range(10):
            for axis in range(2):
                candidate = states.copy()
                candidate[:, axis] += moves[:, axis]
                inside = np.logical_and.reduce((candidate >= 0) & (candidate <= size), axis=1)
                cell = np.minimum(np.floor(np.where(inside[:, None], candidate, 0)), size - 1).astype(np.int64)
                accepted = inside & ~self.walls[cell[:, 0], cell[:, 1]]
                states = np.where(accepted[:, None], candidate, states)
                cost = np.maximum(cost, self._cost(states))
        return states, cost

    def _cost(self, states: Float32) -> Float32:
        gaps = np.maximum(0, np.maximum(self.cells - states[:, None], states[:, None] - self.cells - 1))
        distance = np.sqrt((gaps**2).sum(axis=2)).min(axis=1)
        cost: Float32 = np.maximum(0, 2 - 2 * distance / self.radius).astype(np.float32)
        return cost
