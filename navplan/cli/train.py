"""`navplan train`: learn critics and policy for a scenario."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from navplan.learned.recipes.navplan.config import TrainConfig
    from navplan.learned.recipes.paper.config import PaperConfig


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--scenario", metavar="NAME", help="bundled scenario or scenario file (--resume, --config: theirs)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file of settings, instead of the scenario's own")
    parser.add_argument("--recipe", choices=("navplan", "paper"), help="training recipe (default: navplan)")
    parser.add_argument("--seed", type=int, help="seed of every random draw (default: that of the scenario's config)")
    parser.add_argument("--steps", type=int, metavar="N", help="gradient updates over both stages (default: the config's)")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="run directory, new unless --resume")
    parser.add_argument("--json", action="store_true", help="print one JSON document: the run and its latest figures")
    parser.add_argument("--resume", action="store_true", help="continue the run in RUN where its last checkpoint left it")


def run(args: argparse.Namespace) -> int:
    """Train, or continue a run; prints the run directory."""
    from navplan.cli.extras import need

    config = _config(args)
    need("training", "torch", "safetensors", "tqdm")
    from navplan.learned.training.train import train

    with _Bar(config.steps) as bar:
        folder = train(config, args.out, resume=args.resume, progress=bar.show)
    print(json.dumps({"run": str(folder), "seed": config.seed, **bar.latest}) if args.json else folder)
    return 0


def _config(args: argparse.Namespace) -> TrainConfig | PaperConfig:
    from navplan.errors import InvalidInput
    from navplan.learned.recipes.navplan.config import bundled_config, load_config
    from navplan.learned.recipes.paper.config import paper_config
    from navplan.learned.training.run_config import read_run_config

    if args.config is not None and (args.resume or args.recipe == "paper"):
        raise InvalidInput("--config is for new runs of recipe navplan, expected neither --resume nor --recipe paper beside it")
    base: TrainConfig | PaperConfig
    if args.resume:
        base = read_run_config(args.out)
        if args.recipe not in (None, base.recipe):
            raise InvalidInput(f"{args.out}: was started with recipe {base.recipe!r}, not {args.recipe!r}")
    elif args.config is not None:
        base = load_config(args.config)
    elif args.scenario is None:
        raise InvalidInput("--scenario is missing, expected the name of a scenario or the path of a scenario file")
    else:
        base = paper_config(args.scenario) if args.recipe == "paper" else bundled_config(args.scenario)
    asked = {"scenario": args.scenario, "seed": args.seed, "steps": args.steps}
    return base.replace(**{name: value for name, value in asked.items() if value is not None})


class _Bar:
    """A progress bar on a terminal, nothing in a pipe."""

    def __init__(self, total: int) -> None:
        from tqdm import tqdm

        self.latest: dict[str, float] = {}
        self._bar = tqdm(total=total, unit="update", file=sys.stderr, disable=not sys.stderr.isatty(), dynamic_ncols=True)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, updates: int, row: dict[str, float]) -> None:
        """Move to `updates` and name the latest figures."""
        self._bar.update(updates - self._bar.n)
        self.latest = row
        if row:
            self._bar.set_postfix(
                {name: f"{row[name]:.3g}" for name in ("distance_loss", "episode_cost", "reached", "multiplier")}
            )
