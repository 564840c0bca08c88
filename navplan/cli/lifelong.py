"""`navplan lifelong`: drive a fleet from goal to goal."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from navplan.cli.options import at_least_one, not_negative, progress, seed_number

if TYPE_CHECKING:
    from navplan.planners.lifelong.lifelong import LifelongRun


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--map", required=True, metavar="FILE", help="map, scenario file, saved state graph, or scenario name")
    parser.add_argument("--scen", type=Path, metavar="FILE", help="MovingAI .scen file with the starts and the first goals")
    parser.add_argument("--agents", type=at_least_one, metavar="N", help="how many; default: as many as the scenario says")
    parser.add_argument(
        "--tasks", type=Path, metavar="FILE", help="goals in order: a count, then cells row * width + col, one task a line"
    )
    parser.add_argument("--steps", type=at_least_one, default=1000, metavar="T", help="time steps to drive (default 1000)")
    parser.add_argument("--planner", default="pibt", metavar="NAME", help="pibt, or a planner for many agents (default pibt)")
    parser.add_argument("--window", type=at_least_one, default=5, metavar="W", help="steps between plans, pibt aside (default 5)")
    parser.add_argument("--horizon", type=at_least_one, metavar="H", help="aim at most H steps ahead (default: at the goals)")
    parser.add_argument("--time-limit", type=not_negative, metavar="S", help="wall seconds for one plan (default none)")
    parser.add_argument("--seed", type=seed_number, default=0, metavar="S", help="for drawing and for the planner (default 0)")
    parser.add_argument("--radius", type=not_negative, metavar="R", help="body radius in cells (default 0.25 or the scenario's)")
    parser.add_argument("--clearance", type=not_negative, metavar="D", help="least distance (default 0 on grids, or 2 * radius)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="driven paths and tasks, as a plan file to validate and view")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Drive; exit status 0 done, 1 when the driven paths break a rule, 130 interrupted with the drive so far written."""
    from navplan.planners.lifelong.lifelong import lifelong, read_tasks
    from navplan.scenarios.problems.load import load_problem
    from navplan.system.files import check_writable

    if args.out is not None:
        check_writable(args.out)
    problem = load_problem(args.map, args.scen, args.agents, seed=args.seed, radius=args.radius, clearance=args.clearance)
    stream = None if args.tasks is None else read_tasks(args.tasks, problem.graph)
    progress(f"driving {problem.num_agents} agents for {args.steps} steps; the first run compiles the kernels …")
    result = lifelong(
        problem,
        stream,
        args.steps,
        args.planner,
        window=args.window,
        horizon=args.horizon,
        time_limit=args.time_limit,
        seed=args.seed,
        progress=_bar(args.steps),
    )
    if args.out is not None:
        result.save(args.out)
    print(json.dumps(result.summary()) if args.json else _text(result))
    if result.interrupted:
        return 130
    return 1 if result.violations else 0


def _bar(steps: int) -> Callable[[int, int], None] | None:
    """A progress line on a terminal, None in a pipe."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None

    def show(step: int, reached: int) -> None:
        if step == steps:
            sys.stderr.write("\r" + " " * 60 + "\r")
        elif step % max(1, steps // 200) == 0:
            sys.stderr.write(f"\r[{'#' * (24 * step // steps):.<24}] step {step}/{steps}, {reached} goals")
        sys.stderr.flush()

    return show


def _text(result: LifelongRun) -> str:
    facts = result.summary()
    service, planning = facts["service_steps"], facts["planning_s"]
    lines = [
        f"{result.planner}: {facts['agents']} agents, {result.steps} steps, {result.reached} goals reached, "
        f"{result.throughput:.3f} a step"
    ]
    if service is not None:
        lines.append(
            f"from giving to reaching a goal: median {service['median']:g} steps, 95 % within {service['p95']:g}, "
            f"longest {service['max']:g}; waiting {100 * facts['wait_share']:.1f} % of the time"
        )
    if planning["per_call"] is not None:
        lines.append(
            f"planning: {1e3 * planning['per_step']:.3g} ms a step, {planning['calls']} plans, slowest "
            f"{1e3 * planning['per_call']['max']:.3g} ms; {result.failures} without a plan, {result.delayed} goals delayed"
        )
    lines += [f"INVALID: {text}" for text in result.violations[:20]]
    if result.interrupted:
        lines.append("interrupted")
    return "\n".join(lines)
