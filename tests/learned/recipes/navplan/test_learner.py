from __future__ import annotations

import numpy as np
import pytest
import torch

from navplan.learned.critics.distributions import expected_cost, expected_distance
from navplan.learned.interface import Batch
from navplan.learned.recipes.navplan import losses
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.recipes.navplan.learner import NavplanLearner
from navplan.learned.recipes.navplan.losses import Opinion
from navplan.learned.trained import Critics

TINY = TrainConfig("center-dot", steps=40, batch_size=8, updates_per_round=4, hidden=8, num_envs=4, warmup_rounds=1)


@pytest.fixture
def learner() -> NavplanLearner:
    return NavplanLearner(TINY, (15.0, 15.0), 0.5)


def batch(rng: np.random.Generator, count: int = 8) -> Batch:
    def pairs() -> np.ndarray:
        return rng.uniform(0, 15, (count, 2)).astype(np.float32)

    states = pairs()
    return Batch(states, rng.uniform(-1, 1, (count, 2)).astype(np.float32), states[:, 0] / 15, pairs(), pairs(), states[:, 0] > 5)


def actor_loss(learner: NavplanLearner, *arguments: torch.Tensor | None) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    return losses.actor_loss(learner.networks, learner.config, learner.cost_weight, *arguments)


def test_actor_loss_of_stage_two(learner: NavplanLearner) -> None:
    learner.updates, learner.multiplier, learner.cost_limit = TINY.stage1_steps, 0.4, 1.8
    with torch.no_grad():
        learner.networks["critics"].w3.uniform_(-2, 2, generator=torch.Generator().manual_seed(0))
    features = torch.rand(8, learner.networks["encoder"].dim)
    loss, _ = actor_loss(learner, features)
    logits = learner.networks["critics"](features, learner.networks["actor"](features))
    near = expected_distance(logits[:3, :, :20]).mean(0)
    cost = expected_cost(logits[3:, :, :40], TINY.cost_max).mean(0)
    wanted = sum(d + 0.4 * c * (c > 1.8) for d, c in zip(near, cost, strict=True)) / 8 / 1.4
    torch.testing.assert_close(loss, torch.as_tensor(wanted))


def test_stage_one_ignores_cost(learner: NavplanLearner) -> None:
    learner.multiplier = 0.4
    loss, info = actor_loss(learner, torch.rand(8, learner.networks["encoder"].dim))
    torch.testing.assert_close(loss, info["actor_distance"])


def test_multiplier_follows_the_excess_within_its_bounds(learner: NavplanLearner) -> None:
    learner.updates = TINY.stage1_steps
    learner.begin_stage_two(2.0)
    assert learner.cost_limit == pytest.approx(2 * TINY.cost_limit_share)
    learner.update_multiplier(4 * learner.cost_limit)
    assert learner.multiplier == pytest.approx(3 * TINY.multiplier_rate)
    learner.update_multiplier(0.0)
    assert learner.multiplier == pytest.approx(2 * TINY.multiplier_rate)
    learner.update_multiplier(-1e9)
    assert learner.multiplier == 0
    learner.updates = TINY.steps  # the rate has fallen
    learner.update_multiplier(2 * learner.cost_limit)
    assert learner.multiplier == pytest.approx(TINY.final_rate * TINY.multiplier_rate)
    learner.update_multiplier(1e9)
    assert learner.multiplier == TINY.multiplier_max


def test_a_limit_that_is_given_stays_and_a_map_without_cost_needs_no_multiplier() -> None:
    learner = NavplanLearner(TINY.replace(cost_limit=2.5), (15.0, 15.0), 0.5)
    learner.begin_stage_two(100.0)
    assert learner.cost_limit == 2.5
    free = NavplanLearner(TINY, (15.0, 15.0), 0.5)
    free.updates = TINY.stage1_steps
    free.begin_stage_two(0.0)
    free.update_multiplier(0.0)
    assert free.multiplier == 0


def test_clear_pairs_are_driven_straight(learner: NavplanLearner) -> None:
    ahead = torch.tensor([[4.0, 2.0], [0.2, -0.1], [0.0, 0.0], [6.0, 0.0]])
    straight = torch.tensor([[1.0, 0.5], [0.2, -0.1], [0.0, 0.0], [1.0, 0.0]])
    distance = torch.tensor([4.0, 1.0, 1.0, 9.0])  # something is in the way of the last
    cheap = torch.tensor([True, True, False, True])
    assert losses.straightness(TINY, straight, distance, ahead, cheap) == 0
    off = losses.straightness(TINY, straight + 0.5, distance, ahead, cheap)
    torch.testing.assert_close(off, torch.tensor(TINY.straightness * 2 * 0.5 / 4))


def test_tried_actions_are_imitated_where_critics_find_them_better(
    learner: NavplanLearner, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = learner.networks["encoder"](torch.rand(3, 2), torch.rand(3, 2))
    own = learner.networks["actor"](features).detach()
    tried = torch.tensor([[1.0, 1.0], [-1.0, 0.5], [0.25, -1.0]])
    margin, weight = learner.config.imitation_margin, learner.config.imitation
    assert weight > 0
    # the first is much better, the second within the margin, the third worse
    gains = torch.tensor([margin + 1, margin / 2, -3.0])

    def judged(*arguments: torch.Tensor) -> Opinion:
        distance = torch.full((3,), 9.0) - (gains if torch.equal(arguments[-1], tried) else 0.0)
        return Opinion(distance, None, torch.zeros(3, dtype=torch.bool))

    monkeypatch.setattr(losses, "judged", judged)
    loss, _ = actor_loss(learner, features, None, tried)
    expected = 9.0 + weight * ((own[0] - tried[0]) ** 2).sum() / 3
    torch.testing.assert_close(loss.detach(), expected)
    assert actor_loss(learner, features, None, None)[0].item() == pytest.approx(9.0)


def test_members_are_what_the_exported_critics_say(learner: NavplanLearner) -> None:
    rng = np.random.default_rng(0)
    states, goals = (rng.uniform(0, 15, (50, 2)).astype(np.float32) for _ in range(2))
    judge = Critics(learner.networks, states, TINY.replace(cost_floor=0.0), (15.0, 15.0), 1)
    for ours, theirs in zip(learner.members(states, goals), judge.members(states, goals), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_targets_follow_slowly(learner: NavplanLearner) -> None:
    before = learner.targets["critics"].w1.clone()
    learner.update(batch(np.random.default_rng(0)))
    after = learner.networks["critics"].w1
    torch.testing.assert_close(learner.targets["critics"].w1, before + TINY.polyak * (after.detach() - before))


def test_every_network_learns_from_its_own_loss_alone(learner: NavplanLearner) -> None:
    parts = {"actor": learner.networks["actor"], "clone": learner.networks["clone"], "critics": learner.networks["critics"]}
    before = {name: [p.detach().clone() for p in module.parameters()] for name, module in parts.items()}
    learner.updates = 1  # no actor update at odd counts
    learner.update(batch(np.random.default_rng(0)))
    moved = {
        name: any(not torch.equal(a, b) for a, b in zip(before[name], module.parameters(), strict=True))
        for name, module in parts.items()
    }
    assert moved == {"actor": False, "clone": False, "critics": True}
    learner.update(batch(np.random.default_rng(1)))
    assert not torch.equal(before["actor"][0], next(learner.networks["actor"].parameters()))


def test_a_batch_without_later_states_teaches_the_clone_nothing(learner: NavplanLearner) -> None:
    rows = batch(np.random.default_rng(0))
    learner.update(rows._replace(future=np.zeros(8, np.bool_)))
    assert all(torch.isfinite(p).all() for p in learner.networks["clone"].parameters())


def test_step_sizes_fall_over_each_stage(learner: NavplanLearner) -> None:
    rates = []
    for _ in range(TINY.steps):
        learner.update(batch(np.random.default_rng(0)))
        rates.append(learner.optimizers["critics"].param_groups[0]["lr"])
    half = TINY.stage1_steps
    assert rates[0] == TINY.critic_rate
    assert rates[half - 1] < 0.1 * rates[0]
    assert rates[half] == pytest.approx(TINY.stage2_rate * TINY.critic_rate)
    assert rates[-1] < 0.1 * rates[half]


def test_arriving_makes_the_distance_one_step(learner: NavplanLearner) -> None:
    features = torch.rand(2, learner.networks["encoder"].dim)
    near, cost = losses.critic_targets(learner.targets, TINY, features, torch.tensor([0.0, 0.0]), torch.tensor([True, False]))
    assert near[:, 0, 0].eq(1).all()
    assert cost[:, 0, 0].eq(1).all()
    assert near[:, 1, 0].eq(0).all()
