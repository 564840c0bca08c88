"""The commands that close the loop, on the bundled checkpoint."""

from __future__ import annotations

import json

import numpy as np
import pytest

import navplan as nv
from navplan.cli.command_line import main
from navplan.learned.training.load import bundled_checkpoints
from navplan.plan.plan import Plan
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.registry import load_scenario, scenario_names
from tests.support.checkpoints import with_few_states, with_random_weights
from tests.support.critics import AnalyticCritics

FIELDS = {
    "agents",
    "success",
    "reached",
    "agent_contacts",
    "cost_max",
    "cost_mean",
    "plan_s",
    "total_s",
    "planner",
    "bound",
    "graph",
    "seed",
    "scenario",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """One headless demo: exit status and folder."""
    out = tmp_path_factory.mktemp("demo") / "out"
    return main(["demo", "--headless", "--agents", "8", "--seed", "0", "--out", str(out)]), out


def test_the_demo_succeeds_and_beats_the_policy_alone(demo):
    status, out = demo
    summary = json.loads((out / "summary.json").read_text())
    assert status == 0
    assert set(summary) >= FIELDS
    assert summary["success"] is True
    assert (summary["agents"], summary["reached"], summary["agent_contacts"]) == (8, 8, 0)
    assert {"nodes", "edges", "pruned"} <= set(summary["graph"])
    assert summary["graph"]["pruned"] > 0
    assert summary["cost_mean"] < summary["policy_cost_mean"]
    assert (summary["planner"], summary["bound"]) == ("ecbs", 1.1)


def test_the_demo_leaves_pictures_and_a_plan(demo):
    from PIL import Image

    _, out = demo
    expected = ["demo.gif", "demo.png", "graph.npz", "plan.json", "summary.json", "trajectory.npz"]
    assert sorted(path.name for path in out.iterdir()) == expected
    with Image.open(out / "demo.gif") as motion, Image.open(out / "demo.png") as picture:
        assert motion.n_frames > 10
        assert min(picture.size) > 400
    plan = Plan.load(out / "plan.json")
    assert plan.solved
    assert plan.num_agents == 8


def test_the_demos_plan_is_checked_beside_its_graph(demo, tmp_path, capsys):
    _, out = demo
    assert main(["validate", str(out / "plan.json"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["valid"] is True
    (tmp_path / "plan.json").write_bytes((out / "plan.json").read_bytes())
    nv.StateGraph.from_grid(np.zeros((3, 3), bool)).save(tmp_path / "graph.npz")
    assert main(["validate", str(tmp_path / "plan.json")]) in (1, 2)
    assert "another graph.npz" in capsys.readouterr().err


def test_anyone_can_simulate_the_demo_again(demo):
    _, out = demo
    with np.load(out / "trajectory.npz") as data:
        kept = dict(data)
    steps, agents = kept["cost"].shape
    assert kept["states"].shape == (steps + 1, agents, 2)
    assert kept["actions"].shape == (steps, agents, 2)
    scenario = load_scenario("center-dot")
    np.testing.assert_array_equal(kept["walls"], scenario.world.walls)
    env = PointEnv(scenario.world, num_agents=agents, radius=float(kept["radius"]), rng=np.random.default_rng(0))
    env.reset(starts=kept["starts"], goals=kept["goals"])
    for t in range(steps):
        result = env.step(kept["actions"][t][None])
        assert not result.agent_contacts.any()
        np.testing.assert_array_equal(result.cost[0], kept["cost"][t])
    gap = np.linalg.norm(env.states[0].astype(float) - kept["goals"], axis=1)
    assert (gap < kept["goal_tolerance"]).all()


@pytest.fixture(scope="module")
def few_states(tmp_path_factory):
    return with_few_states(tmp_path_factory.mktemp("few"))


@pytest.mark.parametrize("parts", [("actor", "critics", "clone"), ("actor",)])
def test_random_weights_fail_the_demo(tmp_path, capsys, parts, monkeypatch):
    monkeypatch.setattr("navplan.viewer.pictures.write_pictures", lambda *_: None)
    run = with_random_weights(tmp_path, parts)
    assert main(["demo", "--out", str(tmp_path / "out"), "--seed", "1", "--checkpoint", run, "--json"]) == 1
    summary = json.loads(capsys.readouterr().out)
    assert summary["success"] is False
    assert summary["agent_contacts"] == 0
    assert summary["reason"]


def test_without_a_display_it_says_so(few_states, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("navplan.viewer.pictures.write_pictures", lambda *_: None)
    assert main(["demo", "--agents", "3", "--checkpoint", few_states]) == 0
    shown = capsys.readouterr()
    assert "no display found: running --headless --out demo-out" in shown.err
    assert (tmp_path / "demo-out" / "summary.json").is_file()
    assert "SUCCESS: 3 of 3 at their goals, 0 agent contacts" in shown.out
    assert "bounded variant within 1.1 x optimal" in shown.out
    assert "without  graph, same low level" in shown.out


@pytest.mark.parametrize("method", ["navplan", "constrained-search", "sorb", "constrained-policy", "policy"])
def test_run_knows_every_method(few_states, tmp_path, capsys, method):
    command = [
        "run",
        "center-dot",
        "--method",
        method,
        "--checkpoint",
        few_states,
        "--agents",
        "4",
        "--out",
        str(tmp_path),
        "--json",
        "--quiet",
    ]
    status = main(command)
    shown = capsys.readouterr()
    assert shown.err == ""
    summary = json.loads(shown.out)
    assert status == (0 if summary["success"] else 1)
    assert summary["method"] == method
    assert (tmp_path / "trajectory.npz").is_file()
    assert (tmp_path / "plan.json").is_file() == (summary["plan"] is not None)
    if method == "navplan":
        assert summary["success"]
        assert summary["agent_contacts"] == 0


def test_a_checkpoint_of_another_map_is_named(tmp_path, capsys):
    command = ["run", "cross", "--checkpoint", "center-dot", "--method", "policy", "--agents", "2", "--out", str(tmp_path)]
    assert main(command) in (0, 1)
    assert "note: center-dot was trained on center-dot, not on cross" in capsys.readouterr().err


def test_ctrl_c_leaves_what_had_happened(tmp_path, capsys, monkeypatch):
    critics = AnalyticCritics(load_scenario("center-dot").world)
    calls = []

    class Interrupting:
        def act(self, observations, goals, condition=None):
            calls.append(1)
            if len(calls) == 4:
                raise KeyboardInterrupt
            return np.zeros_like(observations)

    critics.policy = Interrupting()
    monkeypatch.setattr("navplan.learned.training.load.load_checkpoint", lambda name, stage=2: critics)
    assert main(["run", "center-dot", "--checkpoint", "x", "--agents", "3", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().out == ""
    with np.load(tmp_path / "trajectory.npz") as kept:
        assert kept["cost"].shape == (3, 3)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["success"], summary["reason"]) == (False, "interrupted")


def test_ctrl_c_during_the_comparison_keeps_the_outcome(few_states, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("navplan.viewer.pictures.write_pictures", stop)
    assert main(["demo", "--agents", "2", "--checkpoint", few_states, "--out", str(tmp_path)]) == 130
    assert json.loads((tmp_path / "summary.json").read_text())["success"] is True
    assert (tmp_path / "trajectory.npz").is_file()


def test_run_with_straight_lines_and_an_analytic_critic(capsys, monkeypatch):
    critics = AnalyticCritics(load_scenario("central-obstacle").world, 900)
    monkeypatch.setattr("navplan.learned.training.load.load_checkpoint", lambda name, stage=2: critics)
    command = ["run", "central-obstacle", "--checkpoint", "x", "--low-level", "straight-line", "--agents", "10", "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["success"] is True


@pytest.mark.parametrize("name", sorted(set(bundled_checkpoints()) & set(scenario_names())))
def test_bundled_checkpoints_drive_their_scenarios(name, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("navplan.viewer.pictures.write_pictures", lambda *_: None)
    assert main(["demo", "--scenario", name, "--agents", "8", "--seed", "3", "--out", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["agent_contacts"] == 0


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["demo", "--agents", "0"], "expected a whole number of at least 1"),
        (["demo", "--seed", "-1"], "expected a whole number of at least 0"),
        (["demo", "--scenario", "centre-dot"], "did you mean 'center-dot'"),
        (["demo", "--agents", "400", "--headless"], "no room found for 400 agents"),
        (["demo", "--low-level", "pid", "--headless"], "unknown low level 'pid'"),
        (["demo", "--risk-aversion", "nan"], "expected a number that is not negative"),
        (["run", "center-dot", "--checkpoint", "center-dot", "--method", "sorbb"], "did you mean 'sorb'"),
        (["run", "center-dot", "--checkpoint", "no-such-run"], "unknown checkpoint"),
        (["run", "center-dot"], "--checkpoint"),
        (["demo", "--scenario", "line", "--headless"], "no checkpoint comes with scenario 'line'"),
        (["demo", "--out", __file__], "cannot be written"),
        (["run", "center-dot", "--checkpoint", "center-dot", "--out", __file__], "cannot be written"),
        (["run", "center-dot", "--checkpoint", "center-dot", "--planner", "cbz"], "did you mean 'cbs'"),
        (["run", "center-dot", "--checkpoint", "center-dot", "--suboptimality", "0.5"], "expected a number of at least 1"),
    ],
)
def test_bad_usage_is_one_line(command, said, capsys):
    assert main(command) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert said in shown.err
    assert shown.out == ""


def test_modules_are_listed(capsys):
    assert main(["modules", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["modules"]
    assert {row["name"]: row["slot"] for row in rows} == {
        "behaviour-cloning": "policy",
        "policy": "policy",
        "straight-line": "controller",
        "disagreement": "curriculum",
        "uniform": "curriculum",
        "contrastive": "critic",
        "gciql": "critic",
        "gcivl": "critic",
        "quasimetric": "critic",
        "temporal": "critic",
        "awr": "policy",
        "gcbc": "policy",
        "knn": "policy",
        "offline": "recipe",
        "navplan": "recipe",
        "paper": "recipe",
    }
    assert [row["name"] for row in rows if not row["learned"]] == ["straight-line"]
    assert all(row["summary"] for row in rows)
    assert main(["modules"]) == 0
    shown = capsys.readouterr().out
    assert "straight-line" in shown
    assert "curriculum" in shown
