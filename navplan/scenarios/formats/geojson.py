"""Polygon worlds and state graphs as GeoJSON.

GeoJSON points are [x, y]; here x is the column and y the row, in cell units, y growing downwards (row 0 at the top), which
every file says in its "navplan" member. A world is a FeatureCollection of Polygon features; a graph follows the Nav2 route
format: Point features with an id for the nodes, MultiLineString features with startid, endid and cost for the edges.
"""

from __future__ import annotations

import json
import math
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from navplan.errors import FileFormatError, InvalidInput
from navplan.graph.files import name_of, said_name
from navplan.graph.state_graph import StateGraph
from navplan.scenarios.formats.checks import as_points
from navplan.scenarios.formats.plain_geojson import plain_world
from navplan.scenarios.worlds.polygons import make_polygon
from navplan.scenarios.worlds.world import Hazard, World
from navplan.system.arrays import Float64
from navplan.system.files import read_bytes, write_text
from navplan.system.lazy import lazily
from navplan.system.numbers import is_finite, is_number
from navplan.system.reading import parse_json, shown

if TYPE_CHECKING:
    import shapely
else:
    shapely = lazily("shapely")

AXES = "[x, y] = [column, row] in cell units, row 0 at the top, y downwards"


def write_geojson(path: str | Path, world: World) -> None:
    """Write a polygon world.

    Raises:
        InvalidInput: a grid world.
        FileAccessError: the file cannot be written.
    """
    if world.walls is not None:
        raise InvalidInput(f"world {world.name!r} is a grid, expected polygons; write a .map file instead")
    features = [
        {
            "type": "Feature",
            "properties": {"role": "obstacle"},
            "geometry": {"type": "Polygon", "coordinates": [_xy(ring.coords) for ring in (polygon.exterior, *polygon.interiors)]},
        }
        for polygon in world.polygons
    ]
    about = {
        "kind": "world",
        "axes": AXES,
        "name": world.name,
        "height": float(world.height),
        "width": float(world.width),
        "resolution": float(world.resolution),
        "hazard": {"kind": world.hazard.kind, "radius": float(world.hazard.radius)},
    }
    _write(path, about, features)


def read_geojson(path: str | Path) -> World:
    """Read a polygon world; Polygon and MultiPolygon features are its obstacles. Of other programs: see `plain_geojson`.

    Raises:
        FileAccessError: the file cannot be read.
        FileFormatError: not JSON (with its line), another kind of feature, a polygon that crosses itself, a missing size.
    """
    document = _document(path)
    if "navplan" not in document:
        return plain_world(path, document)
    about, features = _contents(path, document, "world")
    height, width = about.get("height"), about.get("width")
    if not (is_number(height) and is_number(width) and 0 < height < math.inf and 0 < width < math.inf):
        raise FileFormatError(path, f"navplan.height and width are {shown(height)} and {shown(width)}, expected positive numbers")
    resolution, name = about.get("resolution", 1.0), about.get("name", Path(path).stem)
    if not is_number(resolution) or not 0 < resolution < math.inf:
        raise FileFormatError(path, f"navplan.resolution is {shown(resolution)}, expected a positive number")
    if not isinstance(name, str):
        raise FileFormatError(path, f"navplan.name is {shown(name)}, expected a string")
    polygons: list[shapely.Polygon] = []
    for index, feature in enumerate(features):
        kind, coordinates = _geometry(path, index, feature)
        if kind not in ("Polygon", "MultiPolygon"):
            raise FileFormatError(path, f"feature {index} is {shown(kind)}, expected Polygon or MultiPolygon")
        parts = [coordinates] if kind == "Polygon" else coordinates
        if not isinstance(parts, list):
            raise FileFormatError(path, f"feature {index}: coordinates of a MultiPolygon must be a list")
        polygons += [_polygon(path, index, part) for part in parts]
    hazard = _hazard(path, about.get("hazard", {"kind": "none", "radius": 0.0}))
    return World(name, None, float(height), float(width), tuple(polygons), hazard, float(resolution))


def write_graph_geojson(path: str | Path, graph: StateGraph, beta: float = 0.0) -> None:
    """Write a state graph: cost is ``distance + beta * risk``, distance and risk stand beside it.

    Positions become coordinates; the whole state is a property of its node. Rooms are properties of nodes and edges where a map
    was given, null where nothing is near.

    Raises:
        InvalidInput: a graph without positions.
        FileAccessError: the file cannot be written.
    """
    if graph.positions is None:
        raise InvalidInput(f"states have shape {graph.states.shape} and no positions, expected (row, col) of each node")
    parts = graph.measured()
    same = np.array_equal(graph.positions.astype(np.float32), graph.states)
    states = graph.positions if same else graph.states.astype(np.float64)
    points = (states.tolist(), graph.positions.tolist(), graph.wait_risk.tolist(), _rooms(parts.node_room, graph.num_nodes))
    nodes = [
        {
            "type": "Feature",
            "properties": {"id": node, "state": state, "wait_risk": risk, **room, **_name(graph, node)},
            "geometry": {"type": "Point", "coordinates": [col, row]},
        }
        for node, (state, (row, col), risk, room) in enumerate(zip(*points, strict=True))
    ]
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr)).tolist()
    columns = (graph.indices, graph.weights(beta), graph.distance, graph.risk)
    values = zip(tails, *(column.tolist() for column in columns), _rooms(parts.edge_room, graph.num_edges), strict=True)
    edges = [
        {
            "type": "Feature",
            "properties": {
                "id": len(nodes) + k,
                "startid": a,
                "endid": b,
                "cost": cost,
                "distance": distance,
                "risk": risk,
                **room,
            },
            "geometry": {
                "type": "MultiLineString",
                "coordinates": [[nodes[a]["geometry"]["coordinates"], nodes[b]["geometry"]["coordinates"]]],
            },
        }
        for k, (a, b, cost, distance, risk, room) in enumerate(values)
    ]
    about: dict[str, Any] = {"kind": "graph", "axes": AXES, "shape": None if graph.shape is None else list(graph.shape)}
    _write(path, about, [*nodes, *edges])


def read_graph_geojson(path: str | Path) -> StateGraph:
    """Read a graph that `write_graph_geojson` wrote.

    Raises:
        FileAccessError: the file cannot be read.
        FileFormatError: not JSON, node ids that are not 0..N-1 in order, or an edge without its values.
    """
    about, features = _contents(path, _document(path), "graph")
    states: list[list[float]] = []
    positions: list[list[float]] = []
    wait_risk: list[float] = []
    names: list[Hashable] = []
    edges: list[tuple[int, int, float, float, float | None]] = []
    rooms: list[float | None] = []
    for index, feature in enumerate(features):
        kind, place = _geometry(path, index, feature)
        values = feature["properties"] if isinstance(feature.get("properties"), dict) else {}
        if kind == "Point":
            state = values.get("state")
            if values.get("id") != len(states) or not isinstance(state, list) or not all(map(is_finite, state)) or len(state) < 2:
                raise FileFormatError(path, f"feature {index}: expected node {len(states)} with a state of finite numbers")
            if not is_finite(values.get("wait_risk")) or len(state) != len(states[0] if states else state):
                raise FileFormatError(path, f"feature {index}: expected a wait_risk and a state as long as those before")
            if not isinstance(place, list) or len(place) < 2 or not all(map(is_finite, place[:2])):
                raise FileFormatError(path, f"feature {index}: expected coordinates [x, y] of finite numbers")
            positions.append([float(place[1]), float(place[0])])
            states.append([float(value) for value in state])
            wait_risk.append(float(values["wait_risk"]))
            rooms.append(_room(path, index, values))
            names.append(name_of(values.get("name")))
        elif kind == "MultiLineString":
            ends: tuple[Any, Any] = values.get("startid"), values.get("endid")
            if not all(isinstance(end, int) and not isinstance(end, bool) and 0 <= end < len(states) for end in ends):
                raise FileFormatError(
                    path, f"feature {index}: startid and endid are {shown(ends)}, expected nodes that come before it"
                )
            if not (is_finite(values.get("distance")) and is_finite(values.get("risk"))):
                raise FileFormatError(path, f"feature {index}: expected an edge with distance and risk")
            edges.append((*ends, float(values["distance"]), float(values["risk"]), _room(path, index, values)))
        else:
            raise FileFormatError(path, f"feature {index} is {shown(kind)}, expected Point or MultiLineString")
    shape = about.get("shape")
    if shape is not None and not (
        isinstance(shape, list) and len(shape) == 2 and all(isinstance(v, int) and v > 0 for v in shape)
    ):
        raise FileFormatError(path, f"navplan.shape is {shown(shape)}, expected [height, width] or null")
    edges.sort(key=lambda edge: edge[:2])
    counts = np.bincount([edge[0] for edge in edges], minlength=len(states)) if edges else np.zeros(len(states), np.int64)
    try:
        with np.errstate(over="ignore"):
            return StateGraph(
                states=np.array(states, np.float32).reshape(len(states), -1 if states else 2),
                indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
                indices=np.array([edge[1] for edge in edges], np.int32),
                distance=np.array([edge[2] for edge in edges], np.float64),
                risk=np.array([edge[3] for edge in edges], np.float64),
                wait_risk=np.array(wait_risk, np.float64),
                shape=None if shape is None else (shape[0], shape[1]),
                positions=np.array(positions, np.float64).reshape(-1, 2),
                names=tuple(names) if any(name is not None for name in names) else None,
                **_stated_rooms(path, rooms, [edge[4] for edge in edges]),
            )
    except InvalidInput as error:
        raise FileFormatError(path, str(error)) from error


def _rooms(rooms: Float64 | None, count: int) -> list[dict[str, float | None]]:
    """Each room as a property; none where the graph alone says them, as a grid's cells do, or where no map was given."""
    if rooms is None:
        return [{}] * count
    return [{"room": room if math.isfinite(room) else None} for room in rooms.tolist()]


def _room(path: str | Path, index: int, values: dict[str, Any]) -> float | None:
    """The room that a feature states, inf for null; None where it states none."""
    room = values.get("room", math.nan)
    if room is None:
        return math.inf
    if "room" in values and not is_finite(room):
        raise FileFormatError(path, f"feature {index}: room is {shown(room)}, expected a number or null")
    return float(room) if "room" in values else None


def _stated_rooms(path: str | Path, nodes: list[float | None], edges: list[float | None]) -> dict[str, Any]:
    """Both kinds of rooms where every node and every edge states its own."""
    known = [room is not None for room in (*nodes, *edges)]
    if not any(known):
        return {}
    if not all(known):
        raise FileFormatError(path, "some nodes and edges state a room, others do not, expected all or none")
    return {"node_room": np.array(nodes, np.float64), "edge_room": np.array(edges, np.float64)}


def _name(graph: StateGraph, node: int) -> dict[str, Any]:
    """The name of a node, if it has one, as a property."""
    name = None if graph.names is None else graph.names[node]
    return {} if name is None else {"name": said_name(name)}


def _xy(coordinates: Any) -> list[list[float]]:
    """[x, y] pairs from a ring of (row, col) vertices."""
    points: Float64 = np.asarray(coordinates, dtype=np.float64)[:, :2]
    return [[col, row] for row, col in points.tolist()]


def _write(path: str | Path, about: dict[str, Any], features: list[Any]) -> None:
    # one feature a line: errors can be found, differences can be read
    body = ",\n".join(json.dumps(feature, allow_nan=False) for feature in features)
    head = f'{{"type": "FeatureCollection",\n"navplan": {json.dumps(about, allow_nan=False)},\n"features": [\n'
    write_text(path, head + body + ("\n" if features else "") + "]}\n")


def geojson_kind(path: str | Path) -> str:
    """What a GeoJSON file says that it holds, "world" or "graph"; a file that navplan did not write is a world.

    Raises:
        FileAccessError: the file cannot be read.
        FileFormatError: no GeoJSON.
    """
    about = _document(path).get("navplan")
    return "graph" if isinstance(about, dict) and about.get("kind") == "graph" else "world"


def _document(path: str | Path) -> dict[str, Any]:
    document = parse_json(path, read_bytes(path), "GeoJSON")
    if not isinstance(document, dict) or not isinstance(document.get("type"), str):
        raise FileFormatError(path, "expected a GeoJSON FeatureCollection", line=1)
    return document


def _contents(path: str | Path, document: dict[str, Any], kind: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What navplan wrote: its own member, and the features."""
    if document["type"] != "FeatureCollection":
        raise FileFormatError(path, "expected a GeoJSON FeatureCollection", line=1)
    about, features = document.get("navplan"), document.get("features")
    if not isinstance(about, dict) or about.get("kind") != kind:
        raise FileFormatError(path, f'expected a "navplan" member with "kind": "{kind}"')
    if about.get("axes") != AXES:
        raise FileFormatError(path, f'navplan.axes is {shown(about.get("axes"))}, expected "{AXES}"')
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise FileFormatError(path, "features must be a list of objects")
    return about, features


def _geometry(path: str | Path, index: int, feature: dict[str, Any]) -> tuple[object, object]:
    geometry = feature.get("geometry")
    if feature.get("type") != "Feature" or not isinstance(geometry, dict):
        raise FileFormatError(path, f"feature {index}: expected a Feature with a geometry")
    return geometry.get("type"), geometry.get("coordinates")


def _polygon(path: str | Path, index: int, rings: object) -> shapely.Polygon:
    arrays = [as_points(ring) for ring in rings] if isinstance(rings, list) else []
    if not arrays or any(array is None for array in arrays):
        raise FileFormatError(path, f"feature {index}: expected rings of [x, y] pairs of numbers")
    outline, *holes = (array[:, ::-1] for array in arrays if array is not None)
    try:
        return make_polygon(outline, holes)
    except InvalidInput as error:
        raise FileFormatError(path, f"feature {index}: {error}") from error


def _hazard(path: str | Path, values: object) -> Hazard:
    if not isinstance(values, dict) or not is_number(values.get("radius")):
        raise FileFormatError(path, f"navplan.hazard is {shown(values)}, expected kind and radius")
    try:
        return Hazard(values.get("kind"), float(values["radius"]))  # type: ignore[arg-type]  # checked by Hazard
    except InvalidInput as error:
        raise FileFormatError(path, f"navplan.hazard: {error}") from error
