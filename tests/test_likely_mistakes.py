"""What people are likely to get wrong is said in one line, or done as they mean it."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import navplan as nv
from navplan.cli import main
from navplan.scenarios.formats.images import encode_pgm
from navplan.scenarios.problems.draw import draw_problem
from navplan.scenarios.problems.pairs import draw_pairs
from navplan.scenarios.worlds.free_space import FreeSpace
from tests.support.critics import AnalyticCritics, FieldCritics
from tests.support.scenes import lattice, walled_world

FLOOR = np.zeros((4, 5), bool)
GRID = nv.StateGraph.from_grid(FLOOR)
STATES = np.random.default_rng(0).uniform(0, 8, (60, 2)).astype(np.float32)


def problem(**options: Any) -> nv.Problem:
    return nv.Problem(GRID, [0, 4], [19, 15], **options)


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: nv.coverage_nodes(STATES, 5, rng),
        lambda rng: nv.coverage_nodes(STATES, 5, rng, "uniform"),
        lambda rng: FreeSpace(walled_world()).sample(7, rng),
        lambda rng: np.concatenate(draw_problem(walled_world(), 3, rng)),
        lambda rng: np.concatenate(draw_pairs(GRID, 3, rng)),
        lambda rng: nv.PointEnv(walled_world(), num_agents=2, rng=rng).states,
        lambda rng: nv.PointEnv(walled_world(), rng=0).sample_free(4, rng),
    ],
)
def test_an_integer_is_a_seed_wherever_a_source_of_randomness_is_asked_for(draw: Callable[[Any], Any]) -> None:
    assert np.array_equal(draw(7), draw(np.random.default_rng(7)))
    assert np.array_equal(draw(np.int64(7)), draw(7))
    for wrong in (-1, "7", 7.0, [7], True):
        with pytest.raises(nv.InvalidInput, match=r"rng is .*, expected a numpy random Generator, or a seed"):
            draw(wrong)


WRONG: list[Any] = [[1], "x", {"a": 1}, None, (1, 2), True, np.zeros(2), 1j, object()]


@pytest.mark.parametrize(
    "call",
    [
        lambda value: nv.coverage_nodes(STATES, value, 0),
        lambda value: nv.coverage_nodes(STATES, 3, 0, keep_away=value),
        lambda value: nv.StateGraph.from_states(STATES, FieldCritics(), max_distance=value),
        lambda value: nv.StateGraph.from_states(STATES, FieldCritics(), batch=value),
        lambda value: nv.PointEnv(walled_world(), radius=value, rng=0),
        lambda value: nv.PointEnv(walled_world(), num_agents=value, rng=0),
        lambda value: nv.Scenario("a", walled_world(), value),
        lambda value: nv.Scenario("a", walled_world(), 1, radius=value),
        lambda value: nv.Hazard("linear", value),
        lambda value: nv.World("a", None, value, 3.0),
        lambda value: draw_problem(walled_world(), value, 0),
        lambda value: draw_problem(walled_world(), 1, 0, start_spacing=value),
        lambda value: nv.lifelong(problem(), steps=value),
    ],
)
def test_what_is_no_number_is_named(call: Callable[[Any], object]) -> None:
    for value in WRONG:
        with pytest.raises(nv.InvalidInput) as caught:
            call(value)
        assert "\n" not in str(caught.value)


def test_pruning_by_a_list() -> None:
    graph = nv.StateGraph.from_states(STATES, FieldCritics(), max_distance=2)
    with pytest.raises(nv.InvalidInput, match=r"max_risk is \[1\], expected a number"):
        graph.prune(max_risk=[1])  # type: ignore[arg-type]


class Learning(FieldCritics):
    """Answers as tensors that gradients flow through."""

    def evaluate(self, observations: Any, goals: Any) -> Any:
        torch = pytest.importorskip("torch")
        return tuple(torch.tensor(answer, requires_grad=True) * 1.0 for answer in super().evaluate(observations, goals))


def test_critics_that_answer_with_gradients_are_detached() -> None:
    plain = nv.StateGraph.from_states(STATES, FieldCritics(), max_distance=2)
    graph = nv.StateGraph.from_states(STATES, Learning(), max_distance=2)
    assert np.array_equal(graph.indices, plain.indices)
    assert np.allclose(graph.risk, plain.risk)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "the critics answered with NoneType, expected a pair"),
        ((np.ones(3),), "the critics answered with tuple, expected a pair"),
        (("x", "y"), "the critics' distance is str, expected an array of numbers"),
    ],
)
def test_critics_that_answer_something_else(answer: Any, message: str) -> None:
    critics = FieldCritics()
    critics.evaluate = lambda observations, goals: answer  # type: ignore[method-assign]
    with pytest.raises(nv.InvalidInput, match=message):
        nv.StateGraph.from_states(STATES, critics)
    with pytest.raises(nv.InvalidInput, match=r"critics object have no evaluate\(observations, goals\)"):
        nv.StateGraph.from_states(STATES, object())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "missing", "why"),
    [
        ("navplan", "states", "chooses the nodes of its graph among `states`"),
        ("navplan", "evaluate", "weighs the edges of its graph by evaluate"),
        ("navplan", "policies", "drives with policies"),
        ("sorb", "stage", "drives with the policy of stage 1"),
        ("constrained-search", "distance", "passes waypoints by distance"),
        ("policy", "policies", "drives with policies"),
    ],
)
def test_own_critics_are_told_what_a_method_misses(method: str, missing: str, why: str) -> None:
    class Part:
        pass

    whole, part = AnalyticCritics(walled_world()), Part()
    for name in ("states", "evaluate", "policies", "stage", "distance"):
        if name != missing:
            setattr(part, name, getattr(whole, name, 0))
    scenario = nv.Scenario("block", walled_world(), 1)
    with pytest.raises(nv.InvalidInput, match=f"critics Part have no `{missing}`, but method '{method}' {why}"):
        nv.navigate(scenario, part, [[1, 1]], [[7, 10]], method=method)  # type: ignore[arg-type]


def test_paths_of_bytes(tmp_path: Path) -> None:
    name = bytes(tmp_path)
    GRID.save(name + b"/g.npz")  # type: ignore[operator]
    assert nv.StateGraph.load(name + b"/g.npz").num_nodes == 20  # type: ignore[operator]
    plan = nv.solve(problem(), "cbs")
    plan.save(name + b"/p.json")  # type: ignore[operator]
    assert nv.Plan.load(name + b"/p.json").sum_of_costs == plan.sum_of_costs  # type: ignore[operator]
    (tmp_path / "a.map").write_text("type octile\nheight 1\nwidth 3\nmap\n...\n")
    assert nv.load_map(name + b"/a.map").walls.shape == (1, 3)  # type: ignore[operator, union-attr]
    assert nv.load_problem(name + b"/a.map", agents=1).num_agents == 1  # type: ignore[operator]
    assert nv.load_scenario(b"center-dot").name == "center-dot"  # type: ignore[arg-type]
    with pytest.raises(nv.FileAccessError, match="nope"):
        nv.Plan.load(name + b"/nope.json")  # type: ignore[operator]
    with pytest.raises(nv.InvalidInput, match="path is 3, expected the name of a file"):
        nv.Plan.load(3)  # type: ignore[arg-type]


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    (tmp_path / "floor.pgm").write_bytes(encode_pgm(np.full((8, 9), 254, np.uint8)))
    text = "image: floor.pgm\nresolution: 0.05\norigin: [0, 0, 0]\nnegate: 0\noccupied_thresh: 0.65\nfree_thresh: 0.196\n"
    (tmp_path / "floor.yaml").write_text(text)
    return tmp_path / "floor.yaml"


def test_a_map_stands_for_a_scenario(floor: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario = nv.load_scenario(floor)
    assert (scenario.name, scenario.num_agents, scenario.world.resolution) == ("floor", 1, 0.05)
    command = ["run", str(floor), "--checkpoint", "center-dot", "--method", "constrained-policy", "--quiet", "--json"]
    assert main(command) in (0, 1)
    assert json.loads(capsys.readouterr().out)["scenario"] == "floor"


def test_the_environment_of_training_takes_a_map(floor: Path) -> None:
    from navplan.learned.choices import Wanted, new_settings

    settings: Any = new_settings(Wanted(str(floor), None, 0, 2), None)
    assert nv.load_scenario(settings.scenario).world.walls.shape == (8, 9)  # type: ignore[union-attr]


def test_no_limit_of_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.map").write_text("type octile\nheight 1\nwidth 3\nmap\n...\n")
    for command in ("solve", "lifelong"):
        more = ["--steps", "2"] if command == "lifelong" else []
        given = [command, "--map", str(tmp_path / "a.map"), "--agents", "1", "--time-limit", "inf", "--quiet", *more]
        assert main(given) == 0, capsys.readouterr().err


@pytest.mark.parametrize("command", ["solve", "lifelong"])
def test_a_dash_is_standard_output(command: str, tmp_path: Path) -> None:
    (tmp_path / "a.map").write_text("type octile\nheight 2\nwidth 3\nmap\n...\n...\n")
    words = [command, "--map", str(tmp_path / "a.map"), "--agents", "2", "--out", "-", "--quiet", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "navplan", *words], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=300
    )
    assert json.loads(done.stdout)["format"] == "navplan-plan-1"
    assert json.loads(done.stderr)["agents"] == 2
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize(
    "command",
    [
        ["run", "center-dot", "--checkpoint", "center-dot"],
        ["demo", "--headless"],
        ["train", "--scenario", "small"],
        ["evaluate", "--suite", "paper-2d"],
        ["bench", "run", "env"],
    ],
)
def test_a_dash_is_no_folder(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*command, "--out", "-"]) == 2
    assert "standard output holds no folder" in capsys.readouterr().err
    assert not (tmp_path / "-").exists()


def test_viewing_what_is_not_there(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert main(["view", "center-dto"]) == 2
    assert "unknown scenario 'center-dto': did you mean 'center-dot'" in capsys.readouterr().err
    assert main(["view", "nope.npz"]) == 2
    assert capsys.readouterr().err.startswith("error: nope.npz: cannot be read")


def test_options_that_are_nearly_right() -> None:
    with pytest.raises(nv.InvalidInput, match=r"planner ecbs has no option 'sub_optimality' \(did you mean suboptimality\?\)"):
        nv.solve(problem(), "ecbs", sub_optimality=1.2)
    scenario = nv.Scenario("block", walled_world(), 1)
    with pytest.raises(nv.InvalidInput, match=r"unknown option 'grph_nodes' \(did you mean graph_nodes\?\)"):
        nv.navigate(scenario, AnalyticCritics(walled_world()), [[1, 1]], [[7, 10]], grph_nodes=3)


def test_no_public_function_hides_a_module() -> None:
    rooms = [nv, *(importlib.import_module(info.name) for info in pkgutil.walk_packages(nv.__path__, "navplan.") if info.ispkg)]
    hidden = []
    for room in rooms:
        modules = {child.name for child in pkgutil.iter_modules(room.__path__)}
        hidden += [f"{room.__name__}.{name}" for name in modules & set(getattr(room, "__all__", ()))]
    assert hidden == ["navplan.planners"]  # which is the module


def test_a_lattice_is_no_problem() -> None:
    with pytest.raises(nv.InvalidInput, match="problem is a StateGraph, expected a Problem"):
        nv.solve(lattice(walled_world()), "cbs")  # type: ignore[arg-type]


class OfThreePlaces(FieldCritics):
    """Answers for three pairs, whatever it is asked."""

    states: Any = STATES

    def evaluate(self, observations: Any, goals: Any) -> Any:
        return np.ones(3), np.ones(3)


def test_critics_that_answer_for_other_pairs_and_have_no_states() -> None:
    scenario = nv.Scenario("block", walled_world(), 1)
    critics = OfThreePlaces()
    options: dict[str, Any] = {"low_level": "straight-line", "graph_nodes": 20}
    with pytest.raises(nv.InvalidInput, match=r"the critics' distance has shape \(3,\), expected"):
        nv.navigate(scenario, critics, [[1, 1]], [[7, 10]], **options)  # type: ignore[arg-type]
    for wrong, message in (("abc", "the critics' states is str"), (STATES[0], r"the critics' states have shape \(2,\)")):
        critics.states = wrong
        with pytest.raises(nv.InvalidInput, match=message):
            nv.navigate(scenario, critics, [[1, 1]], [[7, 10]], **options)  # type: ignore[arg-type]
