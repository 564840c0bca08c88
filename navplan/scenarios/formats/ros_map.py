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
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from navplan.errors import FileFormatError, InvalidInput, MissingExtra
from navplan.scenarios.formats.checks import decode_utf8, is_finite
from navplan.scenarios.formats.images import encode_pgm, read_image, write_png
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool, Float64
from navplan.system.files import read_bytes, write_bytes, write_text

Mode = Literal["trinary", "scale", "raw"]
MODES: tuple[Mode, ...] = ("trinary", "scale", "raw")
REQUIRED = ("image", "resolution", "origin", "negate", "occupied_thresh", "free_thresh")
_MAX_YAML_BYTES = 1 << 16
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
    path = Path(path)
    values, lines = _read_yaml(path)

    def fail(key: str, expected: str) -> FileFormatError:
        shown = repr(values[key])
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        return FileFormatError(path, f"{key} is {shown}, expected {expected}", line=lines[key])

    for key in REQUIRED:
        if key not in values:
            raise FileFormatError(path, f"{key} is missing, expected {', '.join(REQUIRED)}")
    image = values["image"]
    if not isinstance(image, str) or not image or "\0" in image:
        raise fail("image", "the path of a PGM or PNG file")
    for key in ("resolution", "occupied_thresh", "free_thresh"):
        if not is_finite(values[key]):
            raise fail(key, "a number")
    if values["resolution"] <= 0:
        raise fail("resolution", "a positive number of metres per cell")
    origin = values["origin"]
    if not isinstance(origin, list) or len(origin) != 3 or not all(is_finite(value) for value in origin):
        raise fail("origin", "[x, y, yaw]")
    if values["negate"] not in (0, 1):  # True and False too
        raise fail("negate", "0 or 1")
    if not 0 <= values["free_thresh"] <= values["occupied_thresh"] <= 1:
        raise fail("free_thresh", "0 <= free_thresh <= occupied_thresh <= 1")
    mode = values.get("mode", "trinary")
    if mode not in MODES:
        raise fail("mode", f"one of {', '.join(MODES)}")

    lightness, opaque = read_image(path.parent / image)
    occupied, free = float(values["occupied_thresh"]), float(values["free_thresh"])
    occupancy = _occupancy(lightness, opaque, mode, bool(values["negate"]), occupied, free)
    x, y, yaw = (float(value) for value in origin)
    return RosMap(occupancy, float(values["resolution"]), (x, y, yaw), occupied, free, mode)


def write_ros_map(path: str | Path, ros_map: RosMap, image: Literal["pgm", "png"] = "pgm") -> None:
    """Write the YAML file and, beside it under the same stem, the image; reading gives the same walls and unknown cells.

    A trinary map is written as map_saver does (0, 205, 254); scale and raw maps as raw values, with their thresholds.

    Raises:
        FileAccessError: a file cannot be written. The image comes first, so that no YAML file points to nothing.
    """
    path = Path(path)
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


def _occupancy(lightness: Float64, opaque: Bool, mode: Mode, negate: bool, occupied: float, free: float) -> NDArray[np.int8]:
    """(H, W) int8 occupancy from lightness in 0..1."""
    if mode == "raw":
        value = np.rint(lightness * 255)
        return np.where(opaque & (value <= 100), value, -1).astype(np.int8)
    p = lightness if negate else 1.0 - lightness
    if mode == "scale":
        span = max(occupied - free, 1e-12)  # equal thresholds leave at most p == occupied == free between
        between = np.rint(np.clip((p - free) / span, 0.0, 1.0) * 98 + 1)
    else:
        between = np.full(p.shape, -1.0)
    result = np.select([~opaque, p > occupied, p < free], [-1.0, 100.0, 0.0], between)
    return result.astype(np.int8)


def _read_yaml(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The top-level mapping of a YAML file and the line of each of its keys."""
    try:
        import yaml
    except ImportError as error:
        raise MissingExtra("reading ROS maps", "PyYAML", "ros") from error

    data = read_bytes(path)
    if len(data) > _MAX_YAML_BYTES:
        raise FileFormatError(path, f"{len(data)} bytes, expected a map_server YAML file of a few lines")
    text = decode_utf8(path, data, "YAML")
    if text.count("[") + text.count("{") > 100:  # one is usual; thousands keep the parser busy for seconds
        raise FileFormatError(path, "nested too deeply, expected a map_server YAML file of a few lines")
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise FileFormatError(path, f"expected a mapping with the keys {', '.join(REQUIRED)}", line=1)
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in root.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key in (*REQUIRED, "mode"):
                if key in values:
                    raise FileFormatError(path, f"{key} is given twice", line=key_node.start_mark.line + 1)
                lines[key] = key_node.start_mark.line + 1
                values[key] = yaml.SafeLoader("").construct_document(value_node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise FileFormatError(path, f"{error.problem or error.context}, expected YAML", line=line) from error
    except FileFormatError:
        raise
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:  # odd characters, deep nesting, impossible dates
        message = " ".join(str(error).split())[:80]
        raise FileFormatError(path, f"{message or 'nested too deeply'}, expected plain YAML") from error
    return values, lines
