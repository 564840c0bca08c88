"""What a training run is told: one frozen dataclass, one TOML file per bundled scenario, the same keys in both."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from navplan.errors import InvalidInput
from navplan.learned.curriculum.disagreement import Disagreement
from navplan.learned.interface import Curriculum
from navplan.learned.training.fields import Configuration, check_fields, check_identity, read_toml

_USUAL = Disagreement()


@dataclass(frozen=True)
class TrainConfig(Configuration):
    """Everything that decides a training run; together with the seed it fixes every bit of the result on one machine."""

    scenario: str
    """Name or file of the scenario whose world is learned."""
    recipe: str = "navplan"
    """Name of the training recipe."""
    seed: int = 0
    """Seed of every random draw of the run."""
    threads: int = 1
    """PyTorch threads; part of the run's identity, because sums are split over them. Small networks gain nothing from two."""

    steps: int = 28_000
    """Gradient updates over both stages."""
    stage1_fraction: float = 0.5
    """Share of the updates without the multiplier (the unconstrained policy)."""
    batch_size: int = 128
    """Pairs per update."""
    updates_per_round: int = 20
    """Gradient updates after each round of collection."""
    actor_interval: int = 2
    """Critic updates per actor update."""

    hidden: int = 128
    """Width of both hidden layers of every network."""
    ensemble: int = 3
    """Distance critics, and as many cost critics."""
    distance_bins: int = 20
    """Bins of the distance critics: 1, 2, …, this many steps; the last one means 'or more'."""
    cost_atoms: int = 40
    """Atoms of the cost critics, evenly over [0, cost_max]."""
    cost_max: float = 10.0
    """Largest cumulative cost that the cost critics can say."""
    cost_floor: float = 0.05
    """Expected costs below it are read as 0: a softmax never says exactly 0 (a fifth of the distance between two atoms)."""
    wavelengths: tuple[float, ...] = (6.0, 12.0, 24.0)
    """Wavelengths, in cells, of the sine features of both positions."""
    place_channels: int = 8
    """Values that each network keeps for every corner of a cell (navplan.learned.networks.PlaceTable); 0: none."""
    relative_scales: tuple[float, ...] = (2.0, 8.0)
    """Scales, in cells, of the saturating features of goal minus position."""

    actor_rate: float = 5e-4
    """Adam step of the actor at the start of a stage."""
    critic_rate: float = 1e-3
    """Adam step of the critics at the start of a stage."""
    final_rate: float = 0.05
    """Share of the Adam steps that is left at the end of a stage (cosine in between)."""
    stage2_rate: float = 0.5
    """Adam steps of stage 2 as a share of those of stage 1."""
    polyak: float = 0.02
    """Step of the target networks towards the networks, every update."""

    num_envs: int = 64
    """Environments stepped in one call."""
    episode_steps: int = 20
    """Steps of an episode; a time-out is no end of the task, so it bootstraps."""
    warmup_rounds: int = 10
    """Rounds of uniformly random actions before the first update."""
    greedy_share: float = 0.25
    """Share of the environments that follow the policy without noise; their episodes drive the multiplier."""
    random_share: float = 0.25
    """Share of the environments that act uniformly at random."""
    noise: tuple[float, ...] = (0.2, 0.7)
    """Standard deviations of the action noise, split evenly over the remaining environments."""
    replay_episodes: int = 10_000
    """Episodes that the replay ring holds."""

    straightness: float = 2.0
    """Weight, in steps, of the actor's squared distance from the straight move, where critics see nothing in the way."""
    straight_margin: float = 0.5
    """How many steps longer than a straight drive the critics may find a pair that still counts as clear."""

    imitation: float = 4.0
    """Weight, in steps, of the actor's squared distance from actions that were made and that the critics find better: a gradient
    alone does not lead out of a corner (a Q-filter: Nair et al., "Overcoming Exploration in Reinforcement Learning with
    Demonstrations", ICRA 2018, section IV-C)."""
    imitation_margin: float = 0.5
    """How many steps better they must be."""

    self_training_share: float = 0.125
    """Share of the environments, taken from the noisy ones, that practise what the curriculum chooses; 0: none."""
    self_training_interval: int = 200
    """Updates between two samplings of problems."""
    self_training_candidates: int = 2048
    """Pairs that a sampling looks at."""
    self_training_distance: float = 15.0
    """Problems longer than this many predicted steps are too long to be practised: episodes are short."""
    curriculum: Curriculum = _USUAL
    """What chooses them."""

    goal_future: float = 0.4
    """Share of relabelled goals that are later states of the same episode."""
    goal_near: float = 0.4
    """Share that are replay states near in coordinates, on whichever side of a wall."""
    goal_random: float = 0.05
    """Share that are any replay states; what is left keeps the goal that was pursued."""
    goal_here: float = 0.03
    """Share that are the state itself: graphs ask what it costs to wait."""
    near_radius: float = 4.0
    """Half side, in cells, of the square in which near goals lie."""
    near_candidates: int = 64
    """Replay states tried per near goal; the one closest to a random point of the square is taken."""

    cost_limit: float = 0.0
    """Cumulative cost per episode that the multiplier steers to, and the mask of the actor's cost term; 0: by the share below."""
    cost_limit_share: float = 0.95
    """The limit as a share of `Run.episode_cost` at the end of stage 1, so that one value can be had on any map."""
    multiplier_rate: float = 0.02
    """Step of the multiplier per round and relative excess (cost / limit - 1); falls over the stage as the Adam steps do."""
    multiplier_max: float = 2.0
    """Upper bound of the multiplier."""
    multiplier_window: int = 2048
    """Recent noise-free episodes whose mean cost is compared with the limit."""

    clone_rate: float = 1e-3
    """Adam step of the behaviour-cloning network."""
    checkpoint_interval: int = 5_000
    """Updates between checkpoints (rounded up to whole rounds)."""
    log_interval: int = 500
    """Updates between rows of curves.csv."""
    export_states: int = 10_000
    """Replay states, thinned for coverage, that the exported policy carries."""

    def __post_init__(self) -> None:
        check_fields(self, positive=_POSITIVE, most=_AT_MOST, shares=_SHARES, natural=_NATURAL)
        check_identity(self, "navplan")
        if self.warmup_rounds < 1:
            raise InvalidInput(f"warmup_rounds is {self.warmup_rounds}, expected at least 1")
        if self.goal_future + self.goal_near + self.goal_random + self.goal_here > 1 + 1e-9:
            raise InvalidInput("goal_future, goal_near, goal_random and goal_here add up to more than 1")
        if self.greedy_share + self.random_share + self.self_training_share > 1 + 1e-9:
            raise InvalidInput("greedy_share, random_share and self_training_share add up to more than 1")
        if not 0 <= self.cost_floor < self.cost_max:
            raise InvalidInput(f"cost_floor is {self.cost_floor}, expected a number in [0, cost_max)")
        if self.distance_bins < 2 or self.cost_atoms < 2:
            raise InvalidInput("distance_bins and cost_atoms must be at least 2")
        if not self.noise or any(value < 0 for value in self.noise):
            raise InvalidInput(f"noise is {self.noise}, expected at least one standard deviation >= 0")
        if any(value <= 0 for value in (*self.wavelengths, *self.relative_scales)):
            raise InvalidInput("wavelengths and relative_scales must be positive")
        if self.replay_episodes < self.num_envs * self.warmup_rounds:
            raise InvalidInput(f"replay_episodes is {self.replay_episodes}, expected at least num_envs * warmup_rounds")

    @property
    def stage1_steps(self) -> int:
        """Updates of stage 1, whole rounds."""
        rounds = round(self.steps * self.stage1_fraction / self.updates_per_round)
        return min(self.steps, rounds * self.updates_per_round)


_POSITIVE = (
    "threads", "steps", "batch_size", "updates_per_round", "actor_interval", "hidden", "ensemble", "distance_bins", "cost_atoms",
    "cost_max", "actor_rate", "critic_rate", "stage2_rate", "polyak", "num_envs", "episode_steps", "replay_episodes",
    "near_radius", "near_candidates", "multiplier_max", "multiplier_window", "clone_rate", "checkpoint_interval",
    "log_interval", "export_states", "cost_limit_share", "self_training_interval", "self_training_candidates",
    "self_training_distance",
)  # fmt: skip
_AT_MOST = {
    "threads": 1024, "batch_size": 65_536, "updates_per_round": 10_000, "hidden": 4096, "ensemble": 64, "distance_bins": 1000,
    "cost_atoms": 1000, "num_envs": 65_536, "episode_steps": 10_000, "replay_episodes": 1_000_000, "near_candidates": 1000,
    "multiplier_window": 1_000_000, "place_channels": 64, "export_states": 10_000, "self_training_candidates": 1_000_000,
}  # fmt: skip
_SHARES = (
    "stage1_fraction", "final_rate", "polyak", "greedy_share", "random_share", "goal_future", "goal_near", "goal_random",
    "goal_here", "multiplier_rate", "self_training_share",
)  # fmt: skip
_NATURAL = ("cost_limit", "straightness", "straight_margin", "imitation", "imitation_margin", "place_channels")


def load_config(path: str | Path) -> TrainConfig:
    """Read a TOML file of `TrainConfig` fields.

    Raises:
        FileAccessError: it cannot be read.
        FileFormatError: it is no TOML or does not fit.
    """
    return TrainConfig.from_dict(read_toml(path), path)


def bundled_config(scenario: str) -> TrainConfig:
    """The committed config of a scenario, or the defaults where none is committed."""
    file = resources.files("navplan.learned") / "configs" / f"{scenario}.toml"
    if not file.is_file():
        return TrainConfig(scenario)
    with resources.as_file(file) as path:
        return load_config(path)
