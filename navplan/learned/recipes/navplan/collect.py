"""Vectorised collection: rounds of whole episodes, noise by environment, costs of the noise-free ones."""

from __future__ import annotations

import numpy as np

from navplan.learned.curriculum.disagreement import ProblemQueue
from navplan.learned.datasets.replay import Replay
from navplan.learned.interface import Policy
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.scenarios.environments.point import PointEnv
from navplan.system.arrays import Float32

Episodes = list[tuple[float, bool]]
"""Of each noise-free episode: cumulative cost until its first goal is reached or time is out, and whether it was reached."""


class Collector:
    """Fills the replay, `num_envs` episodes a round; every round starts afresh, so no state outlives it but the generator's."""

    def __init__(self, config: TrainConfig, env: PointEnv, rng: np.random.Generator) -> None:
        self.config = config
        self.env = env
        self.rng = rng
        count = config.num_envs
        greedy = round(count * config.greedy_share)
        randoms = round(count * config.random_share)
        self.greedy = np.arange(count) < greedy
        self.uniform = np.arange(count) >= count - randoms
        self.noise = np.zeros((count, 1), np.float32)
        middle = np.arange(greedy, count - randoms)
        self.noise[middle, 0] = np.asarray(config.noise, np.float32)[np.arange(len(middle)) % len(config.noise)]
        self.practising = middle[: round(count * config.self_training_share)]

    def round(self, policy: Policy | None, replay: Replay, queue: ProblemQueue | None = None) -> Episodes:
        """Run one episode in every environment and store it.

        Without a policy all actions are uniformly random. A share of the noisy environments begins with problems of the `queue`
        as long as there are any; noise-free ones never do, because their episodes measure the policy.
        """
        config, env, rng = self.config, self.env, self.rng
        count, steps = config.num_envs, config.episode_steps
        states = np.empty((count, steps + 1, 2), np.float32)
        actions = np.empty((count, steps, 2), np.float32)
        costs = np.empty((count, steps), np.float32)
        pursued = np.empty((count, steps, 2), np.float32)
        states[:, 0] = env.sample_free(count, rng)
        goals = self._goals(states[:, 0], replay)
        if queue is not None:
            problems = queue.take(len(self.practising))
            rows = self.practising[: len(problems.starts)]
            states[rows, 0], goals[rows] = problems
        env.reset(starts=states[:, None, 0], goals=goals[:, None])
        total = np.zeros(count)
        first = np.ones(count, np.bool_)  # still after the goal it began with
        hit = np.zeros(count, np.bool_)
        for step in range(steps):
            actions[:, step] = self._actions(policy, states[:, step], goals)
            result = env.step(actions[:, None, step])
            states[:, step + 1] = result.states[:, 0]
            costs[:, step] = result.cost[:, 0]
            pursued[:, step] = goals
            total += np.where(first, costs[:, step], 0.0)
            reached = np.linalg.norm(states[:, step + 1] - goals, axis=1) < env.goal_tolerance
            hit |= first & reached
            first &= ~reached
            if reached.any():
                goals = np.where(reached[:, None], self._goals(states[:, step + 1], replay), goals)
        replay.add(states, actions, costs, pursued)
        if policy is None:
            return []
        return list(zip(total[self.greedy].tolist(), hit[self.greedy].tolist(), strict=True))

    def _actions(self, policy: Policy | None, states: Float32, goals: Float32) -> Float32:
        rng = self.rng
        uniform = rng.uniform(-1, 1, states.shape).astype(np.float32)
        if policy is None:
            return uniform
        noise = rng.standard_normal(states.shape).astype(np.float32) * self.noise
        chosen = np.clip(policy.act(states, goals) + noise, -1, 1)
        return np.where(self.uniform[:, None], uniform, chosen)

    def _goals(self, states: Float32, replay: Replay) -> Float32:
        """Goals near in coordinates among the states seen so far, or anywhere free while nothing has been seen."""
        if not replay.size:
            return self.env.sample_free(len(states), self.rng)
        return replay.near_states(states, self.rng, self.config.near_radius, self.config.near_candidates)
