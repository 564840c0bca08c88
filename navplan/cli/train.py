"""`navplan train`: learn critics and policy for a scenario, or from logs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from navplan.cli.options import (
    ListOption,
    add_json_option,
    add_quiet_option,
    add_set_option,
    columns,
    logs_list,
    output_folder,
    two_columns,
)
from navplan.system.progress import ProgressDisplay

if TYPE_CHECKING:
    from navplan.learned.datasets.dataset import Dataset
    from navplan.learned.training.fields import TrainingSettings

_OF_LOGS = ("data", "goal", "position", "cost")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--scenario", metavar="NAME", help="bundled scenario or scenario file (--resume, --config: theirs)")
    text = "learn from logs instead: .npz files, or patterns such as 'logs/*.npz', see navplan data inspect"
    parser.add_argument("--data", nargs="+", action=ListOption, type=logs_list, metavar="LOGS", help=text)
    text = "of logs: which columns of observations are a goal (default: all)"
    parser.add_argument("--goal", type=columns, metavar="I,J,…", help=text)
    text = "of logs: which two columns of observations are a place (default: nobody knows)"
    parser.add_argument("--position", type=two_columns, metavar="I,J", help=text)
    parser.add_argument("--cost", metavar="NAME", help="of logs: the array that holds the cost of each step (default costs)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file of settings, instead of the scenario's own")
    text = "training recipe: navplan (default), paper, offline (default for logs), or another registered one"
    parser.add_argument("--recipe", metavar="NAME", help=text)
    add_set_option(parser, "curriculum=uniform, or of logs critic=temporal")
    parser.add_argument("--seed", type=int, help="seed of every random draw (default: that of the scenario's config)")
    parser.add_argument("--steps", type=int, metavar="N", help="gradient updates over all stages (default: the config's)")
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
    said: dict[str, Any] = {name: getattr(args, name) for name in _OF_LOGS if getattr(args, name) is not None}
    if "data" in said:
        said["data"] = tuple(said["data"])
    wanted = Wanted(args.scenario, args.recipe, args.seed, args.steps, parse_choices(args.choices), said)
    config = resumed_settings(wanted, args.out) if args.resume else new_settings(wanted, args.config)
    with ProgressDisplay(quiet=args.quiet) as progress:
        logs = _logs(config, progress, args.quiet)
        need("training", "torch", "safetensors")
        from navplan.learned.training.train import latest, train

        folder = train(config, args.out, resume=args.resume, data=logs, progress=progress)
    print(json.dumps({"run": str(folder), "seed": config.seed, **latest(folder)}) if args.json else folder)
    return 0


def _logs(config: TrainingSettings, progress: ProgressDisplay, quiet: bool) -> Dataset | None:
    """The logs that a configuration names; on stderr, what they are, and what is wrong with them even if quiet."""
    files = getattr(config, "data", ())
    if not files:
        return None
    from navplan.learned.datasets.columns import named_logs

    named: Any = config
    logs = named_logs(files, named.goal, named.position, named.cost)
    summary = logs.summary()
    if not quiet:
        progress.warn(f"{summary.transitions} steps in {summary.episodes} trajectories; ends: {summary.convention}")
    for mistake in summary.mistakes:
        progress.warn(f"warning: {mistake}")
    return logs
