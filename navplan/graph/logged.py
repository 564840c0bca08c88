"""State graphs out of logs: nodes that cover what was seen, edges that were driven or that critics vouch for.

Nodes are logged rows. Where the critics embed observations, nodes are chosen, and near ones looked for, in the embedding; else in
what of an observation a goal is. See `StateGraph.from_dataset`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from navplan.errors import InvalidInput
from navplan.graph.arcs import JUMP, Arcs, arcs, windows
from navplan.graph.build import WeighedEdges, evaluate, graph_of, wait_risk, weigh
from navplan.graph.critics import EdgeCritics, embedded, norm_of
from navplan.graph.limits import EdgeLimits
from navplan.graph.nodes import coverage_indices
from navplan.graph.parts import GraphParts, Logged, Surroundings
from navplan.graph.positions import Points
from navplan.system.arrays import Bool, Float32, Float64, Int64
from navplan.system.numbers import check_choice, check_numbers, check_whole
from navplan.system.progress import Progress, told

EdgeRule = Literal["data", "critic", "data+critic"]
EDGE_RULES: tuple[EdgeRule, ...] = ("data", "critic", "data+critic")
# Rows that nodes are chosen from: choosing costs this many times the nodes.
POOL = 20_000
# Rows embedded, and distances worked out, at once.
_ROWS, _PAIRS = 1 << 16, 1 << 24
# Up to so many dimensions a k-d tree finds the nearest node faster than looking at all.
_FEW = 8
# Logged places that are looked for between the ends of an edge.
_WITNESSES = 4096
# Arcs take at least as long as nodes lie apart at the speed that so many of the logged steps do not exceed.
_FAST = 0.95
# Critics' edges are at most this many times as long as nodes typically lie apart.
_SPACINGS = 2.0


class LoggedSteps(Protocol):
    """What of `navplan.learned.datasets.dataset.Dataset` graphs are made of."""

    @property
    def observations(self) -> NDArray[Any]: ...  # noqa: D102
    @property
    def starts(self) -> Int64: ...  # noqa: D102
    @property
    def costs(self) -> Float32 | None: ...  # noqa: D102
    @property
    def position(self) -> object: ...  # noqa: D102
    @property
    def num_rows(self) -> int: ...  # noqa: D102
    def goals(self, rows: ArrayLike) -> NDArray[Any]: ...  # noqa: D102
    def positions(self, rows: ArrayLike) -> Float64: ...  # noqa: D102


@dataclass(frozen=True)
class EdgeRules:
    """How edges come about; see `StateGraph.from_dataset`."""

    edges: EdgeRule = "data+critic"
    max_distance: float | None = None
    max_risk: float = math.inf
    quantile: float | None = None
    steps: tuple[int, ...] | None = None
    support: int = 2
    both_ways: bool = True
    price_luck: bool = True

    def __post_init__(self) -> None:
        check_choice("edges", self.edges, EDGE_RULES)
        check_whole(support=self.support)
        if self.quantile is not None:
            check_numbers(quantile=self.quantile)
            if not 0.5 <= self.quantile <= 1:
                raise InvalidInput(f"quantile is {self.quantile}, expected from 0.5 to 1, or None for the mean")
        if self.steps is not None and not (len(self.steps) and all(isinstance(k, int) and k >= 1 for k in self.steps)):
            raise InvalidInput(f"steps are {self.steps!r}, expected whole numbers of at least 1, or None")


def from_logs(
    data: LoggedSteps,
    critics: EdgeCritics | None,
    count: int,
    rules: EdgeRules,
    seed: int,
    *,
    world: Surroundings | None = None,
    progress: Progress = None,
) -> GraphParts:
    """The graph of `count` nodes; see `StateGraph.from_dataset`."""
    if critics is None and rules.edges != "data":
        raise InvalidInput(f"edges={rules.edges!r} asks critics, and there are none, expected critics or edges='data'")
    if rules.max_risk < math.inf and data.costs is None:
        raise InvalidInput("max_risk is given, but the data has no costs: nothing says what is risky")
    check_whole(nodes=count)
    with told(progress) as listener:
        listener.stage(f"choosing {count} nodes of {data.num_rows} logged observations")
        rows = _nodes(data, critics, count, np.random.default_rng(seed))
        points = _points(data, critics, rows)
        found: list[WeighedEdges] = []
        node, lengths = _assigned(data, critics, points)
        if "data" in rules.edges:
            listener.stage(f"looking for edges between {len(rows)} nodes in the logs")
            found.append(_driven(data, critics, points, _arcs(data, rules, node, lengths, points)))
        limits = EdgeLimits(_reach(rules, critics, points), rules.max_risk, goal_tolerance=0.0)
        if critics is not None and "critic" in rules.edges:
            listener.stage(f"weighing the edges between {len(rows)} nodes")
            found.append(_vouched(data, critics, points, limits, rules, node))
        waits = np.zeros(len(rows)) if critics is None else wait_risk(points, critics, _ROWS)
    return graph_of(points, _best(found, limits), waits, limits, Logged(rows, points.origins, points.targets), world)


def _nodes(data: LoggedSteps, critics: EdgeCritics | None, count: int, rng: np.random.Generator) -> Int64:
    """Rows that cover what a sample of them sees."""
    pool = np.sort(rng.choice(data.num_rows, min(data.num_rows, max(POOL, count)), replace=False))
    seen = _places(data, critics, pool)
    good = np.isfinite(seen).all(axis=1)
    if good.sum() < count:
        raise InvalidInput(f"{count} nodes wanted of {int(good.sum())} observations that are finite numbers")
    pool, seen = pool[good], seen[good]
    return pool[coverage_indices(seen, count, rng)]


def _places(data: LoggedSteps, critics: EdgeCritics | None, rows: Int64) -> Float32:
    """(B, Z) where rows are: embedded by the critics, or else what of them a goal is."""
    given = embedded(critics, data.observations[rows])
    return np.ascontiguousarray(data.goals(rows).reshape(len(rows), -1), np.float32) if given is None else given


def _points(data: LoggedSteps, critics: EdgeCritics | None, rows: Int64) -> Points:
    seen = np.ascontiguousarray(data.observations[rows])
    where = None if data.position is None else data.positions(rows)
    return Points(_places(data, critics, rows), where, seen, data.goals(rows), norm_of(critics))


def _assigned(data: LoggedSteps, critics: EdgeCritics | None, points: Points) -> tuple[Int64, Float64]:
    """(R,) the nearest node of each row, -1 where a row is no number; (R,) length of the step that begins in it."""
    node, lengths = np.full(data.num_rows, -1, np.int64), np.zeros(data.num_rows)
    before: Float32 | None = None
    tree = cKDTree(points.states) if points.states.shape[1] <= _FEW else None
    for first in range(0, data.num_rows, _ROWS):
        rows = np.arange(first, min(first + _ROWS, data.num_rows))
        at = _places(data, critics, rows)
        good = np.isfinite(at).all(axis=1)
        node[rows[good]] = _nearest(at[good], points.states) if tree is None else tree.query(at[good])[1]
        whole = at if before is None else np.concatenate([before, at])
        gaps = np.linalg.norm(np.diff(whole, axis=0), axis=1)
        begin = first if before is None else first - 1
        lengths[begin : begin + len(gaps)] = gaps
        before = at[-1:]
    lengths[data.starts[1:] - 1] = 0.0
    return node, lengths


def _nearest(places: Float32, nodes: Float32) -> Int64:
    """(B,) the nearest node of each place, by looking at all."""
    half = (nodes**2).sum(axis=1) / 2
    step = max(1, _PAIRS // len(nodes))
    parts = [np.argmin(half - places[k : k + step] @ nodes.T, axis=1) for k in range(0, len(places), step)]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _arcs(data: LoggedSteps, rules: EdgeRules, node: Int64, lengths: Float64, points: Points) -> Arcs:
    """Arcs between the nodes, of windows about as long as it takes from one node to the next."""
    moving = lengths[lengths > 0]
    median = float(np.median(moving)) if moving.size else 1.0
    steps = rules.steps
    if steps is None:
        apart = np.asarray(cKDTree(points.states).query(points.states, 2)[0])[:, 1] if len(points.states) > 1 else np.ones(1)
        most = max(1, round(float(np.median(apart)) / median))
        # even on both sides, so that the mean over places around a node is what it takes from centre to centre
        steps = tuple(sorted({max(1, round(most * part / 2)) for part in (1, 2, 3)}))
    found = arcs(node, ~(lengths <= JUMP * median), windows(data.starts, steps), rules.quantile, data.costs, rules.price_luck)
    if not moving.size:
        return found
    apart = np.linalg.norm(points.states[found.tails] - points.states[found.heads], axis=1)
    fast = float(np.quantile(moving[moving <= JUMP * median], _FAST))
    near = apart <= JUMP * fast * max(steps)  # what is farther was jumped over
    return found._replace(steps=np.where(near, np.maximum(found.steps, apart / fast), found.steps))


def _driven(data: LoggedSteps, critics: EdgeCritics | None, points: Points, seen: Arcs) -> WeighedEdges:
    """Edges of arcs; where the critics know better how far it is, or how costly, the larger value."""
    distance, risk = seen.steps, np.zeros(len(seen.steps)) if seen.cost is None else np.maximum(seen.cost, 0.0)
    if critics is None:
        return seen.tails, seen.heads, distance, risk
    horizon = getattr(critics, "horizon", math.inf)
    parts = []
    for first in range(0, len(seen.tails), _ROWS):
        k = slice(first, first + _ROWS)
        parts.append(evaluate(critics, points.origins[seen.tails[k]], points.targets[seen.heads[k]]))
    if parts:
        far, costly = (np.concatenate(part) for part in zip(*parts, strict=True))
        distance = np.where(far < horizon, np.maximum(distance, far), distance)
        risk = np.maximum(risk, costly)
    return seen.tails, seen.heads, distance, risk


def _reach(rules: EdgeRules, critics: EdgeCritics | None, points: Points) -> float:
    """Length of critics' edges, exclusive: as said, or twice the typical distance of neighbours, within what critics know."""
    if rules.max_distance is not None or critics is None or len(points.states) < 2:
        return math.inf if rules.max_distance is None else rules.max_distance
    near = np.asarray(cKDTree(points.states).query(points.states, min(4, len(points.states)))[1])[:, 1:]
    apart = np.stack([evaluate(critics, points.origins, points.targets[column])[0] for column in near.T])
    return min(_SPACINGS * float(np.median(apart.min(axis=0))), float(getattr(critics, "horizon", math.inf)))


def _vouched(
    data: LoggedSteps, critics: EdgeCritics, points: Points, limits: EdgeLimits, rules: EdgeRules, node: Int64
) -> WeighedEdges:
    """Edges by the critics alone, where they agree both ways and logs were there."""
    tails, heads, distance, risk = weigh(points, points, critics, limits, _ROWS, same=True)
    keep = distance < getattr(critics, "horizon", math.inf)
    if rules.both_ways:
        count = len(points.states)
        keep &= np.isin(heads * count + tails, tails * count + heads)
    if rules.support > 0:
        keep &= _supported(data, critics, points, tails, heads, node, rules.support)
    return tails[keep], heads[keep], distance[keep], risk[keep]


def _supported(
    data: LoggedSteps, critics: EdgeCritics, points: Points, tails: Int64, heads: Int64, node: Int64, least: int
) -> Bool:
    """Whether so many logged places lie within half an edge's length of its middle, the surroundings of its ends not counted."""
    rows = np.flatnonzero(node >= 0)
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _WITNESSES)).astype(np.int64)]
    seen = _places(data, critics, rows)
    middle = (points.states[tails] + points.states[heads]) / 2
    radius = np.linalg.norm(points.states[tails] - points.states[heads], axis=1) / 2 * (1 - 1e-4)
    square, enough = (seen**2).sum(axis=1), np.zeros(len(tails), np.bool_)
    step = max(1, _PAIRS // len(seen))
    for k in range(0, len(tails), step):
        part = middle[k : k + step]
        gaps = square - 2 * part @ seen.T + (part**2).sum(axis=1)[:, None]
        enough[k : k + step] = (gaps < radius[k : k + step, None] ** 2).sum(axis=1) >= least
    return enough


def _best(found: list[WeighedEdges], limits: EdgeLimits) -> WeighedEdges:
    """All edges within the limit on risk; of two between the same nodes the one that was driven, which comes first."""
    tails, heads, distance, risk = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((np.arange(len(tails)), heads, tails))
    keep = np.ones(len(order), np.bool_)
    keep[1:] = (np.diff(tails[order]) != 0) | (np.diff(heads[order]) != 0)
    order = order[keep]
    order = order[np.isfinite(distance[order]) & (risk[order] < limits.max_risk)]
    return tails[order], heads[order], distance[order], risk[order]
