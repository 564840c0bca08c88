"""Whether a run from logs can be trusted, by logs that it has not seen; no simulator is asked.

Steps that passed between two observations of a trajectory are an upper bound of their distance: nobody has to have gone the
shortest way. So a critic that says much more is wrong, and one that says much less may see through walls. What is far apart is
judged by the shortest ways through the held-out logs themselves.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from navplan.control.interface import Controller
from navplan.errors import InvalidInput
from navplan.graph.critics import EdgeCritics, answered
from navplan.graph.paths import distances
from navplan.graph.state_graph import StateGraph
from navplan.learned.datasets.dataset import Dataset
from navplan.learned.datasets.steps import finite_rows
from navplan.system.arrays import Bool, Float64, Int64

# Near pairs: how many, and how many steps apart at most.
_PAIRS, _NEAR = 10_000, 10
# Nodes of the graph of the held-out logs: at most so many, and one for so many rows.
_NODES, _ROWS_PER_NODE = 200, 100
# Pairs that critics are asked for at once.
_AT_ONCE = 1 << 14
# Critics' edges are at most so many times as long as it typically is to a node's nearest one; so many such lengths are far.
_SPACINGS, _FAR = 2.0, 4.0
# Predictions of more than so many times the steps that passed, and so many steps, are too much: critics say two for one step.
_TIMES, _STEPS = 2.0, 2.0
# Quantile of leave-one-out distances beyond which an observation is outside the logs.
_SUPPORT = 0.99


@dataclass(frozen=True)
class HeldOut:
    """What held-out logs say of critics and their policy; None where that cannot be said."""

    OVERSTATED: ClassVar[float] = 0.05
    """Largest share of near pairs that are predicted to be much farther apart than what passed."""
    FALSE: ClassVar[float] = 0.05
    """Largest share of edges that join what is far apart."""
    OUTSIDE: ClassVar[float] = 0.05
    """Largest share of observations outside the logs."""

    pairs: int
    """Near pairs."""
    upheld: float
    """Share of them whose predicted steps are no more than those that passed."""
    overstated: float
    """Share of them that are predicted to take more than twice the steps that passed, and two."""
    ratios: tuple[float, ...]
    """Median of predicted through elapsed steps, of pairs 1, 2, … steps apart."""
    edge_length: float
    """Predicted steps below which two nodes count as joined."""
    edges: int
    """Such pairs of nodes that the logs join too, on whatever way."""
    false_edges: float | None
    """Share of them that lie more than four times as far apart, on the shortest way in the logs, as edges should."""
    outside: float | None
    """Share of observations that are farther from what the run has kept of its logs than 99 % of that is from the rest."""
    action_error: float | None
    """Mean squared error of the policy's actions, with what came next as its goal, through that of the mean action."""

    @property
    def failures(self) -> tuple[str, ...]:
        """What does not hold, in words; empty where the run can be trusted as far as these logs go."""
        found = []
        if self.overstated > self.OVERSTATED:
            found.append(f"overstated near distances: {self.overstated:.1%}, expected at most {self.OVERSTATED:.0%}")
        if self.false_edges is not None and self.false_edges > self.FALSE:
            found.append(f"false far edges: {self.false_edges:.1%}, expected at most {self.FALSE:.0%}")
        if self.outside is not None and self.outside > self.OUTSIDE:
            found.append(f"outside the logs: {self.outside:.1%}, expected at most {self.OUTSIDE:.0%}")
        if self.action_error is not None and self.action_error >= 1:
            found.append(f"actions: {self.action_error:.2f} of the mean action's error, expected less than 1")
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {**dataclasses.asdict(self), "ratios": list(self.ratios), "failures": list(self.failures)}


def judge_held_out(critics: EdgeCritics, held: Dataset, *, seed: int = 0) -> HeldOut:
    """Judge critics, and the policy that they bring, on logs that they were not learned from.

    Args:
        critics: of `navplan.load_checkpoint`, or anybody's with `evaluate`; of those without `states` or `policies` the parts
            that need these are None.
        held: logs with the same observations, actions and goals. Where positions are known, what is far apart is judged by them.
        seed: of the pairs and nodes that are looked at.

    Raises:
        InvalidInput: the logs do not fit the critics, or hold no step of finite numbers.
    """
    rng = np.random.default_rng(seed)
    good = finite_rows(held)
    first, steps = _near(held, good, rng)
    far = answered(critics, held.observations[first], held.goals(first + steps))[0]
    ratios = [float(np.median(far[steps == k] / k)) for k in range(1, _NEAR + 1) if (steps == k).any()]
    length, edges, wrong = _edges(critics, held, seed)
    return HeldOut(
        pairs=len(first),
        upheld=float((far <= steps).mean()),
        overstated=float((far > _TIMES * steps + _STEPS).mean()),
        ratios=tuple(ratios),
        edge_length=length,
        edges=edges,
        false_edges=wrong,
        outside=_outside(critics, held, good, rng),
        action_error=_action_error(critics, held, first, steps),
    )


def _near(held: Dataset, good: Bool, rng: np.random.Generator) -> tuple[Int64, Int64]:
    """First rows (B,) of pairs of one trajectory, and the steps (B,) between them."""
    rows = held.rows(rng.integers(held.num_transitions, size=4 * _PAIRS))
    steps = rng.integers(1, _NEAR + 1, size=len(rows))
    fits = rows + steps <= held.last(rows)
    rows, steps = rows[fits], steps[fits]
    fits = good[rows] & good[rows + steps] & np.isfinite(held.actions[rows]).all(axis=1)
    if not fits.any():
        raise InvalidInput("no step of the held-out logs is finite numbers")
    return rows[fits][:_PAIRS], steps[fits][:_PAIRS]


def _edges(critics: EdgeCritics, held: Dataset, seed: int) -> tuple[float, int, float | None]:
    """Length of edges, how many are judged, and the share of those that are false."""
    count = max(2, min(_NODES, held.num_rows // _ROWS_PER_NODE))
    placed = held if held.position is None else dataclasses.replace(held, goal=held.position)
    graph = StateGraph.from_dataset(placed, None, nodes=count, edges="data", seed=seed)
    real = distances(graph, np.arange(count))
    real = np.minimum(real, real.T)  # few logs went both ways everywhere
    rows = graph.rows
    assert rows is not None
    seen, goals = held.observations[rows], held.goals(rows)
    step = max(1, _AT_ONCE // count)
    parts = [seen[k : k + step] for k in range(0, count, step)]
    said = np.concatenate([answered(critics, np.repeat(p, count, axis=0), np.concatenate([goals] * len(p)))[0] for p in parts])
    said = said.reshape(count, count)
    for table in (real, said):
        np.fill_diagonal(table, math.inf)
    away = _FAR * _SPACINGS * float(np.median(real.min(axis=1)))
    length = min(_SPACINGS * float(np.median(said.min(axis=1))), float(getattr(critics, "horizon", math.inf)))
    judged = (said < length) & np.isfinite(real)
    number = int(judged.sum())
    return length, number, float((real[judged] > away).mean()) if number else None


def _outside(critics: EdgeCritics, held: Dataset, good: Bool, rng: np.random.Generator) -> float | None:
    """Share of observations outside what the critics keep of their logs."""
    states = getattr(critics, "states", None)
    if states is None or len(states) < 2:
        return None
    rows = np.flatnonzero(good)
    places = _flat(held.goals(rng.choice(rows, min(len(rows), _PAIRS), replace=False)))
    kept = _flat(np.asarray(states))
    spread = kept.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    tree = cKDTree(kept / scale)
    alone = np.asarray(tree.query(kept / scale, 2)[0])[:, 1]
    away = np.asarray(tree.query(places / scale)[0])
    return float((away > np.quantile(alone, _SUPPORT)).mean())


def _flat(values: NDArray[Any]) -> Float64:
    return values.reshape(len(values), -1).astype(np.float64)


def _action_error(critics: EdgeCritics, held: Dataset, first: Int64, steps: Int64) -> float | None:
    """Of the policy's actions, through the error of the mean action."""
    policies: Mapping[str, Controller] | None = getattr(critics, "policies", None)
    if not policies:
        return None
    policy = next(iter(policies.values()))
    real = held.actions[first].astype(np.float64)
    moved = np.asarray(policy.act(held.observations[first], held.goals(first + steps)), np.float64)
    mean = ((real - real.mean(axis=0)) ** 2).sum(axis=1).mean()
    return float(((moved - real) ** 2).sum(axis=1).mean() / mean) if mean > 0 else None
