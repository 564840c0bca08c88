"""Scenarios: a world with its agents, hazard and limits, read from and written to TOML.

A scenario file::

    name = "center-dot"  # default: the file's name
    description = "..."

    [world]  # exactly one source:
    maze = "center-dot"  #   a named maze
    generator = "rooms"  #   a generator, with seed and [world.params]
    map = "floor.map"  #   a map file beside this one (.map, .yaml, .geojson)
    rows = ["..", ".#"]  #   text rows, '#' wall, '.' free
    [[world.polygons]]  #   polygons, (row, col) vertices, with height and width
    scale = 3  # grids: replicate cells; thin = true keeps walls one cell thick
    resolution = 0.05  # metres per cell

    [hazard]  # kind "none", "linear", "cosine" or "constant"; radius in cells
    [agents]  # count, radius; starts and goals as [row, col] pairs
    [[agents.bodies]]  # kind, count, radius and limits of some of the agents, if they are no points
    [limits]  # max_steps, episode_steps, goal_tolerance, max_distance, max_risk

An unknown key is an error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from navplan.errors import InvalidInput, NavplanError
from navplan.scenarios.bodies.body import Body
from navplan.scenarios.bodies.fleet import check_fleet, fleet_toml, radii_of, read_fleet
from navplan.scenarios.formats.checks import as_points
from navplan.scenarios.formats.map_file import read_map_file
from navplan.scenarios.formats.toml_table import TomlTable, toml_value
from navplan.scenarios.worlds.generators import generate
from navplan.scenarios.worlds.mazes import ascii_rows, maze_walls, parse_rows, resize_walls
from navplan.scenarios.worlds.polygons import make_polygon
from navplan.scenarios.worlds.world import HAZARD_KINDS, Hazard, World
from navplan.system.arrays import Float32, Float64
from navplan.system.files import write_text
from navplan.system.numbers import as_numbers, check_numbers, check_whole, is_number
from navplan.system.paths import as_path

_SOURCES = ("maze", "generator", "map", "rows", "polygons")
_WORLD_KEYS = (*_SOURCES, "seed", "params", "scale", "thin", "height", "width", "resolution")
_AGENT_KEYS = ("count", "radius", "starts", "goals", "bodies")
_LIMIT_KEYS = ("max_steps", "episode_steps", "goal_tolerance", "max_distance", "max_risk")
_TOP_KEYS = ("name", "description", "world", "hazard", "agents", "limits")


@dataclass(frozen=True, eq=False)
class Scenario:
    """A world and what is to happen in it.

    Attributes:
        name: what it is called.
        world: map and hazard.
        num_agents: how many agents cross it unless the caller says otherwise.
        radius: body radius in cells, of the largest body where there are `bodies`.
        goal_tolerance: Euclidean distance to the goal, in cells, that counts as there.
        max_steps: step budget of an execution.
        episode_steps: length of a training episode.
        max_distance: longest edge of a state graph, in environment steps.
        max_risk: largest risk of an edge that pruning keeps (cumulative cost).
        starts, goals: (A, 2) float32 (row, col) states, or None to draw them.
        description: one sentence.
        bodies: of the agents, one for each; None: points of the radius.
    """

    name: str
    world: World
    num_agents: int
    radius: float = 0.25
    goal_tolerance: float = 0.5
    max_steps: int = 300
    episode_steps: int = 20
    max_distance: float = 7.0
    max_risk: float = 5.0
    starts: Float32 | None = None
    goals: Float32 | None = None
    description: str = ""
    bodies: tuple[Body, ...] | None = None

    def __post_init__(self) -> None:
        check_whole(**{name: getattr(self, name) for name in ("num_agents", "max_steps", "episode_steps")})
        for name in ("num_agents", "max_steps", "episode_steps"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"scenario {self.name!r}: {name} is {getattr(self, name)}, expected at least 1")
        for name in ("radius", "goal_tolerance", "max_distance", "max_risk"):
            value = getattr(self, name)
            check_numbers(**{name: value})
            if math.isnan(value) or value < 0 or (math.isinf(value) and name not in ("max_distance", "max_risk")):
                raise InvalidInput(f"scenario {self.name!r}: {name} is {value}, expected a number that is not negative")
        if self.bodies is not None:
            bodies = check_fleet(self.bodies, self.num_agents, (self.world.height, self.world.width))
            object.__setattr__(self, "bodies", bodies)
            object.__setattr__(self, "radius", max(body.radius for body in bodies))
        for name in ("starts", "goals"):
            points = getattr(self, name)
            if points is not None:
                object.__setattr__(self, name, self._checked(name, points))
        if (self.starts is None) != (self.goals is None):
            raise InvalidInput(f"scenario {self.name!r}: give starts and goals, or neither")

    @property
    def radii(self) -> float | Float64:
        """Of all bodies in cells, or (A,) where they are stated one by one."""
        return self.radius if self.bodies is None else radii_of(self.bodies)

    def _checked(self, what: str, points: Float32) -> Float32:
        array = np.ascontiguousarray(as_numbers(points, what, np.float32))
        if array.shape != (self.num_agents, 2):
            raise InvalidInput(f"scenario {self.name!r}: {what} have shape {array.shape}, expected ({self.num_agents}, 2)")
        blocked = self.world.blocked(array)
        seen: dict[tuple[float, float], int] = {}
        for agent, (row, col) in enumerate(array.tolist()):
            where = f"scenario {self.name!r}: agent {agent}: the {what[:-1]} ({row:g}, {col:g})"
            if not (math.isfinite(row) and math.isfinite(col)):
                raise InvalidInput(f"{where} is not finite")
            if blocked[agent]:
                raise InvalidInput(f"{where} is inside an obstacle or outside the map, expected free space")
            if (row, col) in seen:
                raise InvalidInput(f"{where} is that of agent {seen[row, col]} too, expected distinct {what}")
            seen[row, col] = agent
        array.setflags(write=False)
        return array

    def save(self, path: str | Path) -> None:
        """Write a scenario file that holds everything, the map included; `read_scenario` gives the same scenario back."""
        write_text(path, scenario_toml(self))


def read_scenario(path: str | Path) -> Scenario:
    """Read a scenario file.

    Raises:
        FileAccessError: a file cannot be read.
        FileFormatError: not TOML, an unknown key, a value out of range; names file and line.
    """
    file = as_path(path)
    top = TomlTable.read(file)
    name = top.take_str("name", file.stem)
    description = top.take_str("description", "")
    world_table, hazard_table = top.take_table("world"), top.take_table("hazard")
    agents, limits = top.take_table("agents"), top.take_table("limits")
    top.finish(_TOP_KEYS)

    world = replace(_read_world(world_table, name), name=name)
    hazard = _read_hazard(hazard_table)
    if hazard is not None:
        world = replace(world, hazard=hazard)
    starts = agents.take_points("starts") if "starts" in agents else None
    goals = agents.take_points("goals") if "goals" in agents else None
    radius = agents.take_float("radius", 0.25)
    bodies = read_fleet(agents.take_tables("bodies"), radius) if "bodies" in agents else None
    count = agents.take_int("count", len(starts) if starts is not None else len(bodies) if bodies else 1)
    agents.finish(_AGENT_KEYS)
    steps = {key: limits.take_int(key, default) for key, default in (("max_steps", 300), ("episode_steps", 20))}
    tolerance = limits.take_float("goal_tolerance", 0.5)
    distance = limits.take_float("max_distance", 7.0, infinite=True)
    risk = limits.take_float("max_risk", 5.0, infinite=True)
    limits.finish(_LIMIT_KEYS)
    try:
        return Scenario(
            name,
            world,
            count,
            radius,
            tolerance,
            max_distance=distance,
            max_risk=risk,
            starts=None if starts is None else as_numbers(starts, "starts", np.float32),
            goals=None if goals is None else as_numbers(goals, "goals", np.float32),
            description=description,
            bodies=bodies,
            **steps,
        )
    except InvalidInput as error:
        raise agents.error(str(error)) from error


def _read_hazard(table: TomlTable) -> Hazard | None:
    if "kind" not in table and "radius" not in table:
        table.finish(("kind", "radius"))
        return None
    kind = table.take_str("kind")
    radius = table.take_float("radius", 0.0)
    table.finish(("kind", "radius"))
    for known in HAZARD_KINDS:
        if kind == known:
            try:
                return Hazard(known, radius)
            except InvalidInput as error:
                raise table.error(str(error), "radius") from error
    raise table.error(f"hazard.kind is {kind!r}, expected one of {', '.join(HAZARD_KINDS)}", "kind")


def _read_world(table: TomlTable, name: str) -> World:
    given = [source for source in _SOURCES if source in table]
    box = "height" in table and "width" in table
    if len(given) != 1 and not (box and not given):
        found = f"names {' and '.join(given)}" if given else "names no map"
        raise table.error(f"[world] {found}, expected exactly one of {', '.join(_SOURCES)}", given[1] if given else None)
    source = given[0] if given else "polygons"
    try:
        world = _read_polygons(table, name) if source == "polygons" else _read_grid(table, name, source)
    except NavplanError as error:
        if str(error).startswith(f"{table.path}:"):
            raise
        raise table.error(str(error), source) from error
    if "resolution" in table:
        resolution = table.take_float("resolution")
        if resolution == 0:
            raise table.error("world.resolution is 0, expected a positive number of metres", "resolution")
        world = replace(world, resolution=resolution)
    table.finish(_WORLD_KEYS)
    return world


def _read_grid(table: TomlTable, name: str, source: str) -> World:
    scale, thin = table.take_int("scale", 1), table.take_bool("thin", False)
    if source == "maze":
        return World.from_walls(name, maze_walls(table.take_str("maze"), scale, thin=thin))
    if source == "generator":
        seed = table.take_int("seed", 0, least=0)
        params = table.take_table("params")
        options = {}
        for key in list(params.keys()):
            value = params.take(key)
            if not is_number(value):
                raise params.error(f"{params.label(key)} is {value!r}, expected a number", key)
            options[key] = value
        return World.from_walls(name, resize_walls(generate(table.take_str("generator"), seed, **options), scale, thin=thin))
    if source == "rows":
        rows = table.take("rows")
        if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
            raise table.error("world.rows must be a list of strings", "rows")
        line = table.line("rows")
        one_a_line = line is not None and table.text.split("\n")[line - 1].rstrip().endswith("[")
        walls = parse_rows(rows, table.path, line + 1 if line is not None and one_a_line else line if len(rows) == 1 else None)
        return World.from_walls(name, resize_walls(walls, scale, thin=thin))
    file = table.take_str("map")
    if Path(file).suffix == ".toml":
        raise table.error(f"world.map is {file!r}, expected a map file, not another scenario", "map")
    world = read_map_file(table.path.parent / file)
    if world.walls is None:
        if scale != 1:
            raise table.error("world.scale goes with a grid map, not with polygons", "scale")
        return world
    return replace(
        World.from_walls(name, resize_walls(world.walls, scale, thin=thin)),
        hazard=world.hazard,
        resolution=world.resolution / scale,
    )


def _read_polygons(table: TomlTable, name: str) -> World:
    height, width = table.take_float("height"), table.take_float("width")
    polygons = []
    for item in table.take_tables("polygons") if "polygons" in table else []:
        outline = item.take_points("outline") if "outline" in item else None
        if outline is None:
            raise item.error("a polygon needs an outline, a list of [row, col] pairs")
        holes = item.take("holes") if "holes" in item else []
        rings = [as_points(hole) for hole in holes] if isinstance(holes, list) else [None]
        if any(ring is None for ring in rings):
            raise item.error(f"{item.label('holes')} must be a list of lists of [row, col] pairs", "holes")
        item.finish(("outline", "holes"))
        try:
            polygons.append(make_polygon(outline, [ring for ring in rings if ring is not None]))
        except InvalidInput as error:
            raise item.error(f"polygon {len(polygons)}: {error}") from error
    return World(name, None, height, width, tuple(polygons))


def scenario_toml(scenario: Scenario) -> str:
    """The scenario as the text of a self-contained file."""
    world = scenario.world
    lines = [f"name = {toml_value(scenario.name)}"]
    if scenario.description:
        lines.append(f"description = {toml_value(scenario.description)}")
    lines += ["", "[world]"]
    if world.resolution != 1.0:
        lines.append(f"resolution = {toml_value(float(world.resolution))}")
    if world.walls is not None:
        lines += ["rows = [", *(f'    "{row}",' for row in ascii_rows(world.walls)), "]"]
    else:
        lines += [f"height = {toml_value(float(world.height))}", f"width = {toml_value(float(world.width))}"]
        for polygon in world.polygons:
            lines += ["", "[[world.polygons]]  # vertices as [row, col]", f"outline = {_ring(polygon.exterior.coords)}"]
            if polygon.interiors:
                lines.append("holes = [" + ", ".join(_ring(ring.coords) for ring in polygon.interiors) + "]")
    lines += ["", "[hazard]", f"kind = {toml_value(world.hazard.kind)}", f"radius = {toml_value(float(world.hazard.radius))}"]
    lines += ["", "[agents]", f"count = {scenario.num_agents}", f"radius = {toml_value(float(scenario.radius))}"]
    for key, points in (("starts", scenario.starts), ("goals", scenario.goals)):
        if points is not None:
            lines.append(f"{key} = {toml_value(points.astype(float).tolist())}  # [row, col]")
    if scenario.bodies is not None:
        lines += fleet_toml(scenario.bodies)
    lines += ["", "[limits]", f"max_steps = {scenario.max_steps}", f"episode_steps = {scenario.episode_steps}"]
    lines += [f"{key} = {toml_value(float(getattr(scenario, key)))}" for key in ("goal_tolerance", "max_distance", "max_risk")]
    return "\n".join(lines) + "\n"


def _ring(coordinates: object) -> str:
    return toml_value(np.asarray(coordinates, dtype=np.float64)[:-1, :2].tolist())
