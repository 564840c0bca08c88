"""The bundled checkpoints do what they are for, on pairs they have not been fitted to; random weights do not."""

from __future__ import annotations

import numpy as np
import pytest

from navplan.bench.judge.table import clear, held_out, near_in_coordinates
from navplan.learned.evaluation.judge import PairReport, bend, evaluate_edges, evaluate_pairs
from navplan.learned.recipes.navplan.learner import build_networks
from navplan.learned.trained import Critics
from navplan.learned.training.load import load_checkpoint
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.worlds.geodesic import geodesic_steps
from navplan.scenarios.worlds.world import World

SCENARIOS = ("center-dot", "four-rooms-modified")


def passes(report: PairReport) -> bool:
    return bool(report.distance_mae <= 0.7 and report.cost_mae <= 0.5 and report.cost_spearman >= 0.9 and report.reached >= 0.98)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_critics_and_policy_are_good_enough(scenario: str) -> None:
    pairs = held_out(scenario)
    assert len(pairs.steps) == 2000
    report = evaluate_pairs(load_checkpoint(scenario), load_scenario(scenario).world, *pairs)
    assert passes(report), report


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_random_weights_fail_the_same_test(scenario: str) -> None:
    bundled = load_checkpoint(scenario)
    untrained = build_networks(bundled.config, bundled.size, seed=1)
    critics = Critics(untrained, bundled.states, bundled.config, bundled.size, stage=2)
    report = evaluate_pairs(critics, load_scenario(scenario).world, *held_out(scenario))
    assert not passes(report)
    assert report.reached < 0.5
    assert report.distance_mae > 2


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_distances_fit_the_steps_of_shortest_continuous_paths_too(scenario: str) -> None:
    """Hops between cells blur up to a cell at both ends; on a lattice five times as fine a path's length is nearly exact."""
    world = load_scenario(scenario).world
    assert world.walls is not None
    fine = World.from_walls("fine", np.kron(world.walls, np.ones((5, 5), np.bool_)))
    pairs = held_out(scenario, 300)
    length = geodesic_steps(fine, pairs.starts * 5, pairs.goals * 5) / 5
    steps = np.maximum(1, np.ceil(length - 0.45))  # the last half cell is within the tolerance
    distance = load_checkpoint(scenario).distance(pairs.starts, pairs.goals)
    assert np.abs(distance - steps).mean() < 0.5


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_edges_can_be_followed_and_do_not_see_through_walls(scenario: str) -> None:
    report = evaluate_edges(load_checkpoint(scenario), load_scenario(scenario).world, *near_in_coordinates(scenario))
    assert report.reached >= 0.99, report
    assert report.false_edges <= 0.002, report
    assert report.missed <= 0.02, report


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_waiting_costs_what_it_costs(scenario: str) -> None:
    critics = load_checkpoint(scenario)
    env = PointEnv(load_scenario(scenario).world, body="point", rng=np.random.default_rng(3))
    points = env.sample_free(1000)
    distance, risk = critics.evaluate(points, points)
    assert np.abs(distance - 1).mean() < 0.1
    assert np.abs(risk - env.cost_at(points)).mean() < 0.25


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_second_stage_is_not_more_costly_than_the_first(scenario: str) -> None:
    from navplan.learned.evaluation.judge import rollout

    world, pairs = load_scenario(scenario).world, held_out(scenario)
    cost = [
        rollout(load_checkpoint(scenario, stage=stage).policy, world, pairs.starts, pairs.goals).cost.mean() for stage in (1, 2)
    ]
    assert cost[1] <= 1.02 * cost[0]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_behaviour_cloning_is_a_baseline_that_moves(scenario: str) -> None:
    from navplan.learned.evaluation.judge import rollout

    world, pairs = load_scenario(scenario).world, held_out(scenario, 500)
    policy = load_checkpoint(scenario).behaviour_cloning
    assert np.isfinite(rollout(policy, world, pairs.starts, pairs.goals).steps).mean() > 0.8


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_short_clear_edges_are_driven_as_they_are_drawn(scenario: str) -> None:
    world, pairs = load_scenario(scenario).world, held_out(scenario)
    straight = pairs.chosen(clear(pairs))
    assert len(straight.steps) > 300
    assert bend(load_checkpoint(scenario).policy, world, straight.starts, straight.goals) < 0.3
