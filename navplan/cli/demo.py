"""`navplan demo`: the main job on a bundled checkpoint, from sampled states to agents at their goals."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from navplan.cli.extras import need
from navplan.cli.options import (
    add_body_options,
    add_json_option,
    add_low_level_options,
    add_quiet_option,
    asked_low_level,
    asked_scenario,
    at_least_one,
    checkpoint_name,
    not_negative,
    output_folder,
    scenario_name,
    seed_number,
)
from navplan.errors import InvalidInput
from navplan.system.files import check_writable
from navplan.system.progress import ProgressDisplay

DEFAULT_AGENTS = 8
DEFAULT_OUT = Path("demo-out")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--agents", type=at_least_one, metavar="N", help=f"number of agents (default {DEFAULT_AGENTS}, or one for each body)")
    text = "bundled scenario or scenario file (default center-dot)"
    add("--scenario", type=scenario_name, default="center-dot", metavar="NAME", help=text)
    add("--seed", type=seed_number, default=0, metavar="S", help="of the problem, the nodes and the planner (default 0)")
    add("--headless", action="store_true", help="open no window; write summary, plan, trajectory and pictures")
    add("--out", type=output_folder, metavar="DIR", help=f"folder for them (default {DEFAULT_OUT}); implies --headless")
    text = "run directory or bundled name (default: the scenario's own)"
    add("--checkpoint", type=checkpoint_name, metavar="RUN", help=text)
    add_low_level_options(parser)
    add_body_options(parser)
    add("--risk-aversion", type=not_negative, metavar="B", help="weight beta of risk against distance (default 4)")
    add_json_option(parser, "the summary as one JSON document")
    add_quiet_option(parser)


def run(args: argparse.Namespace) -> int:
    """Draw a problem, navigate, compare with the policy alone, write or show; exit status 0 only for full success."""
    began = time.perf_counter()
    need("the demo", "pygame", "PIL")  # said before work is done
    from navplan.learned.training.load import load_checkpoint
    from navplan.navigation.files import write_run, write_summary, written_when_interrupted
    from navplan.navigation.navigate import navigate
    from navplan.navigation.report import beside_policy, describe
    from navplan.navigation.slider import driving_slider
    from navplan.scenarios.problems.hard import draw_hard
    from navplan.viewer.app import has_display, show
    from navplan.viewer.open import scene_of
    from navplan.viewer.pictures import write_pictures

    asked = args.headless or args.out is not None
    out = (args.out or DEFAULT_OUT) if asked or not has_display() else None
    if out is not None:
        check_writable(out, folder=True)
    changes: dict[str, Any] = {"low_level": asked_low_level(args), "seed": args.seed}
    scenario = asked_scenario(args.scenario, args)
    checkpoint = args.checkpoint or _own_checkpoint(args.scenario)
    critics = load_checkpoint(checkpoint)
    with ProgressDisplay(quiet=args.quiet) as progress:
        agents = args.agents or (DEFAULT_AGENTS if scenario.bodies is None else len(scenario.bodies))
        progress.stage(f"drawing a problem for {agents} agents on {scenario.name}; the first run compiles")
        starts, goals = draw_hard(scenario, agents, args.seed)
        if out is not None and not asked:
            progress.warn(f"no display found: running --headless --out {out}")
        weighed = changes if args.risk_aversion is None else {**changes, "beta": args.risk_aversion}
        with written_when_interrupted(out):
            result = navigate(scenario, critics, starts, goals, progress=progress, **weighed)
        if out is not None:
            write_run(out, result, result.summary())  # should the rest be interrupted
        progress.stage("driving the same low level without the graph, for comparison")
        alone = navigate(scenario, critics, starts, goals, method="constrained-policy", **changes)
        summary = {**beside_policy(result.summary(), alone.summary()), "checkpoint": checkpoint}
        summary["total_s"] = round(time.perf_counter() - began, 3)
        if out is not None:
            progress.stage("drawing demo.png and demo.gif")
            write_run(out, result, summary)
            write_pictures(out, scene_of(scenario, result, summary))
            summary["total_s"] = round(time.perf_counter() - began, 3)
            write_summary(out, summary)
            progress.stage(f"wrote {out}/")
    print(json.dumps(summary) if args.json else describe(summary))
    if out is None:
        show(scene_of(scenario, result, summary), **driving_slider(scenario, critics, result, weighed))
    return 0 if result.success else 1


def _own_checkpoint(scenario: str) -> str:
    """The bundled checkpoint of a scenario; it has its name."""
    from navplan.learned.training.load import bundled_checkpoints

    if scenario not in bundled_checkpoints():
        known = ", ".join(bundled_checkpoints())
        raise InvalidInput(f"no checkpoint comes with scenario {scenario!r}, expected one of {known}, or --checkpoint RUN")
    return scenario
