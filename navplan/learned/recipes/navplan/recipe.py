"""navplan's own recipe: vectorised, relabelled, with tables of places and behaviour cloning beside (docs/training.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from navplan.learned.interface import Batch, Experience, Exported, Learner, Shapes
from navplan.learned.recipes.navplan.config import TrainConfig, bundled_config

if TYPE_CHECKING:
    from navplan.learned.recipes.navplan.learner import NavplanLearner
    from navplan.learned.trained import Critics

_BEFORE = {"place_channels": 0, "imitation": 0.0}
"""What runs did not have whose files do not speak of it."""


@dataclass(frozen=True)
class NavplanRecipe:
    """UVF-DDPG with distributional critics of distance and cost, self-training, and a Lagrangian for the cost."""

    name: ClassVar[str] = "navplan"
    slot: ClassVar[str] = "recipe"
    about: ClassVar[str] = "critics of distance and cost, policy and behaviour cloning, by many environments in minutes"
    paper: ClassVar[str | None] = None
    source: ClassVar[str] = "docs/training.md"

    def settings(self, scenario: str) -> TrainConfig:
        """See `navplan.learned.interface.Recipe`."""
        return bundled_config(scenario)

    def read(self, values: Mapping[str, Any], source: str | Path) -> TrainConfig:
        """See `navplan.learned.interface.Recipe`."""
        return TrainConfig.from_dict(values, source)

    def recall(self, values: Mapping[str, Any], source: str | Path) -> TrainConfig:
        """See `navplan.learned.interface.Recipe`."""
        return TrainConfig.from_dict({**_BEFORE, **values}, source)

    def quick(self, scenario: str) -> TrainConfig:
        """See `navplan.learned.interface.Recipe`."""
        return TrainConfig(
            scenario, steps=48, updates_per_round=4, batch_size=16, hidden=8, num_envs=8, warmup_rounds=2, replay_episodes=40,
            self_training_interval=8, self_training_candidates=64, multiplier_window=8, checkpoint_interval=12, log_interval=12,
            export_states=50,
        )  # fmt: skip

    def start(self, settings: TrainConfig) -> tuple[Learner[Batch], Experience[NavplanLearner]]:
        """See `navplan.learned.interface.Recipe`."""
        from navplan.learned.recipes.navplan.experience import ReplayExperience
        from navplan.learned.recipes.navplan.learner import NavplanLearner
        from navplan.scenarios.registry import load_scenario

        scenario = load_scenario(settings.scenario)
        experience = ReplayExperience(settings, scenario)
        return NavplanLearner(settings, experience.size, scenario.goal_tolerance), experience

    def trained(self, settings: TrainConfig, exported: Exported) -> Critics:
        """See `navplan.learned.interface.Recipe`."""
        from navplan.learned.networks import Encoder
        from navplan.learned.recipes.navplan.learner import build_networks
        from navplan.learned.trained import Critics
        from navplan.learned.training.state import load_networks
        from navplan.learned.training.tensors import expect

        # Before anything of the configured size is built: the file must have that size.
        members, width = 2 * settings.ensemble, settings.hidden
        features = Encoder(exported.size, settings.wavelengths, settings.relative_scales).dim
        inputs, outputs = features + 2 + 3 * settings.place_channels, max(settings.distance_bins, settings.cost_atoms)
        shapes: Shapes = {"critics.w1": (members, inputs, width), "critics.w3": (members, width, outputs)}
        if settings.place_channels:
            table = (settings.place_channels, *(int(side) + 1 for side in exported.size))
            shapes |= {"actor.places.table": (1, *table), "critics.places.table": (members, *table)}
        expect(exported.path, exported.arrays, shapes)
        networks = build_networks(settings, exported.size, seed=0)
        load_networks(exported.path, networks, exported.arrays)
        return Critics(networks, exported.states, settings, exported.size, exported.stage)
