"""Critics and a policy from logs, without a simulator (docs/own-data.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from navplan.errors import CheckpointError
from navplan.learned.interface import Experience, Exported, Learner
from navplan.learned.recipes.offline.config import OfflineConfig

if TYPE_CHECKING:
    from navplan.learned.datasets.dataset import Dataset
    from navplan.learned.datasets.steps import GoalBatch
    from navplan.learned.recipes.offline.learner import OfflineLearner
    from navplan.learned.recipes.offline.trained import GoalCritics


@dataclass(frozen=True)
class OfflineRecipe:
    """A critic of distances, a follower, and a critic of costs where they were logged; parts are chosen by slot."""

    name: ClassVar[str] = "offline"
    slot: ClassVar[str] = "recipe"
    about: ClassVar[str] = "critic and follower from logs of any robot, without a simulator"
    paper: ClassVar[str | None] = None
    source: ClassVar[str] = "docs/own-data.md"
    mapped: ClassVar[bool] = False

    def settings(self, scenario: str) -> OfflineConfig:
        """See `navplan.learned.interface.Recipe`."""
        return OfflineConfig(scenario)

    def read(self, values: Mapping[str, Any], source: str | Path) -> OfflineConfig:
        """See `navplan.learned.interface.Recipe`."""
        return OfflineConfig.from_dict(values, source)

    def recall(self, values: Mapping[str, Any], source: str | Path) -> OfflineConfig:
        """See `navplan.learned.interface.Recipe`."""
        return OfflineConfig.from_dict(values, source)

    def quick(self, scenario: str) -> OfflineConfig:
        """See `navplan.learned.interface.Recipe`."""
        return OfflineConfig(
            scenario,
            steps=40,
            batch_size=16,
            hidden=8,
            transitions=400,
            checkpoint_interval=20,
            log_interval=20,
            export_states=50,
        )

    def start(
        self, settings: OfflineConfig, data: Dataset | None = None
    ) -> tuple[Learner[GoalBatch], Experience[OfflineLearner]]:
        """See `navplan.learned.interface.Recipe`; `data` are logs that are at hand."""
        from navplan.learned.recipes.offline.experience import LogExperience, logs_of
        from navplan.learned.recipes.offline.learner import OfflineLearner

        experience = LogExperience(settings, logs_of(settings) if data is None else data)
        return OfflineLearner(settings, experience.logs()), experience

    def trained(self, settings: OfflineConfig, exported: Exported) -> GoalCritics:
        """See `navplan.learned.interface.Recipe`."""
        from navplan.learned.critics.goal_critic import GoalTask
        from navplan.learned.recipes.offline.parts import Logs, other_networks, scales_from, table_from
        from navplan.learned.recipes.offline.trained import GoalCritics
        from navplan.learned.training.state import load_networks

        facts = exported.facts
        try:
            shape, goal = (tuple(int(side) for side in facts[name]) for name in ("observation", "goal"))
            wide = len(shape) == 1 and shape[0] > settings.plain_width
            task = GoalTask(
                shape, goal, int(facts["actions"]), not settings.goal, settings.members, settings.hidden,
                () if wide else settings.frequencies, settings.rate, settings.steps, settings.seed,
            )  # fmt: skip
            logs = Logs(task, scales_from(exported.arrays), bool(facts["costs"]), table_from(exported.arrays), {})
            networks = dict(settings.critic.learner(task).networks) | other_networks(logs)
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(exported.path, f"is incomplete or misshaped: {error}") from error
        load_networks(exported.path, networks, exported.arrays)
        return GoalCritics(settings, networks, logs, exported.states)
