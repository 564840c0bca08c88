"""`navplan solve`: plan for one problem."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from navplan.cli.options import at_least_one, not_negative, noting_interrupts, positive, progress, ratio, seed_number

if TYPE_CHECKING:
    from navplan.plan import Plan

DEFAULT_LIMIT = 60.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--map", required=True, metavar="FILE", help="map, scenario file, saved state graph, or scenario name")
    parser.add_argument("--scen", type=Path, metavar="FILE", help="MovingAI .scen file; without it starts and goals are drawn")
    parser.add_argument("--agents", type=at_least_one, metavar="N", help="how many; default: as many as the scenario says")
    parser.add_argument("--planner", default="cbs", metavar="NAME", help="see navplan planners (default cbs)")
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
    parser.add_argument("--wait-cost", type=not_negative, default=1.0, metavar="C", help="cost of one wait (default 1)")
    parser.add_argument("--hops", action="store_true", help="count edges instead of their costs")
    parser.add_argument("--out", type=Path, metavar="PLAN", help="plan file to write")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Plan; exit status 0 solved, 1 not solved, 130 interrupted with the best result so far written."""
    from navplan.files import check_writable
    from navplan.planners.solve import solve
    from navplan.scenarios.load import load_problem

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
    with noting_interrupts() as interrupts:
        plan = solve(
            problem,
            args.planner,
            time_limit=args.time_limit,
            seed=args.seed,
            suboptimality=args.suboptimality,
            memory_limit=args.memory_limit,
            progress=progress,
        )
    if args.out is not None:
        plan.save(args.out)
    print(json.dumps(plan.summary()) if args.json else _text(plan))
    if interrupts or plan.reason.startswith("interrupted"):
        return 130
    return 0 if plan.solved else 1


def _text(plan: Plan) -> str:
    facts = plan.summary()
    line = f"{plan.planner}: {plan.status}, {plan.num_agents} agents"
    if plan.solved:
        line += f", sum of costs {facts['sum_of_costs']:g}, makespan {facts['makespan']}"
        if facts["suboptimality"] is not None and plan.status == "bounded":
            line += f", at most {100 * (facts['suboptimality'] - 1):.2f} % above the optimum"
    if plan.reason:
        line += f": {plan.reason}"
    return f"{line} ({plan.runtime_s:.3f} s, compiling {plan.compile_s:.1f} s)"
