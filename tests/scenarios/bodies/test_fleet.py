"""Fleets as people state them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from navplan.errors import FileFormatError, InvalidInput
from navplan.scenarios.bodies.body import Body
from navplan.scenarios.bodies.fleet import grouped, parse_fleet
from navplan.scenarios.facts import facts_of, facts_text
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.scenario import read_scenario

HALL = """[world]
height = 6
width = 8
polygons = []

[agents]
radius = 0.2

[[agents.bodies]]
kind = "car"
count = 2
radius = 0.35
max_speed = 0.8
min_turn_radius = 0.9

[[agents.bodies]]
kind = "point"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "hall.toml"
    path.write_text(text)
    return path


def test_a_file_states_bodies_and_is_written_back(tmp_path: Path) -> None:
    scenario = read_scenario(written(tmp_path, HALL))
    car = Body("car", radius=0.35, max_speed=0.8, min_turn_radius=0.9)
    assert scenario.bodies == (car, car, Body("point", radius=0.2))
    assert (scenario.num_agents, scenario.radius) == (3, 0.35)
    np.testing.assert_array_equal(scenario.radii, [0.35, 0.35, 0.2])
    scenario.save(tmp_path / "again.toml")
    assert read_scenario(tmp_path / "again.toml").bodies == scenario.bodies
    facts, world = facts_of(tmp_path / "hall.toml")
    assert [(row["kind"], row["count"]) for row in facts["bodies"]] == [("car", 2), ("point", 1)]
    assert "body: 2 x car, radius 0.35, max_speed 0.8, max_accel 1, min_turn_radius 0.9" in facts_text(facts, world)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "point"', 'kind = "cart"', "hall.toml:17: body kind is 'cart'"),
        ('kind = "point"', 'kind = "point"\nspeed = 1', "hall.toml:18: unknown key 'agents.bodies.speed'"),
        ('kind = "point"', 'kind = "quad"\nmin_turn_radius = 1', "hall.toml:18: unknown key 'agents.bodies.min_turn_radius'"),
        ('kind = "point"', 'kind = "quad"\nradius = 0.0', "hall.toml:18: quad: radius is 0.0, expected"),
        ('kind = "point"', 'kind = "quad"\nmax_speed = 1.5', "hall.toml:18: quad: max_speed is 1.5, expected at most 1"),
        ('kind = "point"', 'kind = "quad"\nmax_speed = "x"', "hall.toml:18: agents.bodies.max_speed is 'x'"),
        ('kind = "point"', "count = 1", "hall.toml:16: agents.bodies.kind is missing"),
        ("count = 2", "count = 0", "hall.toml:11: agents.bodies.count is 0"),
        ("radius = 0.2", "count = 4", "hall.toml:6: there are 3 bodies for 4 agents, expected one for each"),
        (
            "min_turn_radius = 0.9",
            "min_turn_radius = 3.5",
            "hall.toml:6: agent 0: car: min_turn_radius is 3.5, expected at most 3",
        ),
        ("min_turn_radius = 0.9", "max_accel = 0.05", "hall.toml:9: car: this body cannot stop within 8 steps: raise max_accel"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(FileFormatError) as told:
        read_scenario(written(tmp_path, HALL.replace(old, new)))
    assert message in str(told.value)


def test_words_of_a_command_line() -> None:
    fleet = parse_fleet("car:2, double_integrator", radius=0.3)
    assert grouped(fleet)[0]["count"] == 2
    assert [body.kind for body in fleet] == ["car", "car", "double-integrator"]
    assert {body.radius for body in fleet} == {0.3}
    for text, message in (
        ("cat:2", "body kind is 'cat'"),
        ("car:0", "'car:0' is '0'"),
        ("car:x", "'x'"),
        ("", "body kind is ''"),
    ):
        with pytest.raises(InvalidInput, match=message):
            parse_fleet(text)


def test_a_scenario_takes_one_body_for_each_agent() -> None:
    scenario = load_scenario("center-dot")
    with pytest.raises(InvalidInput, match="2 bodies for 1 agents"):
        dataclasses.replace(scenario, num_agents=1, bodies=(Body(), Body()))
    with pytest.raises(InvalidInput, match="a body is a str"):
        dataclasses.replace(scenario, num_agents=1, bodies=("car",))
