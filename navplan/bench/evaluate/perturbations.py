"""Perturbations of a suite: what is otherwise in driving than it was in training, by name and level.

In a suite file::

    [[perturbations]]
    name = "localisation-noise"  # a name of `KINDS`
    levels = [0.05, 0.1]  # "none" has none
    agents = [5, 20]  # of the suite's numbers of agents only these
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from navplan.bench.evaluate.lists import number, take_list, whole
from navplan.control.disturbance import CALM, Disturbance
from navplan.errors import InvalidInput, UnknownName
from navplan.scenarios.formats.toml_table import TomlTable

if TYPE_CHECKING:
    from navplan.scenarios.scenario import Scenario

KINDS = {
    "none": "nothing goes wrong",
    "action-noise": "normal noise of that deviation (cells) on each axis of every move, cut at two deviations",
    "localisation-noise": "the same on each axis of every position that agents are told",
    "lost-moves": "moves are not made at all, each with that probability",
    "late": "moves come that many steps late",
    "moved-obstacle": "obstacles stand that many columns farther right than the map that graph and critics know",
    "goal-tolerance": "an agent has to come that near to its goal (cells)",
    "radius": "bodies of that radius (cells)",
    "all-four": "noise of moves and of positions of that deviation, twice that share of moves lost, moves one step late",
}
"""What each does, its level being "that"."""


@dataclass(frozen=True)
class Perturbation:
    """One perturbation.

    Attributes:
        name: of `KINDS`.
        level: how much; 0 for "none".
        agents: the numbers of agents that it is run with; empty: all of the suite.

    Raises:
        UnknownName, InvalidInput: no such kind, or a level that it cannot have.
    """

    name: str
    level: float
    agents: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in KINDS:
            raise UnknownName("perturbation", self.name, KINDS)
        if (self.level == 0) != (self.name == "none"):
            raise InvalidInput(f"perturbation {self.name} has level {self.level:g}, expected {self._wanted()}")
        if self.name in ("late", "moved-obstacle") and self.level != int(self.level):
            raise InvalidInput(f"perturbation {self.name} has level {self.level:g}, expected a whole number")
        _ = self.disturbance  # refuses what no disturbance can be

    def _wanted(self) -> str:
        return "0" if self.name == "none" else "a number above 0"

    @property
    def label(self) -> str:
        """Name and level."""
        return self.name if self.name == "none" else f"{self.name} {self.level:g}"

    @property
    def disturbance(self) -> Disturbance:
        """What goes wrong with moves and positions."""
        if self.name == "action-noise":
            return Disturbance(action_noise=self.level)
        if self.name == "localisation-noise":
            return Disturbance(localisation_noise=self.level)
        if self.name == "lost-moves":
            return Disturbance(lost_moves=self.level)
        if self.name == "late":
            return Disturbance(late=int(self.level))
        if self.name == "all-four":
            return Disturbance(self.level, self.level, 2.0 * self.level, late=1)
        return CALM

    @property
    def keeps_oracle(self) -> bool:
        """Whether the oracle's figures still say what is possible at best: not where obstacles stand elsewhere."""
        return self.name != "moved-obstacle"

    def driven(self, scenario: Scenario) -> Scenario:
        """The scenario that is driven where `scenario` is the one that graph and critics know."""
        from navplan.scenarios.worlds.moved import with_moved_obstacles

        if self.name == "moved-obstacle":
            return dataclasses.replace(scenario, world=with_moved_obstacles(scenario.world, int(self.level)))
        if self.name == "goal-tolerance":
            return dataclasses.replace(scenario, goal_tolerance=self.level)
        if self.name == "radius":
            return dataclasses.replace(scenario, radius=self.level)
        return scenario

    def noise(self, *names: str | int) -> np.random.Generator:
        """Source of what goes wrong in the run of these names; the same for all methods."""
        words = "/".join(map(str, ("navplan perturbation", self.name, f"{self.level:g}", *names)))
        return np.random.default_rng(int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big"))


NO_PERTURBATION = Perturbation("none", 0.0)


def read_perturbations(table: TomlTable) -> tuple[Perturbation, ...]:
    """The tables [[perturbations]] of a suite file, a perturbation for each level; empty where there are none.

    Raises:
        FileFormatError: an unknown key or name, a level that is not possible, or one perturbation twice.
    """
    found: list[Perturbation] = []
    for entry in table.take_tables("perturbations") if "perturbations" in table else []:
        name = entry.take_str("name")
        levels = (0.0,) if "levels" not in entry and name == "none" else take_list(entry, "levels", number)
        agents = take_list(entry, "agents", whole(1)) if "agents" in entry else ()
        entry.finish(("name", "levels", "agents"))
        try:
            found += [Perturbation(name, level, agents) for level in levels]
        except (UnknownName, InvalidInput) as error:
            raise entry.error(str(error)) from error
    if len({(one.name, one.level) for one in found}) < len(found):
        raise table.error("a perturbation is there twice, expected different ones", "perturbations")
    return tuple(found)


def part_of(known: tuple[Perturbation, ...], asked: Iterable[str] | None, suite: str) -> tuple[Perturbation, ...]:
    """The perturbations of the names asked for, None: all.

    Raises:
        InvalidInput: the suite has no perturbations.
        UnknownName: it does not have that one.
    """
    if asked is None:
        return known
    names = list(asked)
    if not known:
        raise InvalidInput(f"suite {suite} has no perturbations, got {', '.join(names)}")
    for name in names:
        if name not in {one.name for one in known}:
            raise UnknownName(f"perturbation of suite {suite}", name, dict.fromkeys(one.name for one in known))
    return tuple(one for one in known if one.name in names)
