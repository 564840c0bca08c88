"""How good a checkpoint is: critics against true steps and realised costs, the policy against its goals.

True steps come from the caller: nothing in this room knows the map's distances.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import spearmanr

from navplan.control.interface import LowLevel
from navplan.errors import InvalidInput
from navplan.learned.trained import Critics
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Float64


class Rollout(NamedTuple):
    """One noise-free episode per pair."""

    steps: Float64
    """(B,) steps until within the tolerance of the goal, inf where time ran out."""
    cost: Float64
    """(B,) sum of the step costs until then (all of them where time ran out)."""


@dataclass(frozen=True)
class PairReport:
    """Errors over held-out pairs; costs and steps in the environment's units."""

    pairs: int
    reached: float
    """Share of pairs whose goal the policy reaches in time."""
    distance_mae: float
    """Mean |expected steps - true steps|."""
    distance_bias: float
    """Mean of expected - true steps."""
    cost_mae: float
    """Mean |expected cost - realised cost|."""
    cost_spearman: float
    """Rank correlation of expected and realised cost, ties at their mean rank; nan if either is constant."""
    detour: float
    """Mean of realised - true steps over the pairs that were reached."""

    def to_dict(self) -> dict[str, float]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class EdgeReport:
    """What a graph would make of pairs of any distance."""

    pairs: int
    edges: float
    """Share of pairs that become edges: pessimistic distance below the limit."""
    false_edges: float
    """Share of those whose true steps exceed the far limit (critics that see through walls)."""
    missed: float
    """Share of pairs nearer than the limit by two steps or more that do not become edges."""
    reached: float
    """Share of the edges that the policy can follow in time."""


@dataclass(frozen=True)
class ConvergenceReport:
    """Whether a run has converged: its policy reaches what it was trained to reach."""

    scenario: str
    recipe: str
    seed: int
    stage: int
    pairs: int
    reached: float
    """Share of pairs whose goal the policy reaches in time."""
    wanted: float
    """Share that counts as converged."""
    steps: float
    """Mean steps of the pairs that were reached; nan if none was."""
    cost: float
    """Mean cumulative cost of all pairs."""

    @property
    def converged(self) -> bool:
        """Whether enough pairs were reached."""
        return self.reached >= self.wanted

    def to_dict(self) -> dict[str, object]:
        """Plain values."""
        return {**asdict(self), "converged": self.converged}


def rollout(
    policy: LowLevel, world: World, starts: ArrayLike, goals: ArrayLike, *, tolerance: float = 0.5, limit: int = 20
) -> Rollout:
    """Follow `policy` from each start to its goal, without noise, at most `limit` steps.

    Args:
        starts, goals: (B, 2) free points in cells.

    Raises:
        InvalidInput: shapes differ, or a point is not free.
    """
    states = np.ascontiguousarray(starts, dtype=np.float32)
    targets = np.ascontiguousarray(goals, dtype=np.float32)
    if states.ndim != 2 or states.shape != targets.shape or len(states) == 0:
        raise InvalidInput(f"starts have shape {states.shape} and goals {targets.shape}, expected (B, 2) both, B at least 1")
    rng = np.random.default_rng(0)  # drawn from by the constructor's own reset only
    env = PointEnv(world, num_envs=len(states), goal_tolerance=tolerance, max_steps=limit, body="point", rng=rng)
    env.reset(states[:, None], targets[:, None])
    steps = np.full(len(states), np.inf)
    cost = np.zeros(len(states))
    running = np.ones(len(states), np.bool_)
    for step in range(1, limit + 1):
        result = env.step(policy.act(states, targets)[:, None])
        states = result.states[:, 0]
        cost += np.where(running, result.cost[:, 0], 0.0)
        arrived = running & result.reached[:, 0]
        steps[arrived] = step
        running &= ~arrived
        if not running.any():
            break
    return Rollout(steps, cost)


def bend(
    policy: LowLevel, world: World, starts: ArrayLike, goals: ArrayLike, *, tolerance: float = 0.5, limit: int = 20
) -> float:
    """How far `policy` strays from straight lines: mean over the pairs of the largest distance from the line, in cells.

    Args:
        starts, goals: (B, 2) free points with nothing between them; what lies between is not looked at.
    """
    begin, end = np.asarray(starts, np.float32), np.asarray(goals, np.float32)
    env = PointEnv(
        world, num_envs=len(begin), goal_tolerance=tolerance, max_steps=limit, body="point", rng=np.random.default_rng(0)
    )
    env.reset(begin[:, None], end[:, None])
    length = np.maximum(np.linalg.norm(end - begin, axis=1), 1e-6)
    ahead = (end - begin) / length[:, None]
    states, running, largest = begin, np.ones(len(begin), np.bool_), np.zeros(len(begin))
    for _ in range(limit):
        result = env.step(policy.act(states, end)[:, None])
        states = result.states[:, 0]
        along = np.clip(((states - begin) * ahead).sum(axis=1), 0, length)
        off = np.linalg.norm(states - begin - along[:, None] * ahead, axis=1)
        largest = np.where(running, np.maximum(largest, off), largest)
        running &= ~result.reached[:, 0]
    return float(largest.mean())


def judge(
    critics: Critics,
    world: World,
    starts: ArrayLike,
    goals: ArrayLike,
    *,
    wanted: float = 0.98,
    tolerance: float = 0.5,
    limit: int = 20,
) -> ConvergenceReport:
    """Drive all pairs (B, 2) with the policy alone; a run that reaches fewer than `wanted` of them has failed.

    The pairs should be none that anything was chosen on in training, and within the reach that episodes give.
    """
    real = rollout(critics.policy, world, starts, goals, tolerance=tolerance, limit=limit)
    there = np.isfinite(real.steps)
    return ConvergenceReport(
        scenario=critics.scenario,
        recipe=critics.config.recipe,
        seed=critics.seed,
        stage=critics.stage,
        pairs=len(there),
        reached=float(there.mean()),
        wanted=wanted,
        steps=float(real.steps[there].mean()) if there.any() else float("nan"),
        cost=float(real.cost.mean()),
    )


def evaluate_pairs(critics: Critics, world: World, starts: ArrayLike, goals: ArrayLike, true_steps: ArrayLike) -> PairReport:
    """Judge critics and policy on pairs whose true distance the caller knows.

    Args:
        starts, goals: (B, 2) free points. true_steps: (B,) finite geodesic steps.
    """
    truth = np.asarray(true_steps, dtype=np.float64)
    distance, risk = critics.distance(starts, goals), critics.risk(starts, goals)
    real = rollout(critics.policy, world, starts, goals)
    reached = np.isfinite(real.steps)
    constant = np.ptp(risk) == 0 or np.ptp(real.cost) == 0
    return PairReport(
        pairs=len(truth),
        reached=float(reached.mean()),
        distance_mae=float(np.abs(distance - truth).mean()),
        distance_bias=float((distance - truth).mean()),
        cost_mae=float(np.abs(risk - real.cost).mean()),
        cost_spearman=float("nan") if constant else float(spearmanr(risk, real.cost).statistic),
        detour=float((real.steps - truth)[reached].mean()) if reached.any() else float("nan"),
    )


def evaluate_edges(
    critics: Critics,
    world: World,
    starts: ArrayLike,
    goals: ArrayLike,
    true_steps: ArrayLike,
    *,
    limit: float = 7,
    far: float = 10,
) -> EdgeReport:
    """Judge the edges that a graph with `max_distance=limit` would make of pairs that are near in coordinates.

    Args:
        starts, goals: (B, 2) free points. true_steps: (B,) geodesic steps, inf where unreachable. far: steps of a false edge.
    """
    states, targets = np.asarray(starts, np.float32), np.asarray(goals, np.float32)
    truth = np.asarray(true_steps, dtype=np.float64)
    edge = critics.evaluate(states, targets)[0] < limit
    near = truth <= limit - 2
    real = rollout(critics.policy, world, states[edge], targets[edge]) if edge.any() else None
    return EdgeReport(
        pairs=len(truth),
        edges=float(edge.mean()),
        false_edges=float((truth[edge] > far).mean()) if edge.any() else 0.0,
        missed=float((~edge[near]).mean()) if near.any() else 0.0,
        reached=float(np.isfinite(real.steps).mean()) if real is not None else 0.0,
    )
