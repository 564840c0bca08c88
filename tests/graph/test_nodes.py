from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from navplan.errors import InvalidInput
from navplan.graph.nodes import coverage_indices, coverage_nodes, covering_radius
from navplan.graph.parts import checked_states


def naive_farthest(states: np.ndarray, count: int, first: int, keep_away: float) -> list[int]:
    """The definition, one point at a time."""
    chosen = [first]
    while len(chosen) < count:
        gaps = [min(sum((float(a) - float(b)) ** 2 for a, b in zip(state, states[c])) for c in chosen) for state in states]
        best = int(np.argmax(gaps))
        if not gaps[best] > keep_away**2:
            break
        chosen.append(best)
    return chosen


def visited(n: int, seed: int = 0) -> np.ndarray:
    """Replay-like states on a 15x15 map with a block in its middle: crowded in one corner, thin elsewhere."""
    rng = np.random.default_rng(seed)
    states = np.concatenate([rng.random((n, 2)) * 15, rng.random((n, 2)) * 4])
    return states[~((states > 6).all(axis=1) & (states < 9).all(axis=1))].astype(np.float32)


@pytest.mark.kernels
@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 14), st.integers(1, 3)), elements=st.floats(-9, 9, width=16)),
    st.integers(0, 99),
    st.sampled_from([0.0, 0.5, 3.0]),
)
def test_farthest_points_equal_the_definition(states: np.ndarray, seed: int, keep_away: float) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, len(states) + 1))
    chosen = coverage_indices(states, count, np.random.default_rng(seed), keep_away=keep_away)
    first = int(np.random.default_rng(seed).integers(len(states)))
    assert chosen.tolist() == naive_farthest(states, count, first, keep_away)


@pytest.mark.kernels
def test_interrupted_rounds_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    states = visited(60)
    whole = coverage_indices(states, 20, np.random.default_rng(1))
    monkeypatch.setattr("navplan.graph.nodes._UPDATES_PER_CALL", 3 * len(states))
    assert np.array_equal(whole, coverage_indices(states, 20, np.random.default_rng(1)))


def test_coverage_beats_uniform_by_far() -> None:
    states = visited(10_000)
    free = visited(10_000, seed=9)
    covered = covering_radius(free, coverage_nodes(states, 500, np.random.default_rng(0)))
    uniform = covering_radius(free, coverage_nodes(states, 500, np.random.default_rng(0), "uniform"))
    assert covered < 0.5 * uniform
    # 216 cells over 500 nodes: a square lattice of that density has a covering radius of 0.46.
    assert covered < 0.8


@pytest.mark.parametrize("method", ["coverage", "uniform"])
def test_nodes_are_states_none_twice_and_the_seed_decides(method: str) -> None:
    states = np.repeat(visited(300), 3, axis=0)
    chosen = coverage_nodes(states, 100, np.random.default_rng(4), method)  # type: ignore[arg-type]
    assert chosen.dtype == np.float32
    assert chosen.shape == (100, 2)
    assert len(np.unique(chosen, axis=0)) == 100
    assert {tuple(row) for row in chosen.tolist()} <= {tuple(row) for row in states.tolist()}
    again = coverage_nodes(states, 100, np.random.default_rng(4), method)  # type: ignore[arg-type]
    assert np.array_equal(chosen, again)
    other = coverage_nodes(states, 100, np.random.default_rng(5), method)  # type: ignore[arg-type]
    assert not np.array_equal(chosen, other)


@pytest.mark.parametrize("method", ["coverage", "uniform"])
def test_keep_away(method: str) -> None:
    chosen = coverage_nodes(visited(500), 500, np.random.default_rng(4), method, keep_away=1.0)  # type: ignore[arg-type]
    apart = np.linalg.norm(chosen[:, None] - chosen[None], axis=2)
    assert apart[~np.eye(len(chosen), dtype=bool)].min() > 1.0
    assert len(chosen) < 500
    # Nothing more would fit: every state is within reach of a node.
    assert covering_radius(visited(500), chosen) <= 1.0


def test_fewer_distinct_states_than_wanted() -> None:
    for method in ("coverage", "uniform"):
        chosen = coverage_nodes(np.zeros((5, 2)), 3, np.random.default_rng(0), method)  # type: ignore[arg-type]
        assert chosen.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize(
    ("states", "count", "options", "message"),
    [
        ([[0, 0], [0, math.nan]], 1, {}, "state 1"),
        ([[0, 0]], 2, {}, "2 nodes wanted of 1 states"),
        ([[0, 0]], 0, {}, "0 nodes wanted"),
        ([[0, 0]], 1, {"method": "random"}, "'random'"),
        ([[0, 0]], 1, {"keep_away": -1.0}, "keep_away"),
    ],
)
def test_bad_input(states: list[list[float]], count: int, options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        coverage_nodes(states, count, np.random.default_rng(0), **options)  # type: ignore[arg-type]


def test_checked_states_copies_nothing_it_need_not() -> None:
    states = visited(10)
    assert checked_states(states, "state") is states
