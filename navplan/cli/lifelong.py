"""`navplan lifelong`: drive a fleet from goal to goal."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from navplan.cli.options import (
    add_json_option,
    add_problem_options,
    add_quiet_option,
    at_least_one,
    output_file,
    planner_name,
    report_stream,
    seconds,
)
from navplan.system.progress import ProgressDisplay


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_problem_options(parser, "MovingAI .scen file with the starts and the first goals")
    add = parser.add_argument
    add("--tasks", type=Path, metavar="FILE", help="goals in order: a count, then cells row * width + col, one task a line")
    add("--steps", type=at_least_one, default=1000, metavar="T", help="time steps to drive (default 1000)")
    add("--planner", type=planner_name, default="pibt", metavar="NAME", help="pibt (default), or one for many agents")
    add("--window", type=at_least_one, default=5, metavar="W", help="steps between plans, pibt aside (default 5)")
    add("--horizon", type=at_least_one, metavar="H", help="aim at most H steps ahead (default: at the goals)")
    add("--time-limit", type=seconds, metavar="S", help="wall seconds for one plan (default: none)")
    add(
        "--out",
        type=output_file,
        metavar="FILE",
        help="driven paths and tasks, as a plan file to validate and view; - for stdout",
    )
    add_json_option(parser)
    add_quiet_option(parser)


def run(args: argparse.Namespace) -> int:
    """Drive; exit status 0 done, 1 when the driven paths break a rule, 130 interrupted with the drive so far written."""
    from navplan.planners.lifelong.lifelong import lifelong, read_tasks
    from navplan.planners.lifelong.report import describe
    from navplan.scenarios.problems.load import load_problem
    from navplan.system.files import check_writable

    if args.out is not None:
        check_writable(args.out)
    asked = {name: getattr(args, name) for name in ("seed", "radius", "radius_m", "clearance")}
    problem = load_problem(args.map, args.scen, args.agents, **asked)
    stream = None if args.tasks is None else read_tasks(args.tasks, problem.graph)
    with ProgressDisplay(quiet=args.quiet) as progress:
        result = lifelong(
            problem,
            stream,
            args.steps,
            args.planner,
            window=args.window,
            horizon=args.horizon,
            time_limit=args.time_limit,
            seed=args.seed,
            progress=progress,
        )
    if args.out is not None:
        result.save(args.out)
    print(json.dumps(result.summary()) if args.json else describe(result), file=report_stream(args.out))
    if result.interrupted:
        return 130
    return 1 if result.violations else 0
