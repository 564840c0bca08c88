"""Every reader of files with a small valid file, and what damages it: thousands of files that nobody wrote.

``python -m tests.support.readers COUNT [READER…]`` reads COUNT damaged files with each reader and says how it went.
"""

from __future__ import annotations

import io
import json
import math
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from navplan.bench.evaluate.results import FRONT, RESULTS, front_rows, read_front
from navplan.bench.evaluate.suite import SUITE_FOLDER, read_suite
from navplan.bench.mapf.results import COLUMNS, read_csv, write_csv
from navplan.bench.shards import read_document
from navplan.bench.tables import TableFormat
from navplan.errors import NavplanError
from navplan.execution.trajectory import Trajectory
from navplan.graph.limits import EdgeLimits
from navplan.graph.state_graph import StateGraph
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.recipes.navplan.learner import build_networks
from navplan.learned.training.load import load_checkpoint
from navplan.learned.training.run import new_run
from navplan.learned.training.run_config import read_config, read_run_config
from navplan.learned.training.state import network_arrays
from navplan.learned.training.tensors import CHECKPOINT, write_tensors
from navplan.learned.training.train import train
from navplan.navigation.files import read_summary
from navplan.plan.plan import Plan, make_plan
from navplan.plan.problem import Problem
from navplan.plan.validation import violations
from navplan.planners.lifelong.lifelong import read_tasks
from navplan.planners.solving import solve
from navplan.scenarios.formats.geojson import read_graph_geojson, write_geojson, write_graph_geojson
from navplan.scenarios.formats.images import encode_pgm, read_image
from navplan.scenarios.formats.movingai import ScenRow, read_map, read_scen, write_map, write_scen
from navplan.scenarios.formats.ros_map import RosMap, read_ros_map, write_ros_map
from navplan.scenarios.problems.load import load_problem
from navplan.scenarios.problems.sets import read_problem_sets
from navplan.scenarios.registry import SCENARIO_FOLDER
from navplan.scenarios.scenario import read_scenario
from navplan.scenarios.stated import stated
from navplan.scenarios.worlds.polygons import make_polygon
from navplan.scenarios.worlds.world import Hazard, World
from navplan.system.memory import peak_memory, reset_peak
from navplan.viewer.open import open_scene
from tests.support.mutation import (
    Change,
    archive_changed,
    bytes_changed,
    gzip_changed,
    png_changed,
    safetensors_changed,
    values_changed,
    words_changed,
)

SECONDS, BYTES = 1.0, 200_000_000
DATA = SCENARIO_FOLDER.parent
WALLS = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]], bool)


@dataclass(frozen=True)
class Reader:
    """`write` leaves a valid file called `name` in a folder, and what it needs beside it; `read` takes its path.

    `within` damages what lies deeper than bytes and words: values of JSON, arrays of an archive.
    """

    name: str
    write: Callable[[Path], object]
    read: Callable[[Path], object]
    within: Change | None = None

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
    arrays = network_arrays(build_networks(TINY, (15.0, 15.0), seed=1)) | {"states": np.ones((3, 2), np.float32)}
    write_tensors(path, "policy", arrays, {"config": TINY.to_dict(), "size": [15.0, 15.0], "stage": 2})


def _png(path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).convert("RGBA").save(stream, format="PNG")
    path.write_bytes(stream.getvalue())


def _text(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text, encoding="utf-8")


def _scen(path: Path) -> None:
    write_map(path.with_suffix(".map"), WALLS)
    write_scen(path, [ScenRow(0, "a.map", 4, 3, (0, 0), (2, 3), 5.0), ScenRow(1, "a.map", 4, 3, (2, 3), (0, 0), 5.0)])


def _ros(image: Literal["pgm", "png"]) -> Callable[[Path], object]:
    return lambda path: write_ros_map(path, RosMap(WALLS.astype(np.int8) * 100), image=image)


def _bundled(name: str) -> Callable[[Path], object]:
    return _text((SCENARIO_FOLDER / f"{name}.toml").read_text())


def _one_agent(path: Path) -> object:
    return load_problem(path, agents=1)


def _beside_ros(path: Path) -> object:
    return load_problem(path.with_suffix(".yaml"), agents=1)


def _roads() -> StateGraph:
    """Three states of three columns with positions, rooms, limits and names."""
    return StateGraph(
        states=np.array([[0, 0, 1], [0, 3, 2], [4, 0, 3]], np.float32),
        indptr=np.array([0, 2, 3, 4], np.int32),
        indices=np.array([1, 2, 0, 0], np.int32),
        distance=np.array([3.0, 4.0, 3.0, 4.0]),
        risk=np.array([0.5, 0.0, 0.5, 0.0]),
        wait_risk=np.array([0.0, 0.25, 0.0]),
        limits=EdgeLimits(7.0, math.inf),
        positions=np.array([[0.0, 0.0], [0.0, 3.0], [4.0, 0.0]]),
        node_room=np.array([1.0, math.inf, 0.5]),
        edge_room=np.array([1.0, 0.5, math.inf, 0.25]),
        names=("gate", None, "dock"),
    )


def _planned(path: Path) -> None:
    """A plan beside its map."""
    write_map(path.with_name("a.map"), WALLS)
    solve(load_problem(path.with_name("a.map"), agents=2, radius=0.25), "prioritized").save(path)


def _validated(path: Path) -> object:
    plan = Plan.load(path)
    return violations(plan, stated(plan, path).problem)


def _run_folder(path: Path) -> None:
    _graph().save(path.with_name("graph.npz"))
    _trajectory().save(path.with_name("trajectory.npz"))
    path.write_text(SUMMARY)


def _checkpoint(path: Path) -> None:
    train(SMALL, path.parent)


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
PLACED = """name = "a"
[world]
height = 5
width = 6.5
[[world.polygons]]
outline = [[1.5, 1.5], [1.5, 3.0], [3.0, 3.0]]
holes = [[[1.6, 2.0], [1.6, 2.5], [1.8, 2.5]]]
[hazard]
kind = "cosine"
radius = 1
[agents]
count = 2
radius = 0.25
starts = [[0.5, 0.5], [4.5, 5.5]]
goals = [[4.5, 0.5], [0.5, 5.5]]
"""
RUN = json.dumps({"config": {"scenario": "center-dot", "steps": 200, "curriculum": {"use": "disagreement", "spread": 2}}})
TINY = TrainConfig("center-dot", hidden=2, ensemble=2, distance_bins=3, cost_atoms=4, wavelengths=(), relative_scales=())
SMALL = TINY.replace(steps=4, batch_size=4, updates_per_round=2, num_envs=8, episode_steps=4, warmup_rounds=2, replay_episodes=16)
ROBOTS = "agents:\n- {goal: [2, 0], name: a, start: [0, 0]}\nmap:\n    dimensions: [4, 2]\n    obstacles: [[1, 1]]\n"
SUMMARY = json.dumps({"agents": 2, "success": True, "cost_max": 1.5, "graph": {"nodes": 3, "edges": 4}, "seed": 0})
TABLE = TableFormat(("map", "agents", "cost"), "a test", text=frozenset({"map"}), whole=frozenset({"agents"}))
ROWS = [{"map": "a", "agents": number, "cost": 1.5 * number} for number in range(5)]
PROBLEMS = "\n".join((DATA / "problems" / "paper-2d-test.csv").read_text(encoding="utf-8").splitlines()[:40]) + "\n"

CONTENTS: dict[str, Reader] = {
    "map": Reader("a.map", lambda path: write_map(path, WALLS), read_map),
    "scen": Reader("a.scen", _scen, read_scen),
    "problem": Reader("a.scen", _scen, lambda path: load_problem(path.with_suffix(".map"), scen=path)),
    "robots": Reader("a.yaml", _text(ROBOTS), load_problem),
    "ros": Reader("a.yaml", _ros("pgm"), read_ros_map),
    "pgm": Reader("a.pgm", lambda path: path.write_bytes(encode_pgm(WALLS.astype(np.uint8))), read_image),
    "png": Reader("a.png", _png, read_image, png_changed),
    "ros-pgm": Reader("a.pgm", lambda path: _ros("pgm")(path.with_suffix(".yaml")), _beside_ros),
    "ros-png": Reader("a.png", lambda path: _ros("png")(path.with_suffix(".yaml")), _beside_ros, png_changed),
    "geojson": Reader("a.geojson", lambda path: write_geojson(path, _polygons()), _one_agent, values_changed),
    "plain-geojson": Reader("a.geojson", _text(PLAIN), _one_agent, values_changed),
    "graph-geojson": Reader("a.geojson", lambda path: write_graph_geojson(path, _graph()), _one_agent, values_changed),
    "named-geojson": Reader("a.geojson", lambda path: write_graph_geojson(path, _roads()), read_graph_geojson, values_changed),
    "scenario": Reader("a.toml", _bundled("center-dot"), read_scenario),
    "polygons": Reader("a.toml", _bundled("polygons"), read_scenario),
    "generated": Reader("a.toml", _bundled("warehouse"), read_scenario),
    "placed": Reader("a.toml", _text(PLACED), load_problem),
    "plan": Reader("a.json", lambda path: _plan().save(path), Plan.load, values_changed),
    "validate": Reader("a.json", _planned, _validated, values_changed),
    "graph": Reader("a.npz", lambda path: _graph().save(path), StateGraph.load, archive_changed),
    "roads": Reader("a.npz", lambda path: _roads().save(path), _one_agent, archive_changed),
    "trajectory": Reader("a.npz", lambda path: _trajectory().save(path), Trajectory.load, archive_changed),
    "view-trajectory": Reader("a.npz", lambda path: _trajectory().save(path), open_scene, archive_changed),
    "view-graph": Reader("a.npz", lambda path: _roads().save(path), open_scene, archive_changed),
    "view-plan": Reader("a.json", _planned, open_scene, values_changed),
    "view-scen": Reader("a.scen", _scen, open_scene),
    "view-run": Reader("summary.json", _run_folder, lambda path: open_scene(path.parent), values_changed),
    "summary": Reader("summary.json", _text(SUMMARY), lambda path: read_summary(path.parent), values_changed),
    "tasks": Reader("a.tasks", _text("# tasks\n2\n0\n3,11\n"), lambda path: read_tasks(path, _graph())),
}
"""Maps, problems, plans and what was driven."""

TRAINED: dict[str, Reader] = {
    "training": Reader("a.toml", _text(TRAINING), read_config),
    "paper-training": Reader("a.toml", _text('scenario = "line"\nrecipe = "paper"\nseed = 1\ncost_max = 30.0\n'), read_config),
    "run": Reader("config.json", _text(RUN), lambda path: read_run_config(path.parent), values_changed),
    "policy": Reader("a.safetensors", _policy, load_checkpoint, safetensors_changed),
    "checkpoint": Reader(CHECKPOINT, _checkpoint, lambda path: new_run(SMALL).restore(path), safetensors_changed),
}
"""What training reads and writes."""

TABLES: dict[str, Reader] = {
    "suite": Reader("a.toml", _text((SUITE_FOLDER / "paper-2d.toml").read_text()), read_suite),
    "ablations": Reader("a.toml", _text((SUITE_FOLDER / "ablations.toml").read_text()), read_suite),
    "table": Reader("a.csv", lambda path: TABLE.write(path, ROWS), TABLE.read),
    "packed-table": Reader("a.csv.gz", lambda path: TABLE.write(path, ROWS), TABLE.read, gzip_changed),
    "results": Reader("results.csv", lambda path: RESULTS.write(path, [dict.fromkeys(RESULTS.columns)] * 3), RESULTS.read),
    "front": Reader("pareto.csv", lambda path: FRONT.write(path, front_rows([(0.0, 9.0, 3.5), (1.0, 8.0, 4.5)])), read_front),
    "mapf-results": Reader("results.csv", lambda path: write_csv(path, [dict.fromkeys(COLUMNS)] * 3), read_csv),
    "problems": Reader("a.csv", _text(PROBLEMS), read_problem_sets),
    "shard": Reader("a.json", _text(SUMMARY), read_document, values_changed),
}
"""What benchmarks read and write."""

READERS = {**CONTENTS, **TRAINED, **TABLES}


def damage(draw: random.Random, reader: Reader, valid: bytes) -> bytes:
    """A valid file of `reader` with its bytes or words changed, or what lies deeper within it."""
    changes = [bytes_changed, words_changed, *[reader.within] * 2] if reader.within else [bytes_changed, words_changed]
    return draw.choice(changes)(draw, valid)


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
        data = damage(draw, reader, valid)
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
            where = traceback.extract_tb(error.__traceback__)[-1]
            outcome.faults.append(f"{number}: {error!r} at {where.filename}:{where.lineno} for {data[:300]!r}")
        outcome.slowest = max(outcome.slowest, time.process_time() - began)
    outcome.bytes = peak_memory() - before
    return outcome


if __name__ == "__main__":
    for name in sys.argv[2:] or READERS:
        with tempfile.TemporaryDirectory() as place:
            found = read_damaged(READERS[name], Path(place), int(sys.argv[1]))
        figures = f"{found.read} read, {found.refused} refused, slowest {found.slowest:.3f} s, {found.bytes / 1e6:.0f} MB"
        sys.stdout.write("\n  ".join([f"{name}: {figures}, {len(found.faults)} faults", *found.faults[:5]]) + "\n")
