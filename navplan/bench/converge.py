"""What makes training with many environments converge: short runs, each without one part of the recipe."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from navplan.bench import Row

if TYPE_CHECKING:
    from navplan.learned.config import TrainConfig

_NO_RELABELLING = {"goal_future": 0.0, "goal_near": 0.0, "goal_random": 0.0, "goal_here": 0.0}
_SMALL_RING = {"replay_episodes": 64, "warmup_rounds": 1}

VARIANTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "goals as pursued, none relabelled": _NO_RELABELLING,
    "ring of 1,280 transitions": _SMALL_RING,
    "ring of 1,280 transitions, goals as pursued": {**_SMALL_RING, **_NO_RELABELLING},
    "one update per 640 environment steps, not per 64": {"updates_per_round": 2},
    "positions as they are, no further features": {"wavelengths": (), "relative_scales": ()},
    "no self-training": {"self_training_share": 0.0},
    "no straightness": {"straightness": 0.0},
}
"""Changes to the configuration of center-dot by name; the number of environment steps is the same for all."""


def run(quick: bool) -> list[Row]:
    """The rows of suite `converge`: goals reached on the tuning problems after 6,000 updates of stage 1."""
    from navplan.learned.config import bundled_config

    base = bundled_config("center-dot").replace(stage1_fraction=1.0)
    updates = 40 if quick else 6000
    if quick:
        base = base.replace(num_envs=16, batch_size=16, hidden=8)
    rows = [_row(name, _variant(base, updates, changes)) for name, changes in VARIANTS.items()]
    return [row | {"ratio": row["value"] / rows[0]["value"] if rows[0]["value"] else None} for row in rows]


def _variant(base: TrainConfig, updates: int, changes: dict[str, Any]) -> TrainConfig:
    """With fewer updates per round there are fewer updates: collection sets the pace."""
    config = base.replace(steps=updates)
    rounds = updates // config.updates_per_round
    changed = config.replace(**changes)
    return changed.replace(steps=rounds * changed.updates_per_round)


def _row(name: str, config: TrainConfig) -> Row:
    from navplan.bench.judge import tuning_pairs
    from navplan.learned.checkpoint import load_checkpoint
    from navplan.learned.evaluate import evaluate_pairs
    from navplan.learned.train import train
    from navplan.scenarios.geodesic import geodesic_steps
    from navplan.scenarios.registry import load_scenario

    with tempfile.TemporaryDirectory() as folder:
        critics = load_checkpoint(train(config, Path(folder) / "run"))
    world = load_scenario(config.scenario).world
    starts, goals = tuning_pairs(config.scenario)
    report = evaluate_pairs(critics, world, starts, goals, geodesic_steps(world, starts, goals))
    note = f"{config.steps:,} updates; distance off by {report.distance_mae:.2f} steps, cost by {report.cost_mae:.2f}"
    return Row(name=name, value=100 * report.reached, unit="% reached", peer="as it is", ratio=None, note=note)
