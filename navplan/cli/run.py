"""`navplan run`: close the loop in one scenario with one method, and record what happened."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from navplan.cli.demo import describe, draw, write_results
from navplan.cli.options import at_least_one, not_negative, progress, ratio, seed_number

if TYPE_CHECKING:
    from navplan.scenarios.scenario import Scenario


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("scenario", metavar="SCENARIO", help="bundled scenario or scenario file")
    parser.add_argument(
        "--method", default="navplan", metavar="M", help="navplan (default), constrained-search, sorb, constrained-policy, policy"
    )
    parser.add_argument("--checkpoint", required=True, metavar="RUN", help="run directory or bundled name")
    parser.add_argument("--out", type=Path, help="folder for summary.json, plan.json and trajectory.npz")
    parser.add_argument("--seed", type=seed_number, default=0, help="of the problem, the nodes and the planner (default 0)")
    parser.add_argument("--agents", type=at_least_one, help="number of agents (default: the scenario's)")
    parser.add_argument(
        "--low-level", default="policy", metavar="NAME", help="control module, see navplan modules (default policy)"
    )
    parser.add_argument(
        "--planner", metavar="NAME", help="multi-agent planner, see navplan planners (default: the method's, ecbs for navplan)"
    )
    parser.add_argument("--suboptimality", type=ratio, default=1.1, metavar="W", help="bound of a bounded planner (default 1.1)")
    parser.add_argument("--risk-aversion", type=not_negative, metavar="B", help="weight beta of risk against distance")
    parser.add_argument(
        "--max-risk", type=not_negative, metavar="R", help="prune edges of this risk or more (default: the scenario's)"
    )
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON document")


def run(args: argparse.Namespace) -> int:
    """Navigate; exit status 0 only for full success."""
    from navplan.errors import UnknownName
    from navplan.execution.synchronised import Interrupted
    from navplan.learned.training.load import load_checkpoint
    from navplan.navigation.navigate import METHODS, navigate
    from navplan.planners import get
    from navplan.scenarios.registry import load_scenario
    from navplan.system.files import check_writable

    began = time.perf_counter()
    if args.method not in METHODS:
        raise UnknownName("method", args.method, METHODS)
    if args.planner is not None:
        get(args.planner)  # a wrong name is said before work is done
    if args.out is not None:
        check_writable(args.out, folder=True)
    scenario = load_scenario(args.scenario)
    critics = load_checkpoint(args.checkpoint, stage=2 if METHODS[args.method].constrained else 1)
    if critics.scenario != scenario.name:
        print(f"note: {args.checkpoint} was trained on {critics.scenario}, not on {scenario.name}", file=sys.stderr)
    starts, goals = problem_of(scenario, args.agents, args.seed)
    changes: dict[str, Any] = {
        "low_level": args.low_level,
        "planner": args.planner,
        "suboptimality": args.suboptimality,
        "seed": args.seed,
        "max_risk": args.max_risk,
    }
    if args.risk_aversion is not None:
        changes["beta"] = args.risk_aversion
    try:
        result = navigate(scenario, critics, starts, goals, method=args.method, on_progress=progress, **changes)
    except Interrupted as stop:
        if args.out is not None and stop.result is not None:
            write_results(args.out, stop.result, stop.result.summary())
        raise
    summary = {**result.summary(), "checkpoint": args.checkpoint, "total_s": round(time.perf_counter() - began, 3)}
    if args.out is not None:
        write_results(args.out, result, summary)
        progress(f"wrote {args.out}/")
    print(json.dumps(summary) if args.json else describe(summary))
    return 0 if result.success else 1


def problem_of(scenario: Scenario, agents: int | None, seed: int) -> tuple[Any, Any]:
    """The scenario's own starts and goals, the first `agents` of them, or drawn ones where it has none.

    Raises:
        InvalidInput: more agents than the scenario places.
    """
    from navplan.errors import InvalidInput

    if scenario.starts is None or scenario.goals is None:
        return draw(scenario, agents or scenario.num_agents, seed)
    count = agents or len(scenario.starts)
    if count > len(scenario.starts):
        raise InvalidInput(
            f"scenario {scenario.name!r} places {len(scenario.starts)} agents, expected at most that many, got {count}"
        )
    return scenario.starts[:count], scenario.goals[:count]
