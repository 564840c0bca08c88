"""From files to a scene: what a file says of itself comes before what is found about it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navplan.errors import FileFormatError, InvalidInput
from navplan.scenarios.formats.movingai import ScenRow, write_map, write_scen
from navplan.scenarios.registry import load_scenario
from navplan.viewer.open import open_scene
from tests.support.scenes import driven, lattice, two_agent_plan, walled_world


@pytest.fixture
def problem(tmp_path: Path) -> Path:
    """Three agents in the world of `line`, on a map that is not beside the file."""
    rows = [ScenRow(0, "gone.map", 19, 19, (k, 0), (k, 2), 2.0) for k in range(3)]
    write_scen(tmp_path / "a.scen", rows)
    return tmp_path / "a.scen"


def test_a_problem_keeps_its_agents_on_the_map_of_a_scenario(problem: Path) -> None:
    with pytest.raises(FileFormatError, match=r"'gone\.map' is not beside it"):
        open_scene(problem)
    scene = open_scene(problem, map="line")
    line = load_scenario("line")
    assert scene.world.height == line.world.height
    assert scene.starts is not None
    assert scene.starts.tolist() == [[0.5, 0.5], [1.5, 0.5], [2.5, 0.5]]
    assert (scene.radius, scene.tolerance) == (line.radius, line.goal_tolerance)
    assert open_scene(problem, map="line", agents=1).num_agents == 1


def test_a_problem_outside_its_map(problem: Path) -> None:
    write_map(problem.parent / "gone.map", np.zeros((2, 2), bool))
    with pytest.raises(FileFormatError, match="start \\(2, 0\\) lies outside the map of 2 x 2 cells"):
        open_scene(problem)


def test_the_motion_says_where_it_was(tmp_path: Path) -> None:
    world = walled_world()
    plan = two_agent_plan(lattice(world))
    motion = driven(world, plan)
    plan.save(tmp_path / "plan.json")
    motion.save(tmp_path / "motion.npz")
    scene = open_scene(tmp_path / "motion.npz", plan=tmp_path / "plan.json")
    assert scene.plan is not None
    assert np.array_equal(scene.world.walls, world.walls)
    assert (scene.title, scene.num_agents) == ("motion", 2)
    assert open_scene("center-dot", trajectory=tmp_path / "motion.npz").title == "center-dot"


def test_a_plan_without_a_map_says_so(tmp_path: Path) -> None:
    two_agent_plan(lattice(walled_world())).save(tmp_path / "plan.json")
    with pytest.raises(InvalidInput, match="expected the map with --map"):
        open_scene(tmp_path / "plan.json")
