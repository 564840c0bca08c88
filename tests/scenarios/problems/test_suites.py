from __future__ import annotations

from functools import cache

import networkx as nx
import numpy as np
import pytest
from scipy.spatial.distance import pdist
from shapely import box, distance, points, union_all

from navplan.cli.command_line import main
from navplan.errors import UnknownName
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.problems.sets import problem_sets_text, read_problem_sets
from navplan.scenarios.problems.suites import (
    PROBLEM_FOLDER,
    SPLITS,
    SUITES,
    build_cell,
    build_problem_sets,
    load_problem_sets,
    problem_seed,
)
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.worlds.moved import with_moved_obstacles
from tests.support.naive.single_agent import hop_graph

DIAMETERS = {"four-rooms-modified": 69, "central-obstacle": 69, "four-rooms": 74, "maze-wide": 99, "warehouse-wide": 48}
FILES = [(suite, split) for suite in SUITES for split in SPLITS]


@cache
def walls_and_graph(name: str):
    walls = load_scenario(name).world.walls
    return walls, hop_graph(walls)


@cache
def hops_from(name: str, cell: tuple[int, int]) -> dict[tuple[int, int], int]:
    return nx.single_source_shortest_path_length(walls_and_graph(name)[1], cell)


@pytest.mark.parametrize(("suite", "split"), FILES)
def test_files_hold_every_cell_as_described(suite, split):
    cells = load_problem_sets(suite, split)
    plan = SUITES[suite]
    expected = [(name, level, agents) for name in plan.maps for level in plan.hops for agents in plan.agents]
    assert [(cell.map, cell.difficulty, cell.agents) for cell in cells] == expected
    for cell in cells:
        assert (cell.suite, cell.split) == (suite, split)
        assert cell.starts.shape == cell.goals.shape == (SPLITS[split], cell.agents, 2)
        assert cell.starts.dtype == cell.goals.dtype == np.float32
        env = PointEnv(load_scenario(cell.map).world, body="point", rng=np.random.default_rng(0))
        assert env.is_free(cell.starts).all()
        assert env.is_free(cell.goals).all()
        for starts, goals in zip(cell.starts.astype(float), cell.goals.astype(float), strict=True):
            assert cell.agents == 1 or pdist(starts).min() >= 1.0
            assert cell.agents == 1 or pdist(goals).min() >= 1.5


@pytest.mark.parametrize(
    ("suite", "split", "stride"),
    [("paper-2d", "tuning", 1), ("paper-2d", "test", 1), ("robust", "test", 1), ("long-horizon", "test", 97)],
)
def test_distances_are_those_of_networkx(suite, split, stride):
    """Every agent of paper-2d; of the long suite, each map's diameter and some agents."""
    for cell in load_problem_sets(suite, split):
        walls = walls_and_graph(cell.map)[0]
        starts, goals = (points.reshape(-1, 2).astype(int)[::stride] for points in (cell.starts, cell.goals))
        hops = [hops_from(cell.map, tuple(a))[tuple(b)] for a, b in zip(starts.tolist(), goals.tolist(), strict=True)]
        if suite != "long-horizon":
            assert set(hops) == {{"easy": 2, "medium": 4, "hard": 8}[cell.difficulty]}
        else:
            assert all(abs(count - DIAMETERS[cell.map] / 2) <= 0.5 for count in hops)
        assert not walls[starts[:, 0], starts[:, 1]].any()


@pytest.mark.parametrize("name", ["maze-wide", "warehouse-wide"])
def test_diameters_of_the_wide_maps(name):
    assert nx.diameter(walls_and_graph(name)[1], usebounds=True) == DIAMETERS[name]


@pytest.mark.parametrize("split", SPLITS)
def test_robust_problems_have_room_for_bodies_and_for_the_moved_obstacle(split):
    scenario = load_scenario("center-dot")
    made_of = SUITES["robust"]
    moved = with_moved_obstacles(scenario.world, made_of.moved)
    assert made_of.room > scenario.radius
    for cell in load_problem_sets("robust", split):
        for places in (cell.starts, cell.goals):
            for world in (scenario.world, moved):
                blocked = union_all([box(row, col, row + 1, col + 1) for row, col in np.argwhere(world.walls)])
                flat = places.reshape(-1, 2).astype(float)
                assert distance(blocked, points(flat)).min() >= made_of.room
                assert min(flat.min(), (15.0 - flat).min()) >= made_of.room


def test_no_seed_and_no_problem_comes_twice():
    seeds, problems = [], []
    for suite, split in FILES:
        for cell in load_problem_sets(suite, split):
            count = len(cell.starts)
            seeds += [problem_seed(suite, split, cell.map, cell.difficulty, cell.agents, k) for k in range(count)]
            problems += [(cell.map, starts.tobytes()) for starts in cell.starts]
    assert len(set(seeds)) == len(seeds) == len(problems)
    assert len(set(problems)) == len(problems)


@pytest.mark.parametrize(
    ("suite", "split", "name", "difficulty", "agents"),
    [
        ("paper-2d", "tuning", "center-dot", "hard", 5),
        ("long-horizon", "tuning", "maze-wide", "half", 1),
        ("robust", "tuning", "center-dot", "hard", 5),
    ],
)
def test_a_cell_built_again_is_the_cell_in_the_file(suite, split, name, difficulty, agents):
    lines = (PROBLEM_FOLDER / f"{suite}-{split}.csv").read_text().splitlines()
    built = problem_sets_text([build_cell(suite, split, name, difficulty, agents)]).splitlines()
    assert built[3:] == [line for line in lines if line.startswith(f"{name},{difficulty},{agents},")]


@pytest.mark.parametrize("suite", SUITES)
def test_long_files_are_drawn_as_they_were(suite):
    cell = load_problem_sets(suite, "test")[-1]
    again = build_cell(suite, "test", cell.map, cell.difficulty, cell.agents, with_oracle=False)
    np.testing.assert_array_equal(again.starts, cell.starts)
    np.testing.assert_array_equal(again.goals, cell.goals)


@pytest.mark.parametrize(("suite", "split"), FILES)
def test_oracle_columns_are_plausible(suite, split):
    for cell in load_problem_sets(suite, split):
        table = cell.oracle
        assert np.isfinite(table.cost).all()
        assert (table.steps >= 1).all()
        assert (table.cost_steps >= table.steps).all()
        assert (table.steps_cost >= table.cost).all()
        straight = np.abs(cell.starts.astype(float) - cell.goals).max(axis=-1) - 0.5
        # A step of the environment may be longer than one cell by the rounding of its ten parts.
        assert (table.steps >= straight - 1e-4).all()
        # What standing at the start costs is paid by every first step.
        env = PointEnv(load_scenario(cell.map).world, body="point", rng=np.random.default_rng(0))
        assert (table.cost >= env.cost_at(cell.starts) - 1e-4).all()


def test_the_command_writes_what_is_read_back(tmp_path, capsys):
    target = tmp_path / "p.csv"
    assert main(["scenario", "problems", "paper-2d", "--split", "tuning", "--no-oracle", "--out", str(target), "--json"]) == 0
    assert '"problems": 120' in capsys.readouterr().out
    read = read_problem_sets(target)
    built = list(build_problem_sets("paper-2d", "tuning", with_oracle=False))
    assert problem_sets_text(list(read)) == problem_sets_text(built) == target.read_text()
    assert read[0].oracle is None


def test_wrong_names_are_refused() -> None:
    with pytest.raises(UnknownName, match="paper-2d"):
        load_problem_sets("paper-3d")
    with pytest.raises(UnknownName, match="tuning"):
        load_problem_sets("paper-2d", "train")
    with pytest.raises(UnknownName, match="agents"):
        build_cell("paper-2d", "test", "center-dot", "easy", 3)
