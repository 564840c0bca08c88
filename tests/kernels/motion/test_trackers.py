"""Bodies follow wishes within their limits, and stop."""

from __future__ import annotations

import math

import numpy as np
import pytest

from navplan.kernels.motion.trackers import follow
from navplan.scenarios.bodies.body import KINDS, Body

pytestmark = pytest.mark.kernels
MOVING = [kind for kind in KINDS if kind != "point"]


def driven(body: Body, wish, steps: int, state=(0.0, 0.0, 0.0, 0.0)):
    """States (T + 1, 4) and places (T + 1, 2) after each of T sub-steps; `wish` is (2,), or says it for state and sub-step."""
    limits, now, out, after = body.limits, np.array(state, np.float64), np.empty((1, 2)), np.empty((1, 4))
    states, places = [now.copy()], [np.zeros(2)]
    for k in range(steps):
        asked = wish(now, k) if callable(wish) else wish
        follow(body.number, limits, now, np.array([asked], np.float64), after, out)
        states.append(after[0].copy())
        places.append(places[-1] + out[0])
    return np.array(states), np.array(places)


def ahead(angle: float, size: float = 1.0):
    """A wish that stays `angle` off the nose."""
    return lambda state, k: (size * math.cos(state[0] + angle), size * math.sin(state[0] + angle))


@pytest.mark.parametrize("rate", [0.5, 1.0, 2.0])
def test_a_unicycle_at_its_turning_limit_drives_a_circle(rate: float) -> None:
    body = Body("unicycle", max_turn=rate)
    states, places = driven(body, ahead(0.8), 200)
    speed, turn = states[-1, 1:3]
    assert turn == pytest.approx(rate)
    assert speed == pytest.approx(math.cos(0.8) ** 2)
    rim = places[-100:]
    a = np.column_stack([2 * rim, np.ones(100)])
    row, col, rest = np.linalg.lstsq(a, (rim**2).sum(axis=1), rcond=None)[0]
    assert math.sqrt(rest + row * row + col * col) == pytest.approx(speed / rate, abs=1e-3)


@pytest.mark.parametrize("tightest", [0.4, 0.8, 3.0])
def test_a_car_never_turns_more_tightly_than_it_can(tightest: float) -> None:
    body, rng = Body("car", min_turn_radius=tightest), np.random.default_rng(0)
    wishes = rng.uniform(-1, 1, (60, 2))
    states, places = driven(body, lambda state, k: wishes[k // 10], 600)
    turned = np.abs(np.mod(np.diff(states[:, 0]) + np.pi, 2 * np.pi) - np.pi)
    way = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert (turned <= way / tightest + 1e-9).all()
    assert np.abs(np.diff(states[:, 2])).max() <= 3.0 * 0.1 + 1e-12
    assert (states[:, 1] < 0).any()


@pytest.mark.parametrize("kind", MOVING)
def test_bodies_keep_their_limits(kind: str) -> None:
    body, rng = Body(kind, max_speed=0.8, max_accel=0.7), np.random.default_rng(1)
    wishes = rng.uniform(-1, 1, (80, 2))
    states, places = driven(body, lambda state, k: wishes[k // 10], 800)
    assert np.linalg.norm(np.diff(places, axis=0), axis=1).max() <= 0.08 + 1e-9
    velocity = states[:, :2] if kind in ("double-integrator", "quad") else states[:, 1:2]
    change = np.linalg.norm(np.diff(velocity, axis=0), axis=1)
    assert change.max() <= 0.07 + 1e-9


def test_a_double_integrator_stops_after_half_a_cell() -> None:
    states, places = driven(Body("double-integrator"), (0.0, 0.0), 20, (1.0, 0.0, 0.0, 0.0))
    assert places[-1, 0] == pytest.approx(0.5, abs=0.06)
    assert not states[11:].any()


@pytest.mark.parametrize("kind", MOVING)
def test_bodies_come_to_what_they_are_asked_for(kind: str) -> None:
    states, places = driven(Body(kind), (0.3, 0.4), 200)
    assert (places[-1] - places[-11]) == pytest.approx([0.3, 0.4], abs=1e-3)
    assert np.isfinite(states).all()


@pytest.mark.parametrize("kind", MOVING)
def test_braking_ends_at_rest_within_the_tail_from_whatever_was_driven(kind: str) -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        speed = float(rng.uniform(0.3, 1.0))
        body = Body(
            kind,
            max_speed=speed,
            max_accel=float(rng.uniform(0.5, 2.0)),
            **({"lag": float(rng.uniform(0, 0.4))} if kind == "quad" else {}),
        )
        wishes = rng.uniform(-1, 1, (8, 2))
        states, _ = driven(body, lambda state, k, wishes=wishes: wishes[k // 10], 80)
        for state in states[rng.integers(0, 80, 6)]:
            left, _ = driven(body, (0.0, 0.0), 10 * body.tail, state)
            _, places = driven(body, (0.0, 0.0), 5, left[-1])
            assert not places.any()
            assert left[-1][1] == 0.0
