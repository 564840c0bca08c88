"""Suite `compile`: how long planners' kernels take to compile into an empty cache, and what starting costs afterwards.

Starting is `navplan solve` for 20 agents on a map of 32 x 32 cells, a fifth of them walls, in processor time, beside importing
numba.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from navplan.bench import Row
from navplan.planners.registry import usable
from navplan.system.cores import cores
from navplan.system.progress import heard

# Prints wall seconds of compiling what one planner needs for one kind of problem, imports not included.
PROGRAM = (
    "import sys, time; from navplan.planners.warm_up import compile_planner; began = time.perf_counter(); "
    "compile_planner(*sys.argv[1:]); print(time.perf_counter() - began)"
)
# Prints processor seconds of the command that its arguments are, medians of several runs of it.
CLOCK = (
    "import json, resource, subprocess, sys\nran = []\nfor _ in range(int(sys.argv[1])):\n"
    "    before = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
    "    subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)\n"
    "    after = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
    "    ran.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)\nprint(json.dumps(sorted(ran)))\n"
)
STARTED = ("cbs", "lacam", "pibt")
QUICK = ("astar",)


def run(quick: bool = False) -> list[Row]:
    """Every planner for unit costs ("hops") and for any costs ("cost"), each with a cache of its own; all; and starting."""
    runs = [(planner, weight) for planner in usable() if not quick or planner in QUICK for weight in ("hops", "cost")]
    rows: list[Row] = []
    for done, (planner, weight) in enumerate(runs):
        heard().show(done, len(runs), f"{planner}, {weight}")
        rows += _rows(planner, weight)
    return [*rows, *([] if quick else _all()), *_starting(1 if quick else 7, QUICK if quick else STARTED)]


def _rows(planner: str, weight: str) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        cold, warm = (float(_output([sys.executable, "-c", PROGRAM, planner, weight], environment)) for _ in range(2))
    return [_row(f"compile {planner}, {weight}", cold, f"from the cache {warm:.2f} s")]


def _all() -> list[Row]:
    """All planners by one command."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        program = (
            "import time; from navplan.planners.compile_all import compile_all; began = time.perf_counter(); compile_all(); "
            "print(time.perf_counter() - began)"
        )
        seconds = float(_output([sys.executable, "-c", program], environment))
    return [_row("compile all planners", seconds, f"navplan doctor --compile, {cores()} cores")]


def _starting(repeats: int, planners: tuple[str, ...]) -> list[Row]:
    """Processor time of whole commands whose kernels are in the cache."""
    from navplan.scenarios.formats.movingai import write_map

    peer = _processor_time([sys.executable, "-c", "import numba"], repeats)
    rows = [_beside("navplan --help", [sys.executable, "-m", "navplan", "--help"], repeats, peer)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.map"
        write_map(path, np.random.default_rng(0).random((32, 32)) < 0.2)
        for planner in planners:
            agents = ["--agents", "1" if planner in QUICK else "20"]
            command = [sys.executable, "-m", "navplan", "solve", "--map", str(path), *agents, "--planner", planner]
            rows.append(_beside(f"navplan solve, {planner}, {agents[1]} agent{'s' * (agents[1] != '1')}", command, repeats, peer))
    return rows


def _beside(name: str, command: list[str], repeats: int, peer: float) -> Row:
    _processor_time(command, 1)  # fills the cache
    seconds = _processor_time(command, repeats)
    note = f"processor time of the whole process, median of {repeats}; peer {peer:.2f} s, that is {seconds / peer:.2f} times it"
    return Row(name=name, value=round(seconds, 3), unit="s", peer='python -c "import numba"', ratio=peer / seconds, note=note)


def _processor_time(command: list[str], repeats: int) -> float:
    return float(np.median(json.loads(_output([sys.executable, "-c", CLOCK, str(repeats), *command], dict(os.environ)))))


def _output(command: list[str], environment: dict[str, str]) -> bytes:
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout


def _row(name: str, seconds: float, note: str) -> Row:
    return Row(name=name, value=round(seconds, 2), unit="s", peer="", ratio=None, note=note)
