"""Training and judging: updates, collection and critic calls per second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from navplan.bench import Row

if TYPE_CHECKING:
    from navplan.learned.recipes.navplan.config import TrainConfig
    from navplan.learned.recipes.navplan.experience import ReplayExperience
    from navplan.learned.recipes.navplan.learner import NavplanLearner


def run(quick: bool) -> list[Row]:
    """The rows of suite `learn`; `quick` measures for a fraction of a second each."""
    from navplan.learned.recipes.navplan.config import bundled_config

    config = bundled_config("center-dot")
    seconds = 0.2 if quick else 2.0
    return [_updates(config, seconds), _collection(config, seconds), _evaluation(config, 4_000 if quick else 100_000)]


def _updates(config: TrainConfig, seconds: float) -> Row:
    from navplan.learned.recipes.navplan.plain_critics import plain_learner
    from navplan.learned.training.train import fixed_numerics

    with fixed_numerics(config):
        (stacked, experience), (plain, _) = _warm(config), _warm(config)
        batch = experience.draw(config.batch_size)
        plain = plain_learner(plain)
        for learner in (stacked, plain):
            learner.updates, learner.multiplier = config.stage1_steps, 0.1  # stage 2, the costlier one
        rate, peer = _rates(lambda: stacked.update(batch), lambda: plain.update(batch), seconds)
    note = f"stage 2, batch {config.batch_size}, {2 * config.ensemble} critics of width {config.hidden}, {config.threads} threads"
    return Row(name="updates", value=rate, unit="1/s", peer="a module per critic", ratio=rate / peer, note=note)


def _collection(config: TrainConfig, seconds: float) -> Row:
    from navplan.learned.training.train import fixed_numerics

    with fixed_numerics(config):
        (learner, many), (_, one) = _warm(config), _warm(config.replace(num_envs=1))
        policy = learner.policies()["policy"]
        rate, peer = _rates(lambda: many.collect(policy), lambda: one.collect(policy), seconds)
    steps = config.episode_steps
    rate, peer = rate * steps * config.num_envs, peer * steps
    note = f"policy, noise, hazard costs and storing included; {config.num_envs} environments"
    return Row(name="collection", value=rate, unit="steps/s", peer="one environment", ratio=rate / peer, note=note)


def _warm(config: TrainConfig) -> tuple[NavplanLearner, ReplayExperience]:
    """An untrained run before its first update."""
    from navplan.learned.recipes.navplan.experience import ReplayExperience
    from navplan.learned.recipes.navplan.learner import NavplanLearner
    from navplan.scenarios.registry import load_scenario

    scenario = load_scenario(config.scenario)
    experience = ReplayExperience(config, scenario)
    learner = NavplanLearner(config, experience.size, scenario.goal_tolerance)
    experience.warm_up(learner)
    return learner, experience


def _evaluation(config: TrainConfig, pairs: int) -> Row:
    from navplan.learned.recipes.navplan.plain_critics import plain_checkpoint
    from navplan.learned.training.load import load_checkpoint

    critics = load_checkpoint(config.scenario)
    plain = plain_checkpoint(critics)
    rng = np.random.default_rng(0)
    starts, goals = (critics.states[rng.integers(len(critics.states), size=pairs)] for _ in range(2))

    def rows() -> None:
        for first in range(0, pairs, 1000):
            plain.evaluate(starts[first : first + 1000], goals[first : first + 1000])

    critics.evaluate(starts[:1000], goals[:1000])
    rate, peer = _rates(lambda: critics.evaluate(starts, goals), rows, 0.0)
    note = f"{pairs:,} pairs, actor once per pair, distance and cost"
    return Row(
        name="edges judged", value=rate * pairs, unit="pairs/s", peer="by rows, a module per critic", ratio=rate / peer, note=note
    )


def _rates(ours: Callable[[], object], peer: Callable[[], object], seconds: float) -> tuple[float, float]:
    """Calls per second of both, measured in turns so that other load on the machine hits both alike."""
    spent, calls = [0.0, 0.0], [0, 0]
    for call in (ours, peer):
        call()
    while min(spent) <= seconds:
        for k, call in enumerate((ours, peer)):
            begin = time.perf_counter()
            call()
            spent[k] += time.perf_counter() - begin
            calls[k] += 1
    return calls[0] / spent[0], calls[1] / spent[1]
