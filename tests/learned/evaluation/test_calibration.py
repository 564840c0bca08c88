from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from navplan.bench.judge.run import REACH, tuning_pairs
from navplan.bench.judge.table import FIGURES, by_kind, over_seeds
from navplan.cli import main
from navplan.errors import InvalidInput
from navplan.learned.evaluation.calibration import calibration, near_pairs, reliability
from navplan.learned.evaluation.judge import bend, judge, rollout
from navplan.learned.training.load import checkpoint_folder, load_checkpoint
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.worlds.geodesic import geodesic_steps
from navplan.scenarios.worlds.world import World


def test_reliability_by_hand() -> None:
    found = reliability([1, 1, 2, 2, 3, 3], [1, 3, 2, 2, 5, 5], bins=3)
    assert found.predicted.tolist() == [1, 2, 3]
    assert found.realised.tolist() == [2, 2, 5]
    assert found.deviation.tolist() == [1, 0, 0]
    assert found.count.tolist() == [2, 2, 2]
    assert (found.mae, found.bias) == pytest.approx((1.0, -1.0))
    assert found.error == pytest.approx((1 + 0 + 2) / 3)
    json.dumps(found.to_dict())


def test_perfect_predictions_have_no_error_and_equal_ones_share_a_bin() -> None:
    values = np.random.default_rng(0).random(1000)
    found = reliability(values, values)
    assert len(found.count) == 10
    assert found.count.sum() == 1000
    assert found.error == found.mae == 0
    mostly = np.where(values < 0.8, 0.0, values)
    assert len(reliability(mostly, mostly).count) == 3
    assert reliability(np.zeros(5), np.ones(5)).error == 1
    assert reliability([2.0], [3.0]).count.tolist() == [1]
    with pytest.raises(InvalidInput, match="B at least 1"):
        reliability([], [])


def test_the_bundled_critics_mean_what_they_say() -> None:
    world = load_scenario("center-dot").world
    critics = load_checkpoint("center-dot")
    starts, goals = near_pairs(world, 3000, np.random.default_rng(1))
    found = calibration(critics, world, starts, goals)
    assert found.reached >= 0.99
    assert found.pairs == (critics.distance(starts, goals) < 7).sum()
    assert found.steps.error < 0.3
    assert found.cost.error < 0.25
    careful = calibration(critics, world, starts, goals, pessimistic=True)
    assert careful.cost.bias > found.cost.bias
    assert careful.pairs < found.pairs
    with pytest.raises(InvalidInput, match=r"none of 3000 pairs is predicted to be nearer than 0\.5 steps"):
        calibration(critics, world, starts, goals, max_distance=0.5)


def test_near_pairs_are_free_and_near() -> None:
    world = load_scenario("four-rooms-modified").world
    starts, goals = near_pairs(world, 500, np.random.default_rng(1), radius=3.0)
    env = PointEnv(world, body="point", rng=np.random.default_rng(0))
    assert starts.shape == goals.shape == (500, 2)
    assert env.is_free(starts).all()
    assert env.is_free(goals).all()
    assert np.abs(starts - goals).max() <= 3.001
    with pytest.raises(InvalidInput, match="positive numbers"):
        near_pairs(world, 0, np.random.default_rng(1))


@pytest.mark.parametrize("scenario", ["center-dot", "maze-wide"])
def test_tuning_pairs_are_within_reach(scenario: str) -> None:
    starts, goals = tuning_pairs(scenario)
    assert 500 < len(starts) <= 2000
    steps = geodesic_steps(load_scenario(scenario).world, starts, goals)
    assert steps.max() <= REACH
    assert np.ptp(steps) > 3


def test_a_map_without_problems_is_named() -> None:
    with pytest.raises(InvalidInput, match="scenario 'line' has no tuning problems"):
        tuning_pairs("line")


def test_a_verdict_counts_what_is_reached() -> None:
    world = load_scenario("center-dot").world
    critics = load_checkpoint("center-dot")
    starts, goals = tuning_pairs("center-dot")
    verdict = judge(critics, world, starts, goals)
    real = rollout(critics.policy, world, starts, goals)
    assert verdict.reached == np.isfinite(real.steps).mean()
    assert verdict.converged
    assert not judge(critics, world, starts, goals, limit=2).converged
    assert (verdict.scenario, verdict.recipe, verdict.seed, verdict.pairs) == ("center-dot", "navplan", 0, len(starts))


def test_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", "center-dot"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("center-dot | yes | ")
    assert main(["judge", "center-dot", "--stage", "1", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["runs"]
    assert (found["run"], found["stage"], found["converged"]) == ("center-dot", 1, True)
    assert len(found["calibration"]["cost"]["predicted"]) > 3
    assert main(["judge", "no-such-run"]) == 2


def test_runs_of_one_kind_are_put_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["center-dot", "runs/center-dot-seed3/", "center-dot-without-self-training-seed1"]
    assert by_kind(names) == {"center-dot": names[:2], "center-dot-without-self-training": names[2:]}
    runs = [{name: float(k) for name in FIGURES} for k in (0, 0.5, 1)]
    table = over_seeds({"a": runs, "b": runs[2:]})
    assert table.header == ("", "a", "b", "target")
    cells = {line[0]: line[1:3] for line in table.lines}
    assert cells["runs that converged"] == ("2 of 3", "1 of 1")
    assert cells["held-out goals reached"] == ("50.00 % [0.00 %, 100.00 %]", "100.00 %")
    assert cells["cost error"] == ("0.50 [0.00, 1.00]", "1.00")
    assert main(["judge", "center-dot", "--over-seeds"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "|  | center-dot | target |"
    assert len(lines) == len(FIGURES) + 2
    damaged = tmp_path / "run"
    shutil.copytree(checkpoint_folder("center-dot"), damaged)
    (damaged / "curves.csv").write_text("updates\n1\n")
    assert main(["judge", str(damaged), "--over-seeds"]) == 2
    assert "curves.csv: expected rows with multiplier" in capsys.readouterr().err


class Stairs:
    """First along the rows, then along the columns."""

    def act(self, observations: np.ndarray, goals: np.ndarray, condition: np.ndarray | None = None) -> np.ndarray:
        ahead = np.clip(goals - observations, -1, 1)
        ahead[np.abs(ahead[:, 0]) > 1e-3, 1] = 0
        return ahead


def test_bend_is_the_distance_from_the_straight_line() -> None:
    world = World.from_walls("field", np.zeros((10, 10), np.bool_))
    starts = np.array([[1, 1], [1, 1]], np.float32)
    goals = np.array([[4, 5], [6, 1]], np.float32)
    assert bend(Stairs(), world, starts, goals) == pytest.approx((3 * 4 / 5 + 0) / 2, rel=1e-4)
