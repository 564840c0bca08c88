"""What there is to say of a scenario or a map, as fields and as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from navplan.scenarios.bodies.fleet import grouped
from navplan.scenarios.maps import find_map, load_map
from navplan.scenarios.scenario import Scenario, read_scenario
from navplan.scenarios.worlds.cells import occupied_cells
from navplan.scenarios.worlds.mazes import ascii_rows
from navplan.scenarios.worlds.world import World

_OF_A_MAP = ("name", "kind", "height", "width", "free_cells", "polygons", "resolution", "hazard")


def scenario_facts(scenario: Scenario) -> dict[str, Any]:
    """Plain fields for JSON; infinity becomes None, for JSON has no word for it."""
    world = scenario.world
    return {
        "name": scenario.name,
        "description": scenario.description,
        "kind": "grid" if world.walls is not None else "polygons",
        "height": world.height,
        "width": world.width,
        "free_cells": int((~world.walls).sum()) if world.walls is not None else None,
        "polygons": len(world.polygons) or None,
        "resolution": world.resolution,
        "hazard": {"kind": world.hazard.kind, "radius": world.hazard.radius},
        "agents": scenario.num_agents,
        "radius": scenario.radius,
        "bodies": None if scenario.bodies is None else grouped(scenario.bodies),
        "goal_tolerance": scenario.goal_tolerance,
        "max_steps": scenario.max_steps,
        "episode_steps": scenario.episode_steps,
        "max_distance": scenario.max_distance if math.isfinite(scenario.max_distance) else None,
        "max_risk": scenario.max_risk if math.isfinite(scenario.max_risk) else None,
        "starts_and_goals": "given" if scenario.starts is not None else "drawn",
    }


def facts_of(name_or_path: str | Path) -> tuple[dict[str, Any], World]:
    """The fields of a scenario, or those of a map that is none, and the world.

    Raises:
        UnknownName, FileAccessError, FileFormatError: as `navplan.scenarios.load.load_map`.
    """
    path = find_map(name_or_path)
    if path.suffix.lower() == ".toml":
        scenario = read_scenario(path)
        return scenario_facts(scenario), scenario.world
    world = load_map(path)
    facts = scenario_facts(Scenario(world.name, world, 1))
    return {key: facts[key] for key in _OF_A_MAP}, world


def drawing(world: World) -> list[str]:
    """The map as text rows, `#` wall and `.` free; of a world of polygons the cells that one touches."""
    return ascii_rows(occupied_cells(world))


def facts_text(facts: Mapping[str, Any], world: World) -> str:
    """The map and a line for each field that says something."""
    lines = drawing(world)
    if world.walls is None:
        lines.append("(# = a cell that a polygon touches)")
    for key, value in facts.items():
        if key == "bodies":
            lines += [f"body: {_body(row)}" for row in value or ()]
            continue
        text = " ".join(_word(part) for part in value.values()) if isinstance(value, dict) else _word(value)
        if text:
            lines.append(f"{key}: {text}")
    return "\n".join(lines)


def facts_table(rows: list[dict[str, Any]]) -> str:
    """One line for each scenario."""
    lines = [f"{'name':<20} {'size':>9} {'hazard':>12} {'agents':>6}  description"]
    for row in rows:
        size = f"{row['height']:g} x {row['width']:g}"
        hazard = f"{row['hazard']['kind']} {row['hazard']['radius']:g}"
        lines.append(f"{row['name']:<20} {size:>9} {hazard:>12} {row['agents']:>6}  {row['description']}")
    return "\n".join(lines)


def _body(row: Mapping[str, Any]) -> str:
    numbers = ", ".join(f"{key} {value:g}" for key, value in row.items() if key not in ("kind", "count"))
    return f"{row['count']} x {row['kind']}, {numbers}"


def _word(value: object) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
