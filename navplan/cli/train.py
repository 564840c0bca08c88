"""`navplan train`: learn critics and policy for a scenario."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--scenario", metavar="NAME", help="bundled scenario or scenario file (--resume, --config: theirs)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file of settings, instead of the scenario's own")
    parser.add_argument("--recipe", metavar="NAME", help="training recipe: navplan (default), paper, or another registered one")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SLOT=NAME[:OPTION=VALUE,…]", help="a learned part of the run; repeatable"
    )
    parser.add_argument("--seed", type=int, help="seed of every random draw (default: that of the scenario's config)")
    parser.add_argument("--steps", type=int, metavar="N", help="gradient updates over both stages (default: the config's)")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="run directory, new unless --resume")
    parser.add_argument("--json", action="store_true", help="print one JSON document: the run and its latest figures")
    parser.add_argument("--resume", action="store_true", help="continue the run in RUN where its last checkpoint left it")


def run(args: argparse.Namespace) -> int:
    """Train, or continue a run; prints the run directory."""
    from navplan.cli.extras import need
    from navplan.errors import InvalidInput
    from navplan.learned.choices import Wanted, new_settings, parse_choices, resumed_settings

    if args.resume and args.config is not None:
        raise InvalidInput("--config is for new runs, expected no --resume beside it")
    wanted = Wanted(args.scenario, args.recipe, args.seed, args.steps, parse_choices(args.set))
    config = resumed_settings(wanted, args.out) if args.resume else new_settings(wanted, args.config)
    need("training", "torch", "safetensors", "tqdm")
    from navplan.learned.training.train import train

    with ProgressBar(config.steps) as bar:
        folder = train(config, args.out, resume=args.resume, progress=bar.show)
    print(json.dumps({"run": str(folder), "seed": config.seed, **bar.latest}) if args.json else folder)
    return 0


class ProgressBar:
    """A progress bar on a terminal, nothing in a pipe."""

    def __init__(self, total: int) -> None:
        from tqdm import tqdm

        self.latest: dict[str, float] = {}
        self._bar = tqdm(total=total, unit="update", file=sys.stderr, disable=not sys.stderr.isatty(), dynamic_ncols=True)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, updates: int, row: dict[str, float]) -> None:
        """Move to `updates` and name the latest figures."""
        self._bar.update(updates - self._bar.n)
        self.latest = row
        self._bar.set_postfix({name: f"{value:.3g}" for name, value in row.items() if name not in ("updates", "seconds")})
