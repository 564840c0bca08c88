"""Which problems to practise: start-goal pairs by what the critics know least, by cost and by distance.

Any agent can use it: it asks for nothing but an ensemble's opinions (`Judge`). The scores are those of paper.md, section 2. Two
things are ours: candidates need not be all pairs of a few points, and the chosen ones can be spread out. The lowest scores crowd
where the critics happen to disagree most; of the best few times as many, those that lie farthest apart teach more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.graph.nodes import coverage_indices
from navplan.learned.interface import Offer
from navplan.system.arrays import Float32, Float64, Int64
from navplan.system.numbers import Rng


class Judge(Protocol):
    """An ensemble of distance critics and one of cost critics."""

    def members(self, observations: Float32, goals: Float32) -> tuple[Float32, Float32]:
        """(B, 2), (B, 2) cells -> what each member says: distance (E, B) in steps, cumulative cost (F, B)."""
        ...


class Ensembles(NamedTuple):
    """A `Judge` out of two functions of (observations, goals), each returning a row per member."""

    distance: Callable[[Float32, Float32], Float32]
    cost: Callable[[Float32, Float32], Float32]

    def members(self, observations: Float32, goals: Float32) -> tuple[Float32, Float32]:
        """As `Judge.members`."""
        return self.distance(observations, goals), self.cost(observations, goals)


class Problems(NamedTuple):
    """Start-goal pairs in cells."""

    starts: Float32
    """(K, 2)."""
    goals: Float32
    """(K, 2)."""


@dataclass(frozen=True)
class Wish:
    """What makes a problem worth practising; lower scores are better.

    score = |mean - target| - min(standard deviation, most), the first term only with a target, the second only with
    `disagreement`; mean and deviation are those of the critics named by `by`.
    """

    by: Literal["distance", "cost"] = "distance"
    target: float | None = None
    """Wanted mean of those critics."""
    disagreement: bool = True
    """Whether the members' disagreement counts."""
    distance: tuple[float, float] = (0.0, math.inf)
    """Range of the distance critics' mean, in steps; a pair is kept if mean +- one deviation meets it."""
    most: float = 1.0
    """Disagreement beyond it counts no more."""

    def __post_init__(self) -> None:
        if self.by not in ("distance", "cost"):
            raise InvalidInput(f"by is {self.by!r}, expected 'distance' or 'cost'")
        if self.target is None and not self.disagreement:
            raise InvalidInput("neither a target nor disagreement is wanted, expected at least one of them")
        if not self.distance[0] <= self.distance[1]:
            raise InvalidInput(f"distance is {self.distance}, expected (least, most)")

    def scores(self, distance: Float32, cost: Float32) -> Float64:
        """(B,) score of each pair from the members' opinions (E, B) and (F, B), inf outside the range of distances."""
        mean, deviation = _moments(distance)
        low, high = self.distance
        kept = (mean + deviation >= low) & (mean - deviation <= high)
        if self.by == "cost":
            mean, deviation = _moments(cost)
        score = np.zeros(len(mean)) if self.target is None else np.abs(mean - self.target)
        if self.disagreement:
            score = score - np.minimum(deviation, self.most)
        return np.where(kept, score, math.inf)


def _moments(members: Float32) -> tuple[Float64, Float64]:
    """Mean and sample deviation over the members; the deviation of a single member is 0."""
    values = np.asarray(members, dtype=np.float64)
    deviation = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1])
    return values.mean(axis=0), deviation


def all_pairs(starts: ArrayLike, goals: ArrayLike) -> Problems:
    """Every start (S, 2) with every goal (G, 2): S * G candidates."""
    begin, end = np.asarray(starts, np.float32), np.asarray(goals, np.float32)
    return Problems(np.repeat(begin, len(end), axis=0), np.tile(end, (len(begin), 1)))


def pick(judge: Judge, candidates: Problems, count: int, wish: Wish, *, spread: int = 1, rng: Rng | None = None) -> Problems:
    """The `count` candidates of lowest score, or fewer where fewer are in range.

    Args:
        judge: whose opinions count.
        candidates: pairs of free points.
        wish: what is looked for.
        spread: 1 takes the lowest scores as they are (the paper). Above 1, `spread * count` of them are looked at and
            the ones that cover them best, as points (start, goal) of four coordinates, are taken; that needs an `rng`.

    Raises:
        InvalidInput: a count or spread below 1, a spread without an `rng`, or critics that answer in another shape.
    """
    distance, cost = judge.members(candidates.starts, candidates.goals)
    best = best_of(candidates, distance, cost, count, wish, spread=spread, rng=rng)
    return Problems(candidates.starts[best], candidates.goals[best])


def best_of(
    candidates: Problems,
    distance: Float32,
    cost: Float32,
    count: int,
    wish: Wish,
    *,
    spread: int = 1,
    rng: Rng | None = None,
) -> Int64:
    """Indices of what `pick` picks, from the members' opinions (E, B) and (F, B) of the B candidates.

    Raises:
        InvalidInput: as there.
    """
    if count < 1 or spread < 1:
        raise InvalidInput(f"count is {count} and spread {spread}, expected at least 1 both")
    if spread > 1 and rng is None:
        raise InvalidInput("a spread above 1 draws: expected an rng")
    for name, rows in (("distance", distance), ("cost", cost)):
        if rows.ndim != 2 or rows.shape[1] != len(candidates.starts):
            raise InvalidInput(f"{name} critics answered {rows.shape}, expected (members, {len(candidates.starts)})")
    scores = wish.scores(distance, cost)
    best = np.argsort(scores, kind="stable")[: spread * count]
    best = best[np.isfinite(scores[best])]
    if rng is not None and spread > 1 and len(best) > count:
        points = np.concatenate([candidates.starts[best], candidates.goals[best]], axis=1)
        best = best[coverage_indices(points, count, rng)]
    return best[:count]


@dataclass(frozen=True)
class Disagreement:
    """Half of the problems by what the distance critics know least, half by the cost critics or near a cost that is wanted."""

    name: ClassVar[str] = "disagreement"
    slot: ClassVar[str] = "curriculum"
    about: ClassVar[str] = "practises what the critics disagree on most, spread over the map"
    paper: ClassVar[str | None] = "Safe Multi-Agent Navigation guided by Goal-Conditioned Safe Reinforcement Learning"
    source: ClassVar[str] = "docs/paper.md, section 2"

    shortest: float = 1.5
    """Problems shorter than this many predicted steps teach nothing."""
    spread: int = 4
    """Of so many times as many best ones those are taken that cover them best; 1: the best ones."""
    most: float = 1.0
    """Disagreement beyond it counts no more."""

    def __post_init__(self) -> None:
        if self.spread < 1:
            raise InvalidInput(f"spread is {self.spread}, expected at least 1")
        if not self.shortest >= 0 or not self.most >= 0:
            raise InvalidInput(f"shortest is {self.shortest} and most {self.most}, expected at least 0 both")

    def draw(self, offer: Offer, count: int, rng: np.random.Generator) -> Int64:
        """See `navplan.learned.interface.Curriculum`; the first half, rounded up, by distance."""
        candidates, reach = Problems(offer.starts, offer.goals), (self.shortest, offer.longest)
        wishes = (Wish(distance=reach, most=self.most), Wish(by="cost", target=offer.target, distance=reach, most=self.most))
        chosen = [np.zeros(0, np.int64)]
        for share, wish in zip((count - count // 2, count // 2), wishes, strict=True):
            if share:
                chosen.append(best_of(candidates, offer.distance, offer.cost, share, wish, spread=self.spread, rng=rng))
        return np.concatenate(chosen)


class ProblemQueue:
    """Problems waiting to be practised, first in, first out; a refill replaces what was left."""

    def __init__(self) -> None:
        self.waiting: Float32 = np.zeros((0, 4), np.float32)

    def __len__(self) -> int:
        return len(self.waiting)

    def refill(self, *parts: Problems) -> None:
        """Replace all problems."""
        self.waiting = np.concatenate([np.concatenate(part, axis=1) for part in parts]).astype(np.float32).reshape(-1, 4)

    def take(self, count: int) -> Problems:
        """Remove up to `count` problems from the front."""
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return Problems(taken[:, :2], taken[:, 2:])
