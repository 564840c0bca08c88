"""`navplan evaluate`: score methods over a fixed problem set; tables, report and figures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from navplan.cli.options import (
    ListOption,
    add_json_option,
    add_quiet_option,
    at_least_one,
    checkpoints_list,
    hyphenated,
    methods_list,
    names_list,
    output_folder,
    seed_numbers,
    suite_name,
    whole_numbers,
)
from navplan.system.progress import ProgressDisplay


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--suite",
        required=True,
        type=suite_name,
        metavar="NAME",
        help="paper-2d, long-horizon, robust, ablations, ablations-maze, paper-recipe, offline-mazes, or a suite file; bodies "
        "have the radius that its problems were drawn for, so there is no --radius",
    )
    parser.add_argument(
        "--out", required=True, type=output_folder, metavar="DIR", help="folder for the results; what is there is kept"
    )
    for name, kind, metavar, text in (
        ("--checkpoint", checkpoints_list, "RUN,…", "run directories or bundled names (default: the suite's)"),
        ("--methods", methods_list, "M,…", "methods, or METHOD/SETTING (default: all of the suite)"),
        ("--perturbations", names_list, "P,…", "of a suite that has them, as none,late (default: all)"),
        ("--agents", whole_numbers, "N,…", "team sizes, as 1,5 (default: all of the suite)"),
        ("--train-seeds", seed_numbers, "S,…", "training seeds, as 0,3 or 0:5 for 0 to 4 (default: all of the suite)"),
    ):
        parser.add_argument(name, nargs="+", action=ListOption, type=kind, metavar=metavar, help=text)
    parser.add_argument("--problems", type=at_least_one, metavar="N", help="the first N problems of each kind (default: all)")
    parser.add_argument("--workers", type=at_least_one, default=1, metavar="N", help="processes side by side (default 1)")
    parser.add_argument("--fresh", action="store_true", help="run again what has been run before")
    parser.add_argument("--report-only", action="store_true", help="run nothing: write the report again from DIR's tables")
    parser.add_argument("--readme", type=Path, metavar="FILE", help="put the table between FILE's markers for the suite")
    add_quiet_option(parser)
    add_json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluate; exit status 1 where a task failed, 130 on Ctrl-C with the tables of what is done."""
    from navplan.bench.evaluate.report import fill
    from navplan.bench.evaluate.run import evaluate, report_again
    from navplan.bench.evaluate.suite import load_suite
    from navplan.bench.mazes.rungs import SUITE
    from navplan.cli.extras import need

    if str(args.suite) == SUITE:
        return _mazes(args)
    suite = load_suite(args.suite).narrowed(
        methods=args.methods,
        agents=args.agents,
        problems=args.problems,
        train_seeds=None if args.checkpoint else args.train_seeds,
        perturbations=args.perturbations and [hyphenated(name) for name in args.perturbations],
    )
    if args.report_only:
        outcome = report_again(suite, args.out)
    else:
        need("navplan evaluate", "torch", "safetensors")
        with ProgressDisplay(quiet=args.quiet) as progress:
            outcome = evaluate(
                suite,
                args.out,
                checkpoints=args.checkpoint or (),
                train_seeds=args.train_seeds,
                workers=args.workers,
                fresh=args.fresh,
                progress=progress,
            )
    if args.readme is not None:
        fill(args.readme, outcome.evidence)
    print(json.dumps(outcome.document()) if args.json else outcome.text())
    return 130 if outcome.interrupted else 1 if outcome.failures else 0


def _mazes(args: argparse.Namespace) -> int:
    """Suite offline-mazes, which makes its own logs and trains its own runs."""
    from navplan.bench.mazes.run import evaluate_mazes, report_mazes_again
    from navplan.cli.extras import need
    from navplan.errors import InvalidInput

    for name in ("checkpoint", "perturbations", "agents", "readme"):
        if getattr(args, name):
            raise InvalidInput(f"--{name}: suite {args.suite} makes logs and runs of single robots itself, expected none")
    if args.report_only:
        outcome = report_mazes_again(args.out)
    else:
        need("navplan evaluate", "torch", "safetensors")
        with ProgressDisplay(quiet=args.quiet) as progress:
            outcome = evaluate_mazes(
                args.out,
                methods=args.methods,
                train_seeds=args.train_seeds,
                episodes=args.problems,
                workers=args.workers,
                fresh=args.fresh,
                progress=progress,
            )
    print(json.dumps(outcome.document()) if args.json else outcome.text())
    return 130 if outcome.interrupted else 1 if outcome.failures else 0
