"""Settings of learning from logs."""

from __future__ import annotations

from dataclasses import dataclass

from navplan.errors import InvalidInput
from navplan.learned.critics.temporal import Temporal
from navplan.learned.extraction.gcbc import Gcbc
from navplan.learned.interface import Critic, Extraction
from navplan.learned.training.fields import Configuration, check_fields, check_identity


@dataclass(frozen=True)
class OfflineConfig(Configuration):
    """Everything that decides a run from logs; where files are named, they are part of it."""

    scenario: str = ""
    """Without logs: the scenario whose environment makes them, by steering straight at random places with noise."""
    data: tuple[str, ...] = ()
    """Files of logs, see `Dataset.load`; none where the data was given in memory, or a scenario makes it."""
    goal: tuple[int, ...] = ()
    """Columns of observations that are what a goal is; none: all."""
    position: tuple[int, ...] = ()
    """Two columns of observations that are where it is; none: not known."""
    cost: str = ""
    """Array of the files that holds costs; none: "costs" where there is one."""
    held: float = 0.1
    """Share of the trajectories that nothing is learned from, for the figures of curves.csv."""
    recipe: str = "offline"
    """Name of the training recipe."""
    seed: int = 0
    """Seed of every random draw of the run."""
    threads: int = 1
    """PyTorch threads; part of the run's identity."""

    critic: Critic = Temporal()  # noqa: RUF009 - frozen
    """How far it is."""
    policy: Extraction = Gcbc()  # noqa: RUF009
    """What follows."""

    steps: int = 5000
    """Gradient updates."""
    batch_size: int = 256
    """Logged steps per update."""
    members: int = 3
    """Critics side by side; the largest distance counts."""
    hidden: int = 128
    """Width of both hidden layers."""
    frequencies: tuple[float, ...] = (1.0, 2.0, 4.0)
    """Of sines beside observations, in half turns per standard deviation; for observations of more than `plain_width` none."""
    plain_width: int = 16
    """Widest observation that gets sines."""
    rate: float = 1e-3
    """Adam step at its largest."""
    transitions: int = 50_000
    """Logged steps that a scenario makes."""

    checkpoint_interval: int = 1000
    """Updates between checkpoints."""
    log_interval: int = 500
    """Updates between rows of curves.csv."""
    export_states: int = 2000
    """Places, thinned for coverage, that the exported policy carries."""

    def __post_init__(self) -> None:
        check_fields(self, positive=_POSITIVE, most=_AT_MOST, shares=("held",), natural=("plain_width",))
        check_identity(self, "offline")
        if self.position and len(self.position) != 2:
            raise InvalidInput(f"position is {list(self.position)}, expected two columns, or none")
        for name in ("goal", "position"):
            if any(column < 0 for column in getattr(self, name)):
                raise InvalidInput(f"{name} is {list(getattr(self, name))}, expected columns from 0")


_POSITIVE = (
    "threads", "steps", "batch_size", "members", "hidden", "rate", "transitions", "checkpoint_interval", "log_interval",
    "export_states",
)  # fmt: skip
_AT_MOST = {"threads": 1024, "batch_size": 65_536, "members": 64, "hidden": 4096, "export_states": 100_000}
