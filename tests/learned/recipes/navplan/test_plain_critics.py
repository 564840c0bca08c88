from __future__ import annotations

import numpy as np
import pytest
import torch

from navplan.bench.speed.learn import run
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.recipes.navplan.learner import Agent
from navplan.learned.recipes.navplan.plain_critics import looped_agent, looped_judge
from navplan.learned.recipes.navplan.run import Run
from navplan.learned.training.tensors import load_checkpoint


def test_the_stack_judges_like_separate_critics() -> None:
    critics = load_checkpoint("center-dot")
    pairs = critics.states[:500], critics.states[500:1000]
    for stacked, looped in zip(critics.evaluate(*pairs), looped_judge(critics).evaluate(*pairs), strict=True):
        np.testing.assert_allclose(stacked, looped, atol=1e-3)


def test_the_stack_learns_like_separate_critics() -> None:
    config = TrainConfig("center-dot", hidden=16, batch_size=32, num_envs=8, warmup_rounds=1)
    run_ = Run(config)
    run_.warm_up()
    batch = run_.draw(32)
    stacked, looped = Agent(config, run_.size, 0.5), looped_agent(Agent(config, run_.size, 0.5))
    for _ in range(3):
        ours, theirs = stacked.update(batch), looped.update(batch)
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
