"""`navplan evaluate`: score methods over a fixed problem set; tables, report and figures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TypeVar

from navplan.cli.options import at_least_one, names_list, seed_number, whole_numbers

T = TypeVar("T")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--suite",
        required=True,
        metavar="NAME",
        help="paper-2d, long-horizon, ablations, ablations-maze, paper-recipe, or a suite file",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the results; what is there is kept")
    parser.add_argument(
        "--checkpoint", nargs="+", default=[], metavar="RUN", help="run directories or bundled names (default: the suite's)"
    )
    parser.add_argument(
        "--methods", nargs="+", type=names_list, metavar="M", help="methods, or METHOD/SETTING (default: all of the suite)"
    )
    parser.add_argument("--agents", nargs="+", type=whole_numbers, metavar="N", help="team sizes (default: all of the suite)")
    parser.add_argument("--problems", type=at_least_one, metavar="N", help="the first N problems of each kind (default: all)")
    parser.add_argument("--train-seeds", nargs="+", type=_seeds, metavar="S", help="training seeds (default: all of the suite)")
    parser.add_argument("--workers", type=at_least_one, default=1, metavar="N", help="processes side by side (default 1)")
    parser.add_argument("--fresh", action="store_true", help="run again what has been run before")
    parser.add_argument("--report-only", action="store_true", help="run nothing: write the report again from DIR's tables")
    parser.add_argument("--readme", type=Path, metavar="FILE", help="put the table between FILE's markers for the suite")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Evaluate; exit status 1 where a task failed, 130 on Ctrl-C with the tables of what is done."""
    from navplan.bench.evaluate.report import fill
    from navplan.bench.evaluate.run import evaluate, report_again
    from navplan.bench.evaluate.suite import load_suite
    from navplan.bench.progress import ProgressLine
    from navplan.cli.extras import need

    seeds = _flat(args.train_seeds)
    suite = load_suite(args.suite).narrowed(
        methods=_flat(args.methods),
        agents=_flat(args.agents),
        problems=args.problems,
        train_seeds=None if args.checkpoint else seeds,
    )
    if args.report_only:
        outcome = report_again(suite, args.out)
    else:
        need("navplan evaluate", "torch", "safetensors")
        with ProgressLine() as line:
            outcome = evaluate(
                suite,
                args.out,
                checkpoints=args.checkpoint,
                train_seeds=seeds,
                workers=args.workers,
                fresh=args.fresh,
                show=line.show,
                on_failure=lambda words: line.warn(f"failed: {words}"),
            )
    if args.readme is not None:
        fill(args.readme, outcome.evidence)
    print(json.dumps(outcome.document()) if args.json else outcome.text())
    return 130 if outcome.interrupted else 1 if outcome.failures else 0


def _seeds(text: str) -> list[int]:
    """Whole numbers from 0, separated by commas."""
    return [seed_number(part) for part in text.split(",")]


def _flat(lists: list[list[T]] | None) -> list[T] | None:
    return None if lists is None else [value for part in lists for value in part]
