"""Discounted values map back to steps, and a chain's true values are where the losses rest."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from navplan.learned.critics.gcivl import Gcivl  # noqa: E402
from navplan.learned.critics.goal_critic import Tensors  # noqa: E402
from navplan.learned.critics.temporal import Temporal  # noqa: E402
from navplan.learned.datasets.steps import GoalBatch  # noqa: E402

CHAIN = 12


def _value(steps, discount):
    return -(1 - discount**steps) / (1 - discount)


def _batch(window):
    """Every state of a chain that ends at its goal 0, going down by one, looked at `window` steps on."""
    state = np.arange(CHAIN, dtype=np.float64)[1:, None]
    later = np.maximum(state - window, 0)
    steps = (state - later)[:, 0]
    zero = np.zeros_like(state)
    none = np.zeros(len(state))
    columns = (state, state, zero, later, later, steps, zero, (later == 0)[:, 0], zero, zero, none, none)
    return Tensors.of(GoalBatch(*columns))


@pytest.mark.parametrize("window", [1, 5])
@pytest.mark.parametrize("discount", [0.9, 0.99])
def test_values_of_a_chain_are_fixed_points_and_map_to_whole_steps(discount, window):
    critic, batch = Gcivl(discount=discount, window=window), _batch(window)

    def value(seen, goals):
        return _value(seen - goals, discount)[None].requires_grad_()

    loss, _ = critic.loss(value, value, batch)
    assert loss.item() == pytest.approx(0, abs=1e-20)
    found = critic.steps(value, batch.observations, batch.goals)[0]
    np.testing.assert_allclose(found.detach().numpy(), np.arange(1, CHAIN), atol=1e-6)


def test_values_of_actions_of_a_chain_are_fixed_points():
    from navplan.learned.critics.gciql import Gciql

    critic, batch = Gciql(discount=0.9), _batch(1)

    class Values:
        def __call__(self, seen, goals):
            return _value(seen - goals, 0.9)[None].requires_grad_()

        def act(self, seen, goals, actions):
            return _value(seen - goals, 0.9)[None, :, 0].requires_grad_()

    loss, _ = critic.loss(Values(), Values(), batch)
    assert loss.item() == pytest.approx(0, abs=1e-12)
    found = critic.steps(Values(), batch.observations, batch.goals)[0]
    np.testing.assert_allclose(found.detach().numpy(), np.arange(1, CHAIN), atol=1e-6)


@pytest.mark.parametrize("window", [1, 5])
def test_distances_from_a_goal_are_fixed_points_and_map_to_whole_steps(window):
    critic, batch = Temporal(discount=0.95, window=window), _batch(window)

    def place(seen):
        return -_value(seen, 0.95)[None].requires_grad_()

    loss, _ = critic.loss(place, place, batch)
    assert loss.item() == pytest.approx(0, abs=1e-4)  # lengths are never quite 0
    found = critic.steps(place, batch.places, batch.goals)[0]
    np.testing.assert_allclose(found.detach().numpy(), np.arange(1, CHAIN), atol=1e-4)
    assert critic.horizon > 100


def test_the_embedding_is_never_longer_than_the_distance():
    critic = Temporal(discount=0.95)
    codes = torch.rand(1, 200, 4, dtype=torch.float64) * 8
    distance = critic.between(codes, codes.flip(1))[0]
    space = critic.space(lambda seen: codes, None)
    assert (torch.linalg.norm(space - space.flip(0), dim=1) <= distance + 1e-3).all()
