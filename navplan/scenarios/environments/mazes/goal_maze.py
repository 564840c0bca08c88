"""A batch of bodies in a maze, each with a task: to get from its start to its goal."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.kernels.motion.goal_maze import CAR, POINT, STEP, head_all, next_places, show_all, step_bodies
from navplan.scenarios.environments.mazes.driver import ScriptedDriver
from navplan.scenarios.environments.mazes.layouts import centres, layout
from navplan.scenarios.environments.mazes.names import maze_named
from navplan.scenarios.environments.mazes.scrambled import CODES, NOISES, next_noise, scrambling
from navplan.system.arrays import Bool, Float32, Float64
from navplan.system.numbers import Rng, as_array, as_numbers, generator
from navplan.system.words import said

TOLERANCE = 1.0
"""A body no farther than this from its goal has reached it, units."""
SPREAD = 1.0
"""Starts and goals are up to this far from the middles of their cells, along each axis."""
_MAX_STEPS = 1000
# A car turns and backs out; what imitates its driver takes two or three times the driver's 620 steps in the giant maze.
_CAR_STEPS = {"medium": 1500, "large": 1500, "giant": 2500}


class GoalMaze:
    """B bodies in copies of one maze, moved by one compiled call a step; they do not meet.

    Lengths are OGBench's units: a cell has a side of 4, and the middle of cell (row i, col j) lies at x = 4 j - 4, y = 4 i - 4;
    places are (x, y). The bodies are discs of radius 0.7, which walls push out.

    - "pointmaze": the action moves the point by 0.2 along each axis at most. Observed is its place; a goal is a place.
    - "carmaze": the first action accelerates (by 0.03 a step at most; speed is -0.08 to 0.2), the second steers (0.15 radians a
      step at full speed). Observed are (x, y, cos, sin, speed); a goal is a place.
    - "scrambled": moves as the point. Observed are 32 numbers, see `scrambled`; a goal is what would be observed there.

    In the maze "teleport" who comes within 1.5 of a teleporter's middle is put on one of three others at random, one of which has
    no way out; the observation of that step still shows where it stood in the teleporter, as in OGBench.

    Args:
        name: "pointmaze-giant", or of logs in it: "pointmaze-giant-stitch".

    Attributes:
        name: of the maze.
        max_steps: length of an episode, kept for callers.
        num_tasks: 5.
        observation_width, goal_width, action_width: of an observation, of a goal, of an action.
        driver: goes straight to a place, by an observation (in scrambled mazes by a place); privileged.
        step_length: the largest distance that a step covers but by a teleporter, units.
        places: (B, 2) float64 where the bodies are; known to nobody who drives.
        goal_places: (B, 2) float64 likewise.
        reached: (B,) bool.

    Raises:
        UnknownName: there is no such maze; the message suggests the nearest.

    Example:
        >>> env = GoalMaze("pointmaze-medium")
        >>> observations, goals = env.reset([0, 1, 2], seed=0)
        >>> observations.shape, goals.shape
        ((3, 2), (3, 2))
    """

    def __init__(self, name: str) -> None:
        kind, self._name, _ = maze_named(name)
        self.name = f"{kind}-{self._name}"
        self._layout = layout(self._name)
        self._body = CAR if kind == "carmaze" else POINT
        self._scrambling = scrambling(self._name) if kind == "scrambled" else None
        self.max_steps = _CAR_STEPS[self._name] if kind == "carmaze" else _MAX_STEPS
        self.num_tasks = len(self._layout.tasks)
        self._width = 5 if kind == "carmaze" else 2
        self.observation_width = CODES + NOISES if self._scrambling else self._width
        self.goal_width = CODES + NOISES if self._scrambling else 2
        self.action_width = 2
        self.driver = ScriptedDriver("carmaze" if kind == "carmaze" else "pointmaze")
        self.step_length = STEP if kind == "carmaze" else STEP * math.sqrt(2.0)
        self._states: Float64 = np.zeros((0, 4))
        self.goal_places: Float64 = np.zeros((0, 2))
        self.reached: Bool = np.zeros(0, np.bool_)

    @property
    def places(self) -> Float64:
        """See the class."""
        return self._states[:, :2].copy()

    def reset(self, tasks: ArrayLike, seed: Rng = 0) -> tuple[Float32, Float32]:
        """Put a body at the start of each task, as many as there are tasks.

        Args:
            tasks: (B,) integers of 0 to 4.
            seed: of starts, goals, headings, noise and teleporters.

        Returns:
            observations (B, D) float32 and goals (B, G) float32.

        Raises:
            InvalidInput: no such task, or no seed.
        """
        asked = as_array(tasks, "tasks")
        fits = asked.ndim == 1 and len(asked) > 0 and asked.dtype.kind in "iu"
        if not (fits and ((asked >= 0) & (asked < self.num_tasks)).all()):
            raise InvalidInput(f"tasks are {said(tasks)}, expected (B,) integers of 0 to {self.num_tasks - 1}")
        self._rng = generator(seed, "seed")
        count = len(asked)
        cells = self._layout.tasks[asked]
        self._states = np.zeros((count, 4))
        self._states[:, :2] = centres(cells[:, 0]) + self._rng.uniform(-SPREAD, SPREAD, (count, 2))
        self.goal_places = centres(cells[:, 1]) + self._rng.uniform(-SPREAD, SPREAD, (count, 2))
        if self._body == CAR:
            self._states[:, 2] = self._rng.uniform(-np.pi, np.pi, count)
        self.reached = np.zeros(count, np.bool_)
        self._seen = np.empty((count, self._width), np.float32)
        show_all(self._body, self._states, self._seen)
        if self._scrambling is None:
            return self._seen.copy(), self.goal_places.astype(np.float32)
        self._noise, there = (self._rng.standard_normal((count, NOISES), np.float32) for _ in range(2))
        self._observed = self._scrambling.seen(self._seen, self._noise)
        return self._observed.copy(), self._scrambling.seen(self.goal_places, there)

    def step(self, actions: ArrayLike) -> tuple[Float32, Bool]:
        """Move all bodies that have not reached their goals; the others stay, and are seen as before.

        Args:
            actions: (B, 2), clipped to [-1, 1].

        Returns:
            observations (B, D) float32, and (B,) bool who has reached its goal, in this step or before.

        Raises:
            InvalidInput: another shape, or what is not finite; then nothing has moved.
        """
        count = len(self._states)
        if not count:
            raise InvalidInput("nothing to step, expected reset() before")
        moves = np.ascontiguousarray(as_numbers(actions, "actions", np.float32))
        if moves.shape != (count, 2):
            raise InvalidInput(f"actions have shape {moves.shape}, expected ({count}, 2)")
        before = self.reached.copy()
        draws = self._rng.random(count) if len(self._layout.into) else np.zeros(count)
        ground, goals = self._layout.ground, self.goal_places
        wrong = step_bodies(ground, self._body, self._states, moves, goals, TOLERANCE, draws, self.reached, self._seen)
        if wrong >= 0:
            raise InvalidInput(f"action {wrong} is {said(moves[wrong].tolist())}, expected finite numbers")
        if self._scrambling is None:
            return self._seen.copy(), self.reached.copy()
        self._noise = next_noise(self._noise, self._rng)
        fresh = self._scrambling.seen(self._seen, self._noise)
        self._observed = np.where(before[:, None], self._observed, fresh)
        return self._observed.copy(), self.reached.copy()

    def position(self, observations: ArrayLike) -> Float64:
        """(B, 2) float64 places in observations; privileged where a method is to know nothing of places.

        Raises:
            InvalidInput: nothing in them says where the body is, or another shape.
        """
        if self._scrambling is not None:
            raise InvalidInput(f"observations of {self.name} hold no places, expected places of the environment's own")
        seen = as_numbers(observations, "observations")
        if seen.ndim != 2 or seen.shape[1] != self.observation_width:
            raise InvalidInput(f"observations have shape {seen.shape}, expected (B, {self.observation_width})")
        return seen[:, :2]

    def next_places(self) -> Float64:
        """(B, 2) float64 where to go next on a shortest way: the middle of a cell, at last the goal; privileged."""
        places = np.empty((len(self._states), 2))
        next_places(self._layout.toward, self._layout.walls.shape[1], self._states, self.goal_places, places)
        return places

    def driver_actions(self) -> Float32:
        """(B, 2) float32 what the scripted driver does on a shortest way: `driver`, to `next_places`; privileged."""
        places = self.next_places()
        actions = np.empty((len(places), 2), np.float32)
        head_all(self._body, self._states, places, actions)
        return actions
