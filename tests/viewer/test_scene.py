from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from navplan.errors import InvalidInput
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.solving import solve
from navplan.scenarios.worlds.world import World
from navplan.viewer.render import render_frame
from navplan.viewer.scene import Scene
from tests.support.scenes import driven, lattice, two_agent_plan, walled_world, whole_scene


def test_positions_lie_on_the_track_and_between_its_steps() -> None:
    scene = whole_scene()
    assert scene.num_agents == 2
    assert scene.num_steps == 5
    assert np.array_equal(scene.positions(3.0), scene.history[3])
    assert np.allclose(scene.positions(0.25)[0], [0.5, 0.75])
    assert np.array_equal(scene.positions(99.0), scene.history[-1])


def test_cost_so_far_adds_up_whole_steps() -> None:
    scene = whole_scene()
    for time, expected in ((0.0, 0.0), (0.9, 0.0), (1.0, 0.5), (5.0, 2.5)):
        cost = scene.cost_until(time)
        assert cost is not None
        assert cost.tolist() == [expected, 0.0]
    assert scene.largest_cost == 2.5


def test_a_plan_alone_moves_along_its_paths() -> None:
    world = walled_world()
    graph = lattice(world)
    plan = two_agent_plan(graph)
    scene = Scene(world, plan=plan)
    assert scene.num_steps == 5
    assert scene.cost_until(3) is None
    assert np.allclose(scene.positions(5.0), scene.goal_points)
    assert np.allclose(scene.positions(2.0)[1], scene.positions(1.0)[1])  # it waits there


def test_recorded_contacts_are_counted_and_flagged() -> None:
    scene = whole_scene(contact_at=2)
    assert scene.contacts_until(2.0) == 0
    assert scene.contacts_until(2.5) == 1
    assert scene.contacts_until(5.0) == 1
    assert scene.touching(2.5).tolist() == [[0, 1]]
    assert scene.touching(4.0).tolist() == []


def test_bodies_that_overlap_are_flagged_without_a_record() -> None:
    scene = Scene(walled_world(), starts=np.float32([[1, 1], [1, 1.4], [3, 3]]), goals=np.float32([[2, 2], [7, 7], [8, 8]]))
    assert scene.touching(0.0).tolist() == [[0, 1]]
    assert scene.arrived(0.0).tolist() == [False, False, False]


def test_each_replan_moves_on_to_the_next_plan() -> None:
    scene = whole_scene()
    assert scene.plan is not None
    assert scene.trajectory is not None
    second = dataclasses.replace(scene.plan, planner="second")
    events = ({"step": 3, "kind": "replan", "agents": [0]}, {"step": 3, "kind": "yield", "agents": [1]})
    replanned = dataclasses.replace(
        scene, trajectory=dataclasses.replace(scene.trajectory, plans=(scene.plan, second), events=events)
    )
    early, late = replanned.plan_at(2.0), replanned.plan_at(3.0)
    assert early is not None
    assert late is not None
    assert (early.planner, late.planner) == ("by-hand", "second")


def test_a_bare_world_has_nobody_in_it() -> None:
    scene = Scene(walled_world())
    assert (scene.num_agents, scene.num_steps) == (0, 0)
    assert scene.positions(0.0).shape == (0, 2)
    assert scene.plan_at(0.0) is None


def test_parts_that_contradict_one_another_are_refused() -> None:
    world = walled_world()
    graph = lattice(world)
    plan = two_agent_plan(graph)
    with pytest.raises(InvalidInput, match="without the graph"):
        Scene(world, pruned=graph)
    one = dataclasses.replace(plan, paths=plan.paths[:1], coordinates=plan.coordinates[:1], num_agents=1)
    with pytest.raises(InvalidInput, match="plan of 1 agents, trajectory of 2"):
        Scene(world, plan=one, trajectory=driven(world, plan))


def test_contacts_with_walls_are_counted_and_flagged_where_they_were_measured() -> None:
    scene = whole_scene()
    moved = scene.trajectory
    assert moved is not None
    assert scene.wall_contacts_until(2.0) is None
    assert not scene.in_walls(1.0).any()
    counts = np.zeros(moved.bumps.shape, np.int32)
    counts[1] = [0, 7]
    measured = dataclasses.replace(moved, wall_contacts=counts)
    touched = dataclasses.replace(scene, trajectory=measured)
    assert [touched.wall_contacts_until(time) for time in (0.0, 1.0, 1.5, 2.0)] == [0, 0, 7, 7]
    assert touched.in_walls(1.5).tolist() == [False, True]
    assert not touched.in_walls(1.0).any()


def test_nodes_are_drawn_at_their_positions() -> None:
    world = walled_world()
    graph = lattice(world)
    turned = np.concatenate([np.ones((graph.num_nodes, 1)), graph.states], axis=1)  # a heading before (row, col)
    headed = dataclasses.replace(graph, states=turned, positions=graph.places)
    assert np.array_equal(render_frame(Scene(world, graph=headed)), render_frame(Scene(world, graph=graph)))
    with pytest.raises(InvalidInput, match="states of 3 columns and no positions"):
        Scene(world, graph=dataclasses.replace(graph, states=turned, positions=None))


def test_bodies_of_different_sizes() -> None:
    world = walled_world()
    at = np.array([[2.0, 2.0], [2.0, 2.75], [6.0, 2.0]], np.float32)
    scene = Scene(world, starts=at, goals=at, radius=np.array([0.5, 0.2, 0.5]))
    assert scene.touching(0).tolist() == []
    assert dataclasses.replace(scene, radius=np.array([0.5, 0.3, 0.5])).touching(0).tolist() == [[0, 1]]
    assert dataclasses.replace(scene, radius=0.4).touching(0).tolist() == [[0, 1]]
    picture, alike = render_frame(scene), render_frame(dataclasses.replace(scene, radius=0.5))
    assert (picture != alike).any()
    for wrong in ([0.5, 0.2], "wide", -1.0, math.nan, [[1.0]]):
        with pytest.raises(InvalidInput, match="radius"):
            dataclasses.replace(scene, radius=wrong)


def test_a_plan_of_different_bodies(tmp_path: Path) -> None:
    graph = StateGraph.from_grid(np.zeros((4, 5), bool))
    solve(Problem(graph, [0, 4], [19, 15], radius=[0.2, 0.3]), "cbs").save(tmp_path / "p.json")
    scene = Scene(World.from_walls("floor", np.zeros((4, 5), bool)), plan=Plan.load(tmp_path / "p.json"))
    assert scene.radii.tolist() == [0.2, 0.3]
