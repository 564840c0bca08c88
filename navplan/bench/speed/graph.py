"""Suite `graph`: nodes from states, edges from the bundled critics, pruning and attaching, beside the ways they replace."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from navplan.bench import Row
from navplan.graph.nodes import coverage_nodes, covering_radius
from navplan.graph.state_graph import StateGraph
from navplan.system.arrays import Bool, Float32, Int64

if TYPE_CHECKING:
    from navplan.graph.critics import EdgeCritics

SCENARIO = "four-rooms-modified"
MAX_DISTANCE = 7.0
MAX_RISK = 5.0

T = TypeVar("T")


def run(quick: bool = False) -> list[Row]:
    """Measure on FourRoomsModified x5 with its bundled checkpoint; needs navplan[learned]."""
    from navplan.learned.training.load import load_checkpoint
    from navplan.scenarios.registry import load_scenario

    walls = load_scenario(SCENARIO).world.walls
    assert walls is not None  # the scenario is a maze
    return measure(load_checkpoint(SCENARIO), walls, quick)


def measure(critics: EdgeCritics, walls: Bool, quick: bool = False) -> list[Row]:
    """All figures of the suite for any critics on any grid; the same critics serve both sides of every ratio."""
    small, large = (200, 1000) if quick else (1000, 10_000)
    rng = np.random.default_rng(0)
    states = _free_states(walls, large, rng)
    critics.evaluate(states[:64], states[:64])
    graph, rows = _building(critics, states[:small])
    rows += _large(critics, states, small)
    rows += _editing(critics, graph, _free_states(walls, 40, rng))
    return rows + _covering(walls, *((5_000, 500) if quick else (100_000, 10_000)))


def _building(critics: EdgeCritics, states: Float32) -> tuple[StateGraph, list[Row]]:
    n = len(states)
    rounds = 2
    graph, seconds = _best(lambda: StateGraph.from_states(states, critics, MAX_DISTANCE, MAX_RISK), rounds)
    everything, all_seconds = _best(lambda: StateGraph.from_states(states, critics, MAX_DISTANCE, MAX_RISK, screen=False), rounds)
    loops, loop_seconds = _best(lambda: _reference_style(critics, states), 1)
    rows = [
        _row(
            f"build N={n}",
            seconds,
            "all pairs, same blocks",
            all_seconds,
            f"{graph.num_edges} edges; the peer keeps {everything.num_edges}, the others shorter than any path can be",
        ),
        _row(f"build N={n}", seconds, "row per call, Python double loop", loop_seconds, f"the peer keeps {loops} edges"),
    ]
    return graph, rows


def _large(critics: EdgeCritics, states: Float32, small: int) -> list[Row]:
    n = len(states)
    _, fewer_seconds = _best(lambda: StateGraph.from_states(states[:small], critics, MAX_DISTANCE, MAX_RISK), 1)
    graph, seconds = _best(lambda: StateGraph.from_states(states, critics, MAX_DISTANCE, MAX_RISK), 1)
    cap = graph.limits.max_neighbors if graph.limits else None
    held = "no cap" if cap is None else f"at most {cap} candidates per node"
    note = f"{graph.num_edges} edges, {held}; {seconds / fewer_seconds:.1f} times the time of N={small}"
    rows = [_row(f"build N={n}", seconds, "", None, note)]
    rate: Row = {
        "name": f"edges N={n}",
        "value": graph.num_edges / seconds,
        "unit": "edges/s",
        "peer": "",
        "ratio": None,
        "note": "critics included",
    }
    return [*rows, rate]


def _editing(critics: EdgeCritics, graph: StateGraph, points: Float32) -> list[Row]:
    _, prune_seconds = _best(lambda: graph.prune(max_risk=MAX_RISK / 2), 5)
    _, attach_seconds = _best(lambda: graph.attach(points, critics), 3)
    together = np.concatenate([graph.states, points])
    _, rebuild_seconds = _best(lambda: StateGraph.from_states(together, critics, MAX_DISTANCE, MAX_RISK), 1)
    note = f"{graph.num_edges} edges"
    return [
        _row(f"prune N={graph.num_nodes}", prune_seconds, "", None, note),
        _row(f"attach {len(points)} points", attach_seconds, "building again", rebuild_seconds, note),
    ]


def _covering(walls: Bool, pool_size: int, count: int) -> list[Row]:
    pool = _free_states(walls, pool_size, np.random.default_rng(1))
    coverage_nodes(pool[:8], 4, np.random.default_rng(0))  # compiles
    tenth = count // 10
    _, seconds = _best(lambda: coverage_nodes(pool, tenth, np.random.default_rng(0)), 3)
    _, numpy_seconds = _best(lambda: _numpy_farthest(pool, tenth), 1)
    nodes, full_seconds = _best(lambda: coverage_nodes(pool, count, np.random.default_rng(0)), 1)
    uniform = coverage_nodes(pool, count, np.random.default_rng(0), "uniform")
    radii = f"covering radius {covering_radius(pool, nodes):.2f} cells, uniform {covering_radius(pool, uniform):.2f}"
    return [
        _row(
            f"cover {tenth} of {pool_size}", seconds, "numpy, one pass per node", numpy_seconds, "farthest-point sampling, exact"
        ),
        _row(f"cover {count} of {pool_size}", full_seconds, "", None, radii),
    ]


def _reference_style(critics: EdgeCritics, states: Float32) -> int:
    """The shape of the published code: one critic call per row, then a double loop over all pairs (paper.md, section 4)."""
    n = len(states)
    distance, risk = np.empty((n, n)), np.empty((n, n))
    for i in range(n):
        distance[i], risk[i] = critics.evaluate(np.repeat(states[i : i + 1], n, axis=0), states)
    edges = []
    for i in range(n):
        for j in range(n):
            if i != j and distance[i, j] < MAX_DISTANCE and risk[i, j] < MAX_RISK:
                edges.append((i, j, distance[i, j], risk[i, j]))
    return len(edges)


def _numpy_farthest(pool: Float32, count: int) -> Int64:
    chosen = np.zeros(count, dtype=np.int64)
    gap = np.full(len(pool), np.inf)
    for k in range(1, count):
        np.minimum(gap, ((pool - pool[chosen[k - 1]]) ** 2).sum(axis=1), out=gap)
        chosen[k] = int(gap.argmax())
    return chosen


def _free_states(walls: Bool, count: int, rng: np.random.Generator) -> Float32:
    cells = np.argwhere(~walls)
    return (cells[rng.integers(len(cells), size=count)] + rng.random((count, 2))).astype(np.float32)


def _best(work: Callable[[], T], rounds: int) -> tuple[T, float]:
    """The result and the shortest of `rounds` wall times, in seconds."""
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - begun)
    return result, min(seconds)


def _row(name: str, seconds: float, peer: str, peer_seconds: float | None, note: str) -> Row:
    if peer_seconds is None:
        return {"name": name, "value": seconds, "unit": "s", "peer": "", "ratio": None, "note": note}
    against = f"{peer} ({peer_seconds:.3g} s)"
    return {"name": name, "value": seconds, "unit": "s", "peer": against, "ratio": peer_seconds / seconds, "note": note}
