from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from navplan.errors import InvalidInput
from navplan.graph.limits import EdgeLimits
from navplan.graph.nodes import coverage_nodes
from navplan.graph.state_graph import StateGraph
from tests.support.critics import FieldCritics


def spots(n: int, seed: int = 0, side: float = 12.0) -> np.ndarray:
    return (np.random.default_rng(seed).random((n, 2)) * side).astype(np.float32)


def edges(graph: StateGraph) -> dict[tuple[int, int], tuple[float, float]]:
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
    values = zip(graph.distance.tolist(), graph.risk.tolist())
    result = dict(zip(zip(tails.tolist(), graph.indices.tolist()), values))
    assert len(result) == graph.num_edges, "an edge is there twice"
    return result


def naive_edges(states: np.ndarray, max_distance: float, max_risk: float) -> dict[tuple[int, int], tuple[float, float]]:
    """The definition: every ordered pair, one at a time."""
    critics = FieldCritics()
    result = {}
    for i in range(len(states)):
        for j in range(len(states)):
            distance, risk = critics.evaluate(states[i : i + 1], states[j : j + 1])
            if i != j and distance[0] < max_distance and risk[0] < max_risk:
                result[i, j] = (float(distance[0]), float(risk[0]))
    return result


@pytest.mark.parametrize(("max_distance", "max_risk"), [(7.0, math.inf), (3.5, 5.0), (2.0, 0.5), (math.inf, 4.0)])
def test_edges_equal_the_double_loop(max_distance: float, max_risk: float) -> None:
    states = spots(60)
    graph = StateGraph.from_states(states, FieldCritics(), max_distance, max_risk, batch=37)
    assert edges(graph) == naive_edges(states, max_distance, max_risk)
    for row in range(graph.num_nodes):
        heads = graph.indices[graph.indptr[row] : graph.indptr[row + 1]]
        assert (np.diff(heads) > 0).all()
        assert row not in heads


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 25), st.just(2)), elements=st.floats(0, 20, width=32)),
    st.floats(0.5, 9),
    st.floats(0.1, 20),
)
def test_screening_loses_no_edge(states: np.ndarray, max_distance: float, max_risk: float) -> None:
    screened = StateGraph.from_states(states, FieldCritics(), max_distance, max_risk)
    assert edges(screened) == edges(StateGraph.from_states(states, FieldCritics(), max_distance, max_risk, screen=False))


def test_cost_grows_with_the_edges() -> None:
    few, many = FieldCritics(), FieldCritics()
    graph = StateGraph.from_states(spots(500, side=20.0), few, 3.0)
    larger = StateGraph.from_states(spots(2000, side=40.0), many, 3.0)
    # The same density on four times the area: four times the edges, not sixteen times the pairs.
    assert many.pairs < 5 * few.pairs
    assert few.pairs < 3 * graph.num_edges
    assert many.pairs < 3 * larger.num_edges


def test_each_pair_is_evaluated_once() -> None:
    critics = FieldCritics()
    StateGraph.from_states(spots(40), critics, 50.0)
    assert critics.pairs == 40 * 39 + 40  # every ordered pair, and each state with itself for the wait


def test_wait_risk_is_one_step_on_the_spot() -> None:
    states = spots(50)
    graph = StateGraph.from_states(states, FieldCritics(), 3.0)
    distance, risk = FieldCritics().evaluate(states, states)
    assert np.array_equal(graph.wait_risk, risk.astype(np.float64))
    assert (distance == 1.0).all()


def test_relabelling_permutes_the_graph() -> None:
    states = spots(80)
    order = np.random.default_rng(3).permutation(len(states))
    plain = edges(StateGraph.from_states(states, FieldCritics(), 4.0, 6.0))
    shuffled = edges(StateGraph.from_states(states[order], FieldCritics(), 4.0, 6.0))
    assert {(int(order[i]), int(order[j])): value for (i, j), value in shuffled.items()} == plain


def test_batch_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    states = spots(90)
    whole = StateGraph.from_states(states, FieldCritics(), 5.0, max_neighbors=20)
    monkeypatch.setattr("navplan.graph.candidates.PAIRS_PER_BLOCK", 200)
    pieces = StateGraph.from_states(states, FieldCritics(), 5.0, max_neighbors=20, batch=7)
    assert edges(whole) == edges(pieces)


@pytest.mark.parametrize("most", [1, 2, 7, 30])
def test_max_neighbors_keeps_the_nearest_and_a_spread(most: int) -> None:
    states = spots(200)
    critics = FieldCritics()
    capped = edges(StateGraph.from_states(states, critics, 5.0, max_neighbors=most))
    whole = edges(StateGraph.from_states(states, FieldCritics(), 5.0))
    assert capped.items() <= whole.items()
    assert critics.pairs == 200 * most + 200
    heads = np.array([[j, np.abs(states[0] - states[j]).max()] for j in range(1, 200)])
    nearest = heads[np.argsort(heads[:, 1], kind="stable")][: (most + 1) // 2, 0].astype(int)
    assert all((0, j) in capped for j in nearest)
    if most >= 7:
        reach = max(np.abs(states[i] - states[j]).max() for i, j in capped)
        assert reach > 3.5, "only near neighbours are left"


def test_budget_of_pairs_caps_only_what_exceeds_it() -> None:
    states = spots(300)
    free = FieldCritics()
    whole = StateGraph.from_states(states, free, 4.0, max_pairs=None)
    held = FieldCritics()
    graph = StateGraph.from_states(states, held, 4.0, max_pairs=6000)
    assert free.pairs > 6300 >= held.pairs
    assert graph.limits is not None
    assert graph.limits.max_neighbors == 20
    same = StateGraph.from_states(states, FieldCritics(), 4.0, max_pairs=free.pairs)
    assert edges(same) == edges(whole)
    assert same.limits is not None
    assert same.limits.max_neighbors is None


def test_of_very_many_states_each_has_a_fixed_number_of_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("navplan.graph.candidates.MOST_WHOLE", 100)
    monkeypatch.setattr("navplan.graph.candidates.NEIGHBORS", 10)
    pairs = []
    for count in (100, 150, 300):
        critics = FieldCritics()
        StateGraph.from_states(spots(count), critics, 4.0)
        pairs.append(critics.pairs)
    assert pairs[0] > 100 * 11 + 100
    assert pairs[1:] == [150 * 11, 300 * 11]


def test_duplicate_states_are_joined() -> None:
    graph = StateGraph.from_states([[1, 1], [1, 1], [9, 9]], FieldCritics(), 3.0)
    assert set(edges(graph)) == {(0, 1), (1, 0)}


def test_the_callers_states_stay_the_callers() -> None:
    states = spots(20)
    graph = StateGraph.from_states(states, FieldCritics(), 5.0)
    before = graph.states.copy()
    states += 1.0  # neither frozen nor shared
    assert np.array_equal(graph.states, before)
    assert not graph.states.flags.writeable
    attached, _ = graph.attach(states, FieldCritics())
    states += 1.0
    again = StateGraph.from_states(graph.states, FieldCritics(), 5.0)
    assert np.array_equal(again.indices, graph.indices)
    assert attached.num_nodes == 40


@given(st.integers(0, 2**32 - 1), st.floats(0.2, 8), st.floats(0.2, 8), st.floats(1, 7))
def test_pruning_is_monotone_and_composes(seed: int, first: float, second: float, distance: float) -> None:
    graph = StateGraph.from_states(spots(30, seed % 1000), FieldCritics(), 6.0)
    once = edges(graph.prune(max_risk=first, max_distance=distance))
    assert once == {k: v for k, v in edges(graph).items() if v[1] < first and v[0] < distance}
    twice = graph.prune(max_risk=first).prune(max_risk=second)
    assert edges(twice) == edges(graph.prune(max_risk=min(first, second)))
    assert twice.limits == EdgeLimits(6.0, min(first, second))
    assert edges(twice.prune()) == edges(twice)


@pytest.mark.parametrize("cap", [None, 25])
def test_attaching_equals_building_with_the_points(cap: int | None) -> None:
    states, points = spots(70), spots(9, seed=1)
    graph = StateGraph.from_states(states, FieldCritics(), 5.0, max_neighbors=cap).prune(max_risk=6.0)
    critics = FieldCritics()
    larger, ids = graph.attach(points, critics)
    assert ids.dtype == np.int32
    assert ids.tolist() == list(range(70, 79))
    assert np.array_equal(larger.states[ids], points)
    attached = edges(larger)
    assert {k: v for k, v in attached.items() if max(k) < 70} == edges(graph)
    truth = naive_edges(np.concatenate([states, points]), 5.0, 6.0)
    new = {k: v for k, v in truth.items() if max(k) >= 70}
    if cap is None:
        assert {k: v for k, v in attached.items() if max(k) >= 70} == new
    else:
        assert {k: v for k, v in attached.items() if max(k) >= 70}.items() <= new.items()
    assert critics.pairs <= 2 * 70 * 9 + 9 * 9
    rebuilt = StateGraph.from_states(np.concatenate([states, points]), FieldCritics(), 5.0)
    assert np.array_equal(larger.wait_risk, rebuilt.wait_risk)


def test_attached_edges_obey_the_limits_of_a_pruned_graph() -> None:
    graph = StateGraph.from_states(spots(60), FieldCritics(), 6.0).prune(max_risk=1.0, max_distance=4.0)
    larger, _ = graph.attach(spots(10, seed=2), FieldCritics())
    assert larger.risk.max() < 1.0
    assert larger.distance.max() < 4.0
    looser, _ = graph.attach(spots(10, seed=2), FieldCritics(), max_risk=5.0, max_distance=6.0)
    assert looser.num_edges > larger.num_edges


def test_equal_points_get_distinct_nodes_joined_directly() -> None:
    graph = StateGraph.from_states(spots(5, side=1.0), FieldCritics(), 3.0)
    larger, ids = graph.attach([[40, 40], [40, 40], [41, 40]], FieldCritics())
    assert ids.tolist() == [5, 6, 7]
    assert {k for k in edges(larger) if min(k) >= 5} == {(5, 6), (6, 5), (5, 7), (7, 5), (6, 7), (7, 6)}
    assert not any(min(k) < 5 <= max(k) for k in edges(larger))


def test_zero_distance_still_takes_time() -> None:
    class Euclid:
        def evaluate(self, observations: np.ndarray, goals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.linalg.norm(observations - goals, axis=1), np.zeros(len(goals), np.float32)

    graph = StateGraph.from_states([[1, 1], [1, 1]], Euclid(), 3.0)
    assert (graph.distance > 0).all()


def test_unreachable_pairs_become_no_edge() -> None:
    class Nowhere:
        def evaluate(self, observations: np.ndarray, goals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.full(len(goals), np.inf, np.float32), np.zeros(len(goals), np.float32)

    assert StateGraph.from_states(spots(5), Nowhere(), math.inf).num_edges == 0


@pytest.mark.parametrize(
    ("states", "message"),
    [
        ([[0, 0], [1, math.nan]], r"state 1 is \[1.0, nan\]"),
        ([[0, 0], [1, 1], [math.inf, 0]], "state 2"),
        ([0, 1], "shape"),
        (np.zeros((0, 2)), "no states"),
        ([["a", "b"]], "numbers"),
    ],
)
def test_bad_states_are_named(states: object, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        StateGraph.from_states(states, FieldCritics())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        {"max_distance": 0.0},
        {"max_distance": math.nan},
        {"max_risk": -1.0},
        {"max_speed": 0.0},
        {"goal_tolerance": -0.1},
        {"goal_tolerance": math.inf},
        {"max_neighbors": 0},
        {"max_neighbors": 2.5},
        {"max_pairs": 1},
        {"batch": 0},
    ],
)
def test_bad_limits_are_refused(options: dict[str, float]) -> None:
    name = next(iter(options))
    with pytest.raises(InvalidInput, match=name):
        StateGraph.from_states(spots(4), FieldCritics(), **options)  # type: ignore[arg-type]
    if name in {"max_distance", "max_risk"}:
        with pytest.raises(InvalidInput, match=name):
            StateGraph.from_states(spots(4), FieldCritics()).prune(**options)


@pytest.mark.parametrize("value", [math.nan, -1.0])
@pytest.mark.parametrize("which", ["distance", "risk"])
def test_bad_critics_are_named(value: float, which: str) -> None:
    class Broken:
        def evaluate(self, observations: np.ndarray, goals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            good, bad = np.ones(len(goals), np.float32), np.full(len(goals), value, np.float32)
            return (bad, good) if which == "distance" else (good, bad)

    with pytest.raises(InvalidInput, match=f"critics' {which}"):
        StateGraph.from_states(spots(4), Broken())


def test_attach_refuses_grids_bad_points_and_missing_limits() -> None:
    graph = StateGraph.from_states(spots(4), FieldCritics())
    with pytest.raises(InvalidInput, match="point 1"):
        graph.attach([[0, 0], [math.nan, 0]], FieldCritics())
    with pytest.raises(InvalidInput, match="shape"):
        graph.attach([[0, 0, 0]], FieldCritics())
    with pytest.raises(InvalidInput, match="grid"):
        StateGraph.from_grid(np.zeros((2, 2), bool)).attach([[0, 0]], FieldCritics())
    foreign = StateGraph.from_networkx(graph.to_networkx())
    bare = StateGraph(foreign.states, foreign.indptr, foreign.indices, foreign.distance, foreign.risk, foreign.wait_risk)
    with pytest.raises(InvalidInput, match="max_distance"):
        bare.attach([[0, 0]], FieldCritics())
    assert bare.attach([[0, 0]], FieldCritics(), max_distance=7.0)[0].num_nodes == 5


def test_the_bench_suite_measures_both_sides_of_each_ratio() -> None:
    from navplan.bench.speed.graph import measure

    rows = measure(FieldCritics(), np.pad(np.zeros((20, 20), bool), 1, constant_values=True), quick=True)
    assert all(row["value"] > 0 for row in rows)
    assert all((row["ratio"] is not None) == bool(row["peer"]) for row in rows)
    assert {row["name"] for row in rows} >= {"build N=200", "build N=1000", "attach 40 points", "cover 500 of 5000"}
    mine, peer = (row["note"] for row in rows if row["name"] == "build N=200")
    assert f"keeps {mine.split()[0]} edges" in peer


def test_the_screen_loses_only_impossible_edges_of_learned_critics() -> None:
    """On the bundled critics: what the screen withholds is shorter than any path can be, and the rest is the all-pairs graph."""
    pytest.importorskip("torch")
    from navplan.learned.training.load import load_checkpoint

    critics = load_checkpoint("center-dot")
    states = coverage_nodes(critics.states, 150, np.random.default_rng(0))
    graph = StateGraph.from_states(states, critics, 7.0, 5.0)
    screened = edges(graph)
    everything = edges(StateGraph.from_states(states, critics, 7.0, 5.0, screen=False))
    assert screened.keys() <= everything.keys()
    for tail, head in everything.keys() - screened.keys():
        assert np.abs(states[tail] - states[head]).max() >= 7.5
    assert len(screened) > 0.99 * len(everything)
    # Batches are cut elsewhere, so sums may round differently.
    assert all(value == pytest.approx(everything[pair], rel=1e-4, abs=1e-4) for pair, value in screened.items())
    # A wait is one step: the goal is reached where the agent stands.
    assert critics.evaluate(states, states)[0] == pytest.approx(1.0, abs=0.5)
    assert graph.wait_risk.max() <= 2.5
