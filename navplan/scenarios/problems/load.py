"""A problem from files: a map, scenario or graph, with starts and goals that a file gives or that are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from navplan.errors import FileFormatError, InvalidProblem
from navplan.graph.limits import Weight
from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import GRID_CLEARANCE, Problem, default_clearance
from navplan.scenarios.formats.movingai import read_scen
from navplan.scenarios.maps import cells_digest, find_map, graph_of, load_graph, metres_per_cell
from navplan.scenarios.problems.pairs import draw_pairs
from navplan.scenarios.registry import scenario_in
from navplan.scenarios.scenario import Scenario
from navplan.system.arrays import Float64, Int32
from navplan.system.files import sha256
from navplan.system.numbers import as_numbers, check_numbers, check_seed
from navplan.system.paths import as_path
from navplan.system.words import said


def load_problem(
    map: str | Path,  # noqa: A002 - the public surface's name
    scen: str | Path | None = None,
    agents: int | None = None,
    *,
    seed: int = 0,
    radius: float | Sequence[float] | None = None,
    radius_m: float | Sequence[float] | None = None,
    clearance: float | None = None,
    beta: float = 0.0,
    wait_cost: float = 1.0,
    weight: Weight = "cost",
) -> Problem:
    """A problem on a grid map, a scenario or a saved state graph.

    Starts and goals come from the first rows of `scen`, else from the scenario where it has them, else they are drawn from
    `seed`: distinct starts, distinct goals, each goal reachable from its start and at another node where there is one; starts,
    and goals, at least the clearance apart, and with room for the largest body.

    Args:
        map: see `load_map`; or a state graph saved as `.npz`.
        scen: MovingAI `.scen` file for a grid map.
        agents: how many; None takes all rows of `scen`, or as many as the scenario says.
        seed: for drawing.
        radius: body radius in cells, one for all agents or one for each; None takes the scenario's, or 0.25.
        radius_m: the same in metres, instead, on a map that says how large a cell is: a ROS map, or one with a resolution.
        clearance, beta, wait_cost, weight: see `Problem`.

    Raises:
        FileAccessError, FileFormatError: a file cannot be read or is malformed; a row of `scen` starts or ends in a wall,
            or repeats another row's start or goal.
        InvalidProblem: no agents, more agents than free cells or rows.

    Example:
        >>> load_problem("center-dot", agents=3, seed=1).num_agents
        3
    """
    how: dict[str, Any] = {"radius": radius, "radius_m": radius_m, "clearance": clearance, "beta": beta}
    return load_problems(map, [scen], agents, seed=seed, wait_cost=wait_cost, weight=weight, **how)[0]


def load_problems(
    map: str | Path,  # noqa: A002 - the public surface's name
    scens: Sequence[str | Path | None],
    agents: int | None = None,
    *,
    seed: int = 0,
    radius: float | Sequence[float] | None = None,
    radius_m: float | Sequence[float] | None = None,
    clearance: float | None = None,
    beta: float = 0.0,
    wait_cost: float = 1.0,
    weight: Weight = "cost",
) -> list[Problem]:
    """`load_problem` for each of `scens`, on one graph."""
    path = find_map(map)
    scenario = scenario_in(path)
    world = scenario.world if scenario else None
    graph = graph_of(path, world) if world else load_graph(path)
    if agents is None and scenario is None and None in scens:
        raise InvalidProblem(f"{path}: says nothing of agents, expected a number of them or a .scen file")
    if agents is None and scenario is not None and None in scens:
        agents = scenario.num_agents
    if agents is not None and (isinstance(agents, bool) or not isinstance(agents, int | np.integer) or agents < 1):
        raise InvalidProblem(f"{path}: {said(agents)} agents asked for, expected at least 1")
    if agents is not None and agents > graph.num_nodes:
        what = "free cells" if graph.is_grid else "nodes"
        raise InvalidProblem(f"{path}: {agents} agents but {graph.num_nodes} {what}, expected at most one agent each")
    check_seed(seed, InvalidProblem)
    if clearance is not None:
        check_numbers(clearance=clearance)
    if radius_m is not None:
        if radius is not None:
            raise InvalidProblem("radius and radius_m are both given, expected one of them")
        bodies = as_numbers(radius_m, "radius_m", error=InvalidProblem) / metres_per_cell(path)
    else:
        bodies = as_numbers(_stated_radius(scenario, agents) if radius is None else radius, "radius", error=InvalidProblem)

    identity = {"map": path.name, "map_sha256": sha256(path), "map_path": str(as_path(map))}
    cells = cells_digest(graph)
    if cells is not None:
        identity["map_cells_sha256"] = cells
    if scenario is not None:
        identity["scenario"] = scenario.name
    problems = []
    for scen in scens:
        known = dict(identity)
        if scen is not None:
            starts, goals = _from_scen(as_path(scen), path, graph, agents)
            known |= {"scen": as_path(scen).name, "scen_sha256": sha256(scen), "scen_path": str(as_path(scen))}
        elif scenario is not None and scenario.starts is not None and scenario.goals is not None:
            starts, goals = _from_scenario(path, scenario, graph, agents)
        else:
            assert agents is not None  # filled in above
            starts, goals = _drawn(graph, int(agents), seed, bodies, clearance, str(path))
            known["seed"] = str(seed)
        asked = float(bodies) if bodies.ndim == 0 else bodies
        problems.append(Problem(graph, starts, goals, asked, clearance, beta, wait_cost, weight, identity=known))
    return problems


def _stated_radius(scenario: Scenario | None, agents: int | None) -> float | Float64:
    """Of the scenario's bodies; where it states them one by one for as many agents as there are, one for each."""
    if scenario is None:
        return 0.25
    return scenario.radii if scenario.bodies is not None and agents == len(scenario.bodies) else scenario.radius


def _drawn(
    graph: StateGraph, agents: int, seed: int, bodies: Float64, clearance: float | None, where: str
) -> tuple[Int32, Int32]:
    """Starts and goals with room for the largest body, as far apart as the clearance asks."""
    radii = np.atleast_1d(bodies)
    if not (np.isfinite(radii) & (radii >= 0)).all() or len(radii) not in (1, agents):
        raise InvalidProblem(
            f"radius is {bodies.tolist()}, expected one that is not negative, or one for each of {agents} agents"
        )
    largest = float(radii.max())
    spacing = clearance if clearance is not None else default_clearance(graph, np.broadcast_to(radii, agents))
    if graph.is_grid and spacing <= GRID_CLEARANCE:
        spacing = 0.0
    return draw_pairs(graph, agents, np.random.default_rng(seed), spacing=spacing, where=where, radius=largest)


def _from_scen(scen: Path, map_path: Path, graph: StateGraph, agents: int | None) -> tuple[Int32, Int32]:
    if graph.shape is None:
        raise InvalidProblem(f"{map_path}: a .scen file goes with a grid map, not with a state graph")
    found = read_scen(scen)
    if len(found.rows) < (agents or 1):
        raise InvalidProblem(f"{scen}: has {len(found.rows)} rows, expected at least {agents or 1}, one for each agent")
    count = agents or len(found.rows)
    ids = _cell_ids(graph)
    nodes: dict[str, list[int]] = {"start": [], "goal": []}
    seen: dict[tuple[str, int], int] = {}
    for index, (row, line) in enumerate(zip(found.rows[:count], found.lines)):
        if (row.height, row.width) != graph.shape:
            size = f"width {row.width}, height {row.height}, but {map_path.name} has width {graph.shape[1]}"
            raise FileFormatError(scen, f"the map is said to have {size}, height {graph.shape[0]}", line=line)
        for what, cell in (("start", row.start), ("goal", row.goal)):
            node = int(ids[cell])
            place = f"agent {index}: {what} x={cell[1]}, y={cell[0]}"
            if node < 0:
                raise FileFormatError(scen, f"{place} is in a wall of {map_path.name}, expected a free cell", line=line)
            if (what, node) in seen:
                raise FileFormatError(
                    scen, f"{place} is that of line {seen[what, node]} too, expected distinct {what}s", line=line
                )
            seen[what, node] = line
            nodes[what].append(node)
    return np.array(nodes["start"], np.int32), np.array(nodes["goal"], np.int32)


def _from_scenario(path: Path, scenario: Scenario, graph: StateGraph, agents: int | None) -> tuple[Int32, Int32]:
    count = agents or scenario.num_agents
    if count > scenario.num_agents:
        raise InvalidProblem(f"{path}: has starts and goals for {scenario.num_agents} agents, expected at least {count}")
    ids = _cell_ids(graph)
    found: list[Int32] = []
    for what, points in (("start", scenario.starts), ("goal", scenario.goals)):
        assert points is not None  # the caller has looked
        cells = np.minimum(points[:count].astype(np.int64), np.array(ids.shape) - 1)
        nodes = ids[cells[:, 0], cells[:, 1]]
        for agent, node in enumerate(nodes.tolist()):
            place = f"agent {agent}: {what} {points[agent].tolist()}"
            if node < 0:
                raise FileFormatError(path, f"{place} is in a cell that an obstacle touches, expected a free cell")
            if node in nodes[:agent]:
                raise FileFormatError(path, f"{place} is in the cell of an earlier agent's {what}, expected distinct cells")
        found.append(nodes)
    return found[0], found[1]


def _cell_ids(graph: StateGraph) -> Int32:
    """(H, W) int32 node ids of the cells, -1 where blocked."""
    assert graph.shape is not None  # grids only
    ids = np.full(graph.shape, -1, np.int32)
    cells = graph.cells()
    ids[cells[:, 0], cells[:, 1]] = np.arange(len(cells))
    return ids
