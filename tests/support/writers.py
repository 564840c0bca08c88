"""Everything that navplan writes, as cases for `tests.support.faults`: killed anywhere, nothing is lost or different.

``python -m tests.support.writers CASE [--every K] [--random N]`` kills the case at each K-th of its file operations and N times
at random moments, each time on a copy of what was there before; then it looks at what is left, does the work again, and
compares it with what an undisturbed process leaves. One line of JSON with counts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from navplan.bench.processes import ONE_THREAD
from navplan.system.files import is_temporary
from tests.support.faults import KILLED, count_operations, ended_at, forked, moments

Contents = Mapping[str, Any]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below the folder but what a killed process may leave, by its name."""
    files = [path for path in folder.rglob("*") if path.is_file() and not is_temporary(path)]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def leftovers(folder: Path) -> list[str]:
    """What killed processes have left below the folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if is_temporary(path))


def age(folder: Path) -> None:
    """Make all leftovers two hours old."""
    then = time.time() - 7200
    for path in folder.rglob("*"):
        if is_temporary(path) or ".tmp." in path.name:
            os.utime(path, (then, then))


@dataclass(frozen=True)
class Case:
    """One kind of writer.

    Attributes:
        work: writes below a folder; done again it goes on, or writes the same again.
        before: leaves below a folder what was there before; by default nothing.
        result: what has to be the same however often the work was killed: the contents of the folder, by default.
        look: raises where what is left below a folder cannot be used; called after each kill.
        whole: each file that is left is the old one or the new one, byte for byte.
    """

    work: Callable[[Path], object]
    before: Callable[[Path], object] = lambda folder: None
    result: Callable[[Path], Contents] = contents
    look: Callable[[Path], object] = lambda folder: None
    whole: bool = True

    def run(self, every: int, count: int, seed: int = 0) -> dict[str, int]:
        """Kill it at every `every`-th operation and `count` times at random; how often each was done."""
        with tempfile.TemporaryDirectory() as name:
            home = Path(name).resolve()
            start, end = home / "before", home / "after"
            start.mkdir()
            assert forked(lambda: self.before(start)) == 0
            shutil.copytree(start, end)
            began = time.monotonic()
            assert forked(lambda: self.work(end)) == 0
            seconds = time.monotonic() - began
            old, new, wanted = contents(start), contents(end), self.result(end)
            shutil.copytree(start, home / "count")
            total = count_operations(home / "count", lambda: self.work(home / "count"))
            killed = 0
            for at in range(1, total + 1, every):
                folder = shutil.copytree(start, home / f"at-{at}")
                killed += ended_at(folder, at, lambda where=folder: self.work(where))  # type: ignore[misc]
                self._examine(folder, old, new, wanted, f"operation {at} of {total}")
            assert killed >= (total + every - 1) // every - 3, (killed, total)
            by_chance = tried = 0
            for delay in moments(seed, 5 * count, seconds):
                if by_chance < count:
                    folder = shutil.copytree(start, home / f"after-{delay}")
                    by_chance += forked(lambda where=folder: self.work(where), delay) == KILLED  # type: ignore[misc]
                    self._examine(folder, old, new, wanted, f"{delay:.4f} s of {seconds:.4f}")
                    tried += 1
        return {"operations": total, "killed": killed, "tried_at_random": tried, "killed_at_random": by_chance}

    def _examine(self, folder: Path, old: Contents, new: Contents, wanted: Contents, when: str) -> None:
        """After a kill: old or new, of use, and the same in the end."""
        there = contents(folder)
        if self.whole:
            for name in old.keys() | there.keys():
                known = [part[name] for part in (old, new) if name in part]
                assert there.get(name) in known or (name not in there and name not in old), f"{name} is neither after {when}"
        assert forked(lambda: self.look(folder)) == 0, when
        age(folder)
        assert forked(lambda: self.work(folder)) == 0, f"cannot be done again after {when}"
        again = self.result(folder)
        assert again.keys() == wanted.keys(), f"{sorted(again)} after {when}"
        for name, value in wanted.items():
            np.testing.assert_array_equal(again[name], value, err_msg=f"{name} after {when}")
        assert leftovers(folder) == [], when
        shutil.rmtree(folder)


# -- single files ----------------------------------------------------------------------------------------------------------------


def _grid(seed: int) -> Any:
    from navplan.graph.state_graph import StateGraph

    return StateGraph.from_grid(np.random.default_rng(seed).random((6, 6)) < 0.1 * seed)


def _plan(folder: Path, seed: int) -> None:
    from navplan.plan.plan import make_plan
    from navplan.plan.problem import Problem

    problem = Problem(_grid(seed), [0], [1])
    make_plan(problem, "astar", "optimal", [[0, 1]], runtime_s=0.5 + seed).save(folder / "plan.json")


def _trajectory(folder: Path, seed: int) -> None:
    from navplan.execution.simulator import record
    from navplan.plan.plan import Plan
    from navplan.scenarios.environments.point import PointEnv
    from navplan.scenarios.worlds.world import World

    env = PointEnv(World.from_walls("floor", np.zeros((9, 9), bool)), num_envs=1, num_agents=1, rng=np.random.default_rng(seed))
    env.reset(starts=np.full((1, 2), 2.5 + seed, np.float32), goals=np.full((1, 2), 4.5, np.float32))
    record(env, env.states[0].copy(), [], Plan("unsolved", "none", 1)).save(folder / "trajectory.npz")


def _graph(folder: Path, seed: int) -> None:
    _grid(seed).save(folder / "graph.npz")


def _scenarios(folder: Path, seed: int) -> None:
    from navplan.scenarios.formats.geojson import write_geojson
    from navplan.scenarios.formats.images import write_png
    from navplan.scenarios.formats.movingai import ScenRow, write_map, write_scen
    from navplan.scenarios.formats.ros_map import RosMap, write_ros_map
    from navplan.scenarios.registry import load_scenario

    walls = np.zeros((4 + seed, 5), bool)
    write_map(folder / "a.map", walls)
    write_scen(folder / "a.scen", [ScenRow(0, "a.map", 5, 4 + seed, (0, 0), (1, 1), 2.0)])
    write_geojson(folder / "a.geojson", replace(load_scenario("polygons").world, name=f"world-{seed}"))
    write_png(folder / "a.png", np.full((4, 4 + seed), 7, np.uint8))
    write_ros_map(folder / "b.yaml", RosMap(np.where(walls, 100, 0).astype(np.int8), resolution=0.05 * seed))
    load_scenario("center-dot" if seed == 1 else "four-rooms").save(folder / "a.toml")


def _load_all(folder: Path) -> None:
    """Whatever is there can be read."""
    from navplan.execution.trajectory import Trajectory
    from navplan.graph.state_graph import StateGraph
    from navplan.plan.plan import Plan
    from navplan.scenarios.maps import load_map
    from navplan.scenarios.registry import load_scenario

    readers: dict[str, Callable[[Path], object]] = {
        ".map": load_map,
        ".yaml": load_map,
        ".geojson": load_map,
        ".toml": load_scenario,
        ".npz": StateGraph.load,
        ".json": Plan.load,
    }
    for path in folder.iterdir():
        if path.name == "trajectory.npz":
            Trajectory.load(path)
        elif path.suffix in readers and not is_temporary(path):
            readers[path.suffix](path)


def _single(write: Callable[[Path, int], None]) -> Case:
    """A file (or a few) written over an older one."""
    return Case(lambda folder: write(folder, 2), lambda folder: write(folder, 1), look=_load_all)


# -- folders of runs -------------------------------------------------------------------------------------------------------------


def _tiny_run() -> Any:
    from navplan.learned.recipes.navplan.config import TrainConfig

    small = {"batch_size": 16, "hidden": 8, "num_envs": 8, "warmup_rounds": 2, "replay_episodes": 40, "export_states": 50}
    spaced = {"updates_per_round": 4, "checkpoint_interval": 12, "log_interval": 20, "multiplier_window": 8}
    return TrainConfig("center-dot", seed=5, threads=1, steps=40, **small, **spaced)


def _train(folder: Path) -> None:
    """Start a run, or go on with it, as its user would."""
    from navplan.learned.training.train import train

    run = folder / "run"
    train(_tiny_run(), run, resume=(run / "config.json").exists())


def _trained(folder: Path) -> Contents:
    from safetensors.numpy import load_file

    arrays = load_file(folder / "run" / "checkpoint.safetensors")
    arrays["curves"] = arrays["curves"][:, :-1]  # the last column is seconds
    exports = {name: (folder / "run" / name).read_bytes() for name in ("policy.safetensors", "stage1.safetensors")}
    rows = [line.split(",") for line in (folder / "run" / "curves.csv").read_text().splitlines()]
    seconds = rows[0].index("seconds")
    return {**arrays, **exports, "rows": [[v for k, v in enumerate(row) if k != seconds] for row in rows]}


def _evaluate(folder: Path) -> None:
    """In one process, without pictures: those are single files."""
    from matplotlib.figure import Figure

    import navplan.bench.evaluate.run as module
    from navplan.bench.evaluate.suite import load_suite
    from navplan.bench.shards import Serial
    from tests.support.suites import write_suite

    Figure.savefig = lambda figure, file, **options: None  # type: ignore[method-assign,assignment]
    module.Processes = lambda *_, **__: Serial()  # type: ignore[misc,assignment]
    place = folder.parent / "suite"
    if not place.exists():
        place.mkdir()
        write_suite(place)
    outcome = module.evaluate(load_suite(str(place / "quick.toml")), folder / "out")
    assert not outcome.failures


def _evaluated(folder: Path) -> Contents:
    out = folder / "out"
    return {"results": (out / "results.csv").read_bytes(), "shards": sorted(path.name for path in (out / "shards").iterdir())}


def _bench(folder: Path) -> None:
    from matplotlib.figure import Figure

    import navplan.bench.mapf.run as module
    from navplan.bench.mapf.config import Config
    from navplan.bench.mapf.generated import write_instances
    from navplan.bench.shards import Serial

    Figure.savefig = lambda figure, file, **options: None  # type: ignore[method-assign,assignment]
    module.Processes = lambda *_, **__: Serial()  # type: ignore[misc,assignment]
    maps = folder.parent / "maps"
    if not maps.exists():
        write_instances(maps, 1, 6, ("random",))
    module.run_mapf(Config(maps, folder / "out", ("prioritized", "pibt"), agents=(3, 6), plans=True))


def _benched(folder: Path) -> Contents:
    import csv

    rows = list(csv.DictReader((folder / "out" / "results.csv").read_text().splitlines()))
    timed = ("_s", "_mb")
    names = sorted(path.name for room in ("shards", "plans") for path in (folder / "out" / room).iterdir())
    return {"rows": [[v for k, v in row.items() if not k.endswith(timed)] for row in rows], "names": names}


KERNEL = """from navplan.kernels.common.jit import kernel

@kernel
def add(a, b):
    return a + b
"""


def _compile(folder: Path) -> None:
    """Compile a kernel, or load it; then use it. Its process finds its cache in the folder."""
    import importlib.util

    os.environ["NUMBA_CACHE_DIR"] = str(folder / "cache")
    source = folder.parent / "own.py"
    if not source.exists():
        source.write_text(KERNEL)
    spec = importlib.util.spec_from_file_location("own", source)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["own"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.add(2, 3) == 5
    assert module.add(2.5, 3.0) == 5.5


def _compiled(folder: Path) -> Contents:
    """As many files, none of them in the making; what is in them names processes."""
    return {"files": sorted(path.suffix for path in (folder / "cache").rglob("*") if path.is_file())}


CASES: dict[str, Case] = {
    "plan": _single(_plan),
    "trajectory": _single(_trajectory),
    "graph": _single(_graph),
    "scenarios": _single(_scenarios),
    "train": Case(_train, result=_trained, whole=False),
    "evaluate": Case(_evaluate, result=_evaluated, whole=False),
    "bench": Case(_bench, result=_benched, whole=False),
    "kernels": Case(_compile, result=_compiled, whole=False),
}


def _ready(case: str) -> None:
    """Import and load what the case needs, once for all forks; without threads, which a fork does not have."""
    os.environ.update(ONE_THREAD)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "once"
        folder.mkdir()
        if case != "kernels":
            CASES[case].before(folder)
            CASES[case].work(folder)


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--random", type=int, default=0)
    asked = parser.parse_args()
    _ready(asked.case)
    sys.stdout.write(json.dumps({"case": asked.case, **CASES[asked.case].run(asked.every, asked.random)}) + "\n")


if __name__ == "__main__":
    sys.exit(main())
