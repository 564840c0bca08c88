"""Driving while moves go wrong and positions are told inexactly (`navigate(disturbance=…)`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from navplan.control.disturbance import CALM, Disturbance
from navplan.navigation.methods import METHODS, Options
from navplan.navigation.navigate import make_env, navigate
from navplan.navigation.result import Navigation
from navplan.scenarios.problems.draw import draw_problem
from navplan.scenarios.registry import load_scenario
from tests.support.critics import AnalyticCritics

DOT = load_scenario("center-dot")
CRITICS = AnalyticCritics(DOT.world)
NOISY = Disturbance(action_noise=0.05, localisation_noise=0.05)
KINDS = {
    "action noise": Disturbance(action_noise=0.05),
    "localisation noise": Disturbance(localisation_noise=0.05),
    "lost moves": Disturbance(lost_moves=0.1),
    "late": Disturbance(late=1),
}


def go(agents: int = 8, seed: int = 0, **changes: Any) -> Navigation:
    places = draw_problem(DOT.world, agents, np.random.default_rng(seed), distance=(7.5, 8.5), radius=DOT.radius)
    return navigate(DOT, CRITICS, *places, **{"low_level": "straight-line", "graph_nodes": 300, **changes})


@pytest.mark.parametrize("kind", KINDS)
def test_prepared_it_gets_there_without_contact(kind: str) -> None:
    for seed in range(2):
        result = go(12, seed, disturbance=KINDS[kind])
        assert result.success
        assert result.trajectory is not None
        assert result.trajectory.num_wall_contacts == 0


@pytest.mark.parametrize("method", ["navplan", "constrained-policy+filter", "constrained-search+filter"])
def test_unprepared_it_touches_others(method: str) -> None:
    contacts = {}
    for name, expects in (("prepared", None), ("unprepared", CALM)):
        how = {"method": method, "planner": "ecbs", "expects": expects}
        found = [go(12, seed, disturbance=Disturbance(late=1), **how) for seed in range(2)]
        contacts[name] = sum(one.trajectory.num_agent_contacts for one in found if one.trajectory is not None)
    assert contacts["prepared"] == 0
    assert contacts["unprepared"] > 0


@pytest.mark.parametrize("filter_name", ["with-walls", "without-walls"])
@pytest.mark.parametrize("expects", [None, CALM])
def test_places_told_inside_walls_stop_nobody(filter_name: str, expects: Disturbance | None) -> None:
    """Agents start and end beside the dot and the edge, so that told positions lie in them."""
    starts, goals = [[5.7, 7.5], [0.3, 0.3]], [[7.5, 9.3], [0.3, 14.7]]
    where: dict[str, Any] = {"low_level": "straight-line", "graph_nodes": 300, "filter": filter_name}
    result = navigate(DOT, CRITICS, starts, goals, disturbance=Disturbance(localisation_noise=0.1), expects=expects, **where)
    assert result.trajectory is not None
    assert result.trajectory.reached
    assert result.trajectory.num_wall_contacts == 0


def test_what_is_recorded_is_what_happened() -> None:
    driven = go(disturbance=Disturbance(action_noise=0.05, localisation_noise=0.05, lost_moves=0.1, late=1)).trajectory
    assert driven is not None
    env = make_env(DOT, driven.starts, driven.goals)
    contacts = 0
    for k in range(driven.num_steps):
        step = env.step(driven.actions[k][None])
        np.testing.assert_array_equal(step.states[0], driven.states[k + 1])
        contacts += int(np.triu(step.agent_contacts[0]).sum())
    assert contacts == driven.num_agent_contacts
    # moves come a step late: the first are noise alone
    assert np.abs(driven.actions[0]).max() <= 0.1
    assert np.abs(driven.actions[1]).max() > 0.5


def test_noise_has_a_seed_of_its_own() -> None:
    same, again, other = (go(3, disturbance=NOISY, noise=seed).trajectory for seed in (1, 1, 2))
    assert same is not None
    assert again is not None
    assert other is not None
    np.testing.assert_array_equal(same.states, again.states)
    assert same.states.shape != other.states.shape or not np.array_equal(same.states, other.states)
    calm, plain = go(3, disturbance=CALM, noise=1).trajectory, go(3).trajectory
    assert calm is not None
    assert plain is not None
    np.testing.assert_array_equal(calm.states, plain.states)


def test_room_comes_from_what_is_stated() -> None:
    plain = Options().applied(METHODS["navplan"])
    noisy = plain.prepared(Disturbance(action_noise=0.1))
    assert noisy.planning.spare == pytest.approx(0.02 + 4 * 0.1 * np.sqrt(2))
    assert noisy.driving.settings.expects == Disturbance(action_noise=0.1)
    told = plain.prepared(Disturbance(localisation_noise=0.05))
    assert told.planning.spare == plain.planning.spare == 0.2
    assert plain.prepared(CALM) == plain
