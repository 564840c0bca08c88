"""The constants of the published recipe for the point environment, as its training was launched."""

from __future__ import annotations

from dataclasses import dataclass

from navplan.errors import InvalidInput
from navplan.learned.training.fields import Configuration, check_fields, check_identity

# Transitions that the ring holds, by released configuration; maps without one get that of the base configuration.
REPLAY_SIZES = {"center-dot": 100, "line": 100, "four-rooms-modified": 5000}


@dataclass(frozen=True)
class PaperConfig(Configuration):
    """Everything that decides a run of the paper's recipe; sources are sections of paper.md.

    The published runs made 300,000 updates of stage 1 and 600,000 of stage 2; the default is a third of both.
    """

    scenario: str
    """Name or file of the scenario whose world is learned."""
    recipe: str = "paper"
    """Name of the training recipe."""
    seed: int = 0
    """Seed of every random draw of the run."""
    threads: int = 1
    """PyTorch threads; part of the run's identity."""

    steps: int = 300_000
    """Gradient updates over both stages."""
    stage1_fraction: float = 1 / 3
    """Share of the updates without the multiplier (3.1, 3.2: 300,000 of 900,000)."""
    batch_size: int = 64
    """Transitions per update (3.1)."""

    hidden: int = 256
    """Width of both hidden layers (3.1)."""
    ensemble: int = 3
    """Distance critics, and as many cost critics (3.1)."""
    distance_bins: int = 20
    """Bins of the distance critics (3.1)."""
    cost_atoms: int = 40
    """Atoms of the cost critics, evenly over [0, cost_max] (3.2)."""
    cost_max: float = 40.0
    """Largest cumulative cost that the cost critics can say (3.2)."""
    cost_floor: float = 0.0
    """Expected costs below it are read as 0; the published code reads them as they are."""

    actor_rate: float = 1e-4
    """Adam step of the actor (3.1; the launch script's)."""
    critic_rate: float = 3e-4
    """Adam step of the distance critics (3.1)."""
    cost_critic_rate: float = 1e-4
    """Adam step of the cost critics (3.1)."""
    polyak: float = 0.05
    """Step of the target networks (3.1)."""
    target_interval: int = 5
    """Updates between steps of the target networks (3.1)."""

    episode_steps: int = 20
    """Steps of an episode; a time-out bootstraps (1.2)."""
    collect_steps: int = 10
    """Environment steps per update in stage 1 (3.1)."""
    stage2_collect_steps: int = 20
    """Environment steps per update in stage 2 (3.1; the launch script's)."""
    initial_steps: int = 1000
    """Uniformly random steps before the first update of each stage (3.1)."""
    noise: float = 1.0
    """Standard deviation of the action noise (3.1)."""
    replay_size: int = 1000
    """Transitions that the replay ring holds (3.1)."""

    queue_interval: int = 1000
    """Updates between two samplings of problems (2)."""
    queue_problems: int = 20
    """Problems of each kind per sampling (2)."""
    queue_points: int = 50
    """Starts, and as many goals, whose pairs are the candidates (2)."""
    queue_share: float = 0.5
    """Probability that an episode begins with a problem of the queue while there are any (2)."""
    queue_cost_max: float = 4.0
    """The other end, beside the limit, of the costs that stage 2's problems aim at (2)."""

    cost_limit: float = 10.0
    """Limit of the multiplier and mask of the actor's cost term (3.2; the paper's and the launch script's)."""
    multiplier_start: float = 1e-3
    """The multiplier at the start of stage 2 (3.2)."""
    multiplier_rate: float = 10.0
    """Step of the multiplier per unit of excess cost (3.2; the launch script's)."""

    checkpoint_interval: int = 20_000
    """Updates between checkpoints."""
    log_interval: int = 5_000
    """Updates between rows of curves.csv."""
    export_states: int = 10_000
    """Free states, thinned for coverage, that the exported policy carries: the published graphs use no replay states (4)."""

    def __post_init__(self) -> None:
        check_fields(self, positive=_POSITIVE, most=_AT_MOST, shares=_SHARES, natural=_NATURAL)
        check_identity(self, "paper")
        if self.distance_bins < 2 or self.cost_atoms < 2:
            raise InvalidInput("distance_bins and cost_atoms must be at least 2")

    @property
    def stage1_steps(self) -> int:
        """Updates of stage 1."""
        return round(self.steps * self.stage1_fraction)


_POSITIVE = (
    "threads", "steps", "batch_size", "hidden", "ensemble", "cost_max", "actor_rate", "critic_rate", "cost_critic_rate", "polyak",
    "target_interval", "episode_steps", "collect_steps", "stage2_collect_steps", "initial_steps", "replay_size", "queue_interval",
    "queue_problems", "queue_points", "cost_limit", "checkpoint_interval", "log_interval", "export_states",
)  # fmt: skip
_AT_MOST = {
    "threads": 1024, "batch_size": 65_536, "hidden": 4096, "ensemble": 64, "distance_bins": 1000, "cost_atoms": 1000,
    "episode_steps": 10_000, "collect_steps": 10_000, "stage2_collect_steps": 10_000, "replay_size": 10_000_000,
    "queue_points": 1000, "queue_problems": 10_000, "export_states": 10_000,
}  # fmt: skip
_SHARES = ("stage1_fraction", "polyak", "queue_share")
_NATURAL = ("noise", "multiplier_start", "multiplier_rate", "queue_cost_max", "cost_floor")


def paper_config(scenario: str) -> PaperConfig:
    """The recipe's constants for a scenario."""
    return PaperConfig(scenario, replay_size=REPLAY_SIZES.get(scenario, PaperConfig.replay_size))
