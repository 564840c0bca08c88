"""One agent's searches where every move and wait costs 1 and clearance is 0, in the memory they work in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from navplan.kernels.cbs.unit_diagrams import Diagram, build_diagram, first_dead_level, hops_around, least_met, widest_cut
from navplan.kernels.cbs.unit_search import (
    POPPED,
    RESULT,
    STAMP,
    Bars,
    Traffic,
    UnitWork,
    clear_bars,
    conflicts_of,
    put,
    set_bars,
    take,
    unit_search,
    unit_trace,
)
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FULL
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, Weighted, freeze
from navplan.planners.cbs.pair_bounds import PairBounds
from navplan.system.arrays import Float64, Int32, Int64

NOBODY = np.empty(0, np.int32)
# A bar without an end.
FOREVER = 1 << 29
# Expansions of one kernel call.
SLICE = 20_000
# Pairs of nodes that comparing two diagrams may look at.
MOST_PAIRS = 10_000_000
# Pairs of nodes, of all levels, among which a cut is looked for.
MOST_CUT = 4_000_000
LISTED = 4096
# Nodes of the largest diagram, and bytes of those that are remembered.
MOST_NODES = 1 << 20
MOST_HELD = 1 << 29
# Costs that are tried before a search that takes longer for a cost but finds any.
TRIES = 3
NO_PATHS = Diagram(*(np.zeros(size, np.int32) for size in (2, 0, 1, 0)))


class Bar(NamedTuple):
    """What one agent must not do: be at `node` at any time from `low` to `high`, having come from `origin` unless that is -1.

    With node -1: its last arrival must not be before `low`.
    """

    node: int
    low: int
    high: int
    origin: int = -1


# Agent, bars, least cost.
Asked = tuple[int, frozenset[Bar], int]
Paths = tuple[Int32, Int32]
# A time, and nodes of either of two agents.
Cut = tuple[int, list[int], list[int]]


class UnitLow:
    """Paths, diagrams and pairs for the agents of one problem; remembers what it is asked again.

    Attributes:
        h: (A, N) float64 distances to each goal.
        searches, expanded: counters.
    """

    def __init__(self, problem: Problem, weighted: Weighted, tables: Float64, clock: Clock) -> None:
        self.starts = problem.starts.tolist()
        self.goals = problem.goals.tolist()
        self.h = tables
        self.indptr, self.indices = weighted.forward.indptr, weighted.forward.indices
        self.clock = clock
        self.nodes = len(self.indptr) - 1
        self.searches = 0
        self.expanded = 0
        self.least_pair = PairBounds(problem, weighted, tables, 0.0)
        self._rows = np.empty((64, 4), np.int32)
        self._bars = self._make_bars(64)
        self._work = self._make_work(1 << 14)
        self._progress = np.zeros(5, np.int64)
        self._place = np.full(self.nodes, -1, np.int32)
        self._hops = np.full(self.nodes, -1, np.int32)
        self._queue = np.empty(self.nodes, np.int32)
        self._blocked = np.zeros(self.nodes, np.uint8)
        self._diagram = self._make_diagram(1 << 12, 1 << 14)
        self._now = np.empty(1 << 18, np.uint8)
        self._then = np.empty(1 << 18, np.uint8)
        self._found = np.empty((LISTED, 3), np.int32)
        self._where: Int64 | None = None
        self._diagrams: dict[Asked, Diagram | None] = {}
        self._held = 0
        self._costs: dict[tuple[int, frozenset[Bar]], int | None] = {}
        self._met = np.empty((2, 1 << 12), np.int32)
        self._dead: dict[tuple[Asked, Asked], int] = {}
        longest = max(float(tables[agent, start]) for agent, start in enumerate(self.starts))
        self._paths: Sequence[Int32] = [NOBODY] * len(self.starts)
        self._traffic = self._make_traffic(int(longest) + 33)

    # ------------------------------------------------------------------ memory
    def forget(self) -> None:
        """Drop what is remembered."""
        for known in (self._diagrams, self._costs, self._dead):
            known.clear()

    def _make_bars(self, room: int) -> Bars:
        head = np.full(self.nodes, -1, np.int32)
        return Bars(head, *(np.empty(room, np.int32) for _ in range(4)))

    @staticmethod
    def _make_work(room: int) -> UnitWork:
        slots = 1 << (2 * room - 1).bit_length()
        return UnitWork(
            np.empty(room, np.int32),
            np.empty(room, np.int32),
            np.empty(room, np.int32),
            np.empty(room, np.uint8),
            np.empty(slots, np.int64),
            np.zeros(slots, np.int64),
            np.empty(slots, np.int32),
            np.empty(room),
            np.empty(room, np.int32),
        )

    @staticmethod
    def _make_diagram(nodes: int, links: int) -> Diagram:
        return Diagram(
            np.empty(1 << 12, np.int32), np.empty(nodes, np.int32), np.empty(nodes + 1, np.int32), np.empty(links, np.int32)
        )

    def _make_traffic(self, times: int) -> Traffic:
        agents = len(self.starts)
        return Traffic(
            np.full((times, self.nodes), -1, np.int16), np.empty((agents, times), np.int16), np.empty((agents, times), np.int32)
        )

    # ------------------------------------------------------------------ traffic
    def show(self, paths: Sequence[Int32]) -> None:
        """Make `paths` the traffic; an empty path stands for nobody, others have been made room for."""
        known = self._paths
        for agent in [k for k, (old, new) in enumerate(zip(known, paths, strict=True)) if old is not new]:
            if len(known[agent]):
                take(self._traffic, agent)
            if len(paths[agent]):
                put(self._traffic, agent, paths[agent])
        self._paths = paths

    def make_room(self, length: int) -> None:
        """Let the traffic reach beyond paths of `length` nodes."""
        times = self._traffic.head.shape[0]
        if length >= times:
            known, self._paths = self._paths, [NOBODY] * len(self.starts)
            self._traffic = self._make_traffic(length + times)
            self.show(known)

    def conflicts(self, path: Int32) -> list[list[int]]:
        """[other agent, time, 1 for a swap] for each conflict of `path` with the traffic."""
        count = int(conflicts_of(self._traffic, path, self._found))
        rows: list[list[int]] = self._found[: min(count, LISTED)].tolist()
        return rows

    # ------------------------------------------------------------------ searching
    def _set(self, bars: frozenset[Bar]) -> tuple[int, int]:
        """Put bars in force; returns their rows, and when time may collapse."""
        rows = [bar for bar in bars if bar.node >= 0]
        if len(rows) > len(self._rows):
            self._rows = np.empty((2 * len(rows), 4), np.int32)
            self._bars = self._make_bars(2 * len(rows))
        if rows:
            self._rows[: len(rows)] = rows
        set_bars(self._bars, self._rows, len(rows))
        return len(rows), max(((bar.low if bar.high >= FOREVER else bar.high) + 1 for bar in rows), default=0)

    def search(self, agent: int, bars: frozenset[Bar], least: int = 0) -> Int32 | None:
        """A shortest path within `bars` with the fewest conflicts with the traffic, unless too many are to choose from; None
        when there is none.

        Args:
            least: a lower bound on its cost.
        """
        self.searches += 1
        self.clock.check()
        cost = self.cost(agent, bars, least)
        if cost is None:
            return None
        diagram = self.diagram(agent, bars, cost)
        if diagram is None:
            return self._astar(agent, bars)
        return self.pick(diagram, cost)[0]

    def pick(self, diagram: Diagram, cost: int) -> tuple[Int32, int]:
        """The path of a diagram with the fewest conflicts with the traffic, and their number up to its end."""
        self.clock.check()
        if self._met.shape[1] < len(diagram.nodes):
            self._met = np.empty((2, 2 * len(diagram.nodes)), np.int32)
        path = np.empty(cost + 1, np.int32)
        met = int(least_met(diagram, self._traffic, self._met, path))
        freeze(path)
        return path, met

    def cost(self, agent: int, bars: frozenset[Bar], least: int) -> int | None:
        """Of a shortest path within `bars`, which is at least `least`; None when there is none."""
        key = (agent, bars)
        if key not in self._costs:
            self._costs[key] = self._least(agent, bars, least)
        return self._costs[key]

    def _least(self, agent: int, bars: frozenset[Bar], least: int) -> int | None:
        from_start = self.h[agent, self.starts[agent]]
        earliest = self._earliest(agent, bars)
        if earliest >= FOREVER or math.isinf(from_start):
            return None
        low = max(least, earliest, int(from_start))
        # a path that is hardly longer is found by its diagram, which will be asked for anyway
        for cost in range(low, low + TRIES):
            diagram = self.diagram(agent, bars, cost)
            if diagram is None:
                break
            if len(diagram.nodes):
                return cost
        path = self._astar(agent, bars)
        return None if path is None else len(path) - 1

    def _earliest(self, agent: int, bars: frozenset[Bar]) -> int:
        """Time before which the last arrival must not be."""
        goal = self.goals[agent]
        earliest = max((bar.low for bar in bars if bar.node < 0), default=0)
        rests = (bar.high + 1 for bar in bars if bar.node == goal and bar.origin < 0)
        return max(earliest, max(rests, default=0))

    def _astar(self, agent: int, bars: frozenset[Bar]) -> Int32 | None:
        """A shortest path however long it is, or None."""
        earliest = self._earliest(agent, bars)
        count, horizon = self._set(bars)
        try:
            while True:
                stamp = self._progress[STAMP] + 1
                self._progress[:] = 0
                self._progress[STAMP] = stamp
                status = BUDGET
                while status == BUDGET:
                    self.clock.check()
                    status = unit_search(
                        self.indptr,
                        self.indices,
                        self.h[agent],
                        self.starts[agent],
                        self.goals[agent],
                        earliest,
                        max(horizon, earliest),
                        self._bars,
                        self._work,
                        self._progress,
                        SLICE,
                    )
                self.expanded += int(self._progress[POPPED])
                if status != FULL:
                    break
                self._work = self._make_work(4 * len(self._work.node))
        finally:
            clear_bars(self._bars, self._rows, count)
        if status == EXHAUSTED:
            return None
        record = int(self._progress[RESULT])
        path = np.empty(int(self._work.time[record]) + 1, np.int32)
        unit_trace(self._work, record, self.goals[agent], path)
        freeze(path)
        return path

    def diagram(self, agent: int, bars: frozenset[Bar], cost: int) -> Diagram | None:
        """All paths of an agent within `bars` whose last arrival is at `cost`; None if they are too many."""
        key = (agent, bars, cost)
        if key in self._diagrams:
            return self._diagrams[key]
        diagram = self._build(agent, bars, cost)
        if diagram is not None:
            self._held += size_of(diagram)
        while self._held > MOST_HELD:
            oldest = self._diagrams.pop(next(iter(self._diagrams)))
            self._held -= 0 if oldest is None else size_of(oldest)
        self._diagrams[key] = diagram
        return diagram

    def _build(self, agent: int, bars: frozenset[Bar], cost: int) -> Diagram | None:
        self.clock.check()
        if cost < self._earliest(agent, bars):
            return NO_PATHS
        count, _ = self._set(bars)
        try:
            while True:
                room = self._diagram
                if len(room.first) < cost + 2:
                    room = room._replace(first=np.empty(2 * cost + 2, np.int32))
                nodes, links = build_diagram(
                    self.indptr,
                    self.indices,
                    self.h[agent],
                    self.starts[agent],
                    self.goals[agent],
                    cost,
                    self._bars,
                    self._place,
                    room,
                )
                self._diagram = room
                if nodes < len(room.nodes) and links <= len(room.successors):
                    break
                if nodes > MOST_NODES:
                    return None
                fresh = self._make_diagram(max(2 * nodes, len(room.nodes)), max(2 * links, len(room.successors)))
                self._diagram = fresh._replace(first=room.first)
        finally:
            clear_bars(self._bars, self._rows, count)
        self.expanded += nodes
        if nodes == 0:
            return NO_PATHS
        return Diagram(
            room.first[: cost + 2].copy(),
            room.nodes[:nodes].copy(),
            room.after[: nodes + 1].copy(),
            room.successors[:links].copy(),
        )

    def passes(self, agent: int, bars: frozenset[Bar], cost: int, node: int, time: int) -> bool:
        """True when a path of `cost` within `bars` is at `node` at `time` or later (or when there are too many paths to tell)."""
        if cost < time + self.h[agent, node]:
            return False
        diagram = self.diagram(agent, bars, cost)
        return diagram is None or bool((diagram.nodes[diagram.first[time] :] == node).any())

    def dead_level(self, one: Asked, other: Asked) -> int:
        """First time by which two agents have met whichever paths of their least costs they take; negative if they need not.

        Args:
            one, other: agent, bars, least cost.
        """
        key = (one, other)
        if key not in self._dead:
            self.clock.check()
            mine, theirs = self.diagram(*one), self.diagram(*other)
            self._dead[key] = -2 if mine is None or theirs is None else self._walk(mine, theirs)
        return self._dead[key]

    def _walk(self, mine: Diagram, theirs: Diagram) -> int:
        return int(first_dead_level(mine, theirs, self._place, self._now, self._then, MOST_PAIRS))

    def level(self, asked: Asked, time: int) -> list[int]:
        """Where an agent can be at `time`, at rest after its last arrival."""
        diagram = self.diagram(*asked)
        if diagram is None:
            return [self.goals[asked[0]]]
        at = min(time, len(diagram.first) - 2)
        nodes: list[int] = diagram.nodes[diagram.first[at] : diagram.first[at + 1]].tolist()
        return nodes

    def cut(self, one: Asked, other: Asked, paths: Paths, since: int) -> Cut | None:
        """Where two agents cannot both be, neither as on its path: (time, some nodes of either's level); None if nowhere.

        Args:
            one, other: agent, bars, least cost.
            paths: of those.
            since: the first time to look at.
        """
        mine, theirs = self.diagram(*one), self.diagram(*other)
        if mine is None or theirs is None:
            return None
        levels = max(len(mine.first), len(theirs.first))
        if self._where is None or len(self._where) < levels:
            self._where = np.empty(2 * levels, np.int64)
            self._table = np.empty(MOST_CUT, np.uint8)
        keep = np.empty(len(mine.nodes), np.uint8), np.empty(len(theirs.nodes), np.uint8)
        time = int(widest_cut(mine, theirs, *paths, since, self._table, self._where, *keep))
        if time < 0:
            return None
        sides = []
        for diagram, marks in zip((mine, theirs), keep, strict=True):
            at = min(time, len(diagram.first) - 2)
            level = diagram.nodes[diagram.first[at] : diagram.first[at + 1]]
            sides.append(level[marks[: len(level)] == 1].tolist())
        return time, sides[0], sides[1]

    # ------------------------------------------------------------------ corridors
    def detour(self, start: int, goal: int, inner: list[int], ends: tuple[int, ...]) -> int:
        """Steps from `start` to `goal` that do not pass the corridor of `inner` nodes, or the edge of its ends; -1 for no way."""
        if inner:
            self._blocked[inner] = 1
        else:
            self._blocked[list(ends)] = 2
        found = int(hops_around(self.indptr, self.indices, start, self._blocked, goal, self._hops, self._queue))
        self._blocked[inner] = 0
        self._blocked[list(ends)] = 0
        return found


def size_of(diagram: Diagram) -> int:
    """Bytes."""
    return sum(part.nbytes for part in diagram)
