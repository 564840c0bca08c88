"""`navplan solve`: plan for one problem."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from navplan.cli.options import at_least_one, not_negative, noting_interrupts, positive, progress, ratio, seed_number

if TYPE_CHECKING:
    from navplan.plan.plan import Plan
    from navplan.plan.problem import Problem

DEFAULT_LIMIT = 60.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--map", required=True, metavar="FILE", help="map, scenario file, saved state graph, or scenario name")
    parser.add_argument("--scen", type=Path, metavar="FILE", help="MovingAI .scen file; without it starts and goals are drawn")
    parser.add_argument("--agents", type=at_least_one, metavar="N", help="how many; default: as many as the scenario says")
    parser.add_argument("--planner", metavar="NAME", help="see navplan planners (default cbs, or risk with a budget)")
    parser.add_argument(
        "--time-limit", type=not_negative, default=DEFAULT_LIMIT, metavar="S", help=f"wall seconds (default {DEFAULT_LIMIT:g})"
    )
    parser.add_argument(
        "--memory-limit", type=positive, metavar="GB", help="gigabytes for the whole process while it plans (default none)"
    )
    parser.add_argument("--suboptimality", type=ratio, metavar="W", help="largest ratio to the optimum, for bounded planners")
    parser.add_argument("--seed", type=seed_number, default=0, metavar="S", help="for drawing and for the planner (default 0)")
    parser.add_argument("--radius", type=not_negative, metavar="R", help="body radius in cells (default 0.25 or the scenario's)")
    parser.add_argument(
        "--clearance", type=not_negative, metavar="D", help="least distance (default 0 on grids, else 2 * radius)"
    )
    parser.add_argument(
        "--beta", "--risk-aversion", type=not_negative, default=0.0, metavar="B", help="weight of risk (default 0)"
    )
    parser.add_argument("--risk-budget", type=not_negative, metavar="D", help="most that the risks of all paths may add up to")
    parser.add_argument(
        "--allocation",
        choices=("joint", "uniform", "surplus-deficit", "market-price"),
        help="how agents share the risk budget (default joint, which is optimal)",
    )
    parser.add_argument("--pareto", action="store_true", help="one agent: print every trade-off of distance and risk")
    parser.add_argument("--wait-cost", type=not_negative, default=1.0, metavar="C", help="cost of one wait (default 1)")
    parser.add_argument("--hops", action="store_true", help="count edges instead of their costs")
    parser.add_argument("--out", type=Path, metavar="PLAN", help="plan file to write")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Plan; exit status 0 solved, 1 not solved, 130 interrupted with the best result so far written."""
    import dataclasses

    from navplan.planners.solve import solve
    from navplan.scenarios.problems.load import load_problem
    from navplan.system.files import check_writable

    _check_options(args)
    if args.out is not None:
        check_writable(args.out)
    problem = load_problem(
        args.map,
        args.scen,
        args.agents,
        seed=args.seed,
        radius=args.radius,
        clearance=args.clearance,
        beta=args.beta,
        wait_cost=args.wait_cost,
        weight="hops" if args.hops else "cost",
    )
    problem = dataclasses.replace(problem, risk_budget=args.risk_budget)
    if args.pareto:
        return _pareto(problem, args)
    options = {} if args.allocation is None else {"allocation": args.allocation}
    with noting_interrupts() as interrupts:
        plan = solve(
            problem,
            args.planner or ("cbs" if args.risk_budget is None else "risk"),
            time_limit=args.time_limit,
            seed=args.seed,
            suboptimality=args.suboptimality,
            memory_limit=args.memory_limit,
            progress=progress,
            **options,
        )
    if args.out is not None:
        plan.save(args.out)
    print(json.dumps(plan.summary()) if args.json else _text(plan))
    if interrupts or plan.reason.startswith("interrupted"):
        return 130
    return 0 if plan.solved else 1


def _check_options(args: argparse.Namespace) -> None:
    """Raise InvalidInput for options that contradict each other."""
    from navplan.errors import InvalidInput

    if args.allocation is not None and args.risk_budget is None:
        raise InvalidInput("--allocation shares a risk budget among agents: give one with --risk-budget")
    if args.pareto:
        for name in ("planner", "allocation", "suboptimality", "out"):
            if getattr(args, name) is not None:
                raise InvalidInput(f"--pareto prints every trade-off and makes no plan: leave out --{name}")


def _pareto(problem: Problem, args: argparse.Namespace) -> int:
    """Print the front of distance and risk; exit status 0 when it is complete and not empty."""
    import time

    from navplan.planners.pareto import front_within, warm_up

    warm_up(problem, progress)
    began = time.perf_counter()
    front, status = front_within(problem, began + args.time_limit)
    seconds = time.perf_counter() - began
    if args.json:
        rows = [{"distance": point.distance, "risk": point.risk, "path": point.path.tolist()} for point in front]
        print(json.dumps({"agents": 1, "status": status, "front": rows, "runtime_s": round(seconds, 6)}))
    else:
        print(f"{'hops' if problem.weight == 'hops' else 'distance':>10} {'risk':>10}  path")
        for point in front:
            print(f"{point.distance:10.4f} {point.risk:10.4f}  {' '.join(map(str, point.path.tolist()))}")
        print(f"pareto: {status}, {len(front)} trade-offs ({seconds:.3f} s)")
    if status == "interrupted":
        return 130
    return 0 if status == "complete" and front else 1


def _text(plan: Plan) -> str:
    facts = plan.summary()
    line = f"{plan.planner}: {plan.status}, {plan.num_agents} agents"
    if plan.solved:
        line += f", sum of costs {facts['sum_of_costs']:g}, makespan {facts['makespan']}"
        if facts["suboptimality"] is not None and plan.status == "bounded":
            line += f", at most {100 * (facts['suboptimality'] - 1):.2f} % above the optimum"
    if plan.solved and plan.risk_budget is not None:
        line += f", total risk {plan.total_risk:.4g} within the budget of {plan.risk_budget:g}"
    if plan.reason:
        line += f": {plan.reason}"
    return f"{line} ({plan.runtime_s:.3f} s, compiling {plan.compile_s:.1f} s)"
