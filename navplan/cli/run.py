"""`navplan run`: close the loop in one scenario with one method, and record what happened."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from navplan.cli.options import (
    add_body_options,
    add_json_option,
    add_low_level_options,
    add_quiet_option,
    asked_low_level,
    asked_scenario,
    at_least_one,
    checkpoint_name,
    method_name,
    not_negative,
    output_folder,
    planner_name,
    ratio,
    scenario_name,
    seed_number,
)
from navplan.system.progress import ProgressDisplay


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("scenario", type=scenario_name, metavar="SCENARIO", help="bundled scenario or scenario file")
    text = "navplan (default), constrained-search, sorb, constrained-policy or policy; with +filter, searches with +synchronised"
    add("--method", type=method_name, default="navplan", metavar="NAME", help=text)
    add("--checkpoint", type=checkpoint_name, required=True, metavar="RUN", help="run directory or bundled name")
    add("--out", type=output_folder, metavar="DIR", help="folder for summary.json, plan.json and trajectory.npz")
    add("--seed", type=seed_number, default=0, metavar="S", help="of the problem, the nodes and the planner (default 0)")
    add("--agents", type=at_least_one, metavar="N", help="number of agents (default: the scenario's)")
    add(
        "--environment",
        metavar="NAME",
        help="point (default; embodied with --bodies), or one that another distribution registers",
    )
    add_low_level_options(parser)
    add_body_options(parser)
    text = "for many agents, see navplan planners (default: the method's, ecbs for navplan)"
    add("--planner", type=planner_name, metavar="NAME", help=text)
    add("--suboptimality", type=ratio, default=1.1, metavar="W", help="bound of a bounded planner (default 1.1)")
    add("--risk-aversion", type=not_negative, metavar="B", help="weight beta of risk against distance (default 4)")
    text = "prune edges of this risk or more (default: the scenario's)"
    add("--max-risk", type=not_negative, metavar="R", help=text)
    add_json_option(parser, "the summary as one JSON document")
    add_quiet_option(parser)


def run(args: argparse.Namespace) -> int:
    """Navigate; exit status 0 only for full success."""
    from navplan.learned.training.load import load_checkpoint
    from navplan.navigation.files import write_run, written_when_interrupted
    from navplan.navigation.methods import method_named
    from navplan.navigation.navigate import navigate
    from navplan.navigation.report import describe
    from navplan.planners import get
    from navplan.scenarios.problems.hard import starts_and_goals
    from navplan.system.files import check_writable

    began = time.perf_counter()
    method = method_named(args.method)
    if args.planner is not None:
        get(args.planner)  # a wrong name is said before work is done
    if args.out is not None:
        check_writable(args.out, folder=True)
    changes: dict[str, Any] = {
        name: getattr(args, name) for name in ("method", "environment", "planner", "suboptimality", "seed", "max_risk")
    }
    changes["low_level"] = asked_low_level(args)
    if args.risk_aversion is not None:
        changes["beta"] = args.risk_aversion
    scenario = asked_scenario(args.scenario, args)
    critics = load_checkpoint(args.checkpoint, stage=2 if method.constrained else 1)
    with ProgressDisplay(quiet=args.quiet) as progress, written_when_interrupted(args.out):
        if critics.scenario != scenario.name:
            progress.warn(f"note: {args.checkpoint} was trained on {critics.scenario}, not on {scenario.name}")
        starts, goals = starts_and_goals(scenario, args.agents, args.seed)
        result = navigate(scenario, critics, starts, goals, progress=progress, **changes)
        summary = {**result.summary(), "checkpoint": args.checkpoint, "total_s": round(time.perf_counter() - began, 3)}
        if args.out is not None:
            write_run(args.out, result, summary)
            progress.stage(f"wrote {args.out}/")
    print(json.dumps(summary) if args.json else describe(summary))
    return 0 if result.success else 1
