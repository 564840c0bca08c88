"""What policies descend."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from navplan.learned.critics.goal_critic import Tensors  # noqa: E402
from navplan.learned.datasets.steps import GoalBatch  # noqa: E402
from navplan.learned.extraction.awr import Awr  # noqa: E402
from navplan.learned.extraction.gcbc import Gcbc  # noqa: E402
from navplan.learned.extraction.knn import Neighbors  # noqa: E402


def _batch(rng, rows=64):
    place, later, ahead = rng.normal(size=(3, rows, 2)).astype(np.float32)
    actions, none = rng.uniform(-1, 1, (rows, 2)).astype(np.float32), np.zeros(rows, np.float32)
    return Tensors.of(GoalBatch(place, place, actions, later, later, none, ahead, none > 0, ahead, ahead, none, none))


def test_without_temperature_advantages_do_not_matter():
    batch = _batch(np.random.default_rng(0))
    policy = lambda seen, places, goals: (goals - places) * 0.3  # noqa: E731
    critic = lambda seen, places, goals: (goals - places).norm(dim=1)  # noqa: E731
    assert torch.equal(Awr(temperature=0.0).loss(policy, critic, batch)[0], Gcbc().loss(policy, None, batch)[0])


def test_weights_are_those_of_advantages_whatever_the_unit():
    batch = _batch(np.random.default_rng(1))
    policy = lambda seen, places, goals: torch.zeros(len(seen), 2)  # noqa: E731
    losses = []
    for unit in (1.0, 50.0):
        critic = lambda seen, places, goals, unit=unit: unit * (goals - places).norm(dim=1)  # noqa: E731
        losses.append(Awr(temperature=2.0, most=5.0).loss(policy, critic, batch)[0].item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    gained = (batch.ahead - batch.places).norm(dim=1) - (batch.ahead - batch.later_places).norm(dim=1)
    weight = torch.exp(2 * (gained - gained.mean()) / gained.std()).clamp_max(5)
    assert losses[0] == pytest.approx((weight * (batch.actions**2).sum(1)).mean().item(), rel=1e-5)


def test_neighbors_are_those_of_brute_force_and_do_not_mind_rotation():
    rng = np.random.default_rng(2)
    table = {
        "keys": rng.normal(size=(200, 6)).astype(np.float32),
        "actions": rng.uniform(-1, 1, (200, 2)).astype(np.float32),
        "length": np.array([1.5], np.float32),
    }
    seen, place, goal = rng.normal(size=(3, 20, 3)).astype(np.float32)
    found = Neighbors(table, 5)(seen, place, goal)
    way = goal - place
    way *= np.minimum(1, 1.5 / np.linalg.norm(way, axis=1, keepdims=True))
    keys = np.hstack([seen, way])
    nearest = np.linalg.norm(keys[:, None] - table["keys"][None], axis=2).argsort(axis=1)[:, :5]
    np.testing.assert_allclose(found, table["actions"][nearest].mean(axis=1), rtol=1e-5)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0].astype(np.float32)
    turned = {**table, "keys": np.hstack([table["keys"][:, :3] @ turn, table["keys"][:, 3:] @ turn])}
    np.testing.assert_allclose(Neighbors(turned, 5)(seen @ turn, place @ turn, goal @ turn), found, atol=1e-5)
