"""What navplan's recipe learns from: rounds of whole episodes, a replay of them, and the problems that are practised."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from navplan.learned.curriculum.disagreement import ProblemQueue, Problems
from navplan.learned.datasets.replay import GoalMix, Replay
from navplan.learned.interface import Arrays, Batch, Offer, Policy, Saved, Shapes
from navplan.learned.recipes.navplan.collect import Collector
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.recipes.navplan.learner import NavplanLearner
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.scenario import Scenario
from navplan.system.arrays import Float32


class ReplayExperience:
    """Collects one episode per environment a round, and draws relabelled transitions from all that it remembers."""

    def __init__(self, config: TrainConfig, scenario: Scenario) -> None:
        self.config = config
        self.size = (scenario.world.height, scenario.world.width)
        self.rng = np.random.default_rng(config.seed)
        env = PointEnv(
            scenario.world,
            num_envs=config.num_envs,
            body="point",
            goal_tolerance=scenario.goal_tolerance,
            max_steps=config.episode_steps,
            rng=self.rng,
        )
        self.replay = Replay(config.replay_episodes, config.episode_steps)
        self.collector = Collector(config, env, self.rng)
        self.queue = ProblemQueue()
        self.recent: deque[tuple[float, bool]] = deque(maxlen=config.multiplier_window)
        self.env_steps = 0

    def warm_up(self, learner: NavplanLearner) -> None:
        """Fill the replay with uniformly random actions."""
        for _ in range(self.config.warmup_rounds):
            self.collect(None)

    def batches(self, learner: NavplanLearner) -> Iterator[Batch]:
        """Collect, let the learner hear what episodes cost, then `updates_per_round` batches."""
        config = self.config
        if len(self.collector.practising) and learner.updates % config.self_training_interval < config.updates_per_round:
            self.choose_problems(learner)
        self.collect(learner.policies()["policy"])
        learner.steer(self.episode_cost)
        count = min(config.updates_per_round, config.steps - learner.updates)
        drawn = self.draw(count * config.batch_size)
        for first in range(0, count * config.batch_size, config.batch_size):
            yield drawn.rows(first, config.batch_size)

    def collect(self, policy: Policy | None) -> None:
        """Run one episode per environment into the replay, without a policy by random actions."""
        self.recent.extend(self.collector.round(policy, self.replay, self.queue))
        self.env_steps += self.config.num_envs * self.config.episode_steps

    def choose_problems(self, learner: NavplanLearner) -> None:
        """Refill the queue with what the curriculum chooses until it is asked again.

        In stage 2 it is to aim at costs above the limit, where the multiplier acts (paper.md, section 2).
        """
        config, rng, replay = self.config, self.rng, self.replay
        rounds = max(1, config.self_training_interval // config.updates_per_round)
        half = max(1, rounds * len(self.collector.practising) // 2)
        count = max(config.self_training_candidates, half)
        starts = replay.random_states(count, rng)
        near = replay.near_states(starts, rng, config.near_radius, config.near_candidates)
        goals = np.where(np.arange(count)[:, None] % 2, near, replay.random_states(count, rng))
        limit = learner.cost_limit
        target = float(rng.uniform(limit, 3 * limit)) if learner.stage == 2 and limit > 0 else None
        offer = Offer(starts, goals, *learner.members(starts, goals), config.self_training_distance, target)
        chosen = config.curriculum.draw(offer, 2 * half, rng)
        self.queue.refill(Problems(starts[chosen], goals[chosen]))
        self.queue.waiting = rng.permutation(self.queue.waiting)

    def draw(self, count: int) -> Batch:
        """`count` relabelled transitions."""
        config = self.config
        mix = GoalMix(
            config.goal_future, config.goal_near, config.goal_random, config.goal_here, config.near_radius, config.near_candidates
        )
        return self.replay.sample(count, self.rng, mix)

    @property
    def episode_cost(self) -> float:
        """Mean cumulative cost of the recent noise-free episodes that reached their goal.

        The others stood before a wall until time ran out: a few of them cost as much as all the rest, and say nothing about it.
        """
        reached = [cost for cost, hit in self.recent if hit]
        return float(np.mean(reached)) if reached else 0.0

    @property
    def reached(self) -> float:
        """Share of the recent noise-free episodes that reached their goal in time."""
        return float(np.mean([hit for _, hit in self.recent])) if self.recent else 0.0

    # -- what a run asks for ------------------------------------------------------------------------------------------------

    def figures(self) -> dict[str, float]:
        """Steps made, and what recent episodes came to."""
        return {"env_steps": self.env_steps, "episode_cost": self.episode_cost, "reached": self.reached}

    def facts(self) -> dict[str, Any]:
        """Size of the map, and steps made."""
        return {"size": list(self.size), "env_steps": self.env_steps}

    def states(self) -> Float32:
        """All states in the replay."""
        return self.replay.states[: self.replay.size].reshape(-1, 2)

    def state(self) -> Saved:
        """Replay, waiting problems, recent episodes, generator."""
        replay = self.replay
        arrays: Arrays = {f"replay.{name}": getattr(replay, name)[: replay.size] for name in Replay.ARRAYS}
        arrays["problems"] = self.queue.waiting
        arrays["recent"] = np.array(self.recent, np.float64).reshape(-1, 2)
        return Saved(arrays, {"numpy_rng": self.rng.bit_generator.state, "replay_head": replay.head})

    def shapes(self, arrays: Arrays) -> Shapes:
        """Replay and waiting problems."""
        count = min(len(arrays.get("replay.costs", ())), self.config.replay_episodes)
        shapes = {f"replay.{name}": (count, *getattr(self.replay, name).shape[1:]) for name in Replay.ARRAYS}
        return {**shapes, "problems": (len(arrays.get("problems", ())), 4)}

    def restore(self, state: Saved) -> None:
        """See `navplan.learned.interface.Remembering`."""
        (arrays, numbers), replay = state, self.replay
        replay.size = len(arrays["replay.states"])
        for name in Replay.ARRAYS:
            getattr(replay, name)[: replay.size] = arrays[f"replay.{name}"]
        replay.head = int(numbers["replay_head"])
        self.queue.waiting = arrays["problems"]
        self.recent.extend((float(cost), bool(hit)) for cost, hit in arrays["recent"])
        self.rng.bit_generator.state = numbers["numpy_rng"]
        self.env_steps = int(numbers["env_steps"])
