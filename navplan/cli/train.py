"""`navplan train`: learn critics and policy for a scenario."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from navplan.cli.options import add_json_option, add_quiet_option, add_set_option, output_folder
from navplan.system.progress import ProgressDisplay


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--scenario", metavar="NAME", help="bundled scenario or scenario file (--resume, --config: theirs)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file of settings, instead of the scenario's own")
    parser.add_argument("--recipe", metavar="NAME", help="training recipe: navplan (default), paper, or another registered one")
    add_set_option(parser, "curriculum=uniform")
    parser.add_argument("--seed", type=int, help="seed of every random draw (default: that of the scenario's config)")
    parser.add_argument("--steps", type=int, metavar="N", help="gradient updates over both stages (default: the config's)")
    parser.add_argument("--out", type=output_folder, required=True, metavar="RUN", help="run directory, new unless --resume")
    parser.add_argument("--resume", action="store_true", help="continue the run in RUN where its last checkpoint left it")
    add_quiet_option(parser)
    add_json_option(parser, "one JSON document: the run and its latest figures")


def run(args: argparse.Namespace) -> int:
    """Train, or continue a run; prints the run directory."""
    from navplan.cli.extras import need
    from navplan.errors import InvalidInput
    from navplan.learned.choices import Wanted, new_settings, parse_choices, resumed_settings

    if args.resume and args.config is not None:
        raise InvalidInput("--config is for new runs, expected no --resume beside it")
    wanted = Wanted(args.scenario, args.recipe, args.seed, args.steps, parse_choices(args.choices))
    config = resumed_settings(wanted, args.out) if args.resume else new_settings(wanted, args.config)
    need("training", "torch", "safetensors")
    from navplan.learned.training.train import latest, train

    with ProgressDisplay(quiet=args.quiet) as progress:
        folder = train(config, args.out, resume=args.resume, progress=progress)
    print(json.dumps({"run": str(folder), "seed": config.seed, **latest(folder)}) if args.json else folder)
    return 0
