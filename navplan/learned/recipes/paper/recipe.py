"""The published recipe as it was launched (docs/paper.md, sections 2 and 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from navplan.learned.interface import Experience, Exported, Learner
from navplan.learned.recipes.paper.config import PaperConfig, paper_config

if TYPE_CHECKING:
    from navplan.learned.recipes.paper.learner import PaperLearner, Transitions
    from navplan.learned.trained import Critics


@dataclass(frozen=True)
class PaperRecipe:
    """The paper's own training, to compare with."""

    name: ClassVar[str] = "paper"
    slot: ClassVar[str] = "recipe"
    about: ClassVar[str] = "the published training to the letter: one environment, a small ring, two stages"
    paper: ClassVar[str | None] = None
    source: ClassVar[str] = "docs/paper.md, sections 2 and 3"

    def settings(self, scenario: str) -> PaperConfig:
        """See `navplan.learned.interface.Recipe`."""
        return paper_config(scenario)

    def read(self, values: Mapping[str, Any], source: str | Path) -> PaperConfig:
        """See `navplan.learned.interface.Recipe`."""
        return PaperConfig.from_dict(values, source)

    def recall(self, values: Mapping[str, Any], source: str | Path) -> PaperConfig:
        """See `navplan.learned.interface.Recipe`."""
        return PaperConfig.from_dict(values, source)

    def quick(self, scenario: str) -> PaperConfig:
        """See `navplan.learned.interface.Recipe`."""
        return PaperConfig(
            scenario, steps=400, stage1_fraction=0.5, batch_size=8, hidden=8, initial_steps=50, replay_size=100,
            queue_interval=50, queue_points=6, queue_problems=4, checkpoint_interval=100, log_interval=100, export_states=40,
        )  # fmt: skip

    def start(self, settings: PaperConfig) -> tuple[Learner[Transitions], Experience[PaperLearner]]:
        """See `navplan.learned.interface.Recipe`."""
        from navplan.learned.recipes.paper.experience import RingExperience
        from navplan.learned.recipes.paper.learner import PaperLearner
        from navplan.scenarios.registry import load_scenario

        experience = RingExperience(settings, load_scenario(settings.scenario))
        return PaperLearner(settings, experience.size), experience

    def trained(self, settings: PaperConfig, exported: Exported) -> Critics:
        """See `navplan.learned.interface.Recipe`."""
        from navplan.learned.recipes.paper.learner import paper_networks
        from navplan.learned.trained import Critics
        from navplan.learned.training.state import load_networks
        from navplan.learned.training.tensors import expect

        # Before anything of the configured size is built: the file must have that size.
        bins = {"distance": settings.distance_bins, "cost": settings.cost_atoms}
        shapes = {f"critics.{family}.w3": (settings.ensemble, settings.hidden, count) for family, count in bins.items()}
        expect(exported.path, exported.arrays, shapes)
        networks = paper_networks(settings, exported.size, seed=0)
        load_networks(exported.path, networks, exported.arrays)
        return Critics(networks, exported.states, settings, exported.size, exported.stage)
