from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, Point

from navplan.errors import InvalidInput
from navplan.execution.passage import PassageOrder
from navplan.plan.plan import Plan
from tests.support.execution import prioritised


def plan_of(*coordinates) -> Plan:
    states = tuple(np.asarray(c, np.float32) for c in coordinates)
    paths = tuple(np.arange(len(c), dtype=np.int32) for c in states)
    return Plan("feasible", "hand", len(states), paths, states)


def random_plan(seed, agents=4, steps=4) -> Plan:
    """Wild paths in a small box, waits included; nothing makes them free of conflict."""
    rng = np.random.default_rng(seed)
    paths = []
    for _ in range(agents):
        points = rng.uniform(0, 4, (rng.integers(1, steps + 1) + 1, 2))
        for t in range(1, len(points)):
            if rng.random() < 0.3:
                points[t] = points[t - 1]
        paths.append(points)
    return plan_of(*paths)


def piece(order, agent, k):
    """The planned motion of one piece, as a shapely geometry."""
    t = int(np.searchsorted(order.offsets, k, side="right")) - 1
    count = order.offsets[t + 1] - order.offsets[t]
    a, b = order.nodes[agent, t], order.nodes[agent, t + 1]
    ends = [a + (b - a) * (k - order.offsets[t] + e) / count for e in (0, 1)]
    return Point(ends[0]) if np.array_equal(a, b) else LineString(ends)


@given(st.integers(0, 10_000), st.sampled_from([1, 2]), st.sampled_from([0.5, 1.0]))
def test_needs_equal_the_rule_read_aloud(seed, lag, piece_length):
    order = PassageOrder.from_plan(random_plan(seed, 3, 2), clearance=0.7, piece_length=piece_length, lag=lag)
    for i in range(3):
        for j in range(3):
            need = 0
            for k in range(order.ends[i]):
                for piece_l in range(min(order.ends[j], k - lag + 1)):
                    gap = piece(order, i, k).distance(piece(order, j, piece_l))
                    if i != j and gap < 0.7 and abs(gap - 0.7) > 1e-6:
                        need = max(need, piece_l + 1)
                assert order.needs[i, k, j] == need


@given(st.integers(0, 10_000), st.sampled_from([1, 2]))
def test_dependencies_point_to_strictly_smaller_progress(seed, lag):
    """The proof in the docstring, checked: whoever is held waits for someone strictly behind, so nobody waits in a ring."""
    order = PassageOrder.from_plan(random_plan(seed, 6), clearance=1.0, lag=lag)
    rng = np.random.default_rng(seed)
    k = np.arange(order.needs.shape[1])[None, :, None]
    assert (order.needs <= np.maximum(0, k - lag + 1)).all()
    for _ in range(20):
        progress = rng.uniform(0, order.ends)
        progress[rng.random(6) < 0.3] = order.ends[0]
        progress = np.floor(np.minimum(progress, order.ends))
        held = order.frontier(progress) == progress
        for i in np.flatnonzero(held & (progress < order.ends)):
            waits_for = np.flatnonzero(progress < order.needs[i, int(progress[i])])
            assert waits_for.size
            assert (progress[waits_for] < progress[i]).all()


@given(st.integers(0, 10_000), st.sampled_from([1, 2]))
def test_any_pace_arrives_in_the_planned_order(seed, lag):
    """Agents advance at random, as far as the order lets them: all arrive, and no conflicting piece is entered too early."""
    order = PassageOrder.from_plan(random_plan(seed, 5), clearance=0.8, lag=lag)
    rng = np.random.default_rng(seed)
    progress = np.zeros(5)
    for _ in range(10_000):
        if (progress == order.ends).all():
            break
        free = np.flatnonzero(order.frontier(progress) > progress)
        least = np.flatnonzero(progress < order.ends)[np.argmin(progress[progress < order.ends])]
        assert least in free
        mover = rng.choice(free)
        assert (progress >= order.needs[mover, int(progress[mover])]).all()
        progress[mover] += 1
    assert (progress == order.ends).all()


def test_pieces_are_at_most_one_step_long():
    order = PassageOrder.from_plan(plan_of([[0, 0], [3, 1], [3, 1.2]], [[5, 5], [5, 5], [7, 7]]), clearance=0.5)
    assert order.offsets.tolist() == [0, 6, 10]
    assert order.ends.tolist() == [10, 10]
    learned = PassageOrder.from_plan(plan_of([[0, 0], [3, 1]]), clearance=0.5, durations=[[4.2]], piece_length=1.0)
    assert learned.offsets.tolist() == [0, 5]


def test_a_crossing_is_passed_as_planned_and_pieces_free_it_early():
    first = [[2, 0], [2, 4], [2, 4]]
    second = [[0, 2], [0, 2], [4, 2]]
    order = PassageOrder.from_plan(plan_of(first, second), clearance=0.6)
    # the second may wait one cell short of the crossing, and go on long before the first is at its goal
    assert order.frontier(np.array([0.0, 0.0])).tolist() == [16, 10]
    assert order.frontier(np.array([4.0, 9.0])).tolist() == [16, 10]
    assert order.frontier(np.array([6.0, 9.0])).tolist() == [16, 16]


@pytest.mark.kernels
def test_grid_plans_have_orders():
    plan = prioritised(np.zeros((5, 5), bool), [0, 24, 4], [24, 0, 20])
    order = PassageOrder.from_plan(plan, clearance=0.5, piece_length=1.0)
    assert (order.frontier(order.ends.astype(np.float64)) == order.ends).all()


@pytest.mark.parametrize("options", [{"piece_length": 0}, {"piece_length": 1.5}, {"lag": 0}])
def test_options_out_of_range(options):
    with pytest.raises(InvalidInput, match=next(iter(options))):
        PassageOrder.from_plan(plan_of([[0, 0], [1, 0]]), clearance=0.5, **options)


def test_only_plans_with_flat_paths():
    with pytest.raises(InvalidInput, match="infeasible and has no paths"):
        PassageOrder.from_plan(Plan("infeasible", "x", 1), clearance=0.5)
    with pytest.raises(InvalidInput, match="3 coordinates"):
        PassageOrder.from_plan(plan_of([[0, 0, 0], [1, 0, 0]]), clearance=0.5)
