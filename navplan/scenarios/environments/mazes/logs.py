"""Logs of noisy drivers in mazes, as OGBench makes its own (`data_gen_scripts/generate_locomaze.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from navplan.errors import InvalidInput
from navplan.kernels.motion.goal_maze import CAR, POINT, autoregress, log_driving
from navplan.scenarios.environments.mazes.goal_maze import SPREAD, TOLERANCE
from navplan.scenarios.environments.mazes.layouts import MazeLayout, centres, layout
from navplan.scenarios.environments.mazes.names import MazeName, logs_named
from navplan.scenarios.environments.mazes.scrambled import noise_along, scrambling
from navplan.system.arrays import Bool, Float32, Float64, Int64
from navplan.system.numbers import check_whole, generator
from navplan.system.progress import Progress, told
from navplan.system.words import said

NOISE = 0.5
"""Standard deviation of what is added to each action of a driver."""
# Share of a car's noise that is left after a step: noise that is new in every step would hardly move a car.
_CAR_KEEP = 0.8
# A goal to stitch is this many cells away.
_AWAY = 4
# Of mixed logs one trajectory in this many is the driver's.
_DRIVEN = 5
# Rows that are made at once, and how many there may be.
_BLOCK = 1 << 16
_MOST = 1 << 30


class _Block(NamedTuple):
    """Trajectories made at once: observations (E, T, D), actions (E, T, 2) float32."""

    observations: Float32
    actions: Float32


def make_logs(name: str, transitions: int = 1_000_000, seed: int = 0, *, progress: Progress = None) -> dict[str, Float32]:
    """Whole trajectories of at least so many steps together.

    - "navigate": 1,001 rows (2,001 in the giant maze) from goal to goal, drawn among ends, corners and junctions;
    - "stitch": 201 rows, to a goal four cells away, and there to the end;
    - "mixed": 201 rows; of five trajectories one is a driver's as in "stitch", four have actions at random.

    Starts are drawn from all cells. Drivers go from middle to middle of cells on a shortest way; noise of deviation 0.5 is added
    to each action, to a car's with a correlation of 0.8 from step to step. More steps begin with the same trajectories.

    Args:
        name: one of `MAZES`.
        transitions: how many steps at least.
        seed: of everything.
        progress: who is told how far it is; see `navplan.system.progress.Progress`.

    Returns:
        observations (R, D), actions (R, 2), terminals (R,), all float32; as in OGBench, terminals is 1 in a trajectory's last
        row, whose successor is not logged.

    Raises:
        UnknownName: there are no such logs; the message suggests the nearest.
        InvalidInput: no such number of steps, or no seed.

    Example:
        >>> logs = make_logs("pointmaze-medium-stitch", transitions=1000, seed=0)
        >>> logs["observations"].shape, int(logs["terminals"].sum())
        ((1005, 2), 5)
    """
    asked = logs_named(name)
    check_whole(transitions=transitions)
    if not 1 <= transitions <= _MOST:
        raise InvalidInput(f"transitions is {said(transitions)}, expected 1 to {_MOST}")
    rng = generator(seed, "seed")
    steps = _steps(asked)
    episodes = -(-transitions // steps)
    rows = steps + 1
    made = _blocks(asked, rows, rng)
    with told(progress) as shown:
        shown.stage(f"logging {asked}")
        done = 0
        parts: list[Float32] = []
        while done < episodes:
            block = next(made)
            count = min(len(block.actions), episodes - done)
            if not parts:
                parts = [np.empty((episodes, *part.shape[1:]), np.float32) for part in block]
            for part, fresh in zip(parts, block, strict=True):
                part[done : done + count] = fresh[:count]
            done += count
            shown.show(done, episodes, "trajectories")
    observations, actions = parts
    last = np.zeros((episodes, rows), np.float32)
    last[:, -1] = 1.0
    return {
        "observations": observations.reshape(episodes * rows, -1),
        "actions": actions.reshape(episodes * rows, -1),
        "terminals": last.reshape(-1),
    }


def _steps(name: MazeName) -> int:
    """Of one trajectory."""
    if name.logs != "navigate":
        return 200
    return 2000 if name.layout == "giant" else 1000


def _blocks(name: MazeName, rows: int, rng: np.random.Generator) -> Iterator[_Block]:
    """Trajectories without end, some at a time; what is drawn for one does not depend on how many are asked for."""
    maze, count = layout(name.layout), max(1, _BLOCK // rows)
    body, width = (CAR, 5) if name.kind == "carmaze" else (POINT, 2)
    while True:
        starts, goals = _drawn(maze, name.logs == "navigate", count, rng)
        states = np.zeros((count, 4))
        states[:, :2] = centres(starts) + rng.uniform(-SPREAD, SPREAD, (count, 2))
        places = centres(goals) + rng.uniform(-SPREAD, SPREAD, (count, 2))
        fresh: Float64 = centres(maze.vertices) if name.logs == "navigate" else np.zeros((0, 2))
        noise = np.float32(NOISE) * rng.standard_normal((count, rows, 2), np.float32)
        free: Bool = np.zeros(count, np.bool_)
        if body == CAR:
            states[:, 2] = rng.uniform(-np.pi, np.pi, count)
            autoregress(noise, _CAR_KEEP)
        if name.logs == "mixed":
            free = np.arange(count) % _DRIVEN > 0
            noise[free] = rng.uniform(-1.0, 1.0, (int(free.sum()), rows, 2))
        draws = rng.random((count, rows, 4), np.float32)
        block = _Block(np.empty((count, rows, width), np.float32), np.empty((count, rows, 2), np.float32))
        log_driving(maze.ground, maze.toward, body, states, places, fresh, TOLERANCE, free, noise, draws, *block)
        if name.kind == "scrambled":
            seen = scrambling(name.layout).seen(block.observations, noise_along(count, rows, rng))
            block = block._replace(observations=seen)
        yield block


def _drawn(maze: MazeLayout, far: bool, count: int, rng: np.random.Generator) -> tuple[Int64, Int64]:
    """Cells (E, 2) of starts and goals; a start that has no goal so many cells away is its own."""
    starts = maze.cells[rng.integers(len(maze.cells), size=count)]
    if far:
        return starts, maze.vertices[rng.integers(len(maze.vertices), size=count)]
    away = maze.hops[maze.number(starts)][:, maze.number(maze.cells)] == _AWAY
    rank = (rng.random(count) * away.sum(axis=1)).astype(np.int64)
    chosen = np.argmax(away & (np.cumsum(away, axis=1) - 1 == rank[:, None]), axis=1)
    return starts, np.where(away.any(axis=1)[:, None], maze.cells[chosen], starts)
