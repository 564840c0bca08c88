"""Every reader of files with a small valid file, and what damages it: thousands of files that nobody wrote.

``python -m tests.support.readers COUNT [READER…]`` reads COUNT damaged files with each reader and says how it went.
"""

from __future__ import annotations

import io
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from navplan.bench.evaluate.suite import SUITE_FOLDER, read_suite
from navplan.bench.shards import read_document
from navplan.bench.tables import TableFormat
from navplan.errors import NavplanError
from navplan.execution.trajectory import Trajectory
from navplan.graph.state_graph import StateGraph
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.recipes.navplan.learner import build_networks
from navplan.learned.training.load import load_checkpoint
from navplan.learned.training.run_config import read_config, read_run_config
from navplan.learned.training.state import network_arrays
from navplan.learned.training.tensors import write_tensors
from navplan.navigation.files import read_summary
from navplan.plan.plan import Plan, make_plan
from navplan.plan.problem import Problem
from navplan.planners.lifelong.lifelong import read_tasks
from navplan.scenarios.formats.geojson import read_geojson, read_graph_geojson, write_geojson, write_graph_geojson
from navplan.scenarios.formats.images import encode_pgm, read_image
from navplan.scenarios.formats.movingai import ScenRow, read_map, read_scen, write_map, write_scen
from navplan.scenarios.formats.ros_map import RosMap, read_ros_map, write_ros_map
from navplan.scenarios.problems.load import load_problem
from navplan.scenarios.problems.sets import read_problem_sets
from navplan.scenarios.registry import SCENARIO_FOLDER
from navplan.scenarios.scenario import read_scenario
from navplan.scenarios.worlds.polygons import make_polygon
from navplan.scenarios.worlds.world import Hazard, World
from navplan.system.memory import peak_memory, reset_peak
from tests.support.damaged_files import TOKENS

SECONDS, BYTES = 1.0, 200_000_000
DATA = SCENARIO_FOLDER.parent
WALLS = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]], bool)


@dataclass(frozen=True)
class Reader:
    """`write` leaves a valid file called `name` in a folder, and what it needs beside it; `read` takes its path."""

    name: str
    write: Callable[[Path], object]
    read: Callable[[Path], object]

    def bytes(self, folder: Path) -> bytes:
        """The valid file's contents."""
        self.write(folder / self.name)
        return (folder / self.name).read_bytes()


def _polygons() -> World:
    outline = np.array([[1.0, 1.0], [1.0, 3.0], [3.0, 3.0], [3.0, 1.0]])
    return World("yard", None, 5.0, 6.0, (make_polygon(outline, []),), Hazard("linear", 1.0))


def _graph() -> StateGraph:
    return StateGraph.from_grid(WALLS)


def _plan() -> Plan:
    problem = Problem(_graph(), [0, 3], [3, 0], identity={"map": "a.map"})
    return make_plan(problem, "cbs", "feasible", [[0, 1, 2, 3], [3, 5, 9, 8, 7, 6, 4, 0]], lower_bound=6.0)


def _trajectory() -> Trajectory:
    zeros = np.zeros((2, 2, 2), np.float32)
    states = np.zeros((3, 2, 2), np.float32)
    contacts, bumps = np.zeros((2, 2, 2), bool), np.zeros((2, 2), np.int32)
    return Trajectory(WALLS, states[0], states[1], 0.25, 0.5, states, zeros, zeros[..., 0], contacts, bumps)


def _policy(path: Path) -> None:
    config = TrainConfig("center-dot", hidden=2, ensemble=2, distance_bins=3, cost_atoms=4, wavelengths=(), relative_scales=())
    arrays = network_arrays(build_networks(config, (15.0, 15.0), seed=1)) | {"states": np.ones((3, 2), np.float32)}
    write_tensors(path, "policy", arrays, {"config": config.to_dict(), "size": [15.0, 15.0], "stage": 2})


def _png(path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).convert("RGBA").save(stream, format="PNG")
    path.write_bytes(stream.getvalue())


def _text(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text, encoding="utf-8")


def _scen(path: Path) -> None:
    write_map(path.with_suffix(".map"), WALLS)
    write_scen(path, [ScenRow(0, "a.map", 4, 3, (0, 0), (2, 3), 5.0), ScenRow(1, "a.map", 4, 3, (2, 3), (0, 0), 5.0)])


PLAIN = json.dumps(
    {
        "type": "FeatureCollection",
        "bbox": [0, 0, 6, 5],
        "features": [
            {
                "type": "Feature",
                "properties": None,
                "geometry": {"type": "Polygon", "coordinates": [[[1, 1], [3, 1], [3, 3], [1, 1]]]},
            }
        ],
    }
)
TRAINING = 'scenario = "center-dot"\nseed = 3\nhidden = 32\ncurriculum = {use = "disagreement", spread = 2}\n'
ROBOTS = "agents:\n- {goal: [2, 0], name: a, start: [0, 0]}\nmap:\n    dimensions: [4, 2]\n    obstacles: [[1, 1]]\n"
SUMMARY = json.dumps({"agents": 2, "success": True, "cost_max": 1.5, "graph": {"nodes": 3, "edges": 4}, "seed": 0})
TABLE = TableFormat(("map", "agents", "cost"), "a test", text=frozenset({"map"}), whole=frozenset({"agents"}))
ROWS = [{"map": "a", "agents": number, "cost": 1.5 * number} for number in range(5)]
PROBLEMS = "\n".join((DATA / "problems" / "paper-2d-test.csv").read_text(encoding="utf-8").splitlines()[:40]) + "\n"

READERS: dict[str, Reader] = {
    "map": Reader("a.map", lambda path: write_map(path, WALLS), read_map),
    "scen": Reader("a.scen", _scen, read_scen),
    "problem": Reader("a.scen", _scen, lambda path: load_problem(path.with_suffix(".map"), scen=path)),
    "robots": Reader("a.yaml", _text(ROBOTS), load_problem),
    "ros": Reader("a.yaml", lambda path: write_ros_map(path, RosMap(WALLS.astype(np.int8) * 100)), read_ros_map),
    "pgm": Reader("a.pgm", lambda path: path.write_bytes(encode_pgm(WALLS.astype(np.uint8))), read_image),
    "png": Reader("a.png", _png, read_image),
    "geojson": Reader("a.geojson", lambda path: write_geojson(path, _polygons()), lambda path: load_problem(path, agents=1)),
    "plain-geojson": Reader("a.geojson", _text(PLAIN), read_geojson),
    "graph-geojson": Reader("a.geojson", lambda path: write_graph_geojson(path, _graph()), read_graph_geojson),
    "scenario": Reader("a.toml", _text((SCENARIO_FOLDER / "center-dot.toml").read_text()), read_scenario),
    "plan": Reader("a.json", lambda path: _plan().save(path), Plan.load),
    "graph": Reader("a.npz", lambda path: _graph().save(path), StateGraph.load),
    "trajectory": Reader("a.npz", lambda path: _trajectory().save(path), Trajectory.load),
    "training": Reader("a.toml", _text(TRAINING), read_config),
    "run": Reader(
        "config.json", _text(json.dumps({"config": {"scenario": "center-dot"}})), lambda path: read_run_config(path.parent)
    ),
    "policy": Reader("a.safetensors", _policy, load_checkpoint),
    "summary": Reader("summary.json", _text(SUMMARY), lambda path: read_summary(path.parent)),
    "tasks": Reader("a.tasks", _text("# tasks\n2\n0\n3,11\n"), lambda path: read_tasks(path, _graph())),
    "suite": Reader("a.toml", _text((SUITE_FOLDER / "paper-2d.toml").read_text()), read_suite),
    "table": Reader("a.csv", lambda path: TABLE.write(path, ROWS), TABLE.read),
    "packed-table": Reader("a.csv.gz", lambda path: TABLE.write(path, ROWS), TABLE.read),
    "problems": Reader("a.csv", _text(PROBLEMS), read_problem_sets),
    "shard": Reader("a.json", _text(SUMMARY), read_document),
}


def damage(draw: random.Random, valid: bytes) -> bytes:
    """`valid` with one to four of: cut, bytes replaced, tokens put in, lines dropped, doubled or moved, a part repeated."""
    data = valid
    for _ in range(draw.randint(1, 4)):
        at, kind = draw.randint(0, len(data)), draw.randint(0, 7)
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            data = data[:at] + draw.randbytes(draw.randint(1, 4)) + data[at + draw.randint(0, 3) :]
        elif kind in (2, 3):
            data = data[:at] + draw.choice(TOKENS) + data[at + draw.randint(0, 3) :]
        elif kind == 4:
            end = min(len(data), at + draw.randint(1, 40))
            data = data[:end] + data[at:end] * draw.choice((1, 2, 1000)) + data[end:]
        elif kind == 5 and data:
            at = min(at, len(data) - 1)
            data = data[:at] + bytes([data[at] ^ 1 << draw.randint(0, 7)]) + data[at + 1 :]
        else:
            lines = data.split(b"\n")
            number = draw.randrange(len(lines))
            lines[number : number + 1] = [] if kind == 6 else [lines[number]] * 2
            data = b"\n".join(lines)
    return data


@dataclass
class Outcome:
    """Of many damaged files: how many were read and refused, what else was raised, the longest read in processor seconds."""

    read: int = 0
    refused: int = 0
    slowest: float = 0.0
    bytes: int = 0
    faults: list[str] = field(default_factory=list)


def read_damaged(reader: Reader, folder: Path, count: int, seed: int = 0) -> Outcome:
    """Read `count` damaged files; `bytes` is by how much the peak of the process grew."""
    valid, outcome, draw = reader.bytes(folder), Outcome(), random.Random(seed)
    reader.read(folder / reader.name)
    reset_peak()
    before = peak_memory()
    for number in range(count):
        data = damage(draw, valid)
        (folder / reader.name).write_bytes(data)
        began = time.process_time()
        try:
            reader.read(folder / reader.name)
            outcome.read += 1
        except NavplanError as error:
            outcome.refused += 1
            if "\n" in str(error):
                outcome.faults.append(f"{number}: more than one line: {error!r} for {data[:300]!r}")
        except Exception as error:  # what this looks for
            outcome.faults.append(f"{number}: {error!r} for {data[:300]!r}")
        outcome.slowest = max(outcome.slowest, time.process_time() - began)
    outcome.bytes = peak_memory() - before
    return outcome


if __name__ == "__main__":
    for name in sys.argv[2:] or READERS:
        with tempfile.TemporaryDirectory() as place:
            found = read_damaged(READERS[name], Path(place), int(sys.argv[1]))
        figures = f"{found.read} read, {found.refused} refused, slowest {found.slowest:.3f} s, {found.bytes / 1e6:.0f} MB"
        sys.stdout.write("\n  ".join([f"{name}: {figures}, {len(found.faults)} faults", *found.faults[:5]]) + "\n")
