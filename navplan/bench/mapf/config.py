"""What a run of the suite plans: planners, maps, teams, limits; checked before anything is run."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from navplan.errors import InvalidInput
from navplan.planners import get
from navplan.planners.checks import check_time_limit
from navplan.planners.registry import usable
from navplan.planners.solving import configured
from navplan.system.memory import check_memory_limit

DEFAULT_AGENTS = (10, 20, 30, 40, 50, 60, 80, 100, 150, 200, 300, 400, 500, 750, 1000)
DEFAULT_LIMIT = 30.0
_SPEC = re.compile(r"(?P<name>[^:]+)(?P<options>(:[A-Za-z_]+=[^:=]+)*)\Z")
# Python's words for values, in JSON.
_WORDS = {"True": "true", "False": "false", "None": "null"}


@dataclass(frozen=True)
class Config:
    """What to run; see `navplan bench run mapf --help`.

    Raises:
        InvalidInput, UnknownName: a value out of range, a planner that is not registered or cannot plan for many agents.
    """

    maps: Path
    out: Path
    planners: tuple[str, ...] = ()
    """Names, with options as in ``eecbs:suboptimality=1.2``; empty for every planner for many agents."""
    agents: tuple[int, ...] = DEFAULT_AGENTS
    scens: tuple[int, ...] = ()
    """Numbers at the end of the scenario files' names; empty for all."""
    only: tuple[str, ...] = ()
    """Names of maps; empty for all."""
    time_limit: float = DEFAULT_LIMIT
    memory_limit: float | None = None
    seed: int = 0
    workers: int = 1
    fresh: bool = False
    keep_going: bool = False
    """Run larger teams after a failure too."""
    plans: bool = False
    """Keep every plan under OUT/plans."""
    work: tuple[tuple[str, str, int, float], ...] = field(default=())
    """(planner, map, agents, time limit) to run instead of the product of the above."""

    def __post_init__(self) -> None:
        check_time_limit("time_limit", self.time_limit)
        check_memory_limit("memory_limit", self.memory_limit)
        if self.workers < 1:
            raise InvalidInput(f"workers is {self.workers}, expected at least 1")
        if not self.planners:
            object.__setattr__(self, "planners", tuple(n for n in usable() if get(n).max_agents is None))
        for spec in self.planners:
            parse_planner(spec)


def parse_planner(spec: str) -> tuple[str, dict[str, Any]]:
    """Name and options of ``name:option=value:…``; the options are tried on the planner.

    Raises:
        InvalidInput: another form, or the planner refuses the options, or plans for one agent only.
        UnknownName: no such planner.

    Example:
        >>> parse_planner("ecbs:suboptimality=1.2")
        ('ecbs', {'suboptimality': 1.2})
    """
    match = _SPEC.match(spec)
    if match is None:
        raise InvalidInput(f"planner {spec!r}, expected NAME or NAME:OPTION=VALUE:…, such as ecbs:suboptimality=1.2")
    options: dict[str, Any] = {}
    for part in match["options"].split(":")[1:]:
        option, value = part.split("=")
        try:
            options[option] = json.loads(_WORDS.get(value, value))
        except (ValueError, RecursionError):
            options[option] = value
    planner = configured(match["name"], options)
    if planner.max_agents is not None:
        raise InvalidInput(f"planner {match['name']} plans for {planner.max_agents} agent, expected one for many")
    return match["name"], options
