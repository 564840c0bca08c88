"""The bundled scenarios, by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from navplan.errors import FileAccessError, UnknownName
from navplan.scenarios.formats.map_file import MAP_SUFFIXES, read_map_file
from navplan.scenarios.scenario import Scenario, read_scenario
from navplan.system.paths import as_path

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
    if not path.suffix and len(path.parts) <= 1 and not path.is_file():
        raise UnknownName("scenario", str(path), scenario_names())
    if not path.is_file():
        raise FileAccessError(f"{path}: cannot be read: no such scenario file")
    return path


def load_scenario(name_or_path: str | Path) -> Scenario:
    """A bundled scenario by name, or one read from a TOML file; of a map file its world with one agent.

    Raises:
        UnknownName, FileAccessError, FileFormatError: as `scenario_path` and `read_scenario`.

    Example:
        >>> load_scenario("center-dot").world.walls.shape
        (15, 15)
    """
    path = scenario_path(name_or_path)
    if path.suffix.lower() not in MAP_SUFFIXES:
        return read_scenario(path)
    world = read_map_file(path)
    return Scenario(world.name, world, 1)
