"""Small scenes with known contents."""

from __future__ import annotations

from typing import Literal

import numpy as np

from navplan.execution.trajectory import Trajectory
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan, make_plan
from navplan.plan.problem import Problem
from navplan.scenarios.worlds.world import Hazard, World
from navplan.viewer.scene import Scene


def walled_world(kind: Literal["none", "linear", "cosine", "constant"] = "linear") -> World:
    """9 x 12 cells, a 2 x 3 block in the middle."""
    walls = np.zeros((9, 12), bool)
    walls[4:6, 5:8] = True
    return World.from_walls("block", walls, Hazard(kind, 2.0) if kind != "none" else None)


def lattice(world: World, spacing: float = 1.0, reach: float = 1.6) -> StateGraph:
    """Free points of a lattice, edges up to `reach`; risk is high near the block."""
    rows, cols = np.meshgrid(np.arange(0.5, world.height, spacing), np.arange(0.5, world.width, spacing), indexing="ij")
    points = np.stack([rows.ravel(), cols.ravel()], axis=1)
    assert world.walls is not None
    points = points[~world.walls[points[:, 0].astype(int), points[:, 1].astype(int)]]
    gap = np.linalg.norm(points[:, None] - points[None], axis=-1)
    tails, heads = np.nonzero((gap > 0) & (gap < reach))
    middle = (points[tails] + points[heads]) / 2
    risk = np.maximum(0.0, 3.0 - np.linalg.norm(middle - [5.0, 6.5], axis=1))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=len(points)))])
    return StateGraph(points, indptr, heads, gap[tails, heads], risk, np.zeros(len(points)))


def node_at(graph: StateGraph, row: float, col: float) -> int:
    """The node nearest to a point."""
    return int(np.linalg.norm(graph.states - np.float32([row, col]), axis=1).argmin())


def two_agent_plan(graph: StateGraph) -> Plan:
    """Agent 0 along row 0.5 to the right, agent 1 along row 8.5 to the left, with one wait."""
    first = [node_at(graph, 0.5, col + 0.5) for col in range(6)]
    second = [node_at(graph, 8.5, 11.5 - col) for col in range(5)]
    second.insert(2, second[1])
    problem = Problem(graph, np.array([first[0], second[0]]), np.array([first[-1], second[-1]]))
    return make_plan(problem, "by-hand", "bounded", [first, second], lower_bound=9.0)


def driven(world: World, plan: Plan, contact_at: int | None = None) -> Trajectory:
    """The plan followed exactly; agent 0 pays 0.5 a step, agent 1 nothing."""
    steps = plan.makespan
    assert steps is not None
    tracks = [np.concatenate([c, np.repeat(c[-1:], steps + 1 - len(c), axis=0)]) for c in plan.coordinates]
    states = np.stack(tracks, axis=1).astype(np.float32)
    contacts = np.zeros((steps, 2, 2), bool)
    if contact_at is not None:
        contacts[contact_at, 0, 1] = contacts[contact_at, 1, 0] = True
    cost = np.zeros((steps, 2), np.float32)
    cost[:, 0] = 0.5
    return Trajectory(
        walls=world.walls if world.walls is not None else np.zeros((0, 0), bool),
        starts=states[0],
        goals=states[-1],
        radius=0.25,
        goal_tolerance=0.5,
        states=states,
        actions=np.diff(states, axis=0),
        cost=cost,
        agent_contacts=contacts,
        bumps=np.zeros((steps, 2), np.int32),
    )


def whole_scene(contact_at: int | None = None) -> Scene:
    """World, graph, pruned edges, plan, trajectory."""
    world = walled_world()
    before = lattice(world)
    keep = before.risk < 2.0
    tails = np.repeat(np.arange(before.num_nodes), np.diff(before.indptr))[keep]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=before.num_nodes))])
    after = StateGraph(before.states, indptr, before.indices[keep], before.distance[keep], before.risk[keep], before.wait_risk)
    plan = two_agent_plan(after)
    return Scene(world, after, before, plan, driven(world, plan, contact_at), title="two agents", facts={"seed": "7"})
