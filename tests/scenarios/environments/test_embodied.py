"""The environment of bodies, as its callers see it."""

from __future__ import annotations

import numpy as np
import pytest

from navplan.errors import InvalidInput
from navplan.scenarios.bodies.body import Body
from navplan.scenarios.environments.embodied import EmbodiedEnv
from navplan.scenarios.environments.registry import get
from navplan.scenarios.worlds.world import World
from navplan.testing import check_environment

HALL = World.from_walls("hall", np.zeros((10, 10), bool))
FLEET = [Body("car"), Body("quad", radius=0.4), Body("point")]
PLACES = np.array([[3.0, 3.0], [6.0, 6.0], [2.0, 7.0]])


def env_of(bodies=FLEET, world=HALL, **options) -> EmbodiedEnv:
    return EmbodiedEnv(world, bodies=bodies, rng=0, **options)


def test_a_reset_puts_bodies_to_rest_where_they_are_asked_to_face() -> None:
    env = env_of(num_envs=2)
    env.reset(PLACES, PLACES, headings=[4.0, 9.0, 9.0])
    assert env.headings[0, 0] == pytest.approx(4.0 - 2 * np.pi)
    assert np.isnan(env.headings[:, 1:]).all()
    assert env.at_rest.all()
    env.step(np.full((2, 3, 2), 1.0))
    assert not env.at_rest[:, :2].any()
    kept = env.body[1].copy()
    env.reset(PLACES, PLACES, mask=[True, False])
    assert env.at_rest[0].all()
    np.testing.assert_array_equal(env.body[1], kept)


def test_the_same_seed_faces_the_same_ways() -> None:
    assert env_of().headings.tobytes() == env_of().headings.tobytes()
    assert EmbodiedEnv(HALL, bodies=FLEET, rng=1).headings.tobytes() != env_of().headings.tobytes()


def test_each_body_has_the_room_of_its_own_radius() -> None:
    env = env_of([Body("unicycle", radius=0.2), Body("unicycle", radius=2.0)])
    places = np.array([[0.3, 5.0], [5.0, 5.0]])
    env.reset(places, places)
    assert env.is_free(places).tolist() == [True, True]
    assert env.is_free(places[::-1]).tolist() == [True, False]
    with pytest.raises(InvalidInput, match=r"agent 1: start .* at least the body's radius 2 between them"):
        env.reset(places[::-1], places)


def test_own_checks_find_nothing_wrong() -> None:
    env = env_of()
    env.reset(PLACES, PLACES[::-1])
    check_environment(env)
    assert get("embodied") is EmbodiedEnv


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bodies": [Body()] * 2, "num_agents": 3}, "2 bodies for 3 agents"),
        ({"bodies": "car"}, "bodies is a str"),
        ({"body": "point"}, "expected 'disc'"),
        ({"bodies": [Body("car", min_turn_radius=6.0)]}, "half the map"),
    ],
)
def test_what_is_no_fleet_is_refused(options: dict, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        env_of(**options)


def test_arguments_of_another_shape_are_refused() -> None:
    env = env_of()
    env.reset(PLACES, PLACES)
    with pytest.raises(InvalidInput, match=r"body has shape \(2, 4\)"):
        env.predict(np.zeros((1, 3, 2)), env.states, np.zeros((2, 4)))
    with pytest.raises(InvalidInput, match="one for each body"):
        env.predict(np.zeros((1, 2, 2)), np.zeros((2, 2)) + 5)
    with pytest.raises(InvalidInput, match="headings have shape"):
        env.reset(PLACES, PLACES, headings=[1.0])
    with pytest.raises(InvalidInput, match="two finite numbers"):
        env.step(np.full((1, 3, 2), np.nan))
