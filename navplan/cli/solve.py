"""`navplan solve`: plan for one problem."""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from typing import TYPE_CHECKING

from navplan.cli.options import (
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
    from navplan.plan.problem import Problem

ALLOCATIONS = ("joint", "uniform", "surplus-deficit", "market-price")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_problem_options(parser, "MovingAI .scen file; without it starts and goals are drawn")
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
    add("--out", type=output_file, metavar="PLAN", help="plan file to write; - for stdout")
    add_json_option(parser)
    add_quiet_option(parser)


def run(args: argparse.Namespace) -> int:
    """Plan; exit status 0 solved, 1 not solved, 130 interrupted with the best result so far written."""
    from navplan.plan.report import describe
    from navplan.planners.solving import solve
    from navplan.scenarios.problems.load import load_problem
    from navplan.system.files import check_writable

    _check_options(args)
    if args.out is not None:
        check_writable(args.out)
    asked = {name: getattr(args, name) for name in ("seed", "radius", "radius_m", "clearance", "beta", "wait_cost")}
    problem = load_problem(args.map, args.scen, args.agents, weight="hops" if args.hops else "cost", **asked)
    problem = dataclasses.replace(problem, risk_budget=args.risk_budget)
    if args.pareto:
        return _pareto(problem, args)
    planner = args.planner or ("cbs" if args.risk_budget is None else "risk")
    options = {} if args.allocation is None else {"allocation": args.allocation}
    with noting_interrupts() as interrupts:
        with ProgressDisplay(quiet=args.quiet) as progress:
            plan = solve(
                problem,
                planner,
                time_limit=args.time_limit,
                seed=args.seed,
                suboptimality=args.suboptimality,
                memory_limit=args.memory_limit,
                progress=progress,
                **options,
            )
        if args.out is not None:
            plan.save(args.out)
        print(json.dumps(plan.summary()) if args.json else describe(plan), file=report_stream(args.out), flush=True)
    if interrupts or plan.reason.startswith("interrupted"):
        return 130
    return 0 if plan.solved else 1


def _check_options(args: argparse.Namespace) -> None:
    """Raise InvalidInput for options that contradict each other."""
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
        return 130
    return 0 if status == "complete" and front else 1
