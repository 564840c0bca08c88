"""`navplan view`: look at a map, a problem, a graph, a plan, a run; in a window, or as a picture file."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from navplan.cli.options import add_quiet_option, at_least_one, not_negative, radius_numbers, scenario_name
from navplan.system.progress import ProgressDisplay


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "file",
        type=scenario_name,
        metavar="FILE",
        help="map (.map, ROS .yaml, .geojson), .scen, scenario name or .toml, saved graph (.npz), plan (.json), "
        "trajectory (.npz), or the folder of a run or demo",
    )
    add = parser.add_argument
    text = "map or scenario under a graph, plan or trajectory"
    add("--map", "--scenario", dest="map", type=scenario_name, metavar="FILE", help=text)
    add("--graph", type=Path, metavar="FILE", help="saved state graph to draw")
    add("--plan", type=Path, metavar="FILE", help="plan to draw")
    add("--trajectory", type=Path, metavar="FILE", help="trajectory to draw")
    add("--agents", type=at_least_one, metavar="N", help="rows of a .scen file to mark (default 10)")
    add("--export", type=Path, metavar="OUT", help="write a .png, .gif or .mp4 instead of opening a window")
    text = "of the bodies to draw, in cells; R,R,… gives one to each agent (default: what the file states, or 0.25)"
    add("--radius", type=radius_numbers, metavar="R", help=text)
    add("--step", type=not_negative, metavar="K", help="time step of a .png, or where the window starts")
    add_quiet_option(parser)


def run(args: argparse.Namespace) -> int:
    """Build the scene, then show or export it."""
    from navplan.navigation.files import read_summary
    from navplan.navigation.slider import planning_slider
    from navplan.viewer import app, export
    from navplan.viewer.open import open_scene

    if args.export is not None:
        export.check_format(args.export, args.step)
    parts = {name: getattr(args, name) for name in ("map", "graph", "plan", "trajectory", "agents")}
    scene = open_scene(args.file, **parts)
    if args.radius is not None:
        scene = dataclasses.replace(scene, radius=args.radius)
    if args.export is None:
        app.check_display()
    if args.export is not None:
        with ProgressDisplay(quiet=args.quiet) as progress:
            progress.stage(f"drawing {args.export}")
            export.save(scene, args.export, args.step)
        if not args.quiet:
            print(f"wrote {args.export}", file=sys.stderr)
        return 0
    slider = planning_slider(scene.plan, scene.graph, read_summary(Path(args.file)))
    if slider and "status" in scene.facts:  # of the run, not of what the slider will plan
        scene = dataclasses.replace(scene, facts={k: v for k, v in scene.facts.items() if k != "status"})
    app.show(scene, start=args.step, **slider)
    return 0
