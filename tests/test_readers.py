"""No file, whoever wrote it, makes a reader raise anything but one line of navplan's own, or take long or much memory."""

from __future__ import annotations

import gzip
import io
import os
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import navplan as nv
from navplan.errors import FileFormatError, NavplanError
from navplan.scenarios.worlds.cells import occupied_cells
from navplan.system.memory import peak_memory, reset_peak
from tests.support.folders import CHECKOUT
from tests.support.readers import BYTES, READERS, SECONDS, read_damaged

# More of them by NAVPLAN_FUZZ=20000.
FEW = int(os.environ.get("NAVPLAN_FUZZ", "60"))


@pytest.mark.parametrize("name", READERS)
def test_damaged_files(name: str, tmp_path: Path) -> None:
    found = read_damaged(READERS[name], tmp_path, FEW)
    assert found.faults == []
    assert found.read + found.refused == FEW
    assert found.slowest < SECONDS
    assert found.bytes < BYTES


ROS = "image: a.pgm\norigin: [0, 0, 0]\nnegate: 0\noccupied_thresh: 0.65\nfree_thresh: 0.2\nresolution: "


def aliases(levels: int = 30) -> bytes:
    """Nine to the power of `levels` scalars in few bytes."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, levels)]
    return ("\n".join(lines) + f"\n{ROS}*a{levels - 1}\n").encode()


def archive(name: str, content: bytes, compressed: bool = True) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as file:
        for member in (name, "walls", "starts", "goals", "radius", "goal_tolerance", "states", "cost", "header"):
            file.writestr(f"{member}.npy", content)
    return stream.getvalue()


def header(shape: str, ending: str = ", }\n") -> bytes:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}{ending}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def bomb(width: int, height: int, mode: str = "L") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (width, height)).save(stream, format="PNG")
    return stream.getvalue()


def safetensors(metadata: str) -> bytes:
    text = b'{"__metadata__": {"navplan": "' + metadata.encode() + b'"}}'
    return struct.pack("<Q", len(text)) + text


DEEP = "[" * 100_000
YARD = '{"type": "FeatureCollection", "bbox": [0, 0, 1000, 1000], "features": [{"type": "Feature", "geometry": {"type": "Polygon"'
HOSTILE: dict[str, tuple[str, bytes]] = {
    "aliases": ("ros", aliases()),
    "merged aliases": ("ros", b"a: &a {b: 1}\n" + b"<<: *a\n" * 5000 + ROS.encode() + b"1:30"),
    "sexagesimal": ("ros", ROS.encode() + b"1" + b":59" * 20_000),
    "deep YAML": ("ros", b"- " * 30_000),
    "deep keys": ("ros", b"? " * 30_000),
    "brackets in YAML": ("ros", b"image: " + DEEP.encode()[:60_000]),
    "deep JSON": ("plan", DEEP.encode()),
    "deep GeoJSON": ("geojson", b'{"type":' * 100_000),
    "deep training": ("training", b"scenario = " + DEEP.encode()),
    "deep tables": ("training", b"a" + b".a" * 100_000 + b" = 1"),
    "deep headers": ("training", b"[a" + b".a" * 100_000 + b"]"),
    "deep scenario": ("scenario", b"name = " + DEEP.encode()),
    "deep run": ("run", DEEP.encode()),
    "deep summary": ("summary", DEEP.encode()),
    "deep metadata": ("policy", safetensors(DEEP)),
    "long integer": ("plan", b"1" * 1_000_000),
    "many cells": ("scenario", b'[world]\nmaze = "center-dot"\nscale = 1000\n'),
    "many generated cells": ("scenario", b'[world]\ngenerator = "maze"\nparams = {height = 100000, width = 100000}\n'),
    "many rows": ("map", b"type octile\nheight 99999\nwidth 99999\nmap\n"),
    "many pixels": ("pgm", b"P5\n99999 99999\n255\n"),
    "a large picture": ("png", bomb(6000, 6000)),
    "931 GiB": ("trajectory", archive("actions", header("(500000000, 250, 2)"))),
    "931 GiB in Fortran order": ("trajectory", archive("actions", header("(1000000000, 250)").replace(b"False", b"True "))),
    "cut array headers": ("trajectory", archive("actions", header("(5, 2", "")[:-3])),
    "nested array headers": ("trajectory", archive("actions", header("(" * 5000, ""))),
    "a graph of 931 GiB": ("graph", archive("indices", header("(250000000000,)"), compressed=False)),
    "cut graph headers": ("graph", archive("indices", header("(5, 2", "")[:-3], compressed=False)),
    "zeros": ("trajectory", archive("actions", header("(16000000,)") + bytes(64_000_000))),
    "packed zeros": ("packed-table", gzip.compress(bytes(300_000_000), 1)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(name: str, tmp_path: Path) -> None:
    reader, data = READERS[HOSTILE[name][0]], HOSTILE[name][1]
    reader.bytes(tmp_path)
    path = tmp_path / reader.name
    reader.read(path)
    path.write_bytes(data)
    reset_peak()
    before, began = peak_memory(), time.process_time()
    with pytest.raises(FileFormatError, match=str(path)) as caught:
        reader.read(path)
    assert time.process_time() - began < SECONDS
    assert peak_memory() - before < BYTES
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
def test_the_largest_picture_takes_no_more_memory_than_others(mode: str, tmp_path: Path) -> None:
    write = READERS["ros"].bytes(tmp_path).replace(b"a.pgm", b"b.png")
    (tmp_path / "a.yaml").write_bytes(write)
    (tmp_path / "b.png").write_bytes(bomb(4096, 4096, mode))
    reset_peak()
    before = peak_memory()
    assert READERS["ros"].read(tmp_path / "a.yaml").occupancy.shape == (4096, 4096)  # type: ignore[attr-defined]
    assert peak_memory() - before < BYTES


def test_a_large_polygon_is_laid_over_a_grid_in_blocks(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text(YARD + ', "coordinates": [[[1, 1], [999, 1], [999, 999], [1, 999]]]}}]}')
    world = nv.load_map(tmp_path / "a.geojson")
    reset_peak()
    before, began = peak_memory(), time.process_time()
    walls = occupied_cells(world)
    assert time.process_time() - began < SECONDS
    assert peak_memory() - before < BYTES
    assert walls.all()


@pytest.mark.parametrize(("read", "name"), [(nv.Plan.load, "a.json"), (nv.StateGraph.load, "a.npz"), (nv.load_map, "a.map")])
def test_files_longer_than_any_are_not_read(read: Callable[[Path], object], name: str, tmp_path: Path) -> None:
    with (tmp_path / name).open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(NavplanError, match="cannot be read: has more than"):
        read(tmp_path / name)


def test_a_device_without_an_end_is_left() -> None:
    with pytest.raises(NavplanError, match="/dev/zero: cannot be read: has more than"):
        nv.Plan.load("/dev/zero")


MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    "name", ["map", "scen", "problem", "ros", "geojson", "graph-geojson", "scenario", "plan", "training", "tasks"]
)
@pytest.mark.parametrize("change", [lambda data: MARK + data, lambda data: data.replace(b"\n", b"\r\n")], ids=["mark", "crlf"])
def test_what_windows_does_to_text_changes_nothing(name: str, change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    data = READERS[name].bytes(tmp_path)
    path = tmp_path / READERS[name].name
    before = READERS[name].read(path)
    path.write_bytes(change(data))
    after = READERS[name].read(path)
    assert type(before) is type(after)
    if isinstance(before, np.ndarray | nv.Plan):
        assert repr(before) == repr(after)


def test_trailing_blanks_in_rows_of_maps_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.map").write_text("type octile\nheight 2 \nwidth 3\nmap \n.@. \n...\t \n\n  \n")
    assert nv.load_map(tmp_path / "a.map").walls.tolist() == [[False, True, False], [False, False, False]]  # type: ignore[union-attr]


def test_the_long_run_is_a_command() -> None:
    command = [sys.executable, "-m", "tests.support.readers", "5", "map"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=CHECKOUT, timeout=120)
    assert done.stdout.startswith("map: ")
    assert done.stdout.endswith("0 faults\n")
