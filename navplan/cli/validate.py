"""`navplan validate`: check a plan file beside its map."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from navplan.cli.options import add_json_option, not_negative, radius_numbers, scenario_name

_SHOWN = 20


_CHECKED = ("starts", "goals", "edges", "conflicts", "costs", "risks")
_TAKEN = ("radius", "clearance", "beta")
_WALLS = {
    "map": "bodies swept past the walls of the map itself",
    "rooms": "walls by the rooms that the graph file states",
    "no": "walls NOT checked: the graph names no map",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("plan", metavar="PLAN", type=Path, help="plan file, as navplan solve --out writes it")
    parser.add_argument(
        "--map", type=scenario_name, metavar="FILE", help="map or state graph, where the plan's own path does not lead to it"
    )
    parser.add_argument("--scen", type=Path, metavar="FILE", help="scenario file, likewise")
    parser.add_argument("--forbid-following", action="store_true", help="forbid entering a node in the step in which it is left")
    parser.add_argument("--radius", type=radius_numbers, metavar="R", help="of the bodies, instead of what the file states")
    parser.add_argument("--clearance", type=not_negative, metavar="D", help="likewise")
    parser.add_argument("--beta", type=not_negative, metavar="B", help="likewise: weight of risk")
    add_json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print every violation; exit status 0 for a valid plan, 1 otherwise."""
    from navplan.plan.plan import Plan
    from navplan.plan.validation import violations, walls_checked
    from navplan.scenarios.stated import stated

    plan = Plan.load(args.plan)
    asked = {name: getattr(args, name) for name in ("map", "scen", *_TAKEN)}
    problem, given, warnings = stated(plan, args.plan, **asked)
    found = violations(plan, problem, forbid_following=args.forbid_following)
    walls = walls_checked(problem)
    facts = {
        "checked": [*_CHECKED, *(["following"] if args.forbid_following else []), *([] if walls == "no" else ["walls"])],
        "walls": walls,
        "claimed": ["status", "lower_bound"],
        "as_the_file_states": [name for name in _TAKEN if name not in given],
        "given": list(given),
        "warnings": list(warnings),
    }
    if args.json:
        rows = [{"kind": v.kind, "agents": list(v.agents), "step": v.step, "message": v.message} for v in found]
        about = {"plan": str(args.plan), "valid": not found, "agents": plan.num_agents}
        print(json.dumps({**about, "violations": rows, **facts}))
        return 1 if found else 0
    if found:
        print(f"{args.plan}: INVALID, {len(found)} violation{'s' if len(found) > 1 else ''}")
        for violation in found[:_SHOWN]:
            print(f"  {violation.kind}: {violation.message}")
    else:
        cost = f"sum of costs {plan.sum_of_costs:g}, makespan {plan.makespan}"
        print(f"{args.plan}: valid; {plan.num_agents} agents, {cost}, status {plan.status} (claimed)")
    print(f"  checked: {', '.join(facts['checked'])}; {_WALLS[walls]}")
    trusted = ", ".join(facts["as_the_file_states"])
    print(f"  on trust: status and lower bound are claimed{f'; {trusted} as the file states' if trusted else ''}")
    for warning in warnings:
        print(f"  warning: {warning}")
    return 1 if found else 0
