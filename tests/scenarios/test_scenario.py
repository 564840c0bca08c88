from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation, binary_erosion, label
from shapely.geometry import Polygon, box
from shapely.ops import unary_union

from navplan.errors import FileAccessError, FileFormatError, InvalidInput, UnknownName
from navplan.scenarios.formats.movingai import write_map
from navplan.scenarios.formats.toml_table import toml_value
from navplan.scenarios.registry import SCENARIO_FOLDER, load_scenario, scenario_names
from navplan.scenarios.scenario import Scenario, read_scenario
from navplan.scenarios.worlds.generators import GENERATORS, generate
from navplan.scenarios.worlds.mazes import maze_names, maze_walls
from navplan.scenarios.worlds.world import Hazard, World
from tests.support.damaged_files import complaint, damaged, survives

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
VALID = """name = "yard"
description = "A test."

[world]
rows = [
    "...",
    ".#.",
]
scale = 2

[hazard]
kind = "linear"
radius = 3.0

[agents]
count = 2
radius = 0.2
starts = [[0.5, 0.5], [0.5, 4.5]]
goals = [[3.5, 4.5], [3.5, 0.5]]

[limits]
max_steps = 100
max_risk = inf
"""
POLYGONS = """[world]
height = 5
width = 6.5

[[world.polygons]]
outline = [[1, 1], [1, 2], [2, 2]]

[[world.polygons]]
outline = [[3, 3], [3, 5], [4.5, 5], [4.5, 3]]
holes = [[[3.5, 3.5], [3.5, 4], [4, 4]]]
"""


def test_every_maze_and_generator_is_a_scenario():
    assert set(scenario_names()) == set(maze_names()) | set(GENERATORS) | {"polygons", "maze-wide", "warehouse-wide"}


@pytest.mark.parametrize(("name", "size"), [("maze-wide", 33), ("warehouse-wide", 38)])
def test_wide_scenarios_are_whole_and_let_bodies_pass(name, size):
    world = load_scenario(name).world
    assert world.walls.shape == (size, size)
    assert world.hazard == Hazard("linear", 1)
    # A square of three cells fits everywhere that is free, and its places are joined.
    places = binary_erosion(~world.walls, np.ones((3, 3)))
    assert (binary_dilation(places, np.ones((3, 3))) == ~world.walls).all()
    assert label(places)[1] == 1


@pytest.mark.parametrize("name", scenario_names())
def test_bundled_scenarios_have_the_papers_limits(name):
    scenario = load_scenario(name)
    assert scenario.name == scenario.world.name == name
    assert (scenario.radius, scenario.goal_tolerance, scenario.max_steps, scenario.episode_steps) == (0.25, 0.5, 300, 20)
    assert scenario.max_distance == 7.0
    assert scenario.description


@pytest.mark.parametrize(
    ("name", "scale", "radius"),
    [("center-dot", 3, 3), ("four-rooms-modified", 5, 3), ("central-obstacle", 5, 3), ("four-rooms", 5, 3), ("line", 3, 6)],
)
def test_the_papers_scenarios(name, scale, radius):
    world = load_scenario(name).world
    assert (world.walls == maze_walls(name, scale)).all()
    assert world.hazard == Hazard("linear", radius)


def test_generator_scenarios_are_the_generators_defaults():
    assert (load_scenario("warehouse").world.walls == generate("warehouse")).all()


def test_the_polygon_world_lets_bodies_pass():
    world = load_scenario("polygons").world
    room = box(0, 0, world.height, world.width).buffer(-0.25).difference(unary_union(world.polygons).buffer(0.25))
    assert isinstance(room, Polygon)  # one piece
    assert any(polygon.convex_hull.area > polygon.area + 0.1 for polygon in world.polygons)  # one is concave
    gaps = [a.distance(b) for a in world.polygons for b in world.polygons if a is not b]
    assert min(gaps) > 1.5


def test_reading_everything(tmp_path):
    (tmp_path / "a.toml").write_text(VALID)
    found = read_scenario(tmp_path / "a.toml")
    assert found.world.walls.tolist() == [[False] * 6] * 2 + [[False, False, True, True, False, False]] * 2
    assert (found.name, found.num_agents, found.radius, found.max_steps, found.max_risk) == ("yard", 2, 0.2, 100, math.inf)
    assert found.starts.tolist() == [[0.5, 0.5], [0.5, 4.5]]
    assert found.world.hazard == Hazard("linear", 3.0)


def test_reading_polygons_and_map_files(tmp_path):
    (tmp_path / "p.toml").write_text(POLYGONS)
    found = read_scenario(tmp_path / "p.toml")
    assert found.name == "p"
    assert (found.world.height, found.world.width, len(found.world.polygons)) == (5, 6.5, 2)
    assert len(found.world.polygons[1].interiors) == 1

    write_map(tmp_path / "m.map", np.eye(3, dtype=bool))
    (tmp_path / "m.toml").write_text(
        '[world]\nmap = "m.map"\nscale = 2\nresolution = 0.1\n[agents]\nstarts = [[0, 5]]\ngoals = [[5, 0]]'
    )
    found = read_scenario(tmp_path / "m.toml")
    assert found.world.walls.sum() == 12
    assert (found.num_agents, found.world.resolution) == (1, 0.1)

    (tmp_path / "g.toml").write_text(
        '[world]\ngenerator = "rooms"\nseed = 5\nparams = { height = 9, width = 11, room = 3 }\nthin = true'
    )
    assert (read_scenario(tmp_path / "g.toml").world.walls == generate("rooms", 5, height=9, width=11, room=3)).all()


def same(a: Scenario, b: Scenario) -> None:
    for name in Scenario.__dataclass_fields__:
        left, right = getattr(a, name), getattr(b, name)
        if name == "world":
            for part in ("name", "height", "width", "polygons", "hazard", "resolution"):
                assert getattr(left, part) == getattr(right, part), part
            left, right = left.walls, right.walls
        assert (left is None) == (right is None)
        assert np.array_equal(left, right) if isinstance(left, np.ndarray) else left == right, name


@pytest.mark.parametrize("name", ["center-dot", "polygons", "galton", "rooms"])
def test_bundled_round_trip(tmp_path, name):
    scenario = load_scenario(name)
    scenario.save(tmp_path / "a.toml")
    same(load_scenario(tmp_path / "a.toml"), scenario)


text = st.text(st.characters(codec="utf-8"), max_size=6)
positive = st.floats(0, 1e6, width=32)


@st.composite
def scenarios(draw):
    name = draw(text)
    hazard = Hazard(draw(st.sampled_from(["linear", "cosine", "constant"])), draw(st.floats(0.01, 99)))
    if draw(st.booleans()):
        cells = np.array(draw(st.lists(st.booleans(), min_size=6, max_size=6))).reshape(2, 3)
        world = World.from_walls(name, cells, hazard, draw(st.floats(0.001, 10)))
        free = np.argwhere(~cells) + 0.5
    else:
        holes = [[(2.5, 1.25), (2.5, 1.75), (2.75, 1.5)]] if draw(st.booleans()) else []
        world = World(name, None, draw(st.floats(3.5, 9)), 5.0, (Polygon([(1, 1), (3, 1), (3, 3)], holes),), hazard)
        free = np.array([[0.1, 0.3], [3.25, 4.1]])
    places = None if len(free) < 2 or draw(st.booleans()) else free[:2]
    others = None if places is None else places[::-1]
    count = 2 if places is not None else draw(st.integers(1, 99))
    limits = {"max_distance": draw(positive | st.just(math.inf)), "max_risk": draw(positive | st.just(math.inf))}
    steps = {"max_steps": draw(st.integers(1, 10**6)), "episode_steps": draw(st.integers(1, 10**6))}
    return Scenario(
        name, world, count, draw(positive), draw(positive), **steps, **limits, starts=places, goals=others, description=draw(text)
    )


@same_folder
@given(scenarios())
def test_round_trip(tmp_path, scenario):
    scenario.save(tmp_path / "a.toml")
    same(read_scenario(tmp_path / "a.toml"), scenario)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "max_steps = 100",
            "max_stps = 100",
            "a.toml:22: unknown key 'limits.max_stps' (did you mean max_steps?), expected max_steps, episode_steps,",
        ),
        ("scale = 2", "scales = 2", "a.toml:9: unknown key 'world.scales' (did you mean scale?), expected maze, generator"),
        ("count = 2", "count = 2\ncolour = 1", "a.toml:17: unknown key 'agents.colour', expected count, radius, starts, goals"),
        ("[limits]", "[limit]", "a.toml:21: unknown key 'limit' (did you mean limits?), expected name, description, world"),
        ("[hazard]", "[hazard]\nstrength = 2", "a.toml:12: unknown key 'hazard.strength', expected kind, radius"),
        ("scale = 2", "scale = 0", "a.toml:9: world.scale is 0, expected an integer of at least 1"),
        ("scale = 2", "scale = 2.0", "a.toml:9: world.scale is 2.0, expected an integer of at least 1"),
        ("scale = 2", "scale = 1000000", "a.toml:5: a 2 x 3 map at scale 1000000 has too many cells"),
        ("scale = 2", 'maze = "line"', "a.toml:5: [world] names maze and rows, expected exactly one of maze, generator, map"),
        ('".#."', '".#"', "a.toml:7: row has 2 characters, expected 3"),
        ('".#."', '".a."', "a.toml:7: unknown character 'a', expected '#' or '.'"),
        ('kind = "linear"', 'kind = "square"', "a.toml:12: hazard.kind is 'square', expected one of none, linear"),
        ("radius = 3.0", "radius = 0", "a.toml:13: hazard radius is 0.0, expected a positive number of cells"),
        ("radius = 0.2", "radius = nan", "a.toml:17: agents.radius is nan, expected a number of at least 0"),
        ("radius = 0.2", "radius = -1", "a.toml:17: agents.radius is -1, expected a number of at least 0"),
        ("count = 2", "count = 0", "a.toml:16: agents.count is 0, expected an integer of at least 1"),
        ("count = 2", "count = 3", "a.toml:15: scenario 'yard': starts have shape (2, 2), expected (3, 2)"),
        (
            "[[0.5, 0.5], [0.5, 4.5]]",
            "[[0.5, 0.5], [2.5, 2.5]]",
            "a.toml:15: scenario 'yard': agent 1: the start (2.5, 2.5) is inside",
        ),
        (
            "[[0.5, 0.5], [0.5, 4.5]]",
            "[[0.5, 0.5], [0.5, 0.5]]",
            "a.toml:15: scenario 'yard': agent 1: the start (0.5, 0.5) is that of",
        ),
        ("[[0.5, 0.5], [0.5, 4.5]]", "[[0.5, 0.5], [0.5, nan]]", "a.toml:18: agents.starts must be a list of [row, col] pairs"),
        (
            "[[3.5, 4.5], [3.5, 0.5]]",
            "[[3.5, 4.5], [-1, 0.5]]",
            "a.toml:15: scenario 'yard': agent 1: the goal (-1, 0.5) is inside",
        ),
        ("goals = [[3.5, 4.5], [3.5, 0.5]]\n", "", "a.toml:15: scenario 'yard': give starts and goals, or neither"),
        ("max_steps = 100", "max_steps = true", "a.toml:22: limits.max_steps is True, expected an integer of at least 1"),
        ('name = "yard"', "name = 3", "a.toml:1: name is 3, expected a string"),
        ('name = "yard"', 'name = "', "a.toml:1: "),
        ('name = "yard"', "name = 2001-99-99", "a.toml"),
        ("[hazard]", "[[hazard]]", "a.toml:11: hazard is [{'kind': 'linear', 'radius': 3.0}], expected a table [hazard]"),
    ],
)
def test_malformed_files_name_file_and_line(tmp_path, old, new, message):
    assert old in VALID
    assert complaint(read_scenario, tmp_path / "a.toml", VALID.replace(old, new, 1)).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.toml: [world] names no map, expected exactly one of"),
        ('[world]\nmaze = "lin"', "a.toml:2: unknown maze 'lin': did you mean 'line'"),
        ('[world]\ngenerator = "maze"\n[world.params]\nheigth = 3', "a.toml:2: generator 'maze' has no parameter 'heigth'"),
        ('[world]\ngenerator = "maze"\nparams = {height = "x"}', "a.toml"),
        ('[world]\ngenerator = "maze"\nseed = -1', "a.toml:3: world.seed is -1, expected an integer of at least 0"),
        ('[world]\nmap = "none.map"', "a.toml:2: "),
        ('[world]\nmap = "a.toml"', "a.toml:2: world.map is 'a.toml', expected a map file, not another scenario"),
        ("[world]\nrows = [1]", "a.toml:2: world.rows must be a list of strings"),
        ('[world]\nmaze = "line"\nthin = 1', "a.toml:3: world.thin is 1, expected true or false"),
        ('[world]\nmaze = "line"\nresolution = 0', "a.toml:3: world.resolution is 0, expected a positive number"),
        ("world = 3", "a.toml:1: world is 3, expected a table [world]"),
        (POLYGONS.replace("[2, 2]]", "[2]]"), "a.toml:6: world.polygons.outline must be a list of [row, col] pairs"),
        (POLYGONS.replace("outline = [[1, 1], [1, 2], [2, 2]]", ""), "a.toml:5: a polygon needs an outline"),
        (POLYGONS.replace("[[1, 1], [1, 2], [2, 2]]", "[[1, 1], [1, 2]]"), "a.toml:5: polygon 0: a ring has 2 vertices"),
        (
            POLYGONS.replace("[[1, 1], [1, 2], [2, 2]]", "[[0, 0], [1, 1], [0, 1], [1, 0]]"),
            "a.toml:5: polygon 0: the outline crosses",
        ),
        (POLYGONS.replace("width = 6.5", ""), "a.toml:1: world.width is missing"),
        (POLYGONS.replace("width = 6.5", "width = 6.5\nscale = 2"), "a.toml:4: unknown key"),
        (POLYGONS.replace("holes = ", "hole = "), "a.toml"),
        ("\n".join(["[world]", 'maze = "line"', "[a]" * 3]), "a.toml:3: "),
        ("a = " + "[" * 5000, "a.toml: nested too deeply"),
        ("a = " + "1" * 5000, "a.toml: nested too deeply or holding an impossible value"),
        (b"\n\xff", "a.toml:2: not UTF-8 text, expected TOML"),
    ],
)
def test_malformed_worlds(tmp_path, text, message):
    assert complaint(read_scenario, tmp_path / "a.toml", text).startswith(message)


@pytest.mark.parametrize(
    ("named", "message"),
    [("floor.txt", "unknown kind of map file '.txt', expected one of .map"), ("line", "unknown kind of map file ''")],
)
def test_a_map_is_a_file_beside_the_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, message: str) -> None:
    """Read from the folder of the file too, where its path has no folder in it and looks like a bundled scenario's name."""
    monkeypatch.chdir(tmp_path)
    Path("a.toml").write_text(f'[world]\nmap = "{named}"')
    with pytest.raises(FileFormatError) as caught:
        read_scenario("a.toml")
    assert str(caught.value).startswith(f"a.toml:2: {named}: {message}")


@same_folder
@given(
    st.sampled_from([VALID, POLYGONS, (SCENARIO_FOLDER / "warehouse.toml").read_text()]).flatmap(lambda t: damaged(t.encode()))
)
def test_damaged_files(tmp_path, data):
    survives(read_scenario, tmp_path / "a.toml", data)


def test_names_and_paths():
    with pytest.raises(UnknownName, match="did you mean 'center-dot'"):
        load_scenario("centerdot")
    with pytest.raises(FileAccessError, match=r"none\.toml"):
        load_scenario("none.toml")
    with pytest.raises(FileFormatError):
        load_scenario(SCENARIO_FOLDER.parent / "mazes" / "line.txt")


@pytest.mark.parametrize(
    "change",
    [
        {"num_agents": 0},
        {"max_steps": 0},
        {"radius": -0.1},
        {"radius": math.inf},
        {"max_risk": math.nan},
        {"starts": [[0.5, 0.5]]},
    ],
)
def test_bad_scenarios(change):
    with pytest.raises(InvalidInput, match="scenario 'x'"):
        Scenario(**{"name": "x", "world": load_scenario("small").world, "num_agents": 1} | change)


def test_toml_values():
    assert toml_value('a"\x7f\n\\é') == '"a\\"\\u007f\\n\\\\é"'
    assert toml_value([True, 1, 0.1, [math.inf]]) == "[true, 1, 0.1, [inf]]"


def test_parameters_that_are_called_as_arguments_are(tmp_path):
    for name in ("kind", "seed", "options"):
        (tmp_path / "s.toml").write_text(f'[world]\ngenerator = "empty"\nparams = {{height = 3, width = 4, {name} = 1}}\n')
        with pytest.raises(FileFormatError, match=f"generator 'empty' has no parameter '{name}'"):
            read_scenario(tmp_path / "s.toml")
