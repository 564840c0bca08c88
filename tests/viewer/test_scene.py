from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from navplan.errors import InvalidInput
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
