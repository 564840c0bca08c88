"""Bodies in mazes against plain Python that tries all boxes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from navplan.kernels.motion.goal_maze import (
    CAR,
    POINT,
    MazeGround,
    autoregress,
    head_all,
    scramble,
    show_all,
    step_bodies,
)

pytestmark = pytest.mark.kernels

WALLS = np.array([[c == "#" for c in row] for row in ("######", "#..#.#", "#.#..#", "#....#", "######")])
NOWHERE = np.zeros((0, 2))
GROUND = MazeGround(WALLS, NOWHERE, NOWHERE, 1.5)


def stepped(ground: MazeGround, body: int, state: Any, action: Any, draw: float = 0.0) -> tuple[Any, Any]:
    """State after a step, and what is seen of it."""
    states = np.array([state], np.float64)
    seen = np.zeros((1, 5 if body == CAR else 2), np.float32)
    far, none = np.full((1, 2), 1e6), np.zeros(1, np.bool_)
    assert step_bodies(ground, body, states, np.array([action], np.float32), far, 1.0, np.array([draw]), none, seen) == -1
    return states[0], seen[0]


def box_gap(x: Any, y: Any) -> Any:
    """Distance from places to the nearest wall's box."""
    least = np.full(np.shape(x), np.inf)
    for i, j in np.argwhere(WALLS):
        gap_x, gap_y = np.abs(x - (4 * j - 4)) - 2, np.abs(y - (4 * i - 4)) - 2
        least = np.minimum(least, np.hypot(np.maximum(gap_x, 0.0), np.maximum(gap_y, 0.0)))
    return least


def nearest_free(x: float, y: float) -> tuple[float, float]:
    """The nearest place at 0.7 from all boxes, among many around."""
    dx, dy = np.meshgrid(np.linspace(-0.4, 0.4, 161), np.linspace(-0.4, 0.4, 161))
    gaps = np.where(box_gap(x + dx, y + dy) >= 0.7 - 1e-9, np.hypot(dx, dy), np.inf).reshape(-1)
    best = int(gaps.argmin())
    return x + dx.reshape(-1)[best], y + dy.reshape(-1)[best]


def test_walls_push_a_body_to_the_nearest_free_place() -> None:
    rng = np.random.default_rng(3)
    pushed = 0
    state = np.array([0.0, 0.0, 0.0, 0.0])
    for _ in range(400):
        action = rng.uniform(-1, 1, 2) + np.sin(np.arange(2) + pushed / 20)
        wished = state[:2] + 0.2 * np.clip(action.astype(np.float32), -1, 1)
        state, seen = stepped(GROUND, POINT, state, action)
        np.testing.assert_allclose(seen, state[:2], rtol=1e-6)
        assert box_gap(*state[:2]) >= 0.7 - 1e-9
        if np.abs(state[:2] - wished).max() > 1e-6:
            pushed += 1
            if pushed % 4 == 0:
                np.testing.assert_allclose(state[:2], nearest_free(*wished), atol=0.008)
    assert pushed > 40


def test_a_corner_pushes_along_the_line_from_it() -> None:
    corner = np.array([6.0, 2.0])  # where the walls in row 1, col 3 ends
    start = corner + np.array([-0.75, 0.3])
    state, _ = stepped(GROUND, POINT, [*start, 0, 0], [1.0, 0.0])
    wished = start + np.array([0.2, 0.0])
    gap = float(np.linalg.norm(wished - corner))
    assert gap < 0.7
    np.testing.assert_allclose(state[:2], corner + 0.7 / gap * (wished - corner))


def test_the_car() -> None:
    state, seen = stepped(GROUND, CAR, [0.0, 0.0, 0.0, 0.1], [5.0, -1.0])
    heading = -0.15 * 0.13 / 0.2
    np.testing.assert_allclose(state, [0.13 * math.cos(heading), 0.13 * math.sin(heading), heading, 0.13])
    np.testing.assert_allclose(seen, [state[0], state[1], math.cos(heading), math.sin(heading), 0.13], rtol=1e-6)
    for start, wanted in ((0.2, 0.2), (-0.08, -0.05)):
        assert stepped(GROUND, CAR, [0, 0, 0, start], [1, 0])[0][3] == pytest.approx(wanted)
    assert stepped(GROUND, CAR, [0, 0, 0, -0.08], [-1, 0])[0][3] == pytest.approx(-0.08)
    hit, _ = stepped(GROUND, CAR, [-1.3, 0.0, math.pi, 0.1], [0, 0])  # into the western wall: half the speed is left
    np.testing.assert_allclose(hit[[0, 3]], [-1.3, 0.05])
    assert -math.pi <= stepped(GROUND, CAR, [0, 0, math.pi - 0.01, 0.2], [0, 1])[0][2] < 0


def test_teleporters_move_after_the_step_is_seen() -> None:
    ground = MazeGround(WALLS, np.array([[0.0, 4.0]]), np.array([[12.0, 0.0], [12.0, 8.0]]), 1.5)
    for draw, out in ((0.0, (12.0, 0.0)), (0.49, (12.0, 0.0)), (0.5, (12.0, 8.0)), (0.999, (12.0, 8.0))):
        state, seen = stepped(ground, POINT, [0.0, 2.4, 0, 0], [0.0, 1.0], draw)
        assert tuple(state[:2]) == out
        np.testing.assert_allclose(seen, [0.0, 2.6], rtol=1e-6)
    assert stepped(ground, POINT, [0.0, 2.2, 0, 0], [0.0, 0.9])[0][1] == pytest.approx(2.38)


def test_who_has_arrived_stays_and_what_is_not_finite_moves_nobody() -> None:
    states = np.array([[0.0, 0, 0, 0], [0.0, 8, 0, 0]])
    goals, reached, seen = np.array([[0.9, 0.0], [8.0, 8]]), np.zeros(2, np.bool_), np.zeros((2, 2), np.float32)
    actions = np.array([[1, 0], [1, np.nan]], np.float32)
    assert step_bodies(GROUND, POINT, states, actions, goals, 1.0, np.zeros(2), reached, seen) == 1
    assert (states[:, 0] == 0).all()
    actions[1, 1] = 0
    for _ in range(3):
        assert step_bodies(GROUND, POINT, states, actions, goals, 1.0, np.zeros(2), reached, seen) == -1
    assert reached.tolist() == [True, False]
    np.testing.assert_allclose(states[:, 0], [0.2, 0.6])
    np.testing.assert_allclose(seen[:, 0], [0.2, 0.6], rtol=1e-6)


def test_the_driver_turns_towards_its_place() -> None:
    states = np.array([[0.0, 0, 0, 0.1], [0, 0, 0, 0.1], [0, 0, 0, 0.1], [0, 0, 0, -0.08]])
    actions = np.zeros((4, 2), np.float32)
    head_all(CAR, states, np.array([[4.0, 1], [4, -1], [-4, 0.1], [-4, 0.1]]), actions)
    assert actions[0, 1] > 0 > actions[1, 1]
    assert actions[2].tolist() == [-1, 1]  # behind: back out
    assert actions[3].tolist() == [0, -1]  # backwards, the wheels turn it the other way
    head_all(POINT, states[:1], np.array([[3.0, -4.0]]), actions[:1])
    np.testing.assert_allclose(actions[0], [0.6, -0.8], atol=1e-5)
    seen = np.zeros((1, 5), np.float32)
    show_all(CAR, np.array([[1.0, 2, math.pi / 2, 0.1]]), seen)
    np.testing.assert_allclose(seen[0], [1, 2, 0, 1, 0.1], atol=1e-7)


def test_noise_keeps_its_deviation_and_its_share() -> None:
    noise = np.random.default_rng(0).standard_normal((40, 100, 3), np.float32)
    white = noise.copy()
    autoregress(noise, 0.95)
    want = white[5].astype(np.float64)
    for t in range(1, 100):
        want[t] = 0.95 * want[t - 1] + math.sqrt(1 - 0.95**2) * want[t]
    np.testing.assert_allclose(noise[5], want, atol=1e-5)


def test_scrambling_is_sines_and_noise_rotated() -> None:
    rng = np.random.default_rng(0)
    weights, shifts, rotation = rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=(5, 5))
    places, noise, seen = rng.normal(size=(4, 2)), rng.standard_normal((4, 2), np.float32), np.empty((4, 5), np.float32)
    scramble(weights, shifts, rotation, places, noise, seen)
    np.testing.assert_allclose(
        seen, np.concatenate([np.sin(places @ weights + shifts), noise], 1) @ rotation, rtol=1e-4, atol=1e-5
    )
