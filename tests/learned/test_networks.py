from __future__ import annotations

import pytest
import torch

from navplan.learned.networks import Actor, CriticEnsemble, Encoder, PlaceTable


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_stacked_critics_are_the_members_one_by_one(generator: torch.Generator) -> None:
    critics = CriticEnsemble(7, 16, 4, 5, generator)
    with torch.no_grad():
        for parameter in critics.parameters():
            parameter.uniform_(-1, 1, generator=generator)
    features, actions = torch.randn(11, 7, generator=generator), torch.randn(11, 2, generator=generator)
    out = critics(features, actions)
    x = torch.cat([features, actions], dim=1)
    for m in range(4):
        hidden = torch.relu(x @ critics.w1[m] + critics.b1[m])
        hidden = torch.relu(hidden @ critics.w2[m] + critics.b2[m])
        torch.testing.assert_close(out[m], hidden @ critics.w3[m] + critics.b3[m], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(critics(features, actions, 2), out[:2])


def test_members_differ_from_the_start(generator: torch.Generator) -> None:
    critics = CriticEnsemble(7, 16, 4, 5, generator)
    out = critics(torch.ones(1, 7), torch.ones(1, 2))
    assert len({tuple(row.flatten().tolist()) for row in out}) == 4


@pytest.mark.parametrize(("waves", "scales"), [((), ()), ((6.0,), ()), ((6.0, 12.0), (2.0, 8.0))])
def test_encoder_dimension(waves: tuple[float, ...], scales: tuple[float, ...]) -> None:
    encoder = Encoder((15.0, 30.0), waves, scales)
    features = encoder(torch.rand(5, 2) * 15, torch.rand(5, 2) * 15)
    assert features.shape == (5, encoder.dim)
    assert features.abs().max() <= 1.0 + 1e-6


def test_positions_are_scaled_by_their_own_side() -> None:
    encoder = Encoder((10.0, 40.0), (), ())
    features = encoder(torch.tensor([[0.0, 40.0]]), torch.tensor([[5.0, 10.0]]))
    torch.testing.assert_close(features, torch.tensor([[-1.0, 1.0, 0.0, -0.5]]))


def test_actor_stays_in_bounds(generator: torch.Generator) -> None:
    actor = Actor(4, 8, generator)
    assert actor(torch.randn(9, 4) * 1000).abs().max() <= 1


def bilinear(table: torch.Tensor, row: float, col: float) -> torch.Tensor:
    """(C,) of one member's table (C, H + 1, W + 1) at a point in cells, by the definition."""
    i, j = min(int(row), table.shape[1] - 2), min(int(col), table.shape[2] - 2)
    a, b = row - i, col - j
    low, high = table[:, i], table[:, i + 1]
    return (1 - a) * ((1 - b) * low[:, j] + b * low[:, j + 1]) + a * ((1 - b) * high[:, j] + b * high[:, j + 1])


def test_a_place_table_is_bilinear_between_the_corners_of_cells(generator: torch.Generator) -> None:
    size = (4.0, 7.0)
    places = PlaceTable(2, 3, size)
    with torch.no_grad():
        places.table.uniform_(-1, 1, generator=generator)
    states = torch.tensor([[0.0, 0.0], [1.25, 6.5], [3.9, 2.0]])
    goals = torch.tensor([[4.0, 7.0], [2.5, 2.5], [0.1, 0.2]])
    actions = torch.tensor([[1.0, 0.5], [-1.0, 0.25], [-0.5, -1.0]])
    out = places(Encoder(size, (), ())(states, goals), actions)
    assert out.shape == (2, 3, 9)
    for m in range(2):
        for b in range(3):
            points = (states[b], goals[b], states[b] + actions[b])
            by_hand = torch.cat([bilinear(places.table[m], *map(float, point)) for point in points])
            torch.testing.assert_close(out[m, b], by_hand, rtol=1e-4, atol=1e-5)


def test_a_place_table_serves_actor_and_some_or_all_critics(generator: torch.Generator) -> None:
    encoder = Encoder((4.0, 7.0), (6.0,), (2.0,))
    critics = CriticEnsemble(encoder.dim, 16, 4, 5, generator, PlaceTable(4, 3, (4.0, 7.0)))
    actor = Actor(encoder.dim, 16, generator, PlaceTable(1, 3, (4.0, 7.0)))
    with torch.no_grad():
        for parameter in (*critics.parameters(), *actor.parameters()):
            parameter.uniform_(-1, 1, generator=generator)
    features = encoder(torch.rand(6, 2) * 4, torch.rand(6, 2) * 4)
    actions = actor(features)
    assert actions.abs().max() <= 1
    torch.testing.assert_close(critics(features, actions, 2), critics(features, actions)[:2])
