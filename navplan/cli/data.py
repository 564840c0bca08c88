"""`navplan data`: look at logs and say what is wrong with them; make some."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

from navplan.cli.options import (
    add_json_option,
    add_quiet_option,
    at_least_one,
    maze_name,
    output_file,
    report_stream,
    seed_number,
    two_columns,
)
from navplan.cli.parser import CommandParser
from navplan.system.progress import ProgressDisplay


def configure(parser: CommandParser) -> None:
    """Declare the subcommands."""
    actions = parser.add_subparsers(dest="action", metavar="COMMAND", required=True, title="commands")
    for name, declare, text in (
        ("inspect", _declare_inspect, "what is in logs, and the mistakes that logs have"),
        ("make", _declare_make, "logs of a driver in a maze"),
    ):
        actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", declare=declare)


def _declare_inspect(parser: CommandParser) -> None:
    text = ".npz files, or patterns such as 'logs/*.npz', that belong together: observations, actions, ends of trajectories"
    parser.add_argument("logs", nargs="+", metavar="LOGS", help=text)
    parser.add_argument("--cost", metavar="NAME", help="the array that holds the cost of each step (default costs)")
    text = "which two columns of observations are a place (default: nobody knows); lengths of steps are those of places then"
    parser.add_argument("--position", type=two_columns, metavar="I,J", help=text)
    add_json_option(parser)


def _declare_make(parser: CommandParser) -> None:
    text = "MAZE-LOGS: pointmaze-LAYOUT, carmaze-LAYOUT or scrambled-LAYOUT, then -navigate, -stitch or -mixed"
    parser.add_argument("name", type=maze_name, metavar="NAME", help=text)
    text = "how many steps at least; trajectories are whole (default 1000000)"
    parser.add_argument("--transitions", type=at_least_one, default=1_000_000, metavar="N", help=text)
    parser.add_argument("--seed", type=seed_number, default=0, metavar="S", help="of everything (default 0)")
    parser.add_argument("--out", type=output_file, required=True, metavar="FILE", help="the .npz file to write")
    add_json_option(parser)
    add_quiet_option(parser)


def run(args: argparse.Namespace) -> int:
    """Do one of the two; exit status 0."""
    actions: dict[str, Callable[[argparse.Namespace], str]] = {"inspect": _inspect, "make": _make}
    print(actions[args.action](args), file=report_stream(getattr(args, "out", None)))
    return 0


def _inspect(args: argparse.Namespace) -> str:
    from navplan.learned.datasets.columns import named_logs

    summary = named_logs(args.logs, position=args.position or (), cost=args.cost).summary()
    return json.dumps(summary.document()) if args.json else str(summary)


def _make(args: argparse.Namespace) -> str:
    from navplan.scenarios.environments.mazes import make_logs
    from navplan.system.files import check_writable, write_arrays

    check_writable(args.out)
    with ProgressDisplay(quiet=args.quiet) as progress:
        logs = make_logs(args.name, args.transitions, args.seed, progress=progress)
    write_arrays(args.out, logs)
    episodes = int(logs["terminals"].sum())
    facts = {"name": args.name, "seed": args.seed, "transitions": len(logs["actions"]) - episodes, "episodes": episodes}
    if args.json:
        return json.dumps({**facts, "out": str(args.out)})
    return f"{args.out}: {facts['transitions']} steps in {episodes} trajectories of {args.name}, seed {args.seed}"
