"""`navplan bench`: run a benchmark suite and print its figures beside the peer's."""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

from navplan.cli.options import (
    add_json_option,
    add_quiet_option,
    at_least_one,
    benchmark_name,
    names_list,
    not_negative,
    output_folder,
    planners_list,
    positive,
    seed_number,
    whole_numbers,
)
from navplan.system.progress import ProgressDisplay

if TYPE_CHECKING:
    from navplan.bench import Row

_MAPF_OPTIONS = ("only", "planners", "agents", "scens", "time_limit", "memory_limit", "seed", "workers")
_MAPF_FLAGS = ("targets", "keep_going", "fresh", "plans")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    add_json_option(commands.add_parser("list", help="the suites", description="The suites."))
    text = "Run one suite and print its figures beside the peer's, or its tables."
    run_parser = commands.add_parser("run", help="run one suite", description=text)
    run_parser.add_argument("suite", type=benchmark_name, metavar="SUITE", help="see navplan bench list")
    run_parser.add_argument(
        "--out", type=output_folder, metavar="DIR", help="folder for SUITE.json, or for what suite mapf writes"
    )
    run_parser.add_argument("--quick", action="store_true", help="small sizes, for a first look")
    add_json_option(run_parser)
    add_quiet_option(run_parser)
    _configure_mapf(run_parser.add_argument_group("suite mapf"))
    text = "Write the tables and plots of a finished mapf run again."
    report = commands.add_parser("report", help=text[0].lower() + text[1:-1], description=text)
    report.add_argument("folder", type=Path, metavar="DIR", help="folder that bench run mapf --out wrote, or its results.csv")
    report.add_argument("--readme", type=Path, metavar="FILE", help="put the table beside the peers' between FILE's markers")


def _configure_mapf(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--maps", type=Path, metavar="DIR", help="folder of .map and MAP-KIND-NUMBER.scen files")
    group.add_argument("--only", type=names_list, metavar="MAP,…", help="maps to use (default all)")
    group.add_argument(
        "--planners", type=planners_list, metavar="P,…", help="planners, as eecbs:suboptimality=1.2 (default all for many agents)"
    )
    group.add_argument("--agents", type=whole_numbers, metavar="N,…", help="team sizes (default 10 to 1000)")
    group.add_argument("--scens", type=whole_numbers, metavar="I,…", help="scenario numbers, as 1,3 or 1:4 (default all)")
    group.add_argument("--time-limit", type=not_negative, metavar="S", help="wall seconds for one plan (default 30)")
    group.add_argument("--memory-limit", type=positive, metavar="GB", help="gigabytes for one planning process (default none)")
    group.add_argument("--seed", type=seed_number, metavar="S", help="for the planners (default 0)")
    group.add_argument("--workers", type=at_least_one, metavar="N", help="plans at the same time (default 1, for fair times)")
    group.add_argument("--targets", action="store_true", help="the work of the peers' table in bench/README.md, and no other")
    group.add_argument("--keep-going", action="store_true", help="try larger teams after a failure too")
    group.add_argument("--fresh", action="store_true", help="run again what has been run before")
    group.add_argument("--plans", action="store_true", help="keep every plan under OUT/plans")


def run(args: argparse.Namespace) -> int:
    """List the suites, run one, or write a run's report again."""
    from navplan.bench import SUITES, run_suite
    from navplan.system.files import write_text

    if args.command == "report":
        return _report(args)
    if args.command == "run" and args.suite == "mapf" and args.maps is not None:
        return _mapf(args)
    if args.command == "run":
        _refuse_mapf_options(args)

    if args.command == "list":
        print(json.dumps(SUITES) if args.json else "\n".join(f"{name:<8} {text}" for name, text in SUITES.items()))
        return 0
    with ProgressDisplay(quiet=args.quiet) as progress:
        rows = run_suite(args.suite, quick=args.quick, progress=progress)
    document: dict[str, Any] = {"suite": args.suite, "quick": args.quick, "machine": _machine(), "rows": rows}
    if args.out:
        write_text(args.out / f"{args.suite}.json", json.dumps(document, indent=2) + "\n")
    print(json.dumps(document) if args.json else _table(rows))
    return 0


def _refuse_mapf_options(args: argparse.Namespace) -> None:
    """Options of the suite mapf say nothing to the others, nor without --maps."""
    from navplan.errors import InvalidInput

    for name in ("maps", *_MAPF_OPTIONS, *_MAPF_FLAGS):
        if getattr(args, name) not in (None, False):
            raise InvalidInput(f"--{name.replace('_', '-')} goes with suite mapf and --maps DIR")


def _mapf(args: argparse.Namespace) -> int:
    """Run planners on maps; exit status 130 on Ctrl-C, with the tables of what is done."""
    from navplan.bench.mapf.config import Config
    from navplan.bench.mapf.run import run_mapf
    from navplan.bench.mapf.targets import target_work
    from navplan.errors import InvalidInput

    if args.out is None:
        raise InvalidInput("suite mapf needs --out DIR for its results")
    given: dict[str, Any] = {
        name: getattr(args, name) for name in (*_MAPF_OPTIONS, *_MAPF_FLAGS) if getattr(args, name) is not None
    }
    if given.pop("targets"):
        mixed = [name for name in ("agents", "time_limit") if name in given]
        if mixed:
            raise InvalidInput(f"--targets says how many agents and seconds itself; leave --{mixed[0].replace('_', '-')} out")
        given["work"] = target_work(given.get("planners"), given.get("only"), 1 if args.quick else None)
        given.setdefault("scens", (1, 2, 3))
    elif args.quick:
        given = {"time_limit": 2.0, "scens": (1,), "agents": (10, 20, 40), **given}
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    with ProgressDisplay(quiet=args.quiet) as progress:
        outcome = run_mapf(Config(args.maps, args.out, **given), progress=progress)
    print(json.dumps(outcome.document()) if args.json else outcome.text())
    return 130 if outcome.interrupted else 0


def _report(args: argparse.Namespace) -> int:
    from navplan.bench.mapf.report import fill_readme
    from navplan.bench.mapf.results import read_csv
    from navplan.bench.mapf.run import merge

    table = args.folder
    if args.folder.is_dir():
        files = merge(args.folder)
        table = files[0]
        print("\n".join(str(path) for path in files))
    if args.readme is not None:
        fill_readme(args.readme, read_csv(table))
        print(args.readme)
    return 0


def _machine() -> dict[str, str]:
    from importlib.metadata import version

    packages = {name: version(name) for name in ("navplan", "numpy", "scipy", "numba")}
    return {"python": platform.python_version(), "system": platform.system(), "processor": platform.machine(), **packages}


def _table(rows: list[Row]) -> str:
    cells = [("figure", "value", "peer", "ratio", "note")]
    for row in rows:
        ratio = f"{row['ratio']:.2f}x" if row["ratio"] is not None else "-"
        cells.append((row["name"], f"{row['value']:,.4g} {row['unit']}", row["peer"] or "-", ratio, row["note"]))
    widths = [max(len(line[k]) for line in cells) for k in range(4)]
    return "\n".join("  ".join([*(line[k].ljust(widths[k]) for k in range(4)), line[4]]).rstrip() for line in cells)
