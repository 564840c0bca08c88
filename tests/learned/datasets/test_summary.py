from __future__ import annotations

import numpy as np
import pytest

import navplan as nv


def walks(count: int = 20, steps: int = 50) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(count):
        moves = rng.uniform(-0.2, 0.2, (steps, 2))
        seen = np.concatenate([np.zeros((1, 2)), np.cumsum(moves, axis=0)]) + rng.random(2) * 5
        found.append({"observations": seen, "actions": moves, "costs": np.full(steps, 0.25)})
    return found


def test_a_clean_log_has_no_mistakes() -> None:
    summary = nv.Dataset.from_episodes(walks(), position=lambda o: o).summary()
    assert (summary.transitions, summary.episodes) == (1000, 20)
    assert summary.mistakes == ()
    assert summary.costs == pytest.approx(0.25)
    assert summary.step_length[1] == pytest.approx(0.15, abs=0.03)
    assert "1000 steps in 20 trajectories" in str(summary)


def test_each_mistake_is_counted_and_its_place_named() -> None:
    logs = walks()
    logs[3]["observations"][7] = np.nan
    logs[5]["actions"][2, 0] = np.inf
    logs[8]["observations"][20:] += 9.0  # an end that nobody marked
    logs[11] = {name: array.copy() for name, array in logs[10].items()}
    summary = nv.Dataset.from_episodes(logs).summary()
    assert (summary.bad_rows, summary.jumps, summary.repeated) == (2, 1, 1)
    assert summary.named == {"bad": [(3, 7), (5, 2)], "jump": [(8, 19)], "repeated": [(11, 0)]}
    assert len(summary.mistakes) == 3


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = walks()
    logs[8]["observations"][20:] += 9.0
    whole = nv.Dataset.from_episodes(logs).summary()
    monkeypatch.setattr("navplan.learned.datasets.summary._ROWS", 37)
    pieces = nv.Dataset.from_episodes(logs).summary()
    assert pieces.named == whole.named
    assert pieces.step_length == pytest.approx(whole.step_length)
    assert pieces.costs == pytest.approx(whole.costs)
