"""What navigation asks of a trained checkpoint, as a structural type; `navplan.learned.trained.Critics` is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from navplan.control.interface import LowLevel
from navplan.control.registry import LOW_LEVELS, SUMMARIES
from navplan.errors import InvalidInput
from navplan.navigation.methods import Method
from navplan.system.arrays import Float32


class Checkpoint(Protocol):
    """Critics that weigh edges (`navplan.graph.critics.EdgeCritics`), and the policies that they judge.

    A method asks only for what it uses: one that plans for `evaluate` and `states`; one whose low level is learned for
    `policies`; one that drives with the unconstrained policy for `stage`; one that follows waypoints without synchronisation for
    `distance`.
    `scenario` is told by `navplan run` alone, as a remark.
    """

    @property
    def scenario(self) -> str:
        """Name of the scenario that it was trained on."""
        ...

    @property
    def stage(self) -> int:
        """1 for the unconstrained policy, 2 for the safety-constrained one."""
        ...

    @property
    def states(self) -> Float32:
        """(K, 2) float32 states in cell units that training has seen; graph nodes are chosen among them."""
        ...

    @property
    def policies(self) -> Mapping[str, LowLevel]:
        """The low levels that it brings, by name; "policy" is the one that its critics judge."""
        ...

    def evaluate(self, observations: Float32, goals: Float32) -> tuple[Float32, Float32]:
        """(B, 2), (B, 2) float32 cells -> pessimistic distance (B,) in environment steps and risk (B,), float32."""
        ...

    def distance(self, observations: Float32, goals: Float32) -> Float32:
        """(B, 2), (B, 2) float32 cells -> (B,) float32 environment steps, mean over the ensemble."""
        ...


def check_critics(critics: object, method: Method, name: str) -> None:
    """Raise InvalidInput for the first thing that a method needs of its critics and that they lack.

    Args:
        method: with the options' choices applied.
        name: of the method, for the message.
    """
    driver = method.driving.low_level
    needs = {
        "evaluate": (method.plans, "weighs the edges of its graph by evaluate(observations, goals) -> (distance, risk)"),
        "states": (method.plans, "chooses the nodes of its graph among `states`, (K, 2) float32 cells"),
        "policies": (driver not in LOW_LEVELS and driver in SUMMARIES, f"drives with policies[{driver!r}], a low level"),
        "stage": (not method.constrained and driver == "policy", "drives with the policy of stage 1"),
        "distance": (
            method.plans and method.driving.execution == "waypoints",
            "passes waypoints by distance(observations, goals) -> (B,) steps",
        ),
    }
    for part, (needed, why) in needs.items():
        if needed and not hasattr(critics, part):
            raise InvalidInput(f"critics {type(critics).__name__} have no `{part}`, but method {name!r} {why}")
