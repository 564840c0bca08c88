from __future__ import annotations

import math

import numpy as np
import pytest

from navplan.errors import InvalidInput
from navplan.learned.curriculum.disagreement import Disagreement, Ensembles, ProblemQueue, Problems, Wish, all_pairs, pick
from navplan.learned.interface import Offer


def judge(distance: list[list[float]], cost: list[list[float]] | None = None) -> Ensembles:
    """Opinions that do not look at the pairs."""
    rows = np.array(distance, np.float32)
    costs = np.array(cost if cost is not None else np.zeros((3, rows.shape[1])), np.float32)
    return Ensembles(lambda *_: rows, lambda *_: costs)


def numbered(count: int) -> Problems:
    starts = np.stack([np.arange(count), np.zeros(count)], axis=1).astype(np.float32)
    return Problems(starts, starts + np.float32(1))


def picked(problems: Problems) -> list[int]:
    return sorted(int(start[0]) for start in problems.starts)


def test_scores_are_the_papers() -> None:
    rng = np.random.default_rng(0)
    distance, cost = rng.uniform(1, 20, (3, 200)).astype(np.float32), rng.uniform(0, 3, (3, 200)).astype(np.float32)
    for by, target, disagreement in (
        ("distance", None, True),
        ("cost", 1.5, True),
        ("cost", 2.0, False),
        ("distance", 4.0, True),
    ):
        wish = Wish(by=by, target=target, disagreement=disagreement, distance=(3.0, 9.0))  # type: ignore[arg-type]
        scores = wish.scores(distance, cost)
        for i in range(200):
            mean, sd = np.mean(distance[:, i]), np.std(distance[:, i], ddof=1)
            if mean + sd < 3 or mean - sd > 9:
                assert scores[i] == math.inf
                continue
            rows = cost if by == "cost" else distance
            wanted = 0.0 if target is None else abs(np.mean(rows[:, i]) - target)
            if disagreement:
                wanted -= min(float(np.std(rows[:, i], ddof=1)), 1.0)
            assert scores[i] == pytest.approx(wanted, abs=1e-5)


def test_disagreement_is_practised_first() -> None:
    opinions = judge([[2, 5, 2, 9], [2, 5.5, 3, 9], [2, 6, 2, 9]])
    assert picked(pick(opinions, numbered(4), 2, Wish())) == [1, 2]


def test_targets_are_met() -> None:
    opinions = judge([[2, 4, 6, 8]] * 3, [[0, 1, 2, 3]] * 3)
    assert picked(pick(opinions, numbered(4), 1, Wish(target=6.2, disagreement=False))) == [2]
    assert picked(pick(opinions, numbered(4), 1, Wish(by="cost", target=0.9))) == [1]
    assert picked(pick(opinions, numbered(4), 4, Wish(by="cost", target=3, distance=(0, 5)))) == [0, 1]


def test_a_spread_covers_where_the_lowest_scores_crowd() -> None:
    rng = np.random.default_rng(0)
    crowd = np.concatenate([rng.normal(2, 0.01, (30, 2)), rng.uniform(0, 20, (30, 2))]).astype(np.float32)
    rows = np.array([[2.0] * 60, [2.0 + 0.5 * (i < 30) + 0.4 * (i >= 30) for i in range(60)]], np.float32)
    opinions = Ensembles(lambda *_: rows, lambda *_: rows)
    alone = pick(opinions, Problems(crowd, crowd), 10, Wish())
    spread = pick(opinions, Problems(crowd, crowd), 10, Wish(), spread=6, rng=np.random.default_rng(1))
    assert np.ptp(alone.starts) < 0.1
    assert np.ptp(spread.starts) > 10
    again = pick(opinions, Problems(crowd, crowd), 10, Wish(), spread=6, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(spread.starts, again.starts)


def test_the_curriculum_takes_half_by_distance_and_half_by_cost() -> None:
    rng = np.random.default_rng(2)
    starts, goals = rng.uniform(0, 15, (2, 60, 2)).astype(np.float32)
    distance, cost = rng.uniform(2, 9, (3, 60)).astype(np.float32), rng.uniform(0, 4, (3, 60)).astype(np.float32)
    opinions, problems = Ensembles(lambda *_: distance, lambda *_: cost), Problems(starts, goals)
    module = Disagreement(shortest=3.0, spread=2, most=0.5)
    for target in (None, 2.5):
        drawn = module.draw(Offer(starts, goals, distance, cost, 7.0, target), 7, np.random.default_rng(5))
        rng = np.random.default_rng(5)
        by_distance = pick(opinions, problems, 4, Wish(distance=(3.0, 7.0), most=0.5), spread=2, rng=rng)
        by_cost = pick(opinions, problems, 3, Wish(by="cost", target=target, distance=(3.0, 7.0), most=0.5), spread=2, rng=rng)
        np.testing.assert_array_equal(starts[drawn], np.concatenate([by_distance.starts, by_cost.starts]))
        np.testing.assert_array_equal(goals[drawn], np.concatenate([by_distance.goals, by_cost.goals]))
    assert len(module.draw(Offer(starts, goals, distance, cost, 7.0, None), 1, rng)) == 1


def test_all_pairs_and_an_empty_range() -> None:
    pairs = all_pairs([[1, 1], [2, 2]], [[3, 3], [4, 4], [5, 5]])
    assert [(int(a[0]), int(b[0])) for a, b in zip(*pairs, strict=True)] == [(1, 3), (1, 4), (1, 5), (2, 3), (2, 4), (2, 5)]
    assert len(pick(judge([[9.0] * 6] * 3), pairs, 3, Wish(distance=(0, 4))).starts) == 0


def test_a_single_critic_has_targets_but_never_disagrees() -> None:
    assert picked(pick(judge([[1.0, 5.0]], [[0.0, 0.0]]), numbered(2), 1, Wish(target=5.0))) == [1]


def test_what_cannot_be_is_named() -> None:
    with pytest.raises(InvalidInput, match="by is 'risk'"):
        Wish(by="risk")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="neither a target nor disagreement"):
        Wish(disagreement=False)
    with pytest.raises(InvalidInput, match="expected \\(least, most\\)"):
        Wish(distance=(3, 2))
    with pytest.raises(InvalidInput, match="spread is 0"):
        Disagreement(spread=0)
    with pytest.raises(InvalidInput, match="shortest is -1"):
        Disagreement(shortest=-1)
    with pytest.raises(InvalidInput, match="at least 1 both"):
        pick(judge([[1.0]]), numbered(1), 0, Wish())
    with pytest.raises(InvalidInput, match="expected an rng"):
        pick(judge([[1.0]]), numbered(1), 1, Wish(), spread=2)
    with pytest.raises(InvalidInput, match=r"cost critics answered \(3, 2\), expected \(members, 3\)"):
        pick(judge([[1.0] * 3] * 3, [[1.0] * 2] * 3), numbered(3), 1, Wish())


def test_the_queue_hands_out_in_order_and_a_refill_replaces() -> None:
    queue = ProblemQueue()
    assert len(queue.take(3).starts) == 0
    queue.refill(numbered(3), Problems(numbered(2).starts + 10, numbered(2).goals + 10))
    first = queue.take(4)
    assert first.starts[:, 0].tolist() == [0, 1, 2, 10]
    assert first.goals[:, 0].tolist() == [1, 2, 3, 11]
    assert len(queue) == 1
    queue.refill(numbered(2))
    assert queue.take(9).starts[:, 0].tolist() == [0, 1]
