"""A run of navplan's recipe: everything that changes while training, and its way into and out of files."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import torch

from navplan.errors import CheckpointError
from navplan.graph.nodes import coverage_nodes
from navplan.learned.curriculum.disagreement import ProblemQueue, Problems, Wish, pick
from navplan.learned.datasets.replay import Batch, GoalMix, Replay
from navplan.learned.recipes.navplan.collect import Collector
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.recipes.navplan.learner import Agent
from navplan.learned.trained import network_arrays
from navplan.learned.training import tensors as files
from navplan.learned.training.state import agent_arrays, agent_shapes, fill_agent
from navplan.learned.training.tensors import Arrays
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.registry import load_scenario
from navplan.system.arrays import Float32

COLUMNS = (
    "updates", "stage", "env_steps", "distance_loss", "cost_loss", "actor_distance", "multiplier", "episode_cost", "reached",
    "seconds",
)  # fmt: skip
# Coverage thinning looks at this many replay states at most: its work grows with states times nodes.
_THINNING_POOL = 60_000


class Run:
    """Everything that changes while training, and its way into and out of a file."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        scenario = load_scenario(config.scenario)
        world = scenario.world
        self.size = (world.height, world.width)
        self.rng = np.random.default_rng(config.seed)
        env = PointEnv(
            world,
            num_envs=config.num_envs,
            goal_tolerance=scenario.goal_tolerance,
            max_steps=config.episode_steps,
            rng=self.rng,
        )
        self.agent = Agent(config, self.size, scenario.goal_tolerance)
        self.replay = Replay(config.replay_episodes, config.episode_steps)
        self.collector = Collector(config, env, self.rng)
        self.queue = ProblemQueue()
        self.recent: deque[tuple[float, bool]] = deque(maxlen=config.multiplier_window)
        self.env_steps = 0
        self.stage1: Arrays = {}
        self.rows: list[list[float]] = []
        self.seconds = 0.0
        self._latest: dict[str, torch.Tensor] = {}

    def warm_up(self) -> None:
        """Fill the replay with uniformly random actions."""
        for _ in range(self.config.warmup_rounds):
            self.collect(random=True)

    def round(self) -> None:
        """Collect one episode per environment, then make `updates_per_round` updates."""
        config, agent = self.config, self.agent
        begin = time.perf_counter()
        if len(self.collector.practising) and agent.updates % config.self_training_interval < config.updates_per_round:
            self.sample_problems()
        self.collect(random=False)
        if agent.stage == 2:
            if not self.stage1:
                self.stage1 = network_arrays(agent.networks)
                agent.begin_stage_two(self.episode_cost)
            agent.update_multiplier(self.episode_cost)
        count = min(config.updates_per_round, config.steps - agent.updates)
        drawn = self.draw(count * config.batch_size)
        for first in range(0, count * config.batch_size, config.batch_size):
            self._latest |= agent.update(drawn.rows(first, config.batch_size))
        self.seconds += time.perf_counter() - begin

    def sample_problems(self) -> None:
        """Refill the queue: half by what the distance critics know least, half by the cost critics.

        In stage 2 the latter aim at costs above the limit, where the multiplier acts (paper.md, section 2).
        """
        config, rng, replay = self.config, self.rng, self.replay
        rounds = max(1, config.self_training_interval // config.updates_per_round)
        half = max(1, rounds * len(self.collector.practising) // 2)
        count = max(config.self_training_candidates, half)
        starts = replay.random_states(count, rng)
        near = replay.near_states(starts, rng, config.near_radius, config.near_candidates)
        goals = np.where(np.arange(count)[:, None] % 2, near, replay.random_states(count, rng))
        limit = self.agent.cost_limit
        target = rng.uniform(limit, 3 * limit) if self.agent.stage == 2 and limit > 0 else None
        parts = []
        for by, wanted in (("distance", None), ("cost", target)):
            wish = Wish(by=by, target=wanted, distance=(1.5, config.self_training_distance))  # type: ignore[arg-type]
            parts.append(pick(self.agent, Problems(starts, goals), half, wish, spread=4, rng=rng))
        self.queue.refill(*parts)
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

    def log(self) -> dict[str, float]:
        """Append a row to the curves; returns it by name."""
        losses = [float(self._latest.get(name, 0.0)) for name in ("distance_loss", "cost_loss", "actor_distance")]
        figures = (self.agent.multiplier, self.episode_cost, self.reached, self.seconds)
        self.rows.append([self.agent.updates, self.agent.stage, self.env_steps, *losses, *figures])
        return dict(zip(COLUMNS, self.rows[-1], strict=True))

    def collect(self, *, random: bool = False) -> None:
        """Run one episode per environment into the replay."""
        self.recent.extend(self.collector.round(None if random else self.agent, self.replay, self.queue))
        self.env_steps += self.config.num_envs * self.config.episode_steps

    # -- files --------------------------------------------------------------------------------------------------------------

    def save(self, out: Path) -> None:
        """Write ``checkpoint.safetensors``: networks, targets, optimisers, multiplier, replay, generators, counters, curves."""
        agent, replay = self.agent, self.replay
        arrays = agent_arrays(agent)
        arrays |= {f"replay.{name}": getattr(replay, name)[: replay.size] for name in Replay.ARRAYS}
        arrays |= {f"stage1.{name}": value for name, value in self.stage1.items()}
        arrays["torch_rng"] = torch.get_rng_state().numpy()
        arrays["problems"] = self.queue.waiting
        arrays["recent"] = np.array(self.recent, np.float64).reshape(-1, 2)
        arrays["curves"] = np.array(self.rows, np.float64).reshape(-1, len(COLUMNS))
        document = {
            **self.document(),
            "seconds": self.seconds,
            "numpy_rng": self.rng.bit_generator.state,
            "multiplier": agent.multiplier,
            "cost_limit": agent.cost_limit,
            "replay_head": replay.head,
        }
        files.write_tensors(out / files.CHECKPOINT, "checkpoint", arrays, document)
        files.write_summary(out / "checkpoint.json", document)

    def restore(self, path: Path) -> None:
        """Become the run that `path` holds.

        Raises:
            FileAccessError, CheckpointError: it cannot be read, is damaged or is that of another configuration.
        """
        arrays, document = files.read_tensors(path, "checkpoint")
        if document.get("config") != self.config.to_dict():
            raise CheckpointError(path, "belongs to another configuration than config.json beside it")
        agent, replay = self.agent, self.replay
        files.expect(path, arrays, self._shapes(arrays))
        try:
            fill_agent(path, agent, arrays)
            replay.size = len(arrays["replay.states"])
            for name in Replay.ARRAYS:
                getattr(replay, name)[: replay.size] = arrays[f"replay.{name}"]
            replay.head = int(document["replay_head"])
            self.stage1 = {key.removeprefix("stage1."): v for key, v in arrays.items() if key.startswith("stage1.")}
            torch.set_rng_state(torch.from_numpy(arrays["torch_rng"]))
            self.queue.waiting = arrays["problems"]
            self.recent.extend((float(cost), bool(hit)) for cost, hit in arrays["recent"])
            self.rows = arrays["curves"].tolist()
            self.rng.bit_generator.state = document["numpy_rng"]
            agent.multiplier = float(document["multiplier"])
            agent.cost_limit = float(document["cost_limit"])
            agent.updates = int(document["updates"])
            self.env_steps = int(document["env_steps"])
            self.seconds = float(document["seconds"])
        except (KeyError, TypeError, ValueError, RuntimeError, IndexError, OverflowError) as error:
            raise CheckpointError(path, f"is incomplete or misshaped: {error}") from error

    def _shapes(self, arrays: Arrays) -> dict[str, tuple[int, ...]]:
        """Shapes of the float32 tensors of a checkpoint."""
        shapes = agent_shapes(self.agent)
        count = min(len(arrays.get("replay.costs", ())), self.config.replay_episodes)
        for name in Replay.ARRAYS:
            shapes[f"replay.{name}"] = (count, *getattr(self.replay, name).shape[1:])
        shapes["problems"] = (len(arrays.get("problems", ())), 4)
        if any(name.startswith("stage1.") for name in arrays):
            shapes |= {f"stage1.{name}": array.shape for name, array in network_arrays(self.agent.networks).items()}
        return shapes

    def export(self, out: Path) -> None:
        """Write ``policy.safetensors`` and ``stage1.safetensors``: weights in half precision."""
        states = thinned(self.replay.states[: self.replay.size].reshape(-1, 2), self.config.export_states, self.config.seed)
        final = network_arrays(self.agent.networks)
        document = {**self.document(), "cost_limit": self.agent.cost_limit}
        write_policies(out, self.stage1 or final, final, states, document)

    def document(self) -> dict[str, Any]:
        """Identity and progress of the run."""
        return {
            "config": self.config.to_dict(),
            "size": list(self.size),
            "updates": self.agent.updates,
            "env_steps": self.env_steps,
            "versions": versions(),
        }


def thinned(pool: Float32, count: int, seed: int) -> Float32:
    """At most `count` of the (K, 2) states, thinned for coverage."""
    rng = np.random.default_rng(seed)
    if len(pool) > _THINNING_POOL:
        pool = pool[np.sort(rng.choice(len(pool), _THINNING_POOL, replace=False))]
    return coverage_nodes(pool, min(count, len(np.unique(pool, axis=0))), rng)


def write_policies(out: Path, first: Arrays, final: Arrays, states: Float32, document: dict[str, Any]) -> None:
    """Write ``stage1.safetensors`` and ``policy.safetensors``: weights in half precision, and states for graphs."""
    for name, stage, arrays in ((files.POLICY, 2, final), (files.STAGE1, 1, first)):
        compact = {key: value.astype(np.float16) for key, value in arrays.items()}
        files.write_tensors(out / name, "policy", {**compact, "states": states}, {**document, "stage": stage})


def versions() -> dict[str, str]:
    """Of everything that decides the numbers."""
    from importlib.metadata import version

    return {name: version(name) for name in ("navplan", "numpy", "numba", "torch", "safetensors")}
