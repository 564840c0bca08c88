"""The parts of the loop on their own: attaching, stating the problem, planning once, planning again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from navplan.navigation.methods import METHODS, Options
from navplan.navigation.planning import Banned, DeadEnd, Planning, Replanning, closest_pair, takes_bound
from navplan.navigation.roadmap import Roadmap, build_roadmap
from navplan.planners import names
from navplan.scenarios.scenario import Scenario
from navplan.scenarios.worlds.world import Hazard, World
from navplan.system.progress import Lines
from tests.support.critics import AnalyticCritics

STARTS = np.float32([[1.5, 1.5], [4.5, 1.5]])
GOALS = np.float32([[1.5, 9.5], [4.5, 9.5]])


@pytest.fixture(scope="module")
def hall():
    """A scenario of two agents in an open hall, a way of planning there, its roadmap, what it says."""
    scenario = Scenario("hall", World.from_walls("hall", np.zeros((6, 11), bool), Hazard("linear", 1.0)), 2)
    critics = AnalyticCritics(scenario.world, 60)
    options = Options(graph_nodes=40, max_expansions=200, spare=0.3)
    how = options.applied(METHODS["navplan"])
    said: list[str] = []
    planning = Planning(scenario, critics, how, 0, Lines(said.append))
    return planning, build_roadmap(scenario, critics, how, options), said


def pairs(graph):
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
    return set(zip(tails.tolist(), graph.indices.tolist(), strict=True))


def test_attaching_prunes_the_new_edges_too(hall):
    planning, roadmap, _ = hall
    attached = planning.attach(roadmap, STARTS, GOALS)
    assert attached.starts.tolist() == [40, 41]
    assert attached.goals.tolist() == [42, 43]
    np.testing.assert_array_equal(attached.full.states[40:], np.concatenate([STARTS, GOALS]))
    assert pairs(attached.pruned) < pairs(attached.full) or roadmap.pruned_edges == 0
    assert attached.pruned.risk.max() < roadmap.max_risk


def test_what_is_banned_is_left_out(hall):
    planning, roadmap, _ = hall
    free = planning.attach(roadmap, STARTS, GOALS).pruned
    edge = next(pair for pair in sorted(pairs(free)) if max(pair) < roadmap.base.num_nodes)
    heads = [head for tail, head in pairs(free) if tail == 40]
    nearest = min(heads, key=lambda head: np.linalg.norm(free.states[head] - STARTS[0]))
    banned = Banned({edge}, [DeadEnd(0, STARTS[0], free.states[nearest], 0.01)])
    left = planning.attach(roadmap, STARTS, GOALS, banned).pruned
    assert pairs(free) - pairs(left) == {edge, (40, nearest)}
    away = planning.attach(roadmap, STARTS + np.float32([0, 1.5]), GOALS, banned)
    assert banned.dead_ends[0].edges(away.pruned, away.starts) == []


def test_failures_widen_what_is_left_out(hall):
    planning, roadmap, _ = hall
    graph = planning.attach(roadmap, STARTS, GOALS).pruned
    banned = Banned()
    for _ in range(2):
        banned.add(1, (41, 43), STARTS[1], graph, 40)
    banned.add(0, (3, 5), STARTS[0], graph, 40)
    assert [place.radius for place in banned.dead_ends] == [1.0, 2.0, 1.0]
    assert banned.roadmap_edges == {(3, 5)}
    np.testing.assert_array_equal(banned.dead_ends[0].target, GOALS[1])


def test_the_clearance_is_what_starts_and_goals_leave_room_for(hall):
    planning, roadmap, _ = hall
    body, spare = 2 * planning.scenario.radius, planning.how.planning.spare
    assert planning.problem(planning.attach(roadmap, STARTS, GOALS)).spacing == pytest.approx(body + spare)
    close = np.float32([[1.5, 9.5], [1.5, 9.5 - body - 0.1]])
    assert planning.problem(planning.attach(roadmap, STARTS, close)).spacing == pytest.approx(body + 0.099)


def test_agents_at_home_stay_where_they_are(hall):
    planning, roadmap, _ = hall
    attached = planning.attach(roadmap, STARTS, GOALS)
    assert planning.problem(attached, np.array([True, False])).goals.tolist() == [40, 43]


def test_planning_once_says_what_it_does_and_keeps_the_graph(hall):
    planning, roadmap, said = hall
    said.clear()
    planned = planning.plan_once(roadmap, STARTS, GOALS)
    assert planned.plan.solved
    assert planned.problem.graph is planned.attached.pruned
    assert "planning for 2 agents with ecbs" in said[0]


def test_a_goal_that_pruning_cuts_off_is_named_before_a_planner_is_asked(hall):
    planning, roadmap, said = hall
    base = dataclasses.replace(roadmap.base, risk=np.ones(roadmap.base.num_edges))
    tight = Roadmap(base, base.prune(max_risk=0.5), 0.5)
    said.clear()
    plan = planning.plan_once(tight, STARTS, GOALS).plan
    assert (plan.status, plan.reason) == ("infeasible", "agent 0: goal cut off by pruning; agent 1: goal cut off by pruning")
    assert said == []


def test_replanning_leaves_out_what_failed_and_remembers_it(hall):
    planning, roadmap, said = hall
    first = planning.plan_once(roadmap, STARTS, GOALS)
    replanning = Replanning(planning, roadmap, GOALS, first)
    edge = (int(first.plan.paths[0][0]), int(first.plan.paths[0][1]))
    said.clear()
    again = replanning(STARTS, [(0, *edge)], np.zeros(2, bool))
    assert said[0] == "planning for 2 agents with ecbs"
    assert said[-1] == f"driving on; the new plan is {again.status}"
    assert again.solved
    assert edge not in pairs(replanning.last.attached.pruned)
    assert edge in pairs(first.attached.pruned)
    for path, lasting in zip(again.paths, replanning.durations(again), strict=True):
        assert len(lasting) == len(path) - 1
        moving = path[:-1] != path[1:]
        assert (lasting[moving] > 0).all()
    replanning(STARTS, [], np.zeros(2, bool))
    assert edge not in pairs(replanning.last.attached.pruned)


def test_bounds_are_asked_of_the_planner():
    assert {name for name in names() if takes_bound(name)} == {"ecbs", "eecbs"}


def test_the_closest_pair():
    points = np.float32([[0, 0], [5, 5], [np.nan, 1], [5, 6]])
    assert closest_pair(points) == (1, 3, 1.0)
    assert closest_pair(points[:1])[2] == np.inf
