"""`render_mode="rgb_array"`: pictures show walls, hazard, goals and bodies where they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import navplan as nv
from navplan.errors import InvalidInput
from navplan.scenarios.environments.gymnasium import PointNavEnv
from navplan.scenarios.environments.pettingzoo import PointNavParallelEnv
from navplan.scenarios.environments.picture import Picture


def hall() -> nv.PointEnv:
    walls = np.zeros((6, 9), bool)
    walls[0, 0] = True
    env = nv.PointEnv(nv.World.from_walls("hall", walls), num_agents=2, radius=0.4, rng=0)
    env.reset(starts=[[2, 2], [4, 2]], goals=[[2, 7], [4, 7]])
    return env


def at(image: Any, row: float, col: float) -> list[int]:
    scale = image.shape[0] // 6
    return image[int(row * scale), int(col * scale)].tolist()  # type: ignore[no-any-return]


def test_what_a_picture_shows() -> None:
    env = hall()
    image = Picture(env).draw()
    assert (image.dtype, image.shape) == (np.uint8, (6 * 32, 9 * 32, 3))
    ground = at(image, 5.5, 8.5)
    assert at(image, 0.5, 0.5) != ground  # the wall
    assert at(image, 2, 2) == at(image, 2.35, 2) == at(image, 2, 7 + 0.48)  # a body and the ring of its goal
    assert at(image, 4, 2) not in (ground, at(image, 2, 2))
    assert at(image, 2, 7) == at(image, 2.45, 2) == ground  # inside the ring, outside the body
    picture = Picture(env)
    env.step(np.ones((1, 2, 2), np.float32) * [0, 1])
    assert at(picture.draw(), 2, 3) == at(image, 2, 2)
    assert at(picture.draw(), 2, 2) == ground


@pytest.mark.parametrize("make", [PointNavEnv, PointNavParallelEnv])
def test_both_environments_draw(make: Any) -> None:
    env = make("center-dot", render_mode="rgb_array")
    assert env.metadata["render_modes"] == ["rgb_array"]
    env.reset(seed=3)
    first = env.render()
    assert first.shape == (480, 480, 3)
    agents = getattr(env, "agents", None)
    env.step({name: np.ones(2, np.float32) for name in agents} if agents is not None else np.ones(2, np.float32))
    assert (first != env.render()).any()
    assert make("center-dot").render() is None
    with pytest.raises(InvalidInput, match="render_mode is 'human', expected None or 'rgb_array'"):
        make("center-dot", render_mode="human")
