"""A ring of whole episodes and the goals that are given to their transitions afterwards."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from navplan.errors import InvalidInput
from navplan.learned.interface import Batch
from navplan.system.arrays import Float32


class GoalMix(NamedTuple):
    """Shares of the relabelled goals (what is left keeps the pursued goal) and how near goals are found."""

    future: float
    near: float
    random: float
    here: float
    near_radius: float
    near_candidates: int


class Replay:
    """Ring buffer of `capacity` episodes of `steps` transitions each.

    An episode never ends early: when its goal is reached the collector names another and moves on, so that all arrays are
    rectangular, every later state of an episode is truly reachable from every earlier one, and whether a transition ends at
    its goal is computed from the goal it is given.
    """

    ARRAYS = ("states", "actions", "costs", "goals")

    def __init__(self, capacity: int, steps: int) -> None:
        if capacity < 1 or steps < 1:
            raise InvalidInput(f"replay of {capacity} episodes of {steps} steps, expected at least one of each")
        self.capacity = capacity
        self.steps = steps
        self.states: Float32 = np.zeros((capacity, steps + 1, 2), np.float32)
        self.actions: Float32 = np.zeros((capacity, steps, 2), np.float32)
        self.costs: Float32 = np.zeros((capacity, steps), np.float32)
        self.goals: Float32 = np.zeros((capacity, steps, 2), np.float32)
        self.size = 0
        self.head = 0

    def add(self, states: Float32, actions: Float32, costs: Float32, goals: Float32) -> None:
        """Append episodes, the oldest are overwritten.

        Args:
            states: (B, steps + 1, 2). actions: (B, steps, 2). costs: (B, steps). goals: (B, steps, 2), pursued at each step.
        """
        count = len(states)
        if count > self.capacity:
            raise InvalidInput(f"{count} episodes at once do not fit a replay of {self.capacity}")
        slots = (self.head + np.arange(count)) % self.capacity
        self.states[slots] = states
        self.actions[slots] = actions
        self.costs[slots] = costs
        self.goals[slots] = goals
        self.head = int((self.head + count) % self.capacity)
        self.size = min(self.capacity, self.size + count)

    def sample(self, count: int, rng: np.random.Generator, mix: GoalMix) -> Batch:
        """`count` transitions drawn uniformly, each with a goal drawn by `mix`; needs at least one episode."""
        episode = rng.integers(self.size, size=count)
        step = rng.integers(self.steps, size=count)
        states = self.states[episode, step]
        goals = self.goals[episode, step].copy()
        kind = rng.random(count)
        later = step + 1 + rng.integers(self.steps - step)
        future = kind < mix.future
        goals[future] = self.states[episode[future], later[future]]
        near = ~future & (kind < mix.future + mix.near)
        goals[near] = self.near_states(states[near], rng, mix.near_radius, mix.near_candidates)
        anywhere = ~future & ~near & (kind < mix.future + mix.near + mix.random)
        goals[anywhere] = self.random_states(int(anywhere.sum()), rng)
        last = mix.future + mix.near + mix.random
        here = (kind >= last) & (kind < last + mix.here)
        goals[here] = states[here]
        return Batch(
            states, self.actions[episode, step], self.costs[episode, step], self.states[episode, step + 1], goals, future
        )

    def random_states(self, count: int, rng: np.random.Generator) -> Float32:
        """(count, 2) stored states, drawn uniformly."""
        return self.states[rng.integers(self.size, size=count), rng.integers(self.steps + 1, size=count)]

    def near_states(self, states: Float32, rng: np.random.Generator, radius: float, candidates: int) -> Float32:
        """For each of the (B, 2) states a stored state near it in coordinates, whatever lies between.

        Of `candidates` stored states the one closest to a random point of the square of half side `radius` around the state is
        taken.
        """
        count = len(states)
        pool = self.random_states(count * candidates, rng).reshape(count, candidates, 2)
        target = states + rng.uniform(-radius, radius, (count, 2)).astype(np.float32)
        closest = np.abs(pool - target[:, None]).max(axis=2).argmin(axis=1)
        chosen: Float32 = pool[np.arange(count), closest]
        return chosen
