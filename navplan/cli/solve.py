"""`navplan solve`: plan for one problem, or for several on one map."""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from navplan.cli.options import (
    STANDARD_OUTPUT,
    add_json_option,
    add_problem_options,
    add_quiet_option,
    hyphenated,
    not_negative,
    output_file,
    planner_name,
    positive,
    ratio,
    report_stream,
    seconds,
)
from navplan.errors import InvalidInput
from navplan.system.progress import ProgressDisplay
from navplan.system.signals import noting_interrupts

if TYPE_CHECKING:
    from navplan.graph.limits import Weight
    from navplan.graph.prepared import PreparedGraph
    from navplan.plan.problem import Problem

# Exit status of a command that Ctrl-C has ended.
_INTERRUPTED = 130
ALLOCATIONS = ("joint", "uniform", "surplus-deficit", "market-price")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    text = "MovingAI .scen file, or several, planned one after the other; without it starts and goals are drawn"
    add_problem_options(parser, text, several=True)
    add = parser.add_argument
    add("--planner", type=planner_name, metavar="NAME", help="see navplan planners (default: cbs, or risk with a budget)")
    add("--time-limit", type=seconds, default=60.0, metavar="S", help="wall seconds, inf for no limit (default 60)")
    add("--memory-limit", type=positive, metavar="GB", help="of the whole process while it plans, in GB (default: none)")
    add("--suboptimality", type=ratio, metavar="W", help="largest ratio to the optimum, for bounded planners")
    add("--beta", "--risk-aversion", type=not_negative, default=0.0, metavar="B", help="weight of risk (default 0)")
    add("--risk-budget", type=not_negative, metavar="D", help="most that the risks of all paths may add up to")
    text = "how agents share the risk budget: joint (default, optimal), uniform, surplus-deficit or market-price"
    add("--allocation", type=hyphenated, choices=ALLOCATIONS, metavar="NAME", help=text)
    add("--pareto", action="store_true", help="one agent: print every trade-off of distance and risk")
    add("--wait-cost", type=not_negative, default=1.0, metavar="C", help="cost of one wait (default 1)")
    add("--hops", action="store_true", help="count edges instead of their costs")
    text = "plan file to write; - for stdout; with several .scen files a folder, for a plan each"
    add("--out", type=output_file, metavar="PLAN", help=text)
    add_json_option(parser)
    add_quiet_option(parser)


def run(args: argparse.Namespace) -> int:
    """Plan; exit status 0 all solved, 1 not solved, 130 interrupted with the best result so far written."""
    from navplan.scenarios.problems.load import load_problems

    _check_options(args)
    outs = _plan_files(args)
    asked = {name: getattr(args, name) for name in ("seed", "radius", "radius_m", "clearance", "beta", "wait_cost")}
    weight: Weight = "hops" if args.hops else "cost"
    problems = load_problems(args.map, args.scen or [None], args.agents, weight=weight, **asked)
    problems = [dataclasses.replace(problem, risk_budget=args.risk_budget) for problem in problems]
    if args.pareto:
        return _pareto(problems[0], args)
    prepared = problems[0].graph.prepare(beta=args.beta, weight=weight, landmarks=0, progress=False) if problems[1:] else None
    if args.out is not None and problems[1:]:
        args.out.mkdir(parents=True, exist_ok=True)
    worst = 0
    with noting_interrupts() as interrupts:
        for problem, out in zip(problems, outs, strict=True):
            worst = max(worst, _planned(problem, prepared, out, args))
            if interrupts or worst == _INTERRUPTED:
                return _INTERRUPTED
    return worst


def _planned(problem: Problem, prepared: PreparedGraph | None, out: Path | None, args: argparse.Namespace) -> int:
    """Plan for one problem, write and say what came out."""
    from navplan.plan.report import describe
    from navplan.planners.solving import solve

    planner = args.planner or ("cbs" if args.risk_budget is None else "risk")
    options = {} if args.allocation is None else {"allocation": args.allocation}
    with ProgressDisplay(quiet=args.quiet) as progress:
        plan = solve(
            problem,
            planner,
            time_limit=args.time_limit,
            seed=args.seed,
            suboptimality=args.suboptimality,
            prepared=prepared,
            memory_limit=args.memory_limit,
            progress=progress,
            **options,
        )
    if out is not None:
        plan.save(out)
    scen = {"scen": problem.identity["scen_path"]} if prepared is not None else {}
    text = json.dumps({**scen, **plan.summary()}) if args.json else ": ".join([*scen.values(), describe(plan)])
    print(text, file=report_stream(out), flush=True)
    if plan.reason.startswith("interrupted"):
        return _INTERRUPTED
    return 0 if plan.solved else 1


def _plan_files(args: argparse.Namespace) -> list[Path | None]:
    """Where each plan goes: a file, or with several .scen files one for each in a folder.

    Raises:
        InvalidInput: two .scen files of one name would write one plan, or standard output would have to hold several.
        FileAccessError: it cannot be written.
    """
    from navplan.system.files import check_writable

    if args.out is None:
        return [None] * max(1, len(args.scen))
    if len(args.scen) < 2:
        check_writable(args.out)
        return [args.out]
    if args.out == STANDARD_OUTPUT:
        raise InvalidInput(f"--out - holds one plan, and there are {len(args.scen)} .scen files: name a folder")
    names = [scen.stem for scen in args.scen]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InvalidInput(f"two .scen files are called {twice[0]}, expected a name for each plan")
    check_writable(args.out, folder=True)
    return [args.out / f"{name}.plan.json" for name in names]


def _check_options(args: argparse.Namespace) -> None:
    """Raise InvalidInput for options that contradict each other."""
    if args.pareto and len(args.scen) > 1:
        raise InvalidInput(f"--pareto is for one problem, and there are {len(args.scen)} .scen files")
    if args.allocation is not None and args.risk_budget is None:
        raise InvalidInput("--allocation shares a risk budget among agents: give one with --risk-budget")
    for name in ("planner", "allocation", "suboptimality", "out"):
        if args.pareto and getattr(args, name) is not None:
            raise InvalidInput(f"--pareto prints every trade-off and makes no plan: leave out --{name}")


def _pareto(problem: Problem, args: argparse.Namespace) -> int:
    """Print the front of distance and risk; exit status 0 when it is complete and not empty."""
    from navplan.planners.pareto import front_within, warm_up

    with ProgressDisplay(quiet=args.quiet):
        warm_up(problem)
        began = time.perf_counter()
        front, status = front_within(problem, began + args.time_limit)
    seconds = time.perf_counter() - began
    if args.json:
        rows = [{"distance": point.distance, "risk": point.risk, "path": point.path.tolist()} for point in front]
        print(json.dumps({"agents": 1, "status": status, "front": rows, "runtime_s": round(seconds, 6)}))
    else:
        print(f"{'hops' if args.hops else 'distance':>10} {'risk':>10}  path")
        for point in front:
            print(f"{point.distance:10.4f} {point.risk:10.4f}  {' '.join(map(str, point.path.tolist()))}")
        print(f"pareto: {status}, {len(front)} trade-offs ({seconds:.3f} s)")
    if status == "interrupted":
        return _INTERRUPTED
    return 0 if status == "complete" and front else 1
