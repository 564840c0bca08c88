"""Benchmarks: each suite measures navplan and a named peer in one run and reports ratios."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TypedDict

from navplan.errors import UnknownName
from navplan.system.progress import Progress, told

SUITES: dict[str, str] = {
    "env": "agent-steps per second of the environment, with costs",
    "search": "shortest paths and Conflict-Based Search",
    "graph": "building the state graph from critics",
    "mapf": "multi-agent planners on MovingAI maps: success rate, runtime, sum of costs (see --maps)",
    "compile": "compiling each planner's kernels into an empty cache",
    "learn": "training updates and collection steps per second",
    "converge": "what makes training with many environments converge: short runs without one part each",
}

# Suites that are more than one module of the room `speed`.
_MODULES = {"mapf": "navplan.bench.mapf.generated"}


class Row(TypedDict):
    """One measured figure.

    `ratio` is navplan's speed over the peer's in the same run (above 1: navplan is faster), or None without a peer.
    """

    name: str
    value: float
    unit: str
    peer: str
    ratio: float | None
    note: str


def run_suite(name: str, *, quick: bool = False, progress: Progress = None) -> list[Row]:
    """Run one suite.

    Args:
        quick: small sizes, for a first look; the figures are then not those of the documentation.
        progress: who is told how far it is; see `navplan.system.progress.Progress`.

    Raises:
        UnknownName: no such suite.
    """
    if name not in SUITES:
        raise UnknownName("suite", name, SUITES)
    run: Callable[[bool], list[Row]] = importlib.import_module(_MODULES.get(name, f"navplan.bench.speed.{name}")).run
    with told(progress) as listener:
        listener.stage(f"running suite {name}")
        return run(quick)
