"""One controller out of a graph, critics and a follower: it plans over logged observations and hands on the next waypoint.

Far distances are the graph's business, near ones the critics', and the follower's are shorter still: it is given a waypoint that
it can reach in a few steps. The waypoint is always strictly ahead. A rule that takes the farthest node within reach alone picks
the node that the robot stands on, wherever the next one lies a little farther, and the robot stands there for good.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from navplan.control.interface import Controller
from navplan.errors import InvalidInput
from navplan.graph.build import evaluate
from navplan.graph.critics import EdgeCritics, embedded
from navplan.graph.one_to_all import OneToAll
from navplan.graph.state_graph import StateGraph
from navplan.kernels.search.dijkstra import Csr
from navplan.system.arrays import Bool, Float32, Float64, Int64
from navplan.system.numbers import check_numbers, check_whole

# Nodes near an observation that are asked for the way, and nodes that are looked ahead along it.
NEAR, AHEAD = 24, 30
# Goals whose distances are kept.
_MOST_GOALS = 256
# Pairs per call of the critics.
_PAIRS = 1 << 15


class GoalField(NamedTuple):
    """The way to one goal from everywhere: distance (N,) steps, inf where there is none; following (N,) the next node, N at the
    last one before the goal, -1 where there is none.
    """

    distance: Float64
    following: Int64


class Navigator:
    """A goal-reaching controller for observations of any kind; see `navplan.control.interface.Controller`.

    Args:
        graph: of logged observations, see `StateGraph.from_dataset`; or any whose states are observations.
        critics: those that the graph was built with.
        follower: acts towards a goal that is a few steps away.
        reach: steps within which the follower is trusted; None: twice the typical edge, and no more than half again as far as
            the follower learned to go (`ahead`, where it has that).
        arrive: steps within which a node counts as passed; None: a quarter of `reach`.
        replan: calls of `act` after which the way is looked at again.
        beta: cost of an edge is ``distance + beta * risk``.

    Example:
        >>> from navplan.control.straight_line import StraightLine
        >>> from navplan.graph.critics import EuclideanCritics
        >>> graph = StateGraph.from_states([[0.5, 0.5], [0.5, 3.5], [0.5, 6.5]], EuclideanCritics(), max_distance=4)
        >>> navigator = Navigator(graph, EuclideanCritics(), StraightLine())
        >>> navigator.act(np.array([[0.5, 0.5]]), np.array([[0.5, 6.5]])).tolist()
        [[0.0, 1.0]]
    """

    def __init__(
        self,
        graph: StateGraph,
        critics: EdgeCritics,
        follower: Controller,
        *,
        reach: float | None = None,
        arrive: float | None = None,
        replan: int = 5,
        beta: float = 0.0,
    ) -> None:
        if not callable(getattr(follower, "act", None)):
            raise InvalidInput(f"the follower is a {type(follower).__name__}, expected one with act(observations, goals)")
        check_whole(replan=replan)
        typical = float(np.median(graph.distance)) if graph.num_edges else 1.0
        self.reach = min(2.0 * typical, 1.5 * getattr(follower, "ahead", math.inf)) if reach is None else reach
        self.arrive = self.reach / 4 if arrive is None else arrive
        check_numbers(reach=self.reach, arrive=self.arrive)
        if not (0 <= self.arrive < self.reach and replan >= 1):
            said = f"reach {self.reach:g}, arrive {self.arrive:g} and replan {replan}"
            raise InvalidInput(f"{said}, expected 0 <= arrive < reach and replan of at least 1")
        self.graph, self.critics, self.follower, self.replan = graph, critics, follower, replan
        self._costs = graph.prepare(beta=beta, landmarks=0).costs(beta)
        self._tree = cKDTree(graph.states) if embedded(critics, graph.observations[:1]) is not None else None
        self._fields: dict[bytes, GoalField] = {}
        self.reset()

    def reset(self) -> None:
        """Forget waypoints: another episode begins."""
        self._goals: NDArray[Any] | None = None
        self._way: NDArray[Any] = np.empty(0)
        self._age = 0
        self.known: Bool = np.empty(0, np.bool_)

    def act(self, observations: ArrayLike, goals: ArrayLike, condition: None = None) -> Float32:
        """(B, A) float32 actions of the follower towards the next waypoints.

        Rows are robots or episodes side by side; a row whose goal changes is planned for anew. ``known`` (B,) says afterwards for
        which rows there was a way; the others are sent straight to their goals.

        Args:
            observations: (B, …). goals: (B, G), or (B, …) where goals are observations.

        Raises:
            InvalidInput: other shapes than the graph's, or values that are not finite.
        """
        if condition is not None:
            raise InvalidInput("a condition is given, but a navigator takes none")
        seen, wanted = self._checked(observations, goals)
        if self._goals is None or self._goals.shape != wanted.shape:
            self._goals, self._way, self._age = wanted.copy(), wanted.copy(), 0
            self.known = np.zeros(len(wanted), np.bool_)
        changed = np.any((wanted != self._goals).reshape(len(wanted), -1), axis=1)
        due = np.flatnonzero(changed | (self._age % self.replan == 0))
        self._goals[due] = wanted[due]
        self._age += 1
        if due.size:
            self._way[due], self.known[due] = self._waypoints(seen[due], wanted[due])
        return np.asarray(self.follower.act(seen, self._way), np.float32)

    def path(self, observation: ArrayLike, goal: ArrayLike) -> Int64:
        """(T,) node ids of the way from one observation to one goal; empty where there is none."""
        seen, wanted = self._checked(np.asarray(observation)[None], np.asarray(goal)[None])
        entry, _, known = self._entries(seen, [self._field(wanted[0])])
        field, count = self._field(wanted[0]), self.graph.num_nodes
        nodes = []
        at = int(entry[0])
        while known[0] and 0 <= at < count:
            nodes.append(at)
            at = int(field.following[at])
        return np.array(nodes, np.int64)

    def _checked(self, observations: ArrayLike, goals: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        seen, wanted = np.asarray(observations), np.asarray(goals)
        for name, given, ours in (("observations", seen, self.graph.observations), ("goals", wanted, self.graph.goals)):
            if given.shape[1:] != ours.shape[1:] or len(given) != len(seen) or not len(given):
                raise InvalidInput(f"{name} have shape {given.shape}, expected (B, {', '.join(map(str, ours.shape[1:]))})")
            if not np.isfinite(given).all():
                raise InvalidInput(f"{name} hold NaN or infinity, expected finite numbers")
        return seen, wanted.astype(self.graph.goals.dtype, copy=False)

    # -- the way ------------------------------------------------------------------------------------------------------------

    def _field(self, goal: NDArray[Any]) -> GoalField:
        """The way to a goal, worked out once: from nodes that the critics say are near it, over the graph."""
        key = goal.tobytes()
        if key not in self._fields:
            if len(self._fields) >= _MOST_GOALS:
                self._fields.pop(next(iter(self._fields)))
            self._fields[key] = self._searched(goal)
        return self._fields[key]

    def _searched(self, goal: NDArray[Any]) -> GoalField:
        count = self.graph.num_nodes
        near = self._far(self.graph.observations, np.broadcast_to(goal, (count, *goal.shape)))
        last = np.flatnonzero(near < 1.5 * self.reach)
        last = last if last.size else np.array([int(near.argmin())])
        back = self._costs.backward()
        # the goal is one more node, that the nodes near it lead to
        indptr = np.append(back.indptr, np.int32(len(back.indices) + len(last)))
        extended = Csr(indptr, np.append(back.indices, last.astype(np.int32)), np.append(back.weights, near[last]))
        costs = np.empty(count + 1)
        OneToAll(extended, unit=False).write(extended, count, costs)
        distance = costs[:count]
        through = self._costs.weights + distance[self.graph.indices]
        tails = np.repeat(np.arange(count), np.diff(self.graph.indptr))
        order = np.lexsort((through, tails))
        following = np.full(count, -1, np.int64)
        filled = np.flatnonzero(np.diff(self.graph.indptr))
        best = order[self.graph.indptr[filled]]
        following[filled] = np.where(np.isfinite(through[best]), self.graph.indices[best], -1)
        least = np.full(count, math.inf)
        least[filled] = through[best]
        straight = last[near[last] <= least[last]]
        following[straight] = count
        return GoalField(distance, following)

    def _waypoints(self, seen: NDArray[Any], goals: NDArray[Any]) -> tuple[NDArray[Any], Bool]:
        """Where the follower is to go from each observation, and for which there is a way."""
        fields, count, rows = [self._field(goal) for goal in goals], self.graph.num_nodes, np.arange(len(seen))
        entry, planned, known = self._entries(seen, fields)
        following = np.stack([np.append(field.following, count) for field in fields])
        path = np.empty((len(seen), AHEAD), np.int64)
        path[:, 0] = entry
        for k in range(1, AHEAD):
            after = following[rows, path[:, k - 1]]
            path[:, k] = np.where(after < 0, path[:, k - 1], after)
        targets = self.graph.goals[np.minimum(path, count - 1)]
        targets[path == count] = goals[np.nonzero(path == count)[0]]
        flat = targets.reshape(-1, *targets.shape[2:])
        far = self._far(np.repeat(seen, AHEAD, axis=0), flat).reshape(path.shape)
        chosen = np.maximum(_first(far >= self.reach) - 1, np.minimum(_first(far > self.arrive), AHEAD - 1))
        way = targets[rows, np.maximum(chosen, 0)]
        straight = ~known | ((self._far(seen, goals) < self.reach) & (planned < 1.5 * self.reach))
        way[straight] = goals[straight]
        return way, known

    def _entries(self, seen: NDArray[Any], fields: list[GoalField]) -> tuple[Int64, Float64, Bool]:
        """The node at which each way begins, its planned steps, and whether there is one."""
        place = embedded(self.critics, seen)
        count = self.graph.num_nodes
        if self._tree is None or place is None:
            ids = np.broadcast_to(np.arange(count), (len(seen), count))
        else:
            ids = np.asarray(self._tree.query(place, np.arange(1, min(NEAR, count) + 1))[1])
        near = self._far(np.repeat(seen, ids.shape[1], axis=0), self.graph.goals[ids.ravel()]).reshape(ids.shape)
        total = near + np.stack([field.distance[row] for field, row in zip(fields, ids, strict=True)])
        within, beyond = (np.where(near < times * self.reach, total, math.inf) for times in (1.5, 4.0))
        best = np.where(np.isfinite(within.min(axis=1)), within.argmin(axis=1), beyond.argmin(axis=1))
        rows = np.arange(len(seen))
        return ids[rows, best].astype(np.int64), total[rows, best], np.isfinite(beyond[rows, best])

    def _far(self, seen: NDArray[Any], goals: NDArray[Any]) -> Float64:
        """(B,) steps from each observation to its goal, as the critics say."""
        parts = [evaluate(self.critics, seen[k : k + _PAIRS], goals[k : k + _PAIRS])[0] for k in range(0, len(seen), _PAIRS)]
        return np.concatenate(parts)


def _first(flags: Bool) -> Int64:
    """(B,) the first True in each row of (B, K), K where there is none."""
    first: Int64 = np.where(flags.any(axis=1), flags.argmax(axis=1), flags.shape[1])
    return first
