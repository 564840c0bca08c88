"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import argparse
import dataclasses
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from navplan.errors import InvalidInput
from navplan.system.paths import exists

if TYPE_CHECKING:
    from navplan.scenarios.scenario import Scenario

_MANY = 100_000
STANDARD_OUTPUT = Path("/dev/stdout")


def add_json_option(parser: argparse.ArgumentParser, what: str = "one JSON document") -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help=f"print {what}")


def add_quiet_option(parser: argparse.ArgumentParser) -> None:
    """``--quiet``, for `ProgressDisplay`."""
    parser.add_argument("--quiet", action="store_true", help="say nothing of progress")


def add_problem_options(parser: argparse.ArgumentParser, scen: str, *, several: bool = False) -> None:
    """What `navplan.scenarios.load.load_problem` takes.

    Args:
        scen: what the help says of ``--scen``.
        several: it takes more than one file.
    """
    parser.add_argument(
        "--map", required=True, type=scenario_name, metavar="FILE", help="map, scenario, saved state graph, or a scenario's name"
    )
    many: dict[str, Any] = {"nargs": "+", "default": []} if several else {}
    parser.add_argument("--scen", type=Path, metavar="FILE", help=scen, **many)
    parser.add_argument("--agents", type=at_least_one, metavar="N", help="how many (default: as many as the scenario says)")
    parser.add_argument("--seed", type=seed_number, default=0, metavar="S", help="for drawing and for the planner (default 0)")
    add_radius_options(parser)
    parser.add_argument(
        "--clearance",
        type=not_negative,
        metavar="D",
        help="least distance of centres (default: 2 * radius; 0 on grids that ensure it)",
    )


def add_radius_options(parser: argparse.ArgumentParser) -> None:
    """``--radius`` and ``--radius-m``: the size of bodies in cells or in metres; one number, or one for each agent."""
    text = "of a body, in cells; R,R,… gives one to each agent (default: the scenario's, or 0.25)"
    parser.add_argument("--radius", type=radius_numbers, metavar="R", help=text)
    text = "the same in metres, on a map that says how large its cells are (a ROS map)"
    parser.add_argument("--radius-m", type=radius_numbers, metavar="R", help=text)


def add_body_options(parser: argparse.ArgumentParser) -> None:
    """``--bodies``, and ``--radius`` and ``--radius-m`` where all are of one size; `asked_scenario` reads them."""
    text = "what agents are: point, unicycle, car, double-integrator, quad (default: the scenario's, or points)"
    parser.add_argument("--bodies", metavar="KIND[:N],…", help=text)
    text = "of every body, in cells (default: the scenario's); critics know bodies as they were trained with"
    parser.add_argument("--radius", type=not_negative, metavar="R", help=text)
    text = "the same in metres, on a map that says how large its cells are (a ROS map)"
    parser.add_argument("--radius-m", type=not_negative, metavar="R", help=text)


def asked_scenario(name: str, args: argparse.Namespace) -> Scenario:
    """The scenario of this name, its bodies as the options of `add_body_options` ask for.

    Raises:
        InvalidInput: both options for the radius, metres on a map that says nothing of them, bodies that there are not, or
            another number of them than agents.
        As `load_scenario`.
    """
    from navplan.scenarios.bodies.fleet import parse_fleet
    from navplan.scenarios.maps import metres_per_cell
    from navplan.scenarios.registry import load_scenario

    scenario, radius, agents = load_scenario(name), args.radius, args.agents
    if args.radius_m is not None:
        if radius is not None:
            raise InvalidInput("--radius and --radius-m are both given, expected one of them")
        radius = args.radius_m / metres_per_cell(name)
    if args.bodies is not None:
        fleet = parse_fleet(args.bodies, scenario.radius if radius is None else radius)
        if agents is not None and agents != len(fleet):
            raise InvalidInput(f"--bodies {args.bodies} are {len(fleet)}, but --agents is {agents}: expected the same number")
        placed: dict[str, Any] = {} if len(fleet) == scenario.num_agents else {"starts": None, "goals": None}
        return dataclasses.replace(scenario, num_agents=len(fleet), bodies=fleet, **placed)
    if scenario.bodies is None:
        return scenario if radius is None else dataclasses.replace(scenario, radius=radius)
    if agents is not None and agents != len(scenario.bodies):
        raise InvalidInput(f"scenario {name!r} has {len(scenario.bodies)} bodies, but --agents is {agents}: expected that many")
    if radius is None:
        return scenario
    resized = tuple(dataclasses.replace(body, radius=radius) for body in scenario.bodies)
    return dataclasses.replace(scenario, bodies=resized)


def add_set_option(parser: argparse.ArgumentParser, example: str) -> None:
    """``--set SLOT=NAME[:option=value,…]``, which may be given several times; the texts come as they are.

    Args:
        example: what the help shows.
    """
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="choices",
        metavar="SLOT=NAME[:option=value,…]",
        help=f"what fills a learned slot, such as {example}; may be repeated",
    )


def add_low_level_options(parser: argparse.ArgumentParser) -> None:
    """Who drives: ``--low-level NAME``, or ``--set policy=NAME``; `asked_low_level` reads them."""
    text = "who drives, see navplan modules (default policy); as --set policy=NAME"
    parser.add_argument("--low-level", type=low_level_name, metavar="NAME", help=text)
    add_set_option(parser, "policy=behaviour-cloning")


def asked_low_level(args: argparse.Namespace) -> str:
    """The low level that the options of `add_low_level_options` ask for.

    Raises:
        InvalidInput: it is asked for twice, not as SLOT=NAME, or with options, which low levels do not have.
        UnknownName: another slot than policy.
    """
    from navplan.learned.choices import parse_choices

    asked = [] if args.low_level is None else [args.low_level]
    for slot, table in parse_choices(args.choices).items():
        if slot != "policy":
            raise InvalidInput(f"--set {slot}: a finished run has no such slot to fill, expected policy=NAME")
        if len(table) > 1:
            raise InvalidInput(f"--set policy={table['use']}: what drives has no options, expected policy=NAME")
        asked.append(low_level_name(table["use"]))
    if len(set(asked)) > 1:
        raise InvalidInput(f"low levels {' and '.join(dict.fromkeys(asked))} are asked for, expected one")
    return asked[0] if asked else "policy"


class ListOption(argparse.Action):
    """A list; several words side by side, and the option once more, add to it. Its type gives a list for a word."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option_string: str | None = None
    ) -> None:
        """Add what the words hold, each thing once."""
        before = getattr(namespace, self.dest) or []
        setattr(namespace, self.dest, list(dict.fromkeys([*before, *(value for word in values for value in word)])))


@dataclass(frozen=True)
class RegisteredName:
    """The type of a name that is looked up in a registry: `_` is taken for `-`, unless it is registered with `_`.

    Attributes:
        known: the registered names; asked only when a name has `_` in it, for what it has to import.
        path: the path of a file or folder may stand instead.
    """

    known: Callable[[], Sequence[str]]
    path: bool = False

    def __call__(self, text: str) -> str:
        """The name as it is registered; another is left for the registry to refuse."""
        if "_" not in text or (self.path and _looks_like_path(text)) or text in self.known():
            return text
        return text.replace("_", "-")


def _looks_like_path(text: str) -> bool:
    return "/" in text or bool(Path(text).suffix) or exists(text)


def _planners() -> Sequence[str]:
    from navplan.planners import names

    return names()


def _scenarios() -> Sequence[str]:
    from navplan.scenarios.registry import scenario_names

    return scenario_names()


def _checkpoints() -> Sequence[str]:
    from navplan.learned.training.load import bundled_checkpoints

    return bundled_checkpoints()


def _methods() -> Sequence[str]:
    from navplan.navigation.methods import method_names

    return method_names()


def _low_levels() -> Sequence[str]:
    from navplan.control.registry import listed

    return [entry.name for entry in listed()]


def _suites() -> Sequence[str]:
    from navplan.bench.evaluate.suite import suite_names
    from navplan.bench.mazes.rungs import SUITE

    return sorted([*suite_names(), SUITE])


def _benchmarks() -> Sequence[str]:
    from navplan.bench import SUITES

    return list(SUITES)


def _mazes() -> Sequence[str]:
    from navplan.scenarios.environments.mazes import MAZES

    return list(MAZES)


planner_name = RegisteredName(_planners)
scenario_name = RegisteredName(_scenarios, path=True)
checkpoint_name = RegisteredName(_checkpoints, path=True)
method_name = RegisteredName(_methods)
low_level_name = RegisteredName(_low_levels)
suite_name = RegisteredName(_suites, path=True)
benchmark_name = RegisteredName(_benchmarks)
maze_name = RegisteredName(_mazes)


def seconds(text: str) -> float:
    """A number that is not negative; ``inf`` for no limit."""
    return math.inf if text.strip().lower() in ("inf", "infinity") else not_negative(text)


def output_file(text: str) -> Path:
    """A file to write; ``-`` is standard output."""
    return STANDARD_OUTPUT if text == "-" else Path(text)


def output_folder(text: str) -> Path:
    """A folder to write files into."""
    if text == "-":
        raise argparse.ArgumentTypeError("is '-', but standard output holds no folder of files, expected the name of one")
    return Path(text)


def report_stream(out: Path | None) -> TextIO:
    """Where a command says what came out: on stderr when the file that it writes is standard output."""
    return sys.stderr if out == STANDARD_OUTPUT else sys.stdout


def hyphenated(text: str) -> str:
    """The type of a word out of a few: `_` is taken for `-`."""
    return text.replace("_", "-")


def at_least_one(text: str) -> int:
    """A whole number from 1."""
    return _whole(text, 1)


def seed_number(text: str) -> int:
    """A whole number from 0."""
    return _whole(text, 0)


def not_negative(text: str) -> float:
    """A finite number that is not negative."""
    return _number(text, 0, "that is not negative")


def radius_numbers(text: str) -> float | list[float]:
    """A finite number that is not negative, or several separated by commas."""
    radii = [not_negative(part) for part in text.split(",")]
    return radii[0] if len(radii) == 1 else radii


def columns(text: str) -> tuple[int, ...]:
    """Different columns, numbered from 0, in the order given: ``0,1,4``."""
    found = tuple(_whole(part, 0) for part in text.split(","))
    if len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"is {text!r}, expected the numbers of different columns")
    return found


def two_columns(text: str) -> tuple[int, ...]:
    """Two different columns, numbered from 0: ``0,1``."""
    found = columns(text)
    if len(found) != 2:
        raise argparse.ArgumentTypeError(f"is {text!r}, expected the numbers of two columns, 0,1")
    return found


def logs_list(text: str) -> list[str]:
    """The name of a file of logs, or a pattern, as it is: commas belong to it."""
    return [text]


def ratio(text: str) -> float:
    """A finite number from 1."""
    return _number(text, 1, "of at least 1")


def positive(text: str) -> float:
    """A finite number above 0."""
    value = _number(text, 0, "above 0")
    if value == 0:
        raise argparse.ArgumentTypeError(f"is {text!r}, expected a number above 0")
    return value


def whole_numbers(text: str) -> list[int]:
    """Whole numbers from 1, ascending: ``10,20,50``, and ``2:5`` for 2, 3 and 4."""
    return _numbers(text, 1)


def seed_numbers(text: str) -> list[int]:
    """Whole numbers from 0, ascending: ``0,3``, and ``0:5`` for 0 to 4."""
    return _numbers(text, 0)


def names_list(text: str) -> list[str]:
    """Names separated by commas."""
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise argparse.ArgumentTypeError(f"is {text!r}, expected names separated by commas")
    return list(dict.fromkeys(parts))


def planners_list(text: str) -> list[str]:
    """Planners separated by commas, each with options behind colons or without."""
    specs = (spec.partition(":") for spec in names_list(text))
    return [planner_name(name) + colon + options for name, colon, options in specs]


def methods_list(text: str) -> list[str]:
    """Methods separated by commas, each with a setting behind a slash or without."""
    specs = (spec.partition("/") for spec in names_list(text))
    return [method_name(name) + slash + setting for name, slash, setting in specs]


def checkpoints_list(text: str) -> list[str]:
    """Run directories or bundled names separated by commas; a folder whose name holds a comma is one."""
    return [text] if exists(text) else [checkpoint_name(name) for name in names_list(text)]


def _numbers(text: str, least: int) -> list[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, colon, stop = part.partition(":")
        low = _whole(first, least)
        high = _whole(stop, low + 1) if colon else low + 1
        if high - low > _MANY:
            raise argparse.ArgumentTypeError(f"is {part!r}, expected at most {_MANY} numbers")
        found.update(range(low, high))
    return sorted(found)


def _number(text: str, least: float, wanted: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= least):
        raise argparse.ArgumentTypeError(f"is {text!r}, expected a number {wanted}")
    return value


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"is {text!r}, expected a whole number of at least {least}")
    return value
