from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from navplan.cli import main
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan
from navplan.planners.cbs.tree import Tree
from navplan.scenarios.problems.load import load_problem
from tests.support.folders import MOVINGAI, needs_movingai

MAP = "type octile\nheight 3\nwidth 5\nmap\n.....\n.@.@.\n.....\n"
FIELDS = {
    "planner",
    "status",
    "agents",
    "sum_of_costs",
    "makespan",
    "lower_bound",
    "suboptimality",
    "runtime_s",
    "compile_s",
    "stats",
}


@pytest.fixture
def small_map(tmp_path: Path) -> Path:
    path = tmp_path / "small.map"
    path.write_text(MAP)
    return path


def scen(path: Path, *rows: tuple[int, int, int, int]) -> Path:
    """A .scen file; rows are start column, start row, goal column, goal row."""
    text = "version 1\n" + "".join(f"0\tsmall.map\t5\t3\t{a}\t{b}\t{c}\t{d}\t0\n" for a, b, c, d in rows)
    path.write_text(text)
    return path


@pytest.mark.parametrize("planner", ["cbs", "ecbs"])
def test_json_is_one_document_and_the_plan_validates(
    small_map: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], planner: str
) -> None:
    rows = scen(tmp_path / "small.scen", (0, 0, 4, 0), (4, 0, 0, 0))
    out = tmp_path / "plan.json"
    arguments = ["--map", str(small_map), "--scen", str(rows), "--agents", "2", "--planner", planner, "--out", str(out), "--json"]
    assert main(["solve", *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document.keys() >= FIELDS
    assert document["stats"].keys() >= {"expanded", "generated"}
    assert document["status"] in ("optimal", "bounded")
    if planner == "cbs":
        assert document["sum_of_costs"] == document["lower_bound"]
    assert Plan.load(out).cells(0)[-1].tolist() == [0, 4]
    assert main(["validate", str(out)]) == 0


def test_several_scen_files_are_planned_one_after_the_other(
    small_map: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [scen(tmp_path / f"{name}.scen", row) for name, row in (("a", (0, 0, 4, 0)), ("b", (0, 2, 0, 0)))]
    arguments = ["solve", "--map", str(small_map), "--scen", *map(str, files), "--out", str(tmp_path / "plans"), "--json"]
    assert main(arguments) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["scen"], row["sum_of_costs"]) for row in rows] == [(str(files[0]), 4), (str(files[1]), 2)]
    for name in "ab":
        assert main(["validate", str(tmp_path / "plans" / f"{name}.plan.json")]) == 0
    capsys.readouterr()
    assert main([*arguments[:-3], "--time-limit", "0"]) == 1
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [str(file) for file in files]


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        (["--out", "-"], "--out - holds one plan"),
        (["--pareto"], "--pareto is for one problem"),
        (["--out", "plans"], "two .scen files are called a"),
    ],
)
def test_what_several_scen_files_rule_out(
    small_map: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: list[str], says: str
) -> None:
    file = str(scen(tmp_path / "a.scen", (0, 0, 4, 0)))
    assert main(["solve", "--map", str(small_map), "--scen", file, file, *extra]) == 2
    assert says in capsys.readouterr().err


def test_text_says_status_and_cost(small_map: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "--map", str(small_map), "--agents", "2", "--planner", "cbs", "--seed", "3"]) == 0
    assert capsys.readouterr().out.startswith("cbs: optimal, 2 agents, sum of costs")


def test_an_unsolved_problem_exits_1_with_a_reason(small_map: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "--map", str(small_map), "--agents", "3", "--time-limit", "0", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == "timeout"
    assert "time limit" in document["reason"]


def test_a_goal_cut_off_exits_1_and_names_the_agent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cut.map"
    path.write_text("type octile\nheight 1\nwidth 5\nmap\n..@..\n")
    rows = tmp_path / "cut.scen"
    rows.write_text("version 1\n0\tcut.map\t5\t1\t0\t0\t1\t0\t0\n0\tcut.map\t5\t1\t1\t0\t3\t0\t0\n")
    assert main(["solve", "--map", str(path), "--scen", str(rows), "--agents", "2"]) == 1
    assert "infeasible, 2 agents: agent 1 cannot reach its goal" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--planner", "cbz"], "unknown planner 'cbz'"),
        (["--suboptimality", "1.2"], "planner cbs has no option 'suboptimality'"),
        (["--planner", "ecbs", "--suboptimality", "0.5"], "expected a number of at least 1"),
        (["--planner", "astar"], "plans for 1 agent"),
        (["--time-limit", "-1"], "--time-limit"),
        (["--agents", "0"], "--agents"),
    ],
)
def test_bad_input_exits_2_with_one_line(
    small_map: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["solve", "--map", str(small_map), "--agents", "2", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err


def test_an_output_that_cannot_be_written_is_found_before_planning(
    small_map: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tree, "root", None)
    assert main(["solve", "--map", str(small_map), "--agents", "2", "--out", str(small_map / "plan.json")]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_ctrl_c_exits_130_with_what_is_known(
    small_map: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "plan.json"
    command = ["solve", "--map", str(small_map), "--agents", "2", "--planner", "ecbs"]
    main(command)
    capsys.readouterr()
    monkeypatch.setattr(Tree, "root", interrupt)
    assert main([*command, "--json", "--out", str(out)]) == 130
    assert json.loads(capsys.readouterr().out)["status"] == "unsolved"
    assert Plan.load(out).lower_bound is not None


def test_a_saved_state_graph_can_be_planned_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = StateGraph.from_grid(np.zeros((6, 6), bool))
    path = tmp_path / "graph.npz"
    graph.save(path)
    arguments = ["--map", str(path), "--agents", "3", "--clearance", "0.5", "--planner", "ecbs", "--json"]
    assert main(["solve", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["total_risk"] == 0


def test_planners_are_listed_with_their_guarantee(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["planners", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["cbs"]["guarantee"] == "optimal"
    assert rows["ecbs"]["guarantee"] == "bounded"
    assert rows["astar"]["max_agents"] == 1
    assert main(["planners"]) == 0
    assert "cbs" in capsys.readouterr().out


@needs_movingai
def test_a_benchmark_scenario_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = MOVINGAI
    arguments = ["--map", str(folder / "maps/random-32-32-20.map"), "--scen", str(folder / "scens/random-32-32-20-random-1.scen")]
    assert main(["solve", *arguments, "--agents", "10", "--planner", "cbs", "--time-limit", "30", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sum_of_costs"] == 200


@pytest.fixture
def two_ways(tmp_path: Path) -> str:
    """Four nodes: from 0 to 3 over 1 in 2 steps of risk 1, or over 2 at a distance of 4 without any."""
    graph = StateGraph(
        states=np.array([[0, 0], [0, 4], [4, 0], [4, 4]], np.float32),
        indptr=np.array([0, 2, 4, 6, 8], np.int32),
        indices=np.array([1, 2, 0, 3, 0, 3, 1, 2], np.int32),
        distance=np.array([1.0, 2.0, 1.0, 1.0, 2.0, 2.0, 1.0, 2.0]),
        risk=np.array([0.5, 0.0, 0.5, 0.5, 0.0, 0.0, 0.5, 0.0]),
        wait_risk=np.zeros(4),
    )
    graph.save(tmp_path / "two-ways.npz")
    return str(tmp_path / "two-ways.npz")


def solved(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> tuple[int, dict[str, Any]]:
    """Exit status and document of `navplan solve ... --json`."""
    code = main(["solve", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def seed_from_0_to_3(graph: str) -> str:
    """A seed for which the one agent is drawn to go from node 0 to node 3."""
    for seed in range(100):
        problem = load_problem(graph, agents=1, seed=seed)
        if (problem.starts[0], problem.goals[0]) == (0, 3):
            return str(seed)
    raise AssertionError("not drawn")


def test_a_risk_budget_decides_the_way(two_ways: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--map", two_ways, "--agents", "1", "--seed", seed_from_0_to_3(two_ways)]
    for budget, cost, path in ((1.0, 2.0, [0, 1, 3]), (0.9, 4.0, [0, 2, 3])):
        out = tmp_path / "plan.json"
        code, document = solved(capsys, [*common, "--risk-budget", str(budget), "--out", str(out)])
        assert (code, document["planner"], document["status"]) == (0, "risk", "optimal")
        assert document["sum_of_costs"] == cost
        plan = Plan.load(out)
        assert plan.paths[0].tolist() == path
        assert sum(plan.risks) <= budget
        assert main(["validate", str(out)]) == 0
        capsys.readouterr()


def test_the_front_of_distance_and_risk(two_ways: str, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--map", two_ways, "--agents", "1", "--seed", seed_from_0_to_3(two_ways), "--pareto"]
    code, document = solved(capsys, common)
    assert (code, document["status"]) == (0, "complete")
    assert document["front"] == [
        {"distance": 2.0, "risk": 1.0, "path": [0, 1, 3]},
        {"distance": 4.0, "risk": 0.0, "path": [0, 2, 3]},
    ]
    assert main(["solve", *common]) == 0
    assert "2 trade-offs" in capsys.readouterr().out


@pytest.mark.parametrize("allocation", ["joint", "uniform", "surplus-deficit", "market-price"])
def test_agents_share_a_risk_budget(allocation: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = StateGraph.from_grid(np.zeros((5, 5), bool))
    rng = np.random.default_rng(0)
    risky = dataclasses.replace(graph, risk=rng.random(graph.num_edges))
    risky.save(tmp_path / "risky.npz")
    out = tmp_path / "plan.json"
    arguments = ["--map", str(tmp_path / "risky.npz"), "--agents", "3", "--allocation", allocation, "--out", str(out)]
    code, document = solved(capsys, [*arguments, "--risk-budget", "7.5", "--clearance", "0"])
    assert code == 0, document
    plan = Plan.load(out)
    assert sum(plan.risks) <= 7.5
    assert sum(plan.allocations) <= 7.5 * (1 + 1e-9)
    assert all(risk <= share * (1 + 1e-9) for risk, share in zip(plan.risks, plan.allocations, strict=True))
    assert main(["validate", str(out)]) == 0


def test_a_budget_that_nobody_can_keep_is_infeasible(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = StateGraph.from_grid(np.zeros((1, 4), bool))
    dataclasses.replace(graph, risk=np.ones(graph.num_edges)).save(tmp_path / "risky.npz")
    code, document = solved(capsys, ["--map", str(tmp_path / "risky.npz"), "--agents", "1", "--risk-budget", "0.5"])
    assert (code, document["status"]) == (1, "infeasible")
    assert "the risk budget of 0.5 cannot be kept" in document["reason"]
