"""`navplan validate`: check a plan file beside its map."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from navplan.cli.options import add_json_option, scenario_name

_SHOWN = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("plan", metavar="PLAN", type=Path, help="plan file, as navplan solve --out writes it")
    parser.add_argument(
        "--map", type=scenario_name, metavar="FILE", help="map or state graph, where the plan's own path does not lead to it"
    )
    parser.add_argument("--scen", type=Path, metavar="FILE", help="scenario file, likewise")
    parser.add_argument("--forbid-following", action="store_true", help="forbid entering a node in the step in which it is left")
    add_json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print every violation; exit status 0 for a valid plan, 1 otherwise."""
    from navplan.plan.plan import Plan
    from navplan.plan.validate import violations
    from navplan.scenarios.stated import stated_problem

    plan = Plan.load(args.plan)
    problem = stated_problem(plan, args.plan, map=args.map, scen=args.scen)
    found = violations(plan, problem, forbid_following=args.forbid_following)
    if args.json:
        rows = [{"kind": v.kind, "agents": list(v.agents), "step": v.step, "message": v.message} for v in found]
        print(json.dumps({"plan": str(args.plan), "valid": not found, "agents": plan.num_agents, "violations": rows}))
    elif found:
        print(f"{args.plan}: INVALID, {len(found)} violation{'s' if len(found) > 1 else ''}")
        for violation in found[:_SHOWN]:
            print(f"  {violation.kind}: {violation.message}")
    else:
        cost = f"sum of costs {plan.sum_of_costs:g}, makespan {plan.makespan}"
        print(f"{args.plan}: valid; {plan.num_agents} agents, {cost}, status {plan.status}")
    return 1 if found else 0
