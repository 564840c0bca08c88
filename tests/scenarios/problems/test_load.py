from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import LineString

from navplan.errors import FileAccessError, FileFormatError, InvalidProblem, UnknownName
from navplan.graph.state_graph import StateGraph
from navplan.scenarios.formats.movingai import ScenRow, write_map, write_scen
from navplan.scenarios.maps import load_map
from navplan.scenarios.problems.load import load_problem
from navplan.scenarios.problems.pairs import draw_pairs
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.worlds.mazes import parse_rows
from tests.support.folders import MOVINGAI, needs_movingai

WALLS = parse_rows(["..#.", "..#.", "...."], "memory")


def row(start, goal, width=4, height=3):
    return ScenRow(0, "floor.map", width, height, start, goal, 0.0)


@pytest.fixture
def floor(tmp_path):
    write_map(tmp_path / "floor.map", WALLS)
    write_scen(tmp_path / "floor.scen", [row((0, 0), (0, 3)), row((2, 1), (0, 0)), row((0, 3), (2, 2))])
    return tmp_path


def cells(problem):
    places = problem.graph.cells()
    return places[problem.starts].tolist(), places[problem.goals].tolist()


def test_the_first_rows_of_the_scen(floor):
    problem = load_problem(floor / "floor.map", scen=floor / "floor.scen", agents=2)
    assert cells(problem) == ([[0, 0], [2, 1]], [[0, 3], [0, 0]])
    assert problem.clearance == 0
    assert (problem.graph.num_nodes, problem.graph.shape) == (10, (3, 4))
    assert load_problem(floor / "floor.map", floor / "floor.scen").num_agents == 3


def test_identity(floor):
    map_path, scen_path = floor / "floor.map", floor / "floor.scen"
    identity = dict(load_problem(str(map_path), scen=scen_path, agents=1).identity)
    assert len(identity.pop("map_cells_sha256")) == 64
    assert identity == {
        "map": "floor.map",
        "map_sha256": hashlib.sha256(map_path.read_bytes()).hexdigest(),
        "map_path": str(map_path),
        "scen": "floor.scen",
        "scen_sha256": hashlib.sha256(scen_path.read_bytes()).hexdigest(),
        "scen_path": str(scen_path),
    }
    drawn = load_problem("center-dot", agents=1, seed=3).identity
    assert (drawn["map_path"], drawn["scenario"], drawn["seed"]) == ("center-dot", "center-dot", "3")


def test_parameters_reach_the_problem(floor):
    problem = load_problem(floor / "floor.map", agents=1, radius=0.3, clearance=0.5, beta=2.0, wait_cost=0.5, weight="hops")
    found = (problem.radius, problem.clearance, problem.beta, problem.wait_cost, problem.weight)
    assert found == (0.3, 0.5, 2.0, 0.5, "hops")


@pytest.mark.parametrize(
    ("rows", "agents", "kind", "message"),
    [
        ([], 1, InvalidProblem, "has 0 rows, expected at least 1, one for each agent"),
        ([], None, InvalidProblem, "has 0 rows, expected at least 1"),
        ([row((0, 0), (0, 1))], 2, InvalidProblem, "has 1 rows, expected at least 2, one for each agent"),
        ([row((0, 2), (0, 1))], 1, FileFormatError, "2: agent 0: start x=2, y=0 is in a wall of floor.map, expected a free cell"),
        ([row((0, 0), (1, 2))], 1, FileFormatError, "2: agent 0: goal x=2, y=1 is in a wall of floor.map, expected a free cell"),
        (
            [row((0, 0), (0, 1)), row((0, 0), (1, 1))],
            2,
            FileFormatError,
            "3: agent 1: start x=0, y=0 is that of line 2 too, expected distinct starts",
        ),
        (
            [row((0, 0), (0, 1)), row((1, 0), (0, 1))],
            2,
            FileFormatError,
            "3: agent 1: goal x=1, y=0 is that of line 2 too, expected distinct goals",
        ),
        (
            [row((0, 0), (0, 1), width=5)],
            1,
            FileFormatError,
            "2: the map is said to have width 5, height 3, but floor.map has width 4, height 3",
        ),
    ],
)
def test_bad_scens_name_file_and_line(floor, rows, agents, kind, message):
    write_scen(floor / "bad.scen", rows)
    with pytest.raises(kind) as caught:
        load_problem(floor / "floor.map", scen=floor / "bad.scen", agents=agents)
    assert str(caught.value).removeprefix(f"{floor}/bad.scen:").strip() == message or message in str(caught.value)
    assert str(caught.value).startswith(str(floor / "bad.scen"))


def test_an_unreachable_goal_is_no_bad_input(tmp_path):
    write_map(tmp_path / "floor.map", parse_rows([".#."], "memory"))
    write_scen(tmp_path / "floor.scen", [row((0, 0), (0, 2), 3, 1)])
    assert load_problem(tmp_path / "floor.map", tmp_path / "floor.scen", 1).num_agents == 1


@pytest.mark.parametrize("agents", [0, -1, True, 1.5])
def test_no_agents(floor, agents):
    with pytest.raises(InvalidProblem, match=r"floor\.map: .* agents asked for, expected at least 1"):
        load_problem(floor / "floor.map", agents=agents)


def test_too_many_agents(floor):
    with pytest.raises(InvalidProblem, match=r"floor\.map: 11 agents but 10 free cells, expected at most one agent each"):
        load_problem(floor / "floor.map", agents=11)
    with pytest.raises(InvalidProblem, match="says nothing of agents"):
        load_problem(floor / "floor.map")


def test_missing_and_foreign_files(floor):
    with pytest.raises(UnknownName, match="did you mean 'center-dot'"):
        load_problem("centerdot")
    with pytest.raises(FileAccessError, match="no such file"):
        load_problem(floor / "none.map", agents=1)
    with pytest.raises(FileAccessError):
        load_problem(floor / "floor.map", scen=floor / "none.scen", agents=1)
    with pytest.raises(FileFormatError, match=r"unknown kind of file '\.scen'"):
        load_map(floor / "floor.scen")


def test_drawing_is_a_matter_of_the_seed(floor):
    one, two = (load_problem(floor / "floor.map", agents=4, seed=7) for _ in range(2))
    assert (one.starts == two.starts).all()
    assert (one.goals == two.goals).all()
    starts = {tuple(load_problem(floor / "floor.map", agents=4, seed=seed).starts) for seed in range(8)}
    assert len(starts) > 4


def line_graph(n: int) -> StateGraph:
    heads = [[j for j in (i - 1, i + 1) if 0 <= j < n] for i in range(n)]
    m = sum(map(len, heads))
    return StateGraph(
        states=np.stack([np.zeros(n), np.arange(n) * 0.25], axis=1),
        indptr=np.cumsum([0, *map(len, heads)]),
        indices=np.concatenate(heads),
        distance=np.ones(m),
        risk=np.zeros(m),
        wait_risk=np.zeros(n),
    )


def test_drawn_states_keep_their_distance(tmp_path):
    graph = line_graph(40)
    for seed in range(10):
        starts, goals = draw_pairs(graph, 5, np.random.default_rng(seed), spacing=0.5)
        for nodes in (starts, goals):
            assert np.diff(np.sort(graph.states[nodes, 1])).min() >= 0.5
    with pytest.raises(InvalidProblem, match=r"room for \d+ starts 3 apart, expected 9"):
        draw_pairs(graph, 9, np.random.default_rng(0), spacing=3.0)

    graph.save(tmp_path / "line.npz")
    problem = load_problem(tmp_path / "line.npz", agents=4, seed=1)
    assert problem.clearance == 0.5
    assert np.diff(np.sort(problem.graph.states[problem.starts, 1])).min() >= 0.5
    assert problem.identity["map"] == "line.npz"
    with pytest.raises(InvalidProblem, match=r"41 agents but 40 nodes"):
        load_problem(tmp_path / "line.npz", agents=41)
    with pytest.raises(InvalidProblem, match="goes with a grid map"):
        load_problem(tmp_path / "line.npz", scen="any.scen", agents=1)
    with pytest.raises(FileFormatError, match="holds no map"):
        load_map(tmp_path / "line.npz")


def test_scenarios_with_starts_and_goals(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(
        '[world]\nrows = ["...", "..."]\n[agents]\nstarts = [[0.5, 0.5], [2, 3]]\ngoals = [[0.2, 2.9], [0.9, 0.1]]\nradius = 0.1'
    )
    problem = load_problem(path)
    assert cells(problem) == ([[0, 0], [1, 2]], [[0, 2], [0, 0]])
    assert problem.radius == 0.1
    assert load_problem(path, agents=1).num_agents == 1
    with pytest.raises(InvalidProblem, match="starts and goals for 2 agents, expected at least 3"):
        load_problem(path, agents=3)
    path.write_text(
        '[world]\nrows = ["...", "..."]\n[agents]\nstarts = [[0.5, 0.5], [0.6, 0.5]]\ngoals = [[0.2, 2.9], [0.9, 0.1]]'
    )
    with pytest.raises(FileFormatError, match="in the cell of an earlier agent's start"):
        load_problem(path)


def test_a_scenario_says_how_many_agents():
    assert load_problem("small").num_agents == load_scenario("small").num_agents


def test_a_body_in_free_cells_touches_no_polygon():
    world = load_scenario("polygons").world
    problem = load_problem("polygons", seed=2)
    graph = problem.graph
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
    for tail, head in zip(tails[::7], graph.indices[::7]):
        track = LineString([graph.states[tail], graph.states[head]])
        assert all(polygon.distance(track) > 0.5 - 1e-6 for polygon in world.polygons)


@needs_movingai
@pytest.mark.parametrize("path", sorted((MOVINGAI / "scens").glob("*-1.scen")), ids=lambda path: path.stem)
def test_published_problems(path: Path):
    name = max(
        (map_path for map_path in (MOVINGAI / "maps").glob("*.map") if path.name.startswith(map_path.stem)),
        key=lambda p: len(p.stem),
    )
    problem = load_problem(name, scen=path, agents=10)
    assert problem.num_agents == 10


def test_a_folder_is_no_map(tmp_path: Path):
    with pytest.raises(FileAccessError, match="is a folder, expected a map, scenario or graph file"):
        load_problem(tmp_path, agents=1)


@pytest.mark.parametrize("seed", [-1, 0.5, "x", True])
def test_bad_seeds(seed: object):
    with pytest.raises(InvalidProblem, match="expected an integer of at least 0"):
        load_problem("center-dot", agents=1, seed=seed)  # type: ignore[arg-type]


def test_a_radius_in_metres_needs_a_map_that_knows_metres(tmp_path):
    from navplan.scenarios.formats.ros_map import RosMap, write_ros_map

    write_ros_map(tmp_path / "hall.yaml", RosMap(np.zeros((30, 30), np.int8), resolution=0.05))
    problem = load_problem(tmp_path / "hall.yaml", agents=3, radius_m=0.2)
    assert problem.radius == pytest.approx(4.0)
    assert problem.spacing == pytest.approx(8.0)
    assert (problem.graph.node_room[problem.starts] >= 4.0 - 1e-9).all()
    with pytest.raises(InvalidProblem, match="says nothing of metres"):
        load_problem("center-dot", agents=1, radius_m=0.2)
    several = load_problem(tmp_path / "hall.yaml", agents=2, radius=[0.2, 1.4])
    assert several.radii.tolist() == [0.2, 1.4]
