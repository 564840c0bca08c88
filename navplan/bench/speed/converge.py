"""What training with many environments rests on: short runs, each without one part of the recipe."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from navplan.bench import Row

if TYPE_CHECKING:
    from navplan.learned.recipes.navplan.config import TrainConfig

MAPS = {"four-rooms-modified": 10_000, "center-dot": 6_000}
"""Updates of stage 1 by map."""

# Without relabelling a transition keeps the goal that was pursued; of one candidate, that is any stored state.
_PURSUED = {"goal_future": 0.0, "goal_near": 0.0, "goal_random": 0.0, "goal_here": 0.0}
_ANYWHERE = {**_PURSUED, "near_candidates": 1}
_SMALL_RING = {"replay_episodes": 64, "warmup_rounds": 1}
_FEW_UPDATES = {"updates_per_round": 2}

VARIANTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "goals not relabelled": _PURSUED,
    "goals anywhere, not relabelled": _ANYWHERE,
    "ring of 1,280 transitions": _SMALL_RING,
    "one update per 640 environment steps, not per 64": _FEW_UPDATES,
    "goals anywhere and a small ring": {**_ANYWHERE, **_SMALL_RING},
    "goals anywhere and few updates": {**_ANYWHERE, **_FEW_UPDATES},
    "goals anywhere, a small ring and few updates": {**_ANYWHERE, **_SMALL_RING, **_FEW_UPDATES},
    "positions as they are, no further features": {"wavelengths": (), "relative_scales": ()},
    "no self-training": {"self_training_share": 0.0},
    "no straightness": {"straightness": 0.0},
}
"""Changes to a map's configuration by name; all make the same environment steps."""


def run(quick: bool) -> list[Row]:
    """The rows of suite `converge`: goals reached on the tuning problems after stage 1 alone, seed 0."""
    rows = []
    for scenario, updates in MAPS.items():
        own = [row(scenario, name, 40 if quick else updates, quick=quick) for name in VARIANTS]
        base = own[0]["value"]
        for each in own:
            each["ratio"] = each["value"] / base if base else None
        rows += own
    return rows


def row(scenario: str, name: str, updates: int, *, quick: bool = False) -> Row:
    """Train one variant and judge it; its ratio to the whole recipe is left open."""
    import numpy as np

    from navplan.bench.judge.run import tuning_pairs
    from navplan.learned.evaluation.calibration import near_pairs
    from navplan.learned.evaluation.judge import evaluate_edges, evaluate_pairs
    from navplan.learned.recipes.navplan.config import bundled_config
    from navplan.learned.training.load import load_checkpoint
    from navplan.learned.training.train import train
    from navplan.scenarios.registry import load_scenario
    from navplan.scenarios.worlds.geodesic import geodesic_steps

    base = bundled_config(scenario).replace(stage1_fraction=1.0, steps=updates)
    if quick:
        base = base.replace(num_envs=16, batch_size=16, hidden=8)
    config = variant(base, VARIANTS[name])
    with tempfile.TemporaryDirectory() as folder:
        critics = load_checkpoint(train(config, Path(folder) / "run"))
    world = load_scenario(scenario).world
    starts, goals = tuning_pairs(scenario)
    report = evaluate_pairs(critics, world, starts, goals, geodesic_steps(world, starts, goals))
    starts, goals = near_pairs(world, 500 if quick else 10_000, np.random.default_rng(0))
    edges = evaluate_edges(critics, world, starts, goals, geodesic_steps(world, starts, goals))
    note = (
        f"{config.steps:,} updates; distance off by {report.distance_mae:.2f} steps, cost by {report.cost_mae:.2f}; "
        f"{100 * edges.false_edges:.2f} % false edges"
    )
    return Row(name=f"{scenario}: {name}", value=100 * report.reached, unit="% reached", peer="as it is", ratio=None, note=note)


def variant(base: TrainConfig, changes: dict[str, Any]) -> TrainConfig:
    """With fewer updates per round there are fewer updates: collection sets the pace."""
    changed = base.replace(**changes)
    return changed.replace(steps=base.steps // base.updates_per_round * changed.updates_per_round)
