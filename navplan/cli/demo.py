"""`navplan demo`: the main job on a bundled checkpoint, from sampled states to agents at their goals."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from navplan.cli.extras import need
from navplan.cli.options import at_least_one, not_negative, progress, seed_number
from navplan.errors import FileAccessError, InvalidInput, NavplanError
from navplan.system.files import check_writable, sha256, write_text

if TYPE_CHECKING:
    from navplan.execution.trajectory import Trajectory
    from navplan.navigation.navigate import Navigation, Roadmap
    from navplan.scenarios.scenario import Scenario

DEFAULT_OUT = Path("demo-out")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--agents", type=at_least_one, default=8, help="number of agents (default 8)")
    parser.add_argument("--scenario", default="center-dot", help="bundled scenario or scenario file (default center-dot)")
    parser.add_argument("--seed", type=seed_number, default=0, help="of the problem, the nodes and the planner (default 0)")
    parser.add_argument("--headless", action="store_true", help="open no window; write summary, plan, trajectory and pictures")
    parser.add_argument("--out", type=Path, help="folder for them (default demo-out); implies --headless without a display")
    parser.add_argument("--checkpoint", metavar="RUN", help="run directory or bundled name (default: the scenario's own)")
    parser.add_argument(
        "--low-level", default="policy", metavar="NAME", help="control module, see navplan modules (default policy)"
    )
    parser.add_argument("--risk-aversion", type=not_negative, metavar="B", help="weight beta of risk against distance")
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON document")


def run(args: argparse.Namespace) -> int:
    """Draw a problem, navigate, compare with the policy alone, write or show; exit status 0 only for full success."""
    began = time.perf_counter()
    need("the demo", "pygame", "PIL")  # said before work is done
    asked = args.headless or args.out is not None
    headless = asked or not has_display()

    from navplan.execution.synchronised import Interrupted
    from navplan.learned.training.load import bundled_checkpoints, load_checkpoint
    from navplan.navigation.navigate import navigate
    from navplan.scenarios.registry import load_scenario

    out = args.out or DEFAULT_OUT
    if headless:
        check_writable(out, folder=True)
    scenario = load_scenario(args.scenario)
    if args.checkpoint is None and args.scenario not in bundled_checkpoints():
        bundled = ", ".join(bundled_checkpoints())
        raise InvalidInput(f"no checkpoint comes with scenario {args.scenario!r}, expected one of {bundled}, or --checkpoint RUN")
    critics = load_checkpoint(args.checkpoint or args.scenario)
    progress(f"drawing a problem for {args.agents} agents on {scenario.name} (the first run compiles, that takes a minute)")
    starts, goals = draw(scenario, args.agents, args.seed)
    if headless and not asked:
        print(f"no display found: running --headless --out {out}", file=sys.stderr, flush=True)
    changes: dict[str, Any] = {"low_level": args.low_level, "seed": args.seed}
    if args.risk_aversion is not None:
        changes["beta"] = args.risk_aversion
    try:
        result = navigate(scenario, critics, starts, goals, on_progress=progress, **changes)
    except Interrupted as stop:
        if headless and stop.result is not None:
            write_results(out, stop.result, stop.result.summary())
        raise
    if headless:
        write_results(out, result, result.summary())  # should the rest be interrupted
    progress("driving the same low level without the graph, for comparison")
    baseline = navigate(scenario, critics, starts, goals, method="constrained-policy", low_level=args.low_level, seed=args.seed)
    summary = {
        **result.summary(),
        "checkpoint": str(args.checkpoint or args.scenario),
        **{f"policy_{key}": value for key, value in baseline.summary().items() if key in _COMPARED},
    }
    summary["total_s"] = round(time.perf_counter() - began, 3)
    if headless:
        write_results(out, result, summary)
        write_pictures(out, scenario, result, summary)
        summary["total_s"] = round(time.perf_counter() - began, 3)
        write_summary(out, summary)
        progress(f"wrote {out}/")
    print(json.dumps(summary) if args.json else describe(summary))
    if not headless:
        from navplan.viewer.app import show

        show(scene_of(scenario, result, summary), **risk_slider(scenario, critics, result, changes))
    return 0 if result.success else 1


_COMPARED = ("success", "reached", "agent_contacts", "wall_contacts", "cost_max", "cost_mean", "steps", "steps_mean")


def has_display() -> bool:
    """Whether a window can be opened here."""
    from navplan.viewer.app import check_display

    try:
        check_display()
    except NavplanError:
        return False
    return True


def draw(scenario: Scenario, agents: int, seed: int) -> tuple[Any, Any]:
    """Starts and goals (A, 2) at the paper's hard distance: half the map's diameter, give or take half a step."""
    import numpy as np

    from navplan.scenarios.problems.draw import draw_problem
    from navplan.scenarios.worlds.geodesic import diameter, occupied_cells

    half = diameter(occupied_cells(scenario.world)) / 2
    spacing = 2.0 * scenario.radius + 2.0 * scenario.goal_tolerance
    return draw_problem(
        scenario.world, agents, np.random.default_rng(seed), distance=(half - 0.5, half + 0.5), goal_spacing=max(1.5, spacing)
    )


def write_results(out: Path, result: Navigation, summary: Mapping[str, Any]) -> None:
    """summary.json, and plan.json with its graph.npz and trajectory.npz where there are any.

    What an earlier run left of them is removed. The plan names the graph, so that `navplan validate` can check it.
    """
    plan, graph = result.plan, result.pruned
    if graph is not None:
        graph.save(out / "graph.npz")
        if plan is not None:
            identity = {"map": "graph.npz", "map_sha256": sha256(out / "graph.npz")}
            plan = dataclasses.replace(plan, problem={**plan.problem, **identity})
    if plan is not None:
        plan.save(out / "plan.json")
    if result.trajectory is not None:
        result.trajectory.save(out / "trajectory.npz")
    for name, part in (("graph.npz", graph), ("plan.json", plan), ("trajectory.npz", result.trajectory)):
        if part is None:
            _remove(out / name)
    write_summary(out, summary)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise FileAccessError(f"{path}: cannot be removed: {error.strerror or error}") from error


def write_summary(out: Path, summary: Mapping[str, Any]) -> None:
    """summary.json."""
    write_text(out / "summary.json", json.dumps(summary, indent=2, allow_nan=False) + "\n")


def scene_of(scenario: Scenario, result: Navigation, summary: Mapping[str, Any]) -> Any:
    """What the viewer draws: map, graph with its pruned edges, plan, motion."""
    from navplan.viewer.scene import Scene

    # cost, contacts and arrivals stand in the panel as they happen
    facts = {"seed": str(summary["seed"])}
    if summary.get("policy_cost_mean") is not None:
        facts["mean cost of policy alone"] = f"{summary['policy_cost_mean']:.2f}"
    return Scene(
        scenario.world,
        graph=result.pruned,
        pruned=result.graph,
        plan=result.plan if result.plan is not None and result.plan.solved else None,
        trajectory=result.trajectory,
        facts=facts,
        starts=result.starts,
        goals=result.goals,
        radius=scenario.radius,
        goal_tolerance=scenario.goal_tolerance,
    )


def risk_slider(scenario: Scenario, critics: Any, result: Navigation, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `show` for a slider of risk aversion: it plans again on the same graph, and drives what it planned.

    Args:
        changes: the options of `navigate` that led to `result`.
    """
    from navplan.navigation.navigate import METHODS, Options, build_roadmap, navigate
    from navplan.navigation.reweigh import Replanner, can_reweigh

    if result.plan is None or result.pruned is None or not can_reweigh(result.plan, result.pruned):
        return {}
    replan = Replanner(result.plan, result.pruned, suboptimality=result.bound, seed=result.seed)
    options = Options(**changes)

    @functools.cache
    def roadmap() -> Roadmap:
        return build_roadmap(scenario, critics, options.applied(METHODS[result.method]), options)

    def drive(beta: float) -> Trajectory | None:
        again = navigate(
            scenario,
            critics,
            result.starts,
            result.goals,
            method=result.method,
            options=options,
            roadmap=roadmap(),
            beta=beta,
        )
        return again.trajectory

    return {"on_risk_aversion": replan, "on_drive": drive, "risk_aversion": replan.beta}


def write_pictures(out: Path, scenario: Scenario, result: Navigation, summary: Mapping[str, Any]) -> None:
    """demo.png, and demo.gif when there is motion to show."""
    from navplan.viewer.export import save_gif, save_png

    progress("drawing demo.png and demo.gif")
    scene = scene_of(scenario, result, summary)
    save_png(scene, out / "demo.png")
    if result.trajectory is not None and result.trajectory.num_steps:
        save_gif(scene, out / "demo.gif")
    else:
        _remove(out / "demo.gif")


def describe(summary: Mapping[str, Any]) -> str:
    """A few honest lines for people."""
    agents = summary["agents"]
    graph, plan = summary["graph"], summary["plan"]
    lines = [
        f"{summary['scenario']}, {agents} agents, seed {summary['seed']}, method {summary['method']}, {summary['low_level']}"
    ]
    if graph is not None:
        lines.append(f"graph    {graph['nodes']} nodes, {graph['edges']} edges kept, {graph['pruned']} pruned as unsafe")
    if plan is not None:
        promise = f", bounded variant within {summary['bound']:g} x optimal" if summary["bound"] else ""
        proved = f", proved within {plan['suboptimality']:.3f} x" if plan["suboptimality"] else ""
        lines.append(f"plan     {summary['planner']}{promise}: {plan['status']}{proved}, {summary['plan_s']:.2f} s")
    if summary["cost_mean"] is None:
        lines.append(f"outcome  {summary['status'].upper()}: {summary['reason']}")
        return "\n".join(lines)
    lines.append(
        f"outcome  {summary['status'].upper()}: {summary['reached']} of {agents} at their goals, "
        f"{summary['agent_contacts']} agent contacts, {summary['steps']} steps, {summary['replans']} replans"
    )
    lines.append(f"cost     mean {summary['cost_mean']:.2f}, max {summary['cost_max']:.2f}")
    if summary.get("policy_cost_mean") is not None:
        lines.append(
            f"without  graph, same low level: mean {summary['policy_cost_mean']:.2f}, max {summary['policy_cost_max']:.2f}, "
            f"{summary['policy_reached']} of {agents} at their goals, {summary['policy_agent_contacts']} agent contacts"
        )
    if summary["reason"] and not summary["success"]:
        lines.append(f"why      {summary['reason']}")
    return "\n".join(lines)
