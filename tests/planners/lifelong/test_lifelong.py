from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

import navplan as nv
from navplan.cli import main
from navplan.errors import FileFormatError, InvalidInput, InvalidProblem
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.lifelong.lifelong import LifelongRun, RandomGoals, TaskList, checked, lifelong, read_tasks
from navplan.scenarios.problems.pairs import draw_pairs
from navplan.scenarios.worlds.generators import random_obstacles, warehouse
from navplan.scenarios.worlds.world import World
from navplan.system.progress import Silence
from tests.support.naive.bodies import close_pairs, wall_steps


def open_floor(side: int = 8, agents: int = 6, seed: int = 0) -> Problem:
    graph = StateGraph.from_grid(np.zeros((side, side), bool))
    return Problem(graph, *draw_pairs(graph, agents, np.random.default_rng(seed)))


def assert_joint_paths(problem: Problem, run: LifelongRun) -> None:
    """Every pair, every step, by the definition."""
    graph = problem.graph
    assert run.history[0].tolist() == problem.starts.tolist()
    for now, then in itertools.pairwise(run.history.tolist()):
        assert len(set(then)) == len(then)
        moves = set(zip(now, then, strict=True))
        for u, v in moves:
            assert u == v or v in graph.indices[graph.indptr[u] : graph.indptr[u + 1]]
            assert u == v or (v, u) not in moves
    assert run.violations == ()


def assert_tasks(run: LifelongRun) -> None:
    """A goal is reached at the first step at which its agent is there, and the next one is given then."""
    for agent in range(run.history.shape[1]):
        mine = [task for task in run.tasks if task.agent == agent]
        assert all(a.reached == b.given for a, b in itertools.pairwise(mine))
        assert all(task.reached is not None for task in mine[:-1])
        for task in mine:
            there = np.flatnonzero(run.history[task.given :, agent] == task.goal)
            assert task.reached == (task.given + int(there[0]) if there.size else None)


@pytest.mark.parametrize(
    ("planner", "options"),
    [
        ("pibt", {}),
        ("ecbs", {"window": 3}),
        ("ecbs", {"window": 2, "horizon": 4}),
        ("cbs", {"window": 1}),
        ("lacam", {"window": 5}),
    ],
)
def test_goals_are_reached_on_paths_that_never_conflict(planner: str, options: dict[str, int]) -> None:
    problem = open_floor()
    run = lifelong(problem, None, 60, planner, **options)
    assert run.steps == 60
    assert_joint_paths(problem, run)
    assert_tasks(run)
    assert run.reached > 40
    assert run.throughput == run.reached / 60
    facts = run.summary()
    assert facts["goals_reached"] == run.reached
    assert facts["planning_s"]["calls"] == (60 if planner == "pibt" else 60 / options["window"])
    assert facts["planning_s"]["total"] > 0
    assert facts["service_steps"]["max"] >= facts["service_steps"]["median"] > 0
    json.dumps(facts, allow_nan=False)


@pytest.mark.parametrize("seed", range(6))
def test_pibt_in_crowds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    walls = warehouse(seed) if seed % 2 else random_obstacles(seed, height=12, width=12, density=0.15)
    graph = StateGraph.from_grid(walls)
    problem = Problem(graph, *draw_pairs(graph, int(0.3 * graph.num_nodes), rng))
    run = lifelong(problem, None, 40, seed=seed)
    assert_joint_paths(problem, run)
    assert_tasks(run)
    assert run.reached > 0


def test_the_same_seed_drives_the_same_way() -> None:
    first, second = (lifelong(open_floor(), None, 50, seed=3) for _ in range(2))
    assert np.array_equal(first.history, second.history)
    assert first.tasks == second.tasks
    assert not np.array_equal(first.history, lifelong(open_floor(), None, 50, seed=4).history)


def test_public_names() -> None:
    assert nv.lifelong is lifelong
    assert nv.lifelong(open_floor(agents=1), steps=5).steps == 5


@pytest.mark.parametrize("planner", ["pibt", "ecbs"])
def test_tasks_go_to_whoever_is_free_and_end(planner: str) -> None:
    problem = open_floor(5, 2)
    tasks = [[0, 24], [4], [20], [12], [7]]
    run = lifelong(problem, tasks, 80, planner)
    assert_joint_paths(problem, run)
    assert_tasks(run)
    assert sorted(task.goal for task in run.tasks) == [0, 4, 7, 12, 20, 24]
    assert run.reached == 6
    errand = [task.goal for task in run.tasks if task.goal in (0, 24)]
    assert errand == [0, 24]
    assert len({task.agent for task in run.tasks if task.goal in (0, 24)}) == 1


def test_goals_that_are_already_reached_count_at_once() -> None:
    problem = open_floor(4, 1)
    here = int(problem.starts[0])
    run = lifelong(problem, [here, here, (here + 1) % 16], 20)
    assert [(task.given, task.reached) for task in run.tasks[:2]] == [(0, 0), (0, 0)]
    assert run.reached == 3
    for_ever = lifelong(problem, TaskList([here] * 1000), 5)
    assert for_ever.reached < 1000


def test_agents_with_one_goal_are_delayed_and_counted() -> None:
    problem = open_floor(5, 3)
    run = lifelong(problem, [12, 12, 12], 40, "ecbs", window=4)
    assert_joint_paths(problem, run)
    assert run.delayed > 0
    assert run.reached == 3


def test_bodies_keep_their_clearance() -> None:
    graph = StateGraph.from_grid(np.zeros((6, 6), bool))
    rng = np.random.default_rng(0)
    problem = Problem(graph, *draw_pairs(graph, 3, rng, spacing=1.5), clearance=1.2)
    run = lifelong(problem, None, 24, "ecbs", window=4, time_limit=5.0)
    assert run.violations == ()
    assert run.reached > 0
    with pytest.raises(InvalidProblem, match="clearance 0"):
        lifelong(problem, None, 10, "pibt")


@pytest.mark.parametrize(("planner", "radius"), [("ecbs", [0.3, 0.7, 0.5]), ("pibt", [0.2, 0.35, 0.1])])
def test_bodies_of_different_sizes_keep_clear_of_walls_and_of_one_another(planner: str, radius: list[float]) -> None:
    """A wall with a gap of one cell, which the widest body cannot pass, and one of three, which it can."""
    walls = np.zeros((9, 11), bool)
    walls[4] = True
    walls[4, [2, 6, 7, 8]] = False
    graph = StateGraph.from_grid(walls)
    starts, goals = ([int(np.flatnonzero((graph.cells() == cell).all(axis=1))[0]) for cell in cells] for cells in (
        [(1, 1), (1, 5), (7, 9)],
        [(7, 1), (7, 5), (1, 9)],
    ))  # fmt: skip
    problem = Problem(graph, starts, goals, radius=radius)
    run = lifelong(problem, None, 60, planner, seed=3, window=4)
    assert run.violations == ()
    assert {task.agent for task in run.tasks if task.reached is not None} == {0, 1, 2}
    world = World.from_walls("gaps", walls)
    assert wall_steps(run.plan, problem, world) == set()
    for a, b in itertools.combinations(range(3), 2):
        apart = radius[a] + radius[b]
        pair = {(i, j) for i, j, _ in close_pairs(run.plan, problem, apart)} if apart > 0.5**0.5 else set()
        assert (a, b) not in pair


def test_a_planner_that_fails_leaves_the_fleet_waiting() -> None:
    problem = open_floor()
    run = lifelong(problem, None, 10, "ecbs", window=5, time_limit=0.0)
    assert run.failures == 2
    assert run.reached == 0
    assert (run.history == run.history[0]).all()
    assert run.violations == ()


def test_weighted_and_directed_graphs() -> None:
    rng = np.random.default_rng(1)
    ring = StateGraph(
        states=rng.random((9, 2)).astype(np.float32) * 9,
        indptr=np.arange(10, dtype=np.int32),
        indices=((np.arange(9) + 1) % 9).astype(np.int32),
        distance=rng.random(9) + 0.5,
        risk=np.zeros(9),
        wait_risk=np.zeros(9),
    )
    problem = Problem(ring, [0, 3, 6], [1, 4, 7], clearance=0.0)
    run = lifelong(problem, None, 50)
    assert_joint_paths(problem, run)
    assert run.reached > 10


def test_ctrl_c_keeps_what_was_driven() -> None:
    class Stop(Silence):
        def show(self, done: int, total: int, note: str = "") -> None:
            if done == 7:
                raise KeyboardInterrupt

    run = lifelong(open_floor(), None, 50, progress=Stop())
    assert run.interrupted
    assert run.steps == 7
    assert_tasks(run)


def test_the_check_sees_what_is_wrong() -> None:
    problem = open_floor(3, 2)
    a, b = problem.starts.tolist()
    swap = Problem(problem.graph, [0, 1], [1, 0])
    _, found = checked(swap, np.array([[0, 1], [1, 0]], np.int32), "x")
    assert any("swap" in text for text in found)
    assert checked(problem, np.array([[a, b], [a, b]], np.int32), "x")[1] == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"window": 0}, "window is 0"),
        ({"window": 5, "horizon": 3}, "horizon is 3 and window 5"),
        ({"time_limit": -1.0}, "time_limit is -1.0"),
        ({"planner": "astar"}, "plans for 1 agent"),
        ({"goals_stream": [99]}, "goal node 99 is not in 0..63"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        lifelong(open_floor(), **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("planner", ["pibt", "ecbs"])
def test_a_goal_out_of_reach_names_the_agent(planner: str) -> None:
    graph = StateGraph.from_grid(np.array([[False, False, True, False]]))
    with pytest.raises(InvalidProblem, match="agent 0 cannot reach its goal"):
        lifelong(Problem(graph, [0], [1]), [2], 5, planner)
    assert {RandomGoals(graph, seed).next(0, 0) for seed in range(5)} == {1}
    assert RandomGoals(graph).next(0, 2) is None


def test_task_files(tmp_path: Path) -> None:
    graph = StateGraph.from_grid(np.array([[False, True, False], [False, False, False]]))
    path = tmp_path / "a.tasks"
    path.write_text("# two\n2\n0,5\n2\n")
    tasks = read_tasks(path, graph)
    assert [tasks.next(0, 0), tasks.next(1, 0), tasks.next(0, 0), tasks.next(0, 0)] == [0, 1, 4, None]
    for text, message in (
        ("", "expected the number of tasks"),
        ("x\n", ":1: expected the number of tasks"),
        ("3\n0\n", ":1: says 3 tasks and holds 1"),
        ("1\nzero\n", ":2: task 'zero'"),
        ("1\n1\n", ":2: cell 1 is blocked"),
        ("1\n6\n", ":2: cell 6 is blocked or outside"),
    ):
        path.write_text(text)
        with pytest.raises(FileFormatError, match=message):
            read_tasks(path, graph)


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run.json"
    arguments = ["lifelong", "--map", "random", "--agents", "8", "--steps", "30", "--seed", "2"]
    assert main([*arguments, "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["steps"] == 30
    assert document["valid"] is True
    assert document["throughput"] == pytest.approx(document["goals_reached"] / 30, abs=1e-6)
    assert main(["validate", str(out)]) == 0
    assert "valid; 8 agents" in capsys.readouterr().out
    assert Plan.load(out).num_agents == 8
    saved = json.loads(out.read_text())["lifelong"]
    assert sum(task[3] is not None for task in saved["tasks"]) == document["goals_reached"]
    assert main([*arguments, "--planner", "ecbs", "--window", "6"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("ecbs: 8 agents, 30 steps, ")
    assert "5 plans" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--agents", "100000"], "100000 agents but"),
        (["--planner", "astar"], "plans for 1 agent"),
        (["--planner", "pibd"], "did you mean 'pibt'"),
        (["--window", "9", "--horizon", "3"], "horizon is 3 and window 9"),
        (["--steps", "0"], "--steps"),
        (["--time-limit", "-1"], "--time-limit"),
        (["--tasks", "nowhere.tasks"], "nowhere.tasks: cannot be read"),
        (["--clearance", "1"], "planner pibt plans with clearance 0"),
    ],
)
def test_bad_input_exits_2_with_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert main(["lifelong", "--map", "random", "--agents", "4", "--steps", "5", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
