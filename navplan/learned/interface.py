"""What learning asks of its parts: learners that a run trains, experience that it feeds them, modules that fill their slots.

A **module** is a frozen dataclass of options, as a planner is. It fills one **slot** and is found by name in
`navplan.learned.registry`; what hosts the slot calls the one function that the slot's Protocol states below. Nothing here needs
PyTorch at run time, so that modules can be listed and configurations read without it.

Shapes: B rows of a batch, P tasks with G rollouts each, N steps of all rollouts in a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from navplan.control.interface import LowLevel
from navplan.system.arrays import Bool, Float32, Float64, Int64

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Adam

Info = dict[str, "Tensor"]
"""Scalars of an update, by name."""
Arrays = dict[str, NDArray[Any]]
"""Tensors as files hold them, by name."""
Shapes = dict[str, tuple[int, ...]]
"""What float32 tensors must look like, by name."""

BatchIn = TypeVar("BatchIn", contravariant=True)
LearnerIn = TypeVar("LearnerIn", contravariant=True)
SettingsT = TypeVar("SettingsT")
ProductT = TypeVar("ProductT", covariant=True)


class Policy(LowLevel, Protocol):
    """A learned low level."""


class Batch(NamedTuple):
    """Transitions with their goals, one a row."""

    states: Float32
    """(B, …) observations."""
    actions: Float32
    """(B, A)."""
    costs: Float32
    """(B,) of the step."""
    next_states: Float32
    """(B, …)."""
    goals: Float32
    """(B, …)."""
    future: Bool
    """(B,) the goal is a later state of the same episode (what behaviour cloning learns from)."""

    def rows(self, first: int, count: int) -> Batch:
        """`count` rows from row `first`."""
        return Batch._make(column[first : first + count] for column in self)


class Saved(NamedTuple):
    """What a part of a run remembers, as a checkpoint holds it."""

    arrays: Arrays
    numbers: dict[str, Any]
    """Plain values, as JSON holds them."""


class Remembering(Protocol):
    """A part of a run that is saved with it. Names are shared by all parts of a run, so each part has its own."""

    def state(self) -> Saved:
        """All that `restore` needs."""
        ...

    def shapes(self, arrays: Arrays) -> Shapes:
        """The float32 tensors that `restore` takes; `arrays` are those at hand, whose number of rows is free."""
        ...

    def restore(self, state: Saved) -> None:
        """Become what `state` says; it holds the names of all other parts too.

        Raises:
            KeyError, TypeError, ValueError, RuntimeError, IndexError, OverflowError: it is incomplete or does not fit.
        """
        ...


class Learner(Remembering, Protocol[BatchIn]):
    """What a run trains: networks with their targets and optimisers, saved by name, and whatever else `state` holds."""

    networks: dict[str, nn.Module]
    """By name, as files call them."""
    targets: dict[str, nn.Module]
    """Slowly following copies, under the names of the networks they follow."""
    optimizers: dict[str, Adam]
    """By name."""
    columns: ClassVar[tuple[str, ...]]
    """Of curves.csv. The run knows ``updates`` and ``seconds``; `update`, `figures` and those of the experience say the rest."""
    updates: int
    """Updates made."""

    def update(self, batch: BatchIn) -> Info:
        """One update of everything; the scalars are not waited for."""
        ...

    def figures(self) -> dict[str, float]:
        """The learner's own numbers, by column."""
        ...

    def policies(self) -> dict[str, Policy]:
        """What can act, by the names that a checkpoint exports; ``policy`` is the one that is meant to."""
        ...

    def stages(self) -> dict[int, Arrays]:
        """Networks to export, by stage: 2 is the finished one, 1 what it was before constraints counted, where there is that."""
        ...

    def facts(self) -> dict[str, Any]:
        """What the exports say besides."""
        ...


class Experience(Remembering, Protocol[LearnerIn]):
    """Where a learner's batches come from: a collector with its replay, a data set, rollouts of the policy."""

    def warm_up(self, learner: LearnerIn) -> None:
        """What comes before the first update."""
        ...

    def batches(self, learner: LearnerIn) -> Iterator[Any]:
        """One round, never more than the updates that are left; checkpoints fall between rounds.

        The learner is updated with each batch before the next one is asked for, so what is collected in between is collected
        with what has just been learnt.
        """
        ...

    def figures(self) -> dict[str, float]:
        """Numbers of what was seen, by column."""
        ...

    def facts(self) -> dict[str, Any]:
        """What every file of the run says of it."""
        ...

    def states(self) -> Float32:
        """(K, D) places that the exported policy may carry for building graphs."""
        ...


class Exported(NamedTuple):
    """The contents of a policy file, half precision widened, and where it lies."""

    path: Path
    arrays: Arrays
    size: tuple[float, float]
    """(H, W) of the map; (0, 0) of recipes that know none."""
    states: Float32
    """(K, 2), or (K, D) of recipes that know no map."""
    stage: int
    facts: Mapping[str, Any]
    """What else the file says."""


# -- modules --------------------------------------------------------------------------------------------------------------------


class Module(Protocol):
    """A frozen dataclass of options, each with a default, that fills a slot."""

    name: ClassVar[str]
    """As registered: lower case with hyphens."""
    slot: ClassVar[str]
    """A key of `SLOTS`."""
    about: ClassVar[str]
    """One line: what it does."""
    paper: ClassVar[str | None]
    """Title of the paper that it is from, as published; None: a baseline or our own."""
    source: ClassVar[str]
    """Where its facts were taken from."""


@runtime_checkable
class Recipe(Module, Protocol[SettingsT, ProductT]):
    """Slot `recipe`: a whole learner. Its configuration has a field for every slot that it hosts, named as the slot."""

    def settings(self, scenario: str) -> SettingsT:
        """The committed configuration of a scenario, or the defaults."""
        ...

    def read(self, values: Mapping[str, Any], source: str | Path) -> SettingsT:
        """A configuration from plain values; FileFormatError names `source` and the key that does not fit."""
        ...

    def recall(self, values: Mapping[str, Any], source: str | Path) -> SettingsT:
        """The same of a run's own files, which may be older than a setting."""
        ...

    def quick(self, scenario: str) -> SettingsT:
        """A run of a second that passes through everything, for checks."""
        ...

    def start(self, settings: SettingsT) -> tuple[Learner[Any], Experience[Any]]:
        """What a run of it consists of, untrained."""
        ...

    def trained(self, settings: SettingsT, exported: Exported) -> ProductT:
        """Critics and policies out of their file; CheckpointError where contents and configuration do not fit."""
        ...


class RolloutGroups(NamedTuple):
    """G rollouts of each of P tasks, as advantages see them."""

    rewards: Float64
    """(P, G)."""
    lengths: Int64
    """(P, G) steps of each; N is their sum, rollout after rollout."""


class Offer(NamedTuple):
    """Start-goal pairs that a curriculum may choose from, and what the critics know of them."""

    starts: Float32
    """(K, 2)."""
    goals: Float32
    """(K, 2)."""
    distance: Float32
    """(E, K) steps that each distance critic expects."""
    cost: Float32
    """(F, K) cumulative cost that each cost critic expects."""
    longest: float
    """Steps beyond which an episode is too short for a problem."""
    target: float | None
    """Cumulative cost that problems should have now; None: any."""


@runtime_checkable
class Critic(Module, Protocol):
    """Slot `critic`: how far, and how costly, one state is from another."""

    def learner(self, task: Any) -> Any:
        """What learns it from the host's task: networks, targets and optimisers by name, and `update`."""
        ...


@runtime_checkable
class Extraction(Module, Protocol):
    """Slot `policy`: what a policy learns from critics and data."""

    def loss(self, policy: Any, critic: Any, batch: Any) -> tuple[Tensor, Info]:
        """Scalar loss, and what to log; the host says what policy, critic and batch are."""
        ...


@runtime_checkable
class Conditioning(Module, Protocol):
    """Slot `conditioning`: what a policy is told besides state and goal."""

    def encode(self, raw: Any) -> Float32:
        """(B, C) conditions of what the user says."""
        ...

    def relabel(self, trajectory: Float32) -> Float32:
        """(T, C) conditions that the (T + 1, D) states of a trajectory fulfil."""
        ...


@runtime_checkable
class Guidance(Module, Protocol):
    """Slot `guidance`: where a sampler of actions or trajectories is pushed."""

    def gradient(self, x: Tensor, sigma: float) -> Tensor:
        """(B, …) as `x`, whose noise has the standard deviation `sigma`."""
        ...


@runtime_checkable
class Advantage(Module, Protocol):
    """Slot `advantage`: how much better than expected each rollout was."""

    def advantages(self, groups: RolloutGroups) -> Float64:
        """(P, G), or (N,) where steps differ."""
        ...


@runtime_checkable
class Selection(Module, Protocol):
    """Slot `selection`: which steps are worth a gradient."""

    def keep(self, groups: RolloutGroups, advantages: Float64, progress: float) -> Bool:
        """(N,) at `progress` in [0, 1] of the training."""
        ...


@runtime_checkable
class Objective(Module, Protocol):
    """Slot `objective`: what is descended; the host averages over steps or sequences."""

    def loss(self, logp: Tensor, old: Tensor, advantage: Tensor, groups: RolloutGroups) -> Tensor:
        """(N,) from log-probabilities (N,) now and when the rollouts were made."""
        ...


@runtime_checkable
class Preference(Module, Protocol):
    """Slot `preference`: learning from which of two was preferred."""

    def loss(self, policy: Tensor, reference: Tensor, pairs: Int64) -> tuple[Tensor, Info]:
        """Scalar loss from log-probabilities (M,) of choices and pairs (B, 2), the winner first."""
        ...


@runtime_checkable
class Distillation(Module, Protocol):
    """Slot `distillation`: how the one distiller compares, gates and exposes."""

    def loss(self, student: Tensor, teacher: Tensor, groups: RolloutGroups) -> Tensor:
        """(N,) from logits (N, K) of both."""
        ...


@runtime_checkable
class Curriculum(Module, Protocol):
    """Slot `curriculum`: what is practised next."""

    def draw(self, offer: Offer, count: int, rng: np.random.Generator) -> Int64:
        """Which of the K pairs on offer: at most `count` indices (L,), in the order in which they are to be practised."""
        ...


@runtime_checkable
class Exploration(Module, Protocol):
    """Slot `exploration`: a search that is asked for candidates and told what they were worth."""

    def ask(self) -> Float64:
        """(P, D) candidates."""
        ...

    def tell(self, candidates: Float64, values: Float64) -> None:
        """Values (P,) of candidates (P, D), more is better."""
        ...


class Tube(Protocol):
    """How far from its plan a certified policy strays."""

    def radius(self, delta: float, steps: int) -> float:
        """Cells that are not left within `steps` with probability 1 - `delta`."""
        ...


@runtime_checkable
class Certificate(Module, Protocol):
    """Slot `certificate`: what can be promised of a policy."""

    def certify(self, policy: Policy) -> Tube:
        """The tube of its trajectories."""
        ...


@runtime_checkable
class Ranking(Module, Protocol):
    """Slot `ranking`: which of several policies is best."""

    def scores(self, policies: Sequence[Policy], rng: np.random.Generator) -> Float64:
        """(P, 3) score of each with the lower and the upper end of its interval."""
        ...


SLOTS: dict[str, type] = {
    "advantage": Advantage,
    "certificate": Certificate,
    "conditioning": Conditioning,
    "critic": Critic,
    "curriculum": Curriculum,
    "distillation": Distillation,
    "exploration": Exploration,
    "guidance": Guidance,
    "objective": Objective,
    "policy": Extraction,
    "preference": Preference,
    "ranking": Ranking,
    "recipe": Recipe,
    "selection": Selection,
}
"""Slot -> what a module that fills it can do."""
