"""What bodies observe, as frozen objects; who needs one owns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Float32, Float64
from navplan.system.names import Registry
from navplan.system.numbers import as_numbers, is_finite
from navplan.system.words import said

__all__ = ["Lidar", "Sensor", "State", "sensor_named"]


@runtime_checkable
class Sensor(Protocol):
    """A frozen object; equal ones observe the same."""

    name: ClassVar[str]
    """As registered."""

    def observe(self, world: World, poses: ArrayLike) -> Float32:
        """(N, …) float32 of poses (N, 3): (row, col, heading), radians from the row axis towards the column axis."""
        ...


@dataclass(frozen=True)
class State:
    """Where it is: (row, col)."""

    name: ClassVar[str] = "state"

    def observe(self, world: World, poses: ArrayLike) -> Float32:
        """(N, 2) float32 of poses (N, 3), or (N, 2) without headings."""
        return _poses(poses)[:, :2].astype(np.float32)


@dataclass(frozen=True)
class Lidar:
    """Distances to the walls all around, the first ahead, the others in equal turns from the row axis towards the column axis.

    Attributes:
        beams: how many.
        range: cells; nothing farther is seen.

    Example:
        >>> room = World.from_walls("room", np.zeros((4, 6), bool))
        >>> Lidar(beams=4).observe(room, [[1.0, 2.0, 0.0]]).round(3).tolist()
        [[3.0, 4.0, 1.0, 2.0]]
    """

    name: ClassVar[str] = "lidar"

    beams: int = 16
    range: float = 10.0

    def __post_init__(self) -> None:
        if not (isinstance(self.beams, int) and 1 <= self.beams <= 4096):
            raise InvalidInput(f"Lidar.beams is {said(self.beams)}, expected a whole number from 1 to 4096")
        if not (is_finite(self.range) and self.range > 0):
            raise InvalidInput(f"Lidar.range is {said(self.range)}, expected a positive number of cells")

    def observe(self, world: World, poses: ArrayLike) -> Float32:
        """(N, beams) float32 cells to the nearest wall or the map's edge, `range` where that is farther."""
        from navplan.kernels.sensing.rays import cast_cells, cast_segments

        where = _poses(poses)
        out = np.empty((len(where), self.beams), np.float32)
        if world.walls is not None:
            cast_cells(world.walls, where, float(self.range), out)
        else:
            cast_segments(_edges(world), where, float(self.range), out)
            out[world.blocked(where[:, :2])] = 0.0
        return out


def _poses(poses: ArrayLike) -> Float64:
    """(N, 3) float64; (N, 2) have heading 0."""
    given = as_numbers(poses, "poses")
    if given.ndim != 2 or given.shape[1] not in (2, 3) or not np.isfinite(given).all():
        raise InvalidInput(f"poses have shape {given.shape}, expected (N, 3) finite numbers: row, col, heading")
    if given.shape[1] == 2:
        given = np.hstack([given, np.zeros((len(given), 1))])
    return np.ascontiguousarray(given)


def _edges(world: World) -> Float64:
    """(S, 4) of all polygons, and of the map."""
    box = np.array([[0, 0], [0, world.width], [world.height, world.width], [world.height, 0], [0, 0]], np.float64)
    rings = [box]
    for polygon in world.polygons:
        rings += [np.asarray(ring.coords)[:, :2] for ring in (polygon.exterior, *polygon.interiors)]
    return np.concatenate([np.hstack([ring[:-1], ring[1:]]) for ring in rings])


SENSORS: dict[str, str] = {"lidar": "navplan.scenarios.sensors:Lidar", "state": "navplan.scenarios.sensors:State"}
"""Name -> "module:Class"."""
_REGISTRY: Registry[type] = Registry("sensor", SENSORS, "navplan.sensors")


def sensor_named(name: str) -> Sensor:
    """The sensor called `name`, with its own options.

    Raises:
        UnknownName: there is none; the message suggests the nearest.
    """
    made: Sensor = _REGISTRY.get(name.replace("_", "-"))()
    return made
