"""One clear line and exit status 2 for input that makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from navplan.cli import main
from navplan.planners import get, names

MAP = "type octile\nheight 3\nwidth 5\nmap\n.....\n.@.@.\n.....\n"
SCEN = "version 1\n0\tsmall.map\t5\t3\t0\t0\t4\t2\t0\n0\tsmall.map\t5\t3\t4\t0\t0\t2\t0\n"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / "small.map").write_text(MAP)
    (tmp_path / "small.scen").write_text(SCEN)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """The one line."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize("planner", names())
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--agents", "14"], "14 agents but 13 free cells"),
        (["--agents", "3", "--scen", "small.scen"], "has 2 rows, expected at least 3"),
        (["--time-limit", "-1"], "--time-limit"),
        (["--time-limit", "nan"], "--time-limit"),
        (["--memory-limit", "0"], "--memory-limit"),
        (["--agents", "2.5"], "--agents"),
        (["--seed", "-1"], "--seed"),
        (["--suboptimality", "0.9"], "--suboptimality"),
    ],
)
def test_solve(small: Path, capsys: pytest.CaptureFixture[str], planner: str, arguments: list[str], message: str) -> None:
    arguments = [str(small / word) if word.endswith(".scen") else word for word in arguments]
    if "--agents" not in arguments:
        arguments += ["--agents", "1"]
    assert message in refused(capsys, ["solve", "--map", str(small / "small.map"), "--planner", planner, *arguments])


def test_contradictory_options(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["solve", "--map", str(small / "small.map"), "--agents", "2"]
    assert "has no option 'suboptimality'" in refused(capsys, [*common, "--planner", "cbs", "--suboptimality", "1.5"])
    assert "give one with --risk-budget" in refused(capsys, [*common, "--planner", "risk", "--allocation", "uniform"])
    assert "cannot keep a risk budget" in refused(capsys, [*common, "--planner", "lacam", "--risk-budget", "1"])
    assert "leave out --planner" in refused(capsys, [*common, "--planner", "cbs", "--pareto"])


@pytest.mark.parametrize("planner", names())
def test_more_agents_than_a_planner_can_take(small: Path, capsys: pytest.CaptureFixture[str], planner: str) -> None:
    arguments = ["solve", "--map", str(small / "small.map"), "--agents", "2", "--planner", planner]
    if get(planner).max_agents == 1:
        assert "plans for 1 agent and would let 2 collide" in refused(capsys, arguments)
    else:
        assert main([*arguments, "--time-limit", "5"]) in (0, 1)


def test_a_plan_for_another_map(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = small / "plan.json"
    arguments = ["--map", str(small / "small.map"), "--scen", str(small / "small.scen")]
    assert main(["solve", *arguments, "--planner", "cbs", "--out", str(plan)]) == 0
    assert main(["validate", str(plan)]) == 0
    capsys.readouterr()
    other = small / "other.map"
    other.write_text(MAP.replace(".@.@.", "..@.."))
    assert "was made for another other.map" in refused(capsys, ["validate", str(plan), "--map", str(other)])
    (small / "small.map").write_text(MAP.replace(".@.@.", "....."))
    assert "was made for another small.map" in refused(capsys, ["validate", str(plan)])


def test_an_unreachable_goal_is_infeasible_exit_1_with_the_agent_named(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (small / "cut.map").write_text("type octile\nheight 1\nwidth 5\nmap\n..@..\n")
    (small / "cut.scen").write_text("version 1\n0\tcut.map\t5\t1\t0\t0\t1\t0\t0\n0\tcut.map\t5\t1\t3\t0\t0\t0\t0\n")
    for planner in names():
        if get(planner).max_agents is None:
            arguments = ["--map", str(small / "cut.map"), "--scen", str(small / "cut.scen"), "--planner", planner]
            assert main(["solve", *arguments, "--time-limit", "20"]) == 1, planner
            assert "infeasible, 2 agents: agent 1 cannot reach its goal" in capsys.readouterr().out
