"""The bundled scenarios, by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from navplan.errors import FileAccessError, FileFormatError, InvalidInput, UnknownName
from navplan.scenarios.formats.map_file import MAP_SUFFIXES, YAML_SUFFIXES, read_map_file
from navplan.scenarios.scenario import Scenario, read_scenario
from navplan.scenarios.worlds.world import World
from navplan.system.paths import as_path, is_file

SCENARIO_FOLDER = Path(__file__).parent / "data" / "scenarios"


@cache
def scenario_names() -> tuple[str, ...]:
    """The names of all bundled scenarios, sorted."""
    return tuple(sorted(path.stem for path in SCENARIO_FOLDER.glob("*.toml")))


def scenario_path(name_or_path: str | Path) -> Path:
    """The file behind a bundled name, or the path itself when it looks like one (a suffix or a folder in it).

    Raises:
        UnknownName: a bare word that is no bundled scenario.
        FileAccessError: a path without a file.
    """
    path = as_path(name_or_path)
    if str(path) in scenario_names():
        return SCENARIO_FOLDER / f"{path}.toml"
    if not path.suffix and len(path.parts) <= 1 and not is_file(path):
        raise UnknownName("scenario", str(path), scenario_names())
    if not is_file(path):
        raise FileAccessError(f"{path}: cannot be read: no such scenario file")
    return path


def load_scenario(name_or_path: str | Path) -> Scenario:
    """A bundled scenario by name, or one read from a file; of a map file its world with one agent.

    Raises:
        UnknownName, FileAccessError, FileFormatError: as `scenario_path` and `read_scenario`.

    Example:
        >>> load_scenario("center-dot").world.walls.shape
        (15, 15)
    """
    path = scenario_path(name_or_path)
    found = scenario_in(path)
    if found is not None:
        return found
    if path.suffix.lower() not in MAP_SUFFIXES:
        return read_scenario(path)
    world = read_map_file(path)
    return Scenario(world.name, world, 1)


def scenario_in(path: Path) -> Scenario | None:
    """The scenario in a file that says something of agents: a scenario file, or a problem of libMultiRobotPlanning; else None.

    Raises:
        FileAccessError, FileFormatError: the file cannot be read or is malformed.
        MissingExtra: YAML without PyYAML.
    """
    suffix = path.suffix.lower()
    if suffix == ".toml":
        return read_scenario(path)
    if suffix not in YAML_SUFFIXES:
        return None
    from navplan.scenarios.formats.robot_planning import is_robot_planning, read_robot_planning

    if not is_robot_planning(path):
        return None
    walls, starts, goals = read_robot_planning(path)
    try:
        return Scenario(path.stem, World.from_walls(path.stem, walls), len(starts), starts=starts, goals=goals)
    except InvalidInput as error:
        raise FileFormatError(path, str(error)) from error
