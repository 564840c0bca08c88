"""What a body may be."""

from __future__ import annotations

import dataclasses

import pytest

from navplan.errors import InvalidInput
from navplan.scenarios.bodies.body import DEFAULTS, KINDS, Body, options_of, stated


def test_limits_of_a_kind_have_defaults_and_others_are_none() -> None:
    for kind in KINDS:
        body = Body(kind)
        assert set(stated(body)) == {"kind", *options_of(kind)}
        for name, value in DEFAULTS[kind].items():
            assert getattr(body, name) == value
    assert Body("unicycle").min_turn_radius is None
    assert Body("car", radius=0.35) == dataclasses.replace(Body("car"), radius=0.35)


def test_tails_follow_from_speed_and_brakes() -> None:
    assert Body().tail == 0
    assert Body("double-integrator").tail == 2
    assert Body("double-integrator", max_accel=0.25).tail == 5
    assert Body("unicycle", max_accel=2.0).tail == 1
    assert Body("quad", lag=0.0).tail < Body("quad").tail < Body("quad", lag=0.4).tail


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "cart"}, r"body kind is 'cart' \(did you mean car\?\), expected point, unicycle"),
        ({"kind": 3}, "body kind is 3, expected point"),
        ({"kind": "car", "radius": 0.0}, "car: radius is 0.0, expected a finite number above 0"),
        ({"kind": "car", "radius": float("nan")}, "car: radius is nan"),
        ({"kind": "point", "max_speed": 1.2}, "point: max_speed is 1.2, expected at most 1 cell per step"),
        ({"kind": "car", "min_turn_radius": -1.0}, "car: min_turn_radius is -1.0"),
        ({"kind": "quad", "max_turn": 1.0}, "quad: max_turn is given, expected none but radius, max_speed, max_accel, lag, tube"),
        ({"kind": "quad", "max_accel": "much"}, "max_accel is 'much', expected a number"),
        ({"kind": "unicycle", "max_accel": 0.1}, "unicycle: this body cannot stop within 8 steps: raise max_accel"),
        ({"kind": "double-integrator", "max_accel": 0.12}, "cannot stop within 8 steps: raise max_accel"),
        ({"kind": "quad", "lag": 3.0}, "cannot stop within 8 steps: lower lag, or raise max_accel"),
    ],
)
def test_what_is_none_is_refused_in_one_line(options: dict, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as told:
        Body(**options)
    assert "\n" not in str(told.value)


def test_a_body_that_just_stops_in_time_is_taken() -> None:
    assert Body("unicycle", max_accel=0.13).tail == 8
