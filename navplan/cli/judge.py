"""`navplan judge`: whether runs have converged, and how well calibrated their critics are; runs from logs, by other logs."""

from __future__ import annotations

import argparse
import json

from navplan.cli.options import ListOption, add_json_option, add_quiet_option, checkpoints_list, logs_list
from navplan.system.progress import ProgressDisplay

_HEADS = "run | passed | near: upheld, overstated | predicted / elapsed, 1 to 10 steps | false far edges | outside | action error"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    text = "run directories or names of bundled checkpoints"
    parser.add_argument("runs", nargs="+", action=ListOption, type=checkpoints_list, metavar="RUN", help=text)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--stage", type=int, choices=(1, 2), default=2, help="1: the unconstrained policy (default: 2)")
    which.add_argument(
        "--over-seeds", action="store_true", help="a Markdown table: medians over runs whose names differ in -seedN only"
    )
    text = "runs that were learned from logs: held-out logs to judge by, .npz files or patterns"
    which.add_argument("--data", nargs="+", action=ListOption, type=logs_list, metavar="HELD", help=text)
    add_json_option(parser, "one JSON document with the bins of the calibration")
    add_quiet_option(parser)


def run(args: argparse.Namespace) -> int:
    """Judge each run; exit status 1 if any has not converged."""
    from navplan.cli.extras import need

    need("judging", "torch", "safetensors")
    if args.data:
        return _by_logs(args)
    return _over_seeds(args) if args.over_seeds else _each(args)


def _each(args: argparse.Namespace) -> int:
    from navplan.bench.judge.run import judge_run

    found = []
    with ProgressDisplay(quiet=args.quiet) as progress:
        progress.stage("judging")
        for done, name in enumerate(args.runs):
            progress.show(done, len(args.runs), name)
            found.append(judge_run(name, stage=args.stage))
    if args.json:
        print(json.dumps({"runs": [one.to_dict() for one in found]}))
    else:
        print("run | converged | reached | steps: error, bias | cost: error, bias | mean cost")
        for one in found:
            verdict, steps, cost = one.verdict, one.calibration.steps, one.calibration.cost
            state = "yes" if verdict.converged else "FAILED"
            share = f"{100 * verdict.reached:.2f} % of {verdict.pairs}"
            errors = " | ".join(f"{part.error:.3f}, {part.bias:+.3f}" for part in (steps, cost))
            print(f"{one.run} | {state} | {share} | {errors} | {verdict.cost:.3f}")
    return 0 if all(one.verdict.converged for one in found) else 1


def _by_logs(args: argparse.Namespace) -> int:
    from navplan.bench.judge.run import judge_logs

    found = []
    with ProgressDisplay(quiet=args.quiet) as progress:
        progress.stage("judging")
        for done, name in enumerate(args.runs):
            progress.show(done, len(args.runs), name)
            found.append((name, judge_logs(name, args.data)))
    if args.json:
        print(json.dumps({"runs": [{"run": name, "passed": not one.failures, **one.to_dict()} for name, one in found]}))
    else:
        print(_HEADS)
        for name, one in found:
            ratios = " ".join(f"{ratio:.2f}" for ratio in one.ratios)
            shares = [_percent(share) for share in (one.upheld, one.overstated, one.false_edges, one.outside)]
            error = "-" if one.action_error is None else f"{one.action_error:.2f}"
            state = "FAILED" if one.failures else "yes"
            print(f"{name} | {state} | {shares[0]}, {shares[1]} | {ratios} | {shares[2]} | {shares[3]} | {error}")
            for failure in one.failures:
                print(f"{name}: {failure}")
    return 1 if any(one.failures for _, one in found) else 0


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _over_seeds(args: argparse.Namespace) -> int:
    from navplan.bench.judge.table import by_kind, measure, over_seeds

    kinds: dict[str, list[dict[str, float]]] = {}
    done = 0
    with ProgressDisplay(quiet=args.quiet) as progress:
        progress.stage("judging")
        for kind, runs in by_kind(args.runs).items():
            for name in runs:
                progress.show(done, len(args.runs), name)
                kinds.setdefault(kind, []).append(measure(name))
                done += 1
    print(json.dumps({"kinds": kinds}) if args.json else over_seeds(kinds).markdown(), end="\n" if args.json else "")
    return 0 if all(one["converged"] for runs in kinds.values() for one in runs) else 1
