"""From file names to worlds, graphs and problems."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from shapely import box, intersects, prepare

from navplan.errors import FileAccessError, FileFormatError, InvalidInput, InvalidProblem, UnknownName
from navplan.graph.limits import Weight
from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import Problem
from navplan.scenarios.formats.movingai import read_map, read_scen
from navplan.scenarios.registry import SCENARIO_FOLDER, scenario_names
from navplan.scenarios.scenario import Scenario, read_scenario
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool, Int32, Int64
from navplan.system.files import sha256

SUFFIXES = (".map", ".yaml", ".yml", ".geojson", ".json", ".toml", ".npz")
"""What `load_problem` reads beside the names of bundled scenarios; `load_map` reads all but .npz."""

_MAX_SQUARES = 1 << 22


def find_map(name_or_path: str | Path) -> Path:
    """The file behind a bundled scenario's name, or the path itself.

    Raises:
        UnknownName: a bare word that is no bundled scenario.
        FileAccessError: no such file.
        FileFormatError: a file of an unknown kind.
    """
    if str(name_or_path) in scenario_names():
        return SCENARIO_FOLDER / f"{name_or_path}.toml"
    path = Path(name_or_path)
    if not path.is_file():
        if not path.suffix and len(path.parts) == 1:
            raise UnknownName("scenario", str(name_or_path), scenario_names())
        what = "no such file" if not path.exists() else "is a folder" if path.is_dir() else "is no regular file"
        raise FileAccessError(f"{path}: cannot be read: {what}, expected a map, scenario or graph file")
    if path.suffix.lower() not in SUFFIXES:
        raise FileFormatError(path, f"unknown kind of file {path.suffix!r}, expected one of {', '.join(SUFFIXES)}")
    return path


def load_map(name_or_path: str | Path, *, unknown: Literal["blocked", "free"] = "blocked") -> World:
    """The world of a MovingAI `.map`, a ROS `.yaml`, a GeoJSON file, a scenario file or a bundled scenario.

    Args:
        name_or_path: a file, or the name of a bundled scenario.
        unknown: what the unknown cells of a ROS map count as.

    Raises:
        FileAccessError, FileFormatError: the file cannot be read or is malformed.
        MissingExtra: a ROS map without PyYAML or Pillow.
    """
    path = find_map(name_or_path)
    suffix = path.suffix.lower()
    if suffix == ".map":
        return World.from_walls(path.stem, read_map(path))
    if suffix in (".yaml", ".yml"):
        from navplan.scenarios.formats.ros_map import read_ros_map

        return read_ros_map(path).world(path.stem, unknown)
    if suffix in (".geojson", ".json"):
        from navplan.scenarios.formats.geojson import read_geojson

        return read_geojson(path)
    if suffix == ".toml":
        return read_scenario(path).world
    raise FileFormatError(path, "a saved state graph holds no map, expected a map or scenario file")


def load_graph(name_or_path: str | Path) -> StateGraph:
    """The graph to plan on: a saved state graph as it is, or the 4-connected free cells of a map (`free_cells`).

    Raises:
        As `load_map`, and `StateGraph.load`.
    """
    path = find_map(name_or_path)
    if path.suffix.lower() == ".npz":
        return StateGraph.load(path)
    return StateGraph.from_grid(occupied_cells(load_map(path)))


def occupied_cells(world: World) -> Bool:
    """(H, W) bool: a grid world's walls; of a polygon world every unit cell that an obstacle touches.

    In a polygon world a body of radius 0.5 or less that moves between the centres of free cells stays within those cells
    and so touches no obstacle. A cell that sticks out of the box counts as occupied.
    """
    if world.walls is not None:
        return world.walls
    if np.ceil(world.height) * np.ceil(world.width) > _MAX_SQUARES:
        size = f"{world.height:g} x {world.width:g}"
        raise InvalidInput(f"world {world.name!r}: {size} is too large to lay a grid over, expected at most {_MAX_SQUARES} cells")
    height, width = int(np.ceil(world.height)), int(np.ceil(world.width))
    occupied = np.zeros((height, width), np.bool_)
    occupied[int(world.height) :, :] = True
    occupied[:, int(world.width) :] = True
    for polygon in world.polygons:
        top, left, bottom, right = polygon.bounds
        rows = np.arange(max(0, int(np.floor(top)) - 1), min(height, int(np.floor(bottom)) + 1))
        cols = np.arange(max(0, int(np.floor(left)) - 1), min(width, int(np.floor(right)) + 1))
        if len(rows) and len(cols):
            i, j = np.meshgrid(rows, cols, indexing="ij")
            prepare(polygon)
            occupied[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1] |= intersects(polygon, box(i, j, i + 1, j + 1))
    return occupied


def load_problem(
    map: str | Path,  # noqa: A002 - the public surface's name
    scen: str | Path | None = None,
    agents: int | None = None,
    *,
    seed: int = 0,
    radius: float | None = None,
    clearance: float | None = None,
    beta: float = 0.0,
    wait_cost: float = 1.0,
    weight: Weight = "cost",
) -> Problem:
    """A problem on a grid map, a scenario or a saved state graph.

    Starts and goals come from the first rows of `scen`, else from the scenario where it has them, else they are drawn from
    `seed`: distinct starts, distinct goals, each goal reachable from its start and at another node where there is one; on
    a state graph starts, and goals, at least the clearance apart.

    Args:
        map: see `load_map`; or a state graph saved as `.npz`.
        scen: MovingAI `.scen` file for a grid map.
        agents: how many; None takes all rows of `scen`, or as many as the scenario says.
        seed: for drawing.
        radius: body radius in cells; None takes the scenario's, or 0.25.
        clearance, beta, wait_cost, weight: see `Problem`.

    Raises:
        FileAccessError, FileFormatError: a file cannot be read or is malformed; a row of `scen` starts or ends in a wall,
            or repeats another row's start or goal.
        InvalidProblem: no agents, more agents than free cells or rows.

    Example:
        >>> load_problem("center-dot", agents=3, seed=1).num_agents
        3
    """
    path = find_map(map)
    scenario = read_scenario(path) if path.suffix.lower() == ".toml" else None
    world = scenario.world if scenario else None
    graph = StateGraph.from_grid(occupied_cells(world)) if world else load_graph(path)
    if agents is None and scen is None:
        if scenario is None:
            raise InvalidProblem(f"{path}: says nothing of agents, expected a number of them or a .scen file")
        agents = scenario.num_agents
    if agents is not None and (isinstance(agents, bool) or not isinstance(agents, int | np.integer) or agents < 1):
        raise InvalidProblem(f"{path}: {agents} agents asked for, expected at least 1")
    if agents is not None and agents > graph.num_nodes:
        what = "free cells" if graph.is_grid else "nodes"
        raise InvalidProblem(f"{path}: {agents} agents but {graph.num_nodes} {what}, expected at most one agent each")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InvalidProblem(f"seed is {seed!r}, expected an integer of at least 0")
    radius = radius if radius is not None else scenario.radius if scenario else 0.25

    identity = {"map": path.name, "map_sha256": sha256(path), "map_path": str(map)}
    if scenario is not None:
        identity["scenario"] = scenario.name
    if scen is not None:
        starts, goals = _from_scen(Path(scen), path, graph, agents)
        identity |= {"scen": Path(scen).name, "scen_sha256": sha256(scen), "scen_path": str(scen)}
    elif scenario is not None and scenario.starts is not None and scenario.goals is not None:
        starts, goals = _from_scenario(path, scenario, graph, agents)
    else:
        assert agents is not None  # filled in above
        spacing = 0.0 if graph.is_grid else clearance if clearance is not None else 2 * radius
        starts, goals = draw_pairs(graph, int(agents), np.random.default_rng(seed), spacing=spacing, where=str(path))
        identity["seed"] = str(seed)
    return Problem(graph, starts, goals, radius, clearance, beta, wait_cost, weight, identity=identity)


def draw_pairs(
    graph: StateGraph, agents: int, rng: np.random.Generator, *, spacing: float = 0.0, where: str = "graph"
) -> tuple[Int32, Int32]:
    """Distinct starts and distinct goals, (A,) int32 each, every goal in the strong component of its start.

    Nodes that reach no other are used only when there are not enough of the rest.

    Args:
        spacing: least Euclidean distance between two starts, and between two goals; 0 asks for distinct nodes only.
        where: for the message.

    Raises:
        InvalidProblem: there is no room for so many.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n = graph.num_nodes
    matrix = csr_array((np.ones(graph.num_edges, np.int8), graph.indices, graph.indptr), shape=(n, n))
    _, component = connected_components(matrix, directed=True, connection="strong")
    alone = np.bincount(component)[component] == 1

    order = rng.permutation(n)
    starts = _spaced(graph, order[np.argsort(alone[order], kind="stable")], agents, spacing)
    if len(starts) < agents:
        raise InvalidProblem(f"{where}: room for {len(starts)} starts {spacing:g} apart, expected {agents}")
    goals = np.full(agents, -1, np.int64)
    for label in np.unique(component[starts]):
        members = np.flatnonzero(component[starts] == label)
        nodes = rng.permutation(np.flatnonzero(component == label))
        chosen = _spaced(graph, nodes, len(members), spacing, avoid=goals[goals >= 0])
        if len(chosen) < len(members):
            raise InvalidProblem(f"{where}: no room for {agents} goals {spacing:g} apart in reach of their starts")
        goals[members] = _moved(starts[members], chosen, nodes, spacing)
    return starts.astype(np.int32), goals.astype(np.int32)


def _spaced(graph: StateGraph, order: Int64, count: int, spacing: float, avoid: Int64 | None = None) -> Int64:
    """The first `count` nodes of `order` that keep their distance from one another and from `avoid`."""
    if spacing <= 0:
        return order[:count]
    states = graph.states[:, :2].astype(np.float64)
    taken = [] if avoid is None else [states[node] for node in avoid]
    chosen: list[int] = []
    for node in order.tolist():
        if len(chosen) == count:
            break
        if not taken or np.hypot(*(np.array(taken) - states[node]).T).min() >= spacing:
            chosen.append(node)
            taken.append(states[node])
    return np.array(chosen, np.int64)


def _moved(starts: Int64, goals: Int64, nodes: Int64, spacing: float) -> Int64:
    """The goals in an order in which nobody's goal is the own start, as far as that is possible."""
    goals = goals.copy()
    for i in np.flatnonzero(goals == starts).tolist():
        if goals[i] != starts[i]:
            continue  # an earlier swap has moved it
        if len(goals) > 1:
            j = (i + 1) % len(goals)
            goals[i], goals[j] = goals[j], goals[i]
        elif spacing <= 0 and len(nodes) > 1:
            goals[i] = nodes[1] if nodes[0] == starts[i] else nodes[0]
    return goals


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


def node_at(graph: StateGraph, cells: Sequence[tuple[int, int]]) -> Int32:
    """(N,) int32 node ids of (row, col) cells of a grid graph.

    Raises:
        InvalidInput: a cell outside the map or blocked.
    """
    if graph.shape is None:
        raise InvalidInput("a state graph has no cells")
    ids = _cell_ids(graph)
    for row, col in cells:
        if not (0 <= row < ids.shape[0] and 0 <= col < ids.shape[1]) or ids[row, col] < 0:
            raise InvalidInput(f"cell ({row}, {col}) is blocked or outside the map, expected a free cell")
    return np.array([ids[row, col] for row, col in cells], np.int32)
