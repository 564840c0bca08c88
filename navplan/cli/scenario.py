"""`navplan scenario`: bundled scenarios, generators, file formats."""

from __future__ import annotations

import argparse
import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path

from navplan.cli.options import (
    add_json_option,
    add_quiet_option,
    at_least_one,
    hyphenated,
    output_file,
    report_stream,
    scenario_name,
    seed_number,
)
from navplan.cli.parser import CommandParser
from navplan.system.progress import ProgressDisplay


def configure(parser: CommandParser) -> None:
    """Declare the subcommands."""
    actions = parser.add_subparsers(dest="action", metavar="COMMAND", required=True, title="commands")
    for name, declare, text in (
        ("list", add_json_option, "the bundled scenarios"),
        ("show", _declare_show, "draw a scenario or map as text, with facts"),
        ("make", _declare_make, "a generated map"),
        ("convert", _declare_convert, "from one format to another"),
        ("problems", _declare_problems, "draw a suite's problem set, with what is possible on each problem"),
    ):
        actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", declare=declare)


def _declare_show(parser: CommandParser) -> None:
    text = "bundled scenario, or a .toml, .map, .yaml or .geojson file"
    parser.add_argument("name", type=scenario_name, metavar="NAME", help=text)
    add_json_option(parser)


def _declare_make(parser: CommandParser) -> None:
    """A generator's options are its function's parameters."""
    from navplan.scenarios.worlds.generators import GENERATORS, parameters

    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True, title="kinds")
    for kind, generator in GENERATORS.items():
        about, explained = _documented(generator)
        one = kinds.add_parser(kind, help=about, description=about)
        for name, default in parameters(kind).items():
            flag, text = f"--{name.replace('_', '-')}", f"{explained.get(name, name)} (default {default})"
            one.add_argument(flag, dest=f"param_{name}", metavar="N", type=type(default), default=default, help=text)
        text = "the same seed gives the same map everywhere (default 0)"
        one.add_argument("--seed", type=seed_number, default=0, metavar="S", help=text)
        text = "file to write: .map, .toml or .yaml; without it the .map text goes to stdout"
        one.add_argument("--out", type=map_output, metavar="FILE", help=text)
        add_json_option(one, "one JSON document with the map and its facts")


def map_output(text: str) -> Path | None:
    """A file to write; ``-`` is standard output, where the map's text goes without a file too."""
    return None if text == "-" else Path(text)


def _documented(function: Callable[..., object]) -> tuple[str, dict[str, str]]:
    """The first line of a function's docstring, and what it says of each argument."""
    lines = (inspect.getdoc(function) or "").replace("`", "").replace("%", "%%").splitlines()
    found = [match for line in lines if (match := re.fullmatch(r"    ([\w, ]+): (.+?)[.]?", line))]
    return "".join(lines[:1]), {name: match[2] for match in found for name in match[1].split(", ")}


def _declare_convert(parser: CommandParser) -> None:
    from navplan.scenarios.convert import OUTPUTS

    add = parser.add_argument
    parser.description = f"From one format to another; OUT may end in {OUTPUTS}."
    text = "bundled scenario, .toml, .map, .yaml, .geojson or .npz; logs, also a pattern: 'logs/*.npz'"
    add("source", type=scenario_name, metavar="IN", help=text)
    add("target", metavar="OUT", type=Path, help="file to write; its ending says the format")
    add("--image", type=hyphenated, choices=("pgm", "png"), default="pgm", help="beside a .yaml file (default pgm)")
    text = "what the unknown cells of a ROS map count as (default blocked)"
    add("--unknown", type=hyphenated, choices=("blocked", "free"), default="blocked", help=text)
    add("--cells", action="store_true", help="lay a grid over polygons: every cell that one touches is a wall")
    text = "for .scen: how many starts and goals to draw where IN has none"
    add("--agents", type=at_least_one, metavar="N", help=text)
    add("--seed", type=seed_number, default=0, metavar="S", help="for drawing them (default 0)")
    add_json_option(parser)


def _declare_problems(parser: CommandParser) -> None:
    add = parser.add_argument
    add("suite", type=hyphenated, metavar="SUITE", help="paper-2d, long-horizon or robust")
    text = "tuning or test: 10 or 50 problems a cell (default test)"
    add("--split", type=hyphenated, default="test", metavar="NAME", help=text)
    add("--out", type=output_file, required=True, metavar="FILE", help="file to write, - for stdout")
    add("--no-oracle", action="store_true", help="leave the oracle's columns empty, which is much faster")
    add_json_option(parser)
    add_quiet_option(parser)


def run(args: argparse.Namespace) -> int:
    """Do one of the five; exit status 0."""
    actions = {"list": _list, "show": _show, "make": _make, "convert": _convert, "problems": _problems}
    print(actions[args.action](args), file=report_stream(getattr(args, "out", None)))
    return 0


def _list(args: argparse.Namespace) -> str:
    from navplan.scenarios.facts import facts_table, scenario_facts
    from navplan.scenarios.registry import load_scenario, scenario_names

    facts = [scenario_facts(load_scenario(name)) for name in scenario_names()]
    return json.dumps(facts) if args.json else facts_table(facts)


def _show(args: argparse.Namespace) -> str:
    from navplan.scenarios.facts import drawing, facts_of, facts_text

    facts, world = facts_of(args.name)
    return json.dumps({**facts, "rows": drawing(world)}) if args.json else facts_text(facts, world)


def _make(args: argparse.Namespace) -> str:
    from navplan.scenarios.convert import write_scenario
    from navplan.scenarios.facts import drawing
    from navplan.scenarios.formats.movingai import map_text
    from navplan.scenarios.scenario import Scenario
    from navplan.scenarios.worlds.generators import generate
    from navplan.scenarios.worlds.world import World

    options = {name.removeprefix("param_"): value for name, value in vars(args).items() if name.startswith("param_")}
    walls = generate(args.kind, args.seed, **options)
    world = World.from_walls(args.out.stem if args.out else args.kind, walls)
    if args.out:
        write_scenario(Scenario(world.name, world, 1), args.out)
    size = {"height": walls.shape[0], "width": walls.shape[1], "free_cells": int((~walls).sum())}
    if args.json:
        facts = {"kind": args.kind, "seed": args.seed, "params": options, "out": str(args.out) if args.out else None}
        return json.dumps({**facts, **size, "rows": drawing(world)})
    if args.out:
        return f"{args.out}: {args.kind}, {size['height']} x {size['width']}, {size['free_cells']} free cells"
    return map_text(walls).decode("ascii").removesuffix("\n")


def _convert(args: argparse.Namespace) -> str:
    from navplan.learned.datasets.dataset import are_logs
    from navplan.scenarios.convert import convert

    if are_logs(args.source):
        return _convert_logs(args)
    how = {name: getattr(args, name) for name in ("image", "unknown", "cells", "agents", "seed")}
    convert(args.source, args.target, **how)
    if args.json:
        return json.dumps({"in": str(args.source), "out": str(args.target)})
    return f"{args.target}: written from {args.source}"


def _convert_logs(args: argparse.Namespace) -> str:
    """Logs of any convention, one file or more, as one file of OGBench's."""
    from navplan.errors import InvalidInput
    from navplan.learned.datasets.dataset import Dataset

    if args.target.suffix.lower() != ".npz":
        raise InvalidInput(f"{args.target}: logs go to .npz, not to {args.target.suffix!r}")
    data = Dataset.load(args.source)
    data.save(args.target)
    facts = {"transitions": data.num_transitions, "episodes": data.num_episodes, "convention": data.convention}
    if args.json:
        return json.dumps({"in": str(args.source), "out": str(args.target), **facts})
    count = f"{data.num_transitions} steps in {data.num_episodes} trajectories"
    return f"{args.target}: {count} written from {args.source}; ends of trajectories there: {data.convention}"


def _problems(args: argparse.Namespace) -> str:
    from navplan.scenarios.problems.sets import problem_sets_text
    from navplan.scenarios.problems.suites import build_problem_sets
    from navplan.system.files import check_writable, write_text

    check_writable(args.out)
    sets = []
    with ProgressDisplay(quiet=args.quiet) as progress:
        progress.stage(f"drawing the problems of {args.suite}, {args.split}")
        for cell in build_problem_sets(args.suite, args.split, with_oracle=not args.no_oracle):
            sets.append(cell)
            progress.stage(f"{cell.map}, {cell.difficulty}, {cell.agents} agents: {len(cell.starts)} problems")
    write_text(args.out, problem_sets_text(sets))
    facts = {"suite": args.suite, "split": args.split, "cells": len(sets), "problems": sum(len(cell.starts) for cell in sets)}
    if args.json:
        return json.dumps({**facts, "out": str(args.out)})
    return f"{args.out}: {facts['problems']} problems in {facts['cells']} cells of {args.suite}, {args.split}"
