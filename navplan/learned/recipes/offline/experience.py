"""Where a run from logs gets its batches: a dataset, a part of it held back for the figures."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from navplan.errors import InvalidInput
from navplan.learned.critics.goal_critic import GoalCritic, GoalTask
from navplan.learned.datasets.columns import named_logs
from navplan.learned.datasets.dataset import Dataset
from navplan.learned.datasets.steps import GoalBatch, StepSampler, measured_scales
from navplan.learned.interface import Arrays, Saved, Shapes
from navplan.learned.recipes.offline.config import OfflineConfig
from navplan.learned.recipes.offline.parts import Logs
from navplan.system.arrays import Float32

if TYPE_CHECKING:
    from navplan.learned.recipes.offline.learner import OfflineLearner

# Updates between looks at the clock and at Ctrl-C.
_ROUND = 100
# Held-out steps that the figures are means of.
_HELD = 2048


class LogExperience:
    """Draws steps of the trajectories that are learned from; nothing is ever driven."""

    def __init__(self, config: OfflineConfig, data: Dataset) -> None:
        held = round(config.held * data.num_episodes)
        both = data.split(held / data.num_episodes, seed=config.seed) if 0 < held < data.num_episodes else (data, data)
        self.config, self.data = config, data
        self.rng = np.random.default_rng(config.seed)
        self.scales = measured_scales(both[0], np.random.default_rng(config.seed))
        critic: GoalCritic = config.critic  # type: ignore[assignment]
        ahead: int = config.policy.ahead  # type: ignore[attr-defined]
        how: dict[str, Any] = {"window": critic.window, "every": critic.every, "near": critic.near, "ahead": ahead}
        train, apart = (StepSampler(part, self.scales, critic.sampler, **how) for part in both)
        self.train = train
        self.held = apart.draw(_HELD, np.random.default_rng(config.seed))
        self.table: Arrays = {}
        if hasattr(config.policy, "table"):
            table = config.policy.table(both[0], self.scales, np.random.default_rng(config.seed))
            self.table = {name: array.astype(np.float16).astype(np.float32) for name, array in table.items()}

    def logs(self) -> Logs:
        """What the learner must know."""
        config, data = self.config, self.data
        goal = tuple(data.goals([0]).shape[1:])
        wide = len(data.shape) == 1 and data.shape[0] > config.plain_width
        task = GoalTask(
            data.shape, goal, data.actions.shape[1], data.goal is None, config.members, config.hidden,
            () if wide else config.frequencies, config.rate, config.steps, config.seed,
        )  # fmt: skip
        facts = {"observation": list(data.shape), "goal": list(goal), "actions": task.actions, "costs": data.costs is not None}
        return Logs(task, self.scales, data.costs is not None, self.table, facts)

    def warm_up(self, learner: OfflineLearner) -> None:
        """Nothing comes before the first update."""

    def batches(self, learner: OfflineLearner) -> Iterator[GoalBatch]:
        """Some batches, then a look at what is held back."""
        for _ in range(min(_ROUND, self.config.log_interval, self.config.steps - learner.updates)):
            yield self.train.draw(self.config.batch_size, self.rng)
        learner.judge(self.held)

    # -- what a run asks for ------------------------------------------------------------------------------------------------

    def figures(self) -> dict[str, float]:
        """Nothing changes."""
        return {}

    def facts(self) -> dict[str, Any]:
        """Which logs they are."""
        return {"logs": fingerprint(self.data)}

    def states(self) -> Float32:
        """(K, G) places in the logs."""
        rows = np.random.default_rng(self.config.seed).permutation(self.data.num_rows)[: 10 * self.config.export_states]
        places = self.data.goals(np.sort(rows))
        places = places.reshape(len(places), -1).astype(np.float32)
        good: Float32 = places[np.isfinite(places).all(axis=1)]
        return good

    def state(self) -> Saved:
        """The generator."""
        return Saved({}, {"numpy_rng": self.rng.bit_generator.state, "logs": fingerprint(self.data)})

    def shapes(self, arrays: Arrays) -> Shapes:
        """Nothing."""
        return {}

    def restore(self, state: Saved) -> None:
        """See `navplan.learned.interface.Remembering`."""
        if state.numbers["logs"] != fingerprint(self.data):
            raise ValueError("it was started with other logs than these")
        self.rng.bit_generator.state = state.numbers["numpy_rng"]


def fingerprint(data: Dataset) -> str:
    """Of sizes, and of some rows: enough to tell logs apart."""
    digest = hashlib.sha256(f"{data.observations.shape}{data.actions.shape}{data.num_episodes}".encode())
    rows = np.unique(np.linspace(0, data.num_rows - 1, 256).astype(np.int64))
    for array in (data.observations[rows], data.actions[rows], data.starts):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def logs_of(config: OfflineConfig) -> Dataset:
    """The logs that a configuration names, or that its scenario makes.

    Raises:
        InvalidInput: neither.
    """
    if config.data:
        return named_logs(config.data, config.goal, config.position, config.cost)
    if not config.scenario:
        raise InvalidInput("no logs: expected files (--data), a dataset, or a scenario that makes them")
    return made(config)


def made(config: OfflineConfig) -> Dataset:
    """Logs of a scenario's environment: straight at random places, with noise."""
    from navplan.scenarios.environments.point import PointEnv
    from navplan.scenarios.registry import load_scenario

    scenario, rng = load_scenario(config.scenario), np.random.default_rng(config.seed)
    length = scenario.episode_steps
    count = max(2, math.ceil(config.transitions / length))
    env = PointEnv(
        scenario.world, num_envs=count, goal_tolerance=scenario.goal_tolerance, max_steps=length, body="point", rng=rng
    )
    env.reset()
    seen, moved, paid = [env.states[:, 0].copy()], [], []
    for _ in range(length):
        way = env.goals[:, 0] - seen[-1]
        way = way / np.maximum(np.abs(way).max(axis=1, keepdims=True), 1.0) + rng.normal(0, 0.5, way.shape)
        moved.append(np.clip(way, -1, 1).astype(np.float32))
        step = env.step(moved[-1][:, None])
        seen.append(step.states[:, 0].copy())
        paid.append(step.cost[:, 0].copy())
    return Dataset.from_episodes(
        {"observations": o, "actions": a, "costs": c}
        for o, a, c in zip(np.stack(seen, 1), np.stack(moved, 1), np.stack(paid, 1), strict=True)
    )
