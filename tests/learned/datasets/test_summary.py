from __future__ import annotations

import json

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
    assert "episode 8, row 19 of it, 427 of all" in str(summary)
    assert "not marked" in str(summary)


def test_marks_in_the_wrong_row_are_told_from_jumps() -> None:
    """A mark that stands one row late gives each trajectory the first row of the next one."""
    logs = walks()
    rows = {name: np.concatenate([log[name] for log in logs]) for name in ("observations", "actions")}
    actions = np.insert(rows["actions"], np.arange(50, 1001, 50), 0.0, axis=0)
    for shift, said in ((1, "marked one row late?"), (-1, "marked one row early?")):
        starts = np.clip([0, *(51 * k + shift for k in range(1, 20)), 1020], 0, 1020)
        text = str(nv.Dataset(rows["observations"], actions.astype(np.float32), starts).summary())
        assert said in text, text


def test_what_is_not_finite_is_counted_and_nothing_else_said() -> None:
    logs = walks()
    logs[0]["observations"][:] = np.inf
    logs[1]["costs"][3] = np.nan
    known = nv.Dataset.from_episodes(logs, position=lambda seen: seen).summary()
    assert (known.bad_rows, known.jumps, known.costs) == (52, 0, pytest.approx(0.25))
    nothing = [{"observations": np.full((4, 3), np.nan), "actions": np.full((3, 2), np.inf)}]
    summary = nv.Dataset.from_episodes(nothing).summary()
    assert summary.bad_rows == 4
    assert summary.document()["action"] == [2, None, None]
    assert "none is finite" in str(summary)
    json.dumps(summary.document(), allow_nan=False)


def test_large_observations_are_looked_at_in_small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    film = {"observations": rng.integers(0, 255, (9, 32, 32, 3), dtype=np.uint8), "actions": rng.random((8, 2))}
    whole = nv.Dataset.from_episodes([film, film]).summary()
    monkeypatch.setattr("navplan.learned.datasets.summary._VALUES", 2 * 32 * 32 * 3)
    assert nv.Dataset.from_episodes([film, film]).summary().repeated == whole.repeated == 1


def test_robots_that_stand_still_are_told() -> None:
    still = {"observations": np.zeros((9, 2)), "actions": np.random.default_rng(0).random((8, 2)), "costs": np.zeros(8)}
    assert nv.Dataset.from_episodes([still, *walks(1, 3)]).summary().mistakes == ("73 % of the steps change nothing",)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = walks()
    logs[8]["observations"][20:] += 9.0
    whole = nv.Dataset.from_episodes(logs).summary()
    monkeypatch.setattr("navplan.learned.datasets.summary._ROWS", 37)
    pieces = nv.Dataset.from_episodes(logs).summary()
    assert pieces.named == whole.named
    assert pieces.step_length == pytest.approx(whole.step_length)
    assert pieces.costs == pytest.approx(whole.costs)
