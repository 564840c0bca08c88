"""The published collection: one environment, a small ring of transitions, half of the episodes begun with queued problems."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import nn

from navplan.kernels.motion.rollout import rollout
from navplan.kernels.motion.stepping import SUBSTEPS
from navplan.learned.curriculum.disagreement import ProblemQueue
from navplan.learned.networks import Actor
from navplan.learned.recipes.paper.config import PaperConfig
from navplan.learned.recipes.paper.learner import Transitions
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Float32


class Ring:
    """The last `capacity` transitions; rows are (state, goal, action, next state, cost, done), positions in cells."""

    WIDTH = 10

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.rows: Float32 = np.zeros((0, self.WIDTH), np.float32)
        self.head = 0

    def add(self, rows: Float32) -> None:
        """Append rows (N, 10); the oldest are overwritten."""
        room = min(self.capacity - len(self.rows), len(rows))
        if room > 0:
            self.rows = np.concatenate([self.rows, rows[:room]])
        for row in rows[room:]:
            self.rows[self.head] = row
            self.head = (self.head + 1) % self.capacity

    def sample(self, count: int, rng: np.random.Generator) -> Transitions:
        """`count` rows drawn uniformly with replacement."""
        rows = torch.from_numpy(self.rows[rng.integers(len(self.rows), size=count)])
        return Transitions(rows[:, 0:2], rows[:, 2:4], rows[:, 4:6], rows[:, 8], rows[:, 6:8], rows[:, 9] > 0)


class Wanderer:
    """One environment that is led by the actor, episode after episode (paper facts, sections 1.2, 2 and 3.1)."""

    STATE = ("state", "goal", "steps", "cost")
    """What a checkpoint must hold to go on in the middle of an episode."""

    def __init__(self, config: PaperConfig, world: World, size: tuple[float, float], tolerance: float, rng: np.random.Generator):
        self.config = config
        self.rng = rng
        self.tolerance = float(tolerance)
        self.env = PointEnv(world, goal_tolerance=tolerance, max_steps=config.episode_steps, body="point", rng=rng)
        self.safe = safe_corners(self.env)
        self.queue = ProblemQueue()
        self.state: Float32 = np.zeros((1, 1, 2), np.float32)
        self.goal: Float32 = np.zeros((1, 1, 2), np.float32)
        self.steps = np.zeros(1, np.int64)
        self.cost = np.zeros(1)
        self._scale = np.tile(1 / np.asarray(size, np.float32), 2).astype(np.float32)
        self._traces = np.empty((2, 1, SUBSTEPS + 1), np.float32)
        self._hidden = np.empty((2, config.hidden), np.float32)
        self._scratch = np.empty(2, np.float32)
        self.reset()

    def reset(self) -> None:
        """Begin an episode: with a problem of the queue or at a safe corner with a goal anywhere free."""
        if len(self.queue) and self.rng.random() < self.config.queue_share:
            problem = self.queue.take(1)
            self.state[0, 0], self.goal[0, 0] = problem.starts[0], problem.goals[0]
        else:
            self.state[0, 0] = self.safe[self.rng.integers(len(self.safe))]
            self.goal[0, 0] = self.env.sample_free(1, self.rng)[0]
        self.steps[0] = 0
        self.cost[0] = 0

    def collect(self, actor: Actor, count: int, ring: Ring, *, uniform: bool = False) -> list[tuple[float, bool]]:
        """Make `count` steps into the ring; returns cost and arrival of each episode that ended meanwhile."""
        config, rng = self.config, self.rng
        if uniform:
            noise = rng.uniform(-1, 1, (count, 2)).astype(np.float32)
        else:
            noise = (config.noise * rng.standard_normal((count, 2))).astype(np.float32)
        states, actions = np.empty((count, 2), np.float32), np.empty((count, 2), np.float32)
        costs, reached = np.empty(count, np.float32), np.empty(count, np.bool_)
        layers = actor_layers(actor)
        finished: list[tuple[float, bool]] = []
        done = 0
        while done < count:
            part = slice(done, min(count, done + config.episode_steps - int(self.steps[0])))
            before = self.state[0].copy()
            made = rollout(
                self.env.geometry, layers, self._scale, self.state, self.goal, noise[part], uniform, self.tolerance, self._traces,
                states[part], actions[part], costs[part], reached[part], self._hidden, self._scratch,
            )  # fmt: skip
            if made < 0:
                raise FloatingPointError("the actor's weights are not finite any more")
            rows = slice(done, done + int(made))
            after = states[rows]
            goals = np.repeat(self.goal[0], len(after), axis=0)
            last = [costs[rows, None], reached[rows, None].astype(np.float32)]
            ring.add(np.concatenate([np.concatenate([before, after[:-1]]), goals, actions[rows], after, *last], axis=1))
            self.steps[0] += made
            self.cost[0] += float(costs[rows].sum())
            done += int(made)
            arrived = bool(reached[rows.stop - 1])
            if arrived or self.steps[0] >= config.episode_steps:
                finished.append((float(self.cost[0]), arrived))
                self.reset()
        return finished

    def safe_points(self, count: int) -> Float32:
        """(count, 2) points in cells whose corner is safe, as the cost problems' candidates are drawn (2)."""
        corners = self.safe[self.rng.integers(len(self.safe), size=count)]
        return (corners + self.rng.random((count, 2))).astype(np.float32)


def safe_corners(env: PointEnv) -> Float32:
    """(S, 2) upper left corners of the free cells where the hazard costs nothing; of all free cells if there is none such."""
    walls = env.world.walls
    rows, cols = int(env.world.height), int(env.world.width)
    corners = np.argwhere(~walls if walls is not None else np.ones((rows, cols), np.bool_)).astype(np.float32)
    corners = corners[env.is_free(corners)]
    safe = corners[env.cost_at(corners) <= 0]
    return safe if len(safe) else corners


def actor_layers(actor: Actor) -> tuple[Float32, ...]:
    """Weights (inputs, outputs) and biases in the order that the kernel takes them."""
    layers: list[Float32] = []
    for module in actor.layers:
        layer = cast(nn.Linear, module)
        layers += [np.ascontiguousarray(layer.weight.detach().numpy().T), layer.bias.detach().numpy()]
    return tuple(layers)
