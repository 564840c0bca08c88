"""Fleets of bodies as people state them: tables of a scenario file, words of a command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from navplan.errors import FileFormatError, InvalidInput
from navplan.scenarios.bodies.body import Body, check_body_kind, options_of, stated
from navplan.scenarios.formats.toml_table import TomlTable, toml_value
from navplan.system.arrays import Float64
from navplan.system.numbers import check_kind, check_whole

MOST_BODIES = 100_000


def check_fleet(bodies: object, agents: int | None, size: tuple[float, float]) -> tuple[Body, ...]:
    """The bodies, one for each of so many agents (None: of as many as they are), on a map of (height, width) cells.

    Raises:
        InvalidInput: something else, counts that do not add up, or a car that cannot turn on the map.
    """
    check_kind(bodies, (list, tuple), "bodies", "a sequence of Body, one for each agent")
    fleet: tuple[Any, ...] = tuple(bodies)  # type: ignore[arg-type]  # just checked
    for body in fleet:
        check_kind(body, Body, "a body", "a Body")
    if not fleet:
        raise InvalidInput("there are 0 bodies, expected at least one")
    if agents is not None:
        check_whole(num_agents=agents)
    if len(fleet) != (len(fleet) if agents is None else agents):
        raise InvalidInput(f"there are {len(fleet)} bodies for {agents} agents, expected one for each")
    half = 0.5 * min(size)
    for agent, body in enumerate(fleet):
        if body.min_turn_radius is not None and body.min_turn_radius > half:
            radius = f"min_turn_radius is {body.min_turn_radius:g}"
            raise InvalidInput(f"agent {agent}: {body.kind}: {radius}, expected at most {half:g}, half the map")
    return fleet


def parse_fleet(text: str, radius: float = 0.25) -> tuple[Body, ...]:
    """The bodies that ``KIND[:COUNT],…`` asks for, all of one radius.

    Raises:
        InvalidInput: a kind that there is not, a count that is none.

    Example:
        >>> [body.kind for body in parse_fleet("car:2,point")]
        ['car', 'car', 'point']
    """
    fleet: list[Body] = []
    for word in text.split(","):
        kind, colon, count = (part.strip() for part in word.partition(":"))
        kind = kind.replace("_", "-")
        check_body_kind(kind)
        if colon and not (re.fullmatch(r"[0-9]{1,6}", count) and 1 <= int(count) <= MOST_BODIES):
            raise InvalidInput(f"the number of bodies {word.strip()!r} is {count!r}, expected a whole number of at least 1")
        fleet += [Body(kind, radius)] * (int(count) if colon else 1)
    if len(fleet) > MOST_BODIES:
        raise InvalidInput(f"{len(fleet)} bodies are asked for, expected at most {MOST_BODIES}")
    return tuple(fleet)


def read_fleet(tables: Sequence[TomlTable], radius: float) -> tuple[Body, ...]:
    """The bodies of the tables ``[[agents.bodies]]``; `radius` is that of those that state none.

    Raises:
        FileFormatError: an unknown kind or key, a number out of range; names file and line.
    """
    fleet: list[Body] = []
    for table in tables:
        kind, count = table.take_str("kind"), table.take_int("count", 1)
        given: dict[str, float] = {"radius": radius}
        try:
            check_body_kind(kind)
            known = options_of(kind)
            given |= {key: table.take_float(key, least=-np.inf) for key in table.keys() if key in known}  # noqa: SIM118
            table.finish(("kind", "count", *known))
            body = Body(kind, **given)
        except FileFormatError:
            raise
        except InvalidInput as error:
            at = next((key for key in ("kind", *given) if re.search(rf"\b{key}\b is", str(error))), None)
            raise table.error(str(error), at) from error
        if len(fleet) + count > MOST_BODIES:
            raise table.error(f"{table.label('count')} is {count}, expected at most {MOST_BODIES} bodies together", "count")
        fleet += [body] * count
    return tuple(fleet)


def fleet_toml(fleet: Sequence[Body]) -> list[str]:
    """Lines of the tables that `read_fleet` reads."""
    lines: list[str] = []
    for row in grouped(fleet):
        lines += ["", "[[agents.bodies]]", *(f"{key} = {toml_value(value)}" for key, value in row.items())]
    return lines


def grouped(fleet: Sequence[Body]) -> list[dict[str, Any]]:
    """Runs of equal bodies: kind, count, and the numbers of each."""
    runs = [(body, len(list(run))) for body, run in groupby(fleet)]
    return [{"kind": body.kind, "count": count, **{k: v for k, v in stated(body).items() if k != "kind"}} for body, count in runs]


def radii_of(fleet: Sequence[Body]) -> Float64:
    """(A,) float64 cells."""
    return np.array([body.radius for body in fleet], np.float64)
