from __future__ import annotations

import numpy as np
import pytest
import torch

from navplan.bench.speed.learn import run
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.recipes.navplan.experience import ReplayExperience
from navplan.learned.recipes.navplan.learner import NavplanLearner
from navplan.learned.recipes.navplan.plain_critics import plain_checkpoint, plain_learner
from navplan.learned.training.load import load_checkpoint
from navplan.scenarios.registry import load_scenario


def test_the_stack_judges_like_separate_critics() -> None:
    critics = load_checkpoint("center-dot")
    pairs = critics.states[:500], critics.states[500:1000]
    for stacked, plain in zip(critics.evaluate(*pairs), plain_checkpoint(critics).evaluate(*pairs), strict=True):
        np.testing.assert_allclose(stacked, plain, atol=1e-3)


def test_the_stack_learns_like_separate_critics() -> None:
    config = TrainConfig("center-dot", hidden=16, batch_size=32, num_envs=8, warmup_rounds=1)
    experience = ReplayExperience(config, load_scenario("center-dot"))
    stacked, plain = (NavplanLearner(config, experience.size, 0.5) for _ in range(2))
    plain_learner(plain)
    experience.warm_up(stacked)
    batch = experience.draw(32)
    for _ in range(3):
        ours, theirs = stacked.update(batch), plain.update(batch)
        assert ours.keys() == theirs.keys()
        for name in ours:
            torch.testing.assert_close(ours[name], theirs[name], rtol=1e-4, atol=1e-5)


def test_suite() -> None:
    rows = run(True)
    assert [row["name"] for row in rows] == ["updates", "collection", "edges judged"]
    for row in rows:
        assert row["value"] > 0
        assert row["ratio"] == pytest.approx(row["ratio"])
        assert row["peer"]
