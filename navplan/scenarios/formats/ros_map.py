"""ROS map_server maps: a YAML file beside a PGM or PNG image, read and written.

Semantics as map_server documents them: lightness v in 0..1 (averaged over the colour channels), p = 1 - v, or v with
`negate`; p > occupied_thresh is occupied, p < free_thresh is free, the rest is unknown (mode "trinary") or graded 1..99 (mode
"scale"); in mode "raw" the 8-bit value itself is the occupancy, above 100 unknown, whatever `negate` says. Pixels that are not
opaque are unknown. Row 0 of the image, and of our arrays, is the top; ROS counts from the bottom left: `RosMap.to_metres`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from navplan.errors import FileFormatError, InvalidInput
from navplan.scenarios.formats.images import Levels, encode_pgm, read_levels, write_png
from navplan.scenarios.formats.yaml_settings import read_settings
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool, Float64
from navplan.system.files import write_bytes, write_text
from navplan.system.paths import as_path

Mode = Literal["trinary", "scale", "raw"]
MODES: tuple[Mode, ...] = ("trinary", "scale", "raw")
REQUIRED = ("image", "resolution", "origin", "negate", "occupied_thresh", "free_thresh")
_OCCUPIED, _FREE, _UNKNOWN = 0, 254, 205  # lightness that map_saver writes


@dataclass(frozen=True, eq=False)
class RosMap:
    """An occupancy grid with its place in the world.

    Attributes:
        occupancy: (H, W) int8 as map_server publishes it, but row 0 at the top: 0 free, 100 occupied, -1 unknown, in
            modes scale and raw values between too.
        resolution: metres per cell.
        origin: x, y (metres) and yaw (radians, counter-clockwise) of the lower left corner.
        occupied_thresh, free_thresh: the file's; in mode raw, occupancies above and below them (as percentages) are
            occupied and free.
        mode: the file's.
    """

    occupancy: NDArray[np.int8]
    resolution: float = 0.05
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    occupied_thresh: float = 0.65
    free_thresh: float = 0.196
    mode: Mode = "trinary"

    def __post_init__(self) -> None:
        occupancy = np.ascontiguousarray(self.occupancy, dtype=np.int8)
        if occupancy.ndim != 2 or occupancy.size == 0 or occupancy.min() < -1 or occupancy.max() > 100:
            raise InvalidInput(f"occupancy has shape {occupancy.shape}, expected (H, W) of values -1..100")
        occupancy.setflags(write=False)
        object.__setattr__(self, "occupancy", occupancy)
        if not (math.isfinite(self.resolution) and self.resolution > 0):
            raise InvalidInput(f"resolution is {self.resolution}, expected a positive number of metres per cell")
        if len(self.origin) != 3 or not all(math.isfinite(value) for value in self.origin):
            raise InvalidInput(f"origin is {self.origin}, expected finite x, y, yaw")
        if not 0 <= self.free_thresh <= self.occupied_thresh <= 1:
            thresholds = f"free_thresh is {self.free_thresh} and occupied_thresh {self.occupied_thresh}"
            raise InvalidInput(f"{thresholds}, expected 0 <= free_thresh <= occupied_thresh <= 1")
        if self.mode not in MODES:
            raise InvalidInput(f"mode is {self.mode!r}, expected one of {', '.join(MODES)}")

    def walls(self, unknown: Literal["blocked", "free"] = "blocked") -> Bool:
        """(H, W) bool, True = blocked; cells that are neither occupied nor free (graded ones too) count as `unknown` says."""
        if unknown not in ("blocked", "free"):
            raise InvalidInput(f"unknown is {unknown!r}, expected 'blocked' or 'free'")
        raw = self.mode == "raw"
        if unknown == "free":
            return self.occupancy > 100 * self.occupied_thresh if raw else self.occupancy == 100
        free = self.occupancy < 100 * self.free_thresh if raw else self.occupancy == 0
        return ~(free & (self.occupancy >= 0))

    def world(self, name: str, unknown: Literal["blocked", "free"] = "blocked") -> World:
        """A grid world of the same cells."""
        return World.from_walls(name, self.walls(unknown), resolution=self.resolution)

    def to_metres(self, points: NDArray[np.floating]) -> Float64:
        """(N, 2) x, y in the map's frame from (N, 2) (row, col) in cells."""
        points = np.asarray(points, dtype=np.float64)
        right, up = points[:, 1] * self.resolution, (self.occupancy.shape[0] - points[:, 0]) * self.resolution
        x, y, yaw = self.origin
        turned = (math.cos(yaw) * right - math.sin(yaw) * up, math.sin(yaw) * right + math.cos(yaw) * up)
        return np.stack([x + turned[0], y + turned[1]], axis=1)

    def to_cells(self, points: NDArray[np.floating]) -> Float64:
        """(N, 2) (row, col) in cells from (N, 2) x, y: the inverse of `to_metres`."""
        x, y, yaw = self.origin
        dx, dy = np.asarray(points, dtype=np.float64).T - np.array([[x], [y]])
        right, up = math.cos(yaw) * dx + math.sin(yaw) * dy, -math.sin(yaw) * dx + math.cos(yaw) * dy
        return np.stack([self.occupancy.shape[0] - up / self.resolution, right / self.resolution], axis=1)


def read_ros_map(path: str | Path) -> RosMap:
    """Read a map_server YAML file and its image, whose path is relative to the YAML file.

    Raises:
        FileAccessError: a file cannot be read.
        FileFormatError: malformed YAML or image, a missing key, a value out of range; names the line of the YAML file.
        MissingExtra: PyYAML is not installed, or Pillow for any image but PGM.
    """
    path = as_path(path)
    values = read_settings(path, (*REQUIRED, "mode"))
    for key in REQUIRED:
        if key not in values:
            raise FileFormatError(path, f"{key} is missing, expected {', '.join(REQUIRED)}")
    image, mode = values["image"].text("the path of a PGM or PNG file"), "trinary"
    if "\0" in image:
        raise values["image"].wrong("the path of a PGM or PNG file")
    resolution, occupied, free = (values[key].number() for key in ("resolution", "occupied_thresh", "free_thresh"))
    if resolution <= 0:
        raise values["resolution"].wrong("a positive number of metres per cell")
    x, y, yaw = values["origin"].numbers(3, "[x, y, yaw]")
    negate = values["negate"].truth("0 or 1")
    if not 0 <= free <= occupied <= 1:
        raise values["free_thresh"].wrong("0 <= free_thresh <= occupied_thresh <= 1")
    if "mode" in values:
        mode = values["mode"].text(f"one of {', '.join(MODES)}")
    if mode not in MODES:
        raise values["mode"].wrong(f"one of {', '.join(MODES)}")
    pixels = read_levels(path.parent / image)
    return RosMap(_occupancy(pixels, mode, negate, occupied, free), resolution, (x, y, yaw), occupied, free, mode)


def write_ros_map(path: str | Path, ros_map: RosMap, image: Literal["pgm", "png"] = "pgm") -> None:
    """Write the YAML file and, beside it under the same stem, the image; reading gives the same walls and unknown cells.

    A trinary map is written as map_saver does (0, 205, 254); scale and raw maps as raw values, with their thresholds.

    Raises:
        FileAccessError: a file cannot be written. The image comes first, so that no YAML file points to nothing.
    """
    path = as_path(path)
    occupancy = ros_map.occupancy
    mode = ros_map.mode
    if mode == "trinary":
        pixels = np.select([occupancy == 100, occupancy == 0], [_OCCUPIED, _FREE], _UNKNOWN).astype(np.uint8)
        # 205 must stay between the thresholds, 0 and 254 outside; thresholds that would not do are replaced by map_saver's
        fits = 1 - 254 / 255 < ros_map.free_thresh <= 1 - 205 / 255 <= ros_map.occupied_thresh < 1
        occupied, free = (ros_map.occupied_thresh, ros_map.free_thresh) if fits else (0.65, 0.196)
    else:
        pixels = np.where(occupancy < 0, 255, occupancy).astype(np.uint8)
        # graded cells of a scale map lie strictly between 0 and 100, so these thresholds keep them unknown
        occupied, free = (ros_map.occupied_thresh, ros_map.free_thresh) if mode == "raw" else (0.995, 0.005)
        mode = "raw"
    target = path.with_suffix(f".{image}")
    if image == "png":
        write_png(target, pixels)
    elif image == "pgm":
        write_bytes(target, encode_pgm(pixels))
    else:
        raise InvalidInput(f"image is {image!r}, expected 'pgm' or 'png'")
    lines = [
        f"image: {_quoted(target.name)}",
        f"mode: {mode}",
        f"resolution: {ros_map.resolution!r}",
        f"origin: [{', '.join(repr(float(value)) for value in ros_map.origin)}]",
        "negate: 0",
        f"occupied_thresh: {occupied!r}",
        f"free_thresh: {free!r}",
    ]
    write_text(path, "\n".join(lines) + "\n")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _occupancy(image: Levels, mode: Mode, negate: bool, occupied: float, free: float) -> NDArray[np.int8]:
    """(H, W) int8 occupancy: that of each level, looked up for every pixel."""
    lightness = np.arange(image.most + 1) / image.most
    if mode == "raw":
        value = np.rint(lightness * 255)
        table = np.where(value <= 100, value, -1)
    else:
        p = lightness if negate else 1.0 - lightness
        if mode == "scale":
            span = max(occupied - free, 1e-12)  # equal thresholds leave at most p == occupied == free between
            between = np.rint(np.clip((p - free) / span, 0.0, 1.0) * 98 + 1)
        else:
            between = np.full(p.shape, -1.0)
        table = np.select([p > occupied, p < free], [100.0, 0.0], between)
    occupancy: NDArray[np.int8] = table.astype(np.int8)[image.levels]
    if image.opaque is not None:
        occupancy[~image.opaque] = -1
    return occupancy
