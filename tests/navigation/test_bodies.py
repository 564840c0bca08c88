"""The closed loop with bodies of every kind."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from navplan.cli.command_line import main
from navplan.control.disturbance import Disturbance
from navplan.errors import InvalidInput
from navplan.execution.trajectory import Trajectory
from navplan.learned.training.load import load_checkpoint
from navplan.navigation.navigate import make_env, navigate
from navplan.scenarios.bodies.body import KINDS, Body
from navplan.scenarios.problems.hard import draw_hard
from navplan.scenarios.registry import load_scenario

MIXED = ",".join(KINDS)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    out = tmp_path_factory.mktemp("bodies") / "out"
    return main(["demo", "--bodies", MIXED, "--headless", "--out", str(out), "--quiet"]), out


def test_five_different_bodies_arrive_untouched(demo) -> None:
    status, out = demo
    summary = json.loads((out / "summary.json").read_text())
    assert status == 0
    assert (summary["agents"], summary["reached"]) == (5, 5)
    assert (summary["agent_contacts"], summary["wall_contacts"]) == (0, 0)


def test_the_trajectory_keeps_headings_and_radii(demo, tmp_path) -> None:
    _, out = demo
    trajectory = Trajectory.load(out / "trajectory.npz")
    assert trajectory.headings is not None
    assert trajectory.headings.shape == (trajectory.num_steps + 1, 5)
    faces = [Body(kind).has_heading for kind in KINDS]
    np.testing.assert_array_equal(np.isfinite(trajectory.headings), np.tile(faces, (trajectory.num_steps + 1, 1)))
    np.testing.assert_array_equal(trajectory.radius, np.full(5, 0.25))
    trajectory.save(tmp_path / "again.npz")
    again = Trajectory.load(tmp_path / "again.npz")
    np.testing.assert_array_equal(again.headings, trajectory.headings)
    np.testing.assert_array_equal(again.radius, trajectory.radius)


def test_headings_are_drawn(demo) -> None:
    from navplan.viewer.open import open_scene
    from navplan.viewer.render import render_frame

    _, out = demo
    scene = open_scene(out)
    assert scene.trajectory is not None
    headings = scene.trajectory.headings
    assert headings is not None
    between = scene.headings(0.5)
    assert between is not None
    np.testing.assert_array_equal(scene.headings(1.0), headings[1])
    turned = np.abs(np.mod(between - headings[0] + np.pi, 2 * np.pi) - np.pi)
    assert np.nanmax(turned) <= 1.0 + 1e-6
    bare = dataclasses.replace(scene, trajectory=dataclasses.replace(scene.trajectory, headings=None))
    pictures = [np.asarray(render_frame(each, 3.0)) for each in (scene, bare)]
    assert (pictures[0] != pictures[1]).any()


def test_sizes_count_one_by_one() -> None:
    scenario = load_scenario("center-dot")
    bodies = (Body("unicycle", radius=0.2), Body("double-integrator", radius=0.45), Body("point", radius=0.3))
    scenario = dataclasses.replace(scenario, num_agents=3, bodies=bodies)
    starts, goals = draw_hard(scenario, 3, 0)
    result = navigate(scenario, load_checkpoint("center-dot"), starts, goals)
    assert result.success
    assert result.plan is not None
    assert result.trajectory is not None
    np.testing.assert_allclose(result.plan.problem["radius"], [0.2, 0.45, 0.3])
    np.testing.assert_allclose(result.trajectory.radius, [0.2, 0.45, 0.3])
    assert result.clearance is not None
    assert result.clearance >= 0.9
    assert result.trajectory.num_wall_contacts == 0


def test_what_cannot_be_driven_is_refused_before_work() -> None:
    scenario = dataclasses.replace(load_scenario("center-dot"), num_agents=2, bodies=(Body("car"), Body("quad")))
    starts, goals = draw_hard(scenario, 2, 0)
    critics = load_checkpoint("center-dot")
    with pytest.raises(InvalidInput, match="has 2 bodies for 1 agents"):
        navigate(scenario, critics, starts[:1], goals[:1])
    with pytest.raises(InvalidInput, match="expected 'disc'"):
        make_env(scenario, starts, goals, body="point")
    with pytest.raises(InvalidInput, match="action noise cannot be prepared for"):
        navigate(scenario, critics, starts, goals, disturbance=Disturbance(action_noise=0.05))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["--bodies", "cart:2"], "body kind is 'cart' (did you mean car?)"),
        (["--bodies", "car:3", "--agents", "2"], "--bodies car:3 are 3, but --agents is 2"),
        (["--bodies", "car:0"], "expected a whole number of at least 1"),
    ],
)
def test_bodies_that_are_none(asked, message, capsys) -> None:
    assert main(["demo", "--headless", "--quiet", *asked]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_run_takes_the_bodies_of_a_scenario_file(tmp_path, capsys) -> None:
    path = tmp_path / "yard.toml"
    path.write_text('[world]\nmaze = "center-dot"\nscale = 2\n[[agents.bodies]]\nkind = "unicycle"\ncount = 2\nradius = 0.3\n')
    how = ["--checkpoint", "center-dot", "--method", "constrained-policy+filter", "--low-level", "straight-line", "--quiet"]
    assert main(["run", str(path), *how, "--out", str(tmp_path / "out")]) in (0, 1)
    np.testing.assert_allclose(Trajectory.load(tmp_path / "out" / "trajectory.npz").radius, [0.3, 0.3])
    assert main(["run", str(path), *how, "--agents", "3"]) == 2
    assert "has 2 bodies, but --agents is 3" in capsys.readouterr().err
    assert main(["scenario", "show", str(path)]) == 0
    assert "body: 2 x unicycle, radius 0.3, max_speed 1" in capsys.readouterr().out
