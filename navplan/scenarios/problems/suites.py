"""Suites of multi-agent problems, drawn once from true geodesic distance, with what is possible on each of them.

Each problem has its own seed, made from the names of all that it belongs to, so splits and cells never share one. Distances are
hops between cells (`navplan.scenarios.worlds.geodesic`), never what a critic predicts.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from navplan.errors import UnknownName
from navplan.scenarios.problems.draw import ProblemDrawer
from navplan.scenarios.problems.oracle import Oracle
from navplan.scenarios.problems.sets import COST_DECIMALS, OracleTable, ProblemSet, map_sha256, read_problem_sets
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.scenario import Scenario
from navplan.scenarios.worlds.geodesic import diameter, occupied_centres
from navplan.scenarios.worlds.moved import with_moved_obstacles
from navplan.system.arrays import Float32, Float64

PROBLEM_FOLDER = Path(__file__).parents[1] / "data" / "problems"

SPLITS = {"tuning": 10, "test": 50}
"""Problems in each cell of a suite, by split: settings are chosen on the one and scores taken on the other."""

START_SPACING, GOAL_SPACING = 1.0, 1.5
# Coordinates are cut to three decimals after drawing: two points come at most 0.0015 closer.
_ROUNDING = 0.002


@dataclass(frozen=True)
class ProblemSuite:
    """What a suite is made of: every map x difficulty x number of agents is a cell.

    Attributes:
        maps: scenario names.
        agents: numbers of agents.
        resolution: spacing of the oracle's lattice (`navplan.scenarios.problems.oracle`, on how it was chosen).
        hops: per difficulty, the wanted geodesic hops from the map's diameter; problems lie within half a hop of it.
        room: cells that starts and goals keep from obstacles and from the edge.
        moved: columns; starts and goals keep that room from the obstacles moved so far, too (`scenarios.worlds.moved`).
    """

    maps: tuple[str, ...]
    agents: tuple[int, ...]
    resolution: float
    hops: dict[str, Callable[[int], float]]
    room: float = 0.0
    moved: int = 0


SUITES = {
    "paper-2d": ProblemSuite(
        ("center-dot",), (1, 5, 10, 20), 0.125, {"easy": lambda _: 2.0, "medium": lambda _: 4.0, "hard": lambda _: 8.0}
    ),
    "long-horizon": ProblemSuite(
        ("four-rooms-modified", "central-obstacle", "four-rooms", "maze-wide", "warehouse-wide"),
        (1, 5, 10, 20, 50),
        0.25,
        {"half": lambda longest: longest / 2},
    ),
    # Room for larger bodies than the networks were trained with, and for the obstacle elsewhere.
    "robust": ProblemSuite(("center-dot",), (5, 20, 50), 0.125, {"hard": lambda _: 8.0}, room=0.4, moved=2),
}


def problem_seed(suite: str, split: str, map_name: str, difficulty: str, agents: int, problem: int) -> int:
    """The 64-bit seed from which one problem is drawn."""
    words = f"navplan problem/{suite}/{split}/{map_name}/{difficulty}/{agents}/{problem}"
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big")


def build_cell(suite: str, split: str, map_name: str, difficulty: str, agents: int, *, with_oracle: bool = True) -> ProblemSet:
    """Draw the problems of one cell; the same everywhere and every time.

    Raises:
        UnknownName: no such suite, split, map, difficulty, or number of agents in the suite.
    """
    made_of = _suite(suite)
    _known("split", split, SPLITS)
    _known(f"map of suite {suite}", map_name, made_of.maps)
    _known(f"difficulty of suite {suite}", difficulty, made_of.hops)
    _known(f"number of agents of suite {suite}", str(agents), [str(count) for count in made_of.agents])
    scenario = load_scenario(map_name)
    wanted = made_of.hops[difficulty](diameter(occupied_centres(scenario.world)))
    drawer = ProblemDrawer(
        scenario.world,
        distance=(wanted - 0.5, wanted + 0.5),
        start_spacing=START_SPACING + _ROUNDING,
        goal_spacing=GOAL_SPACING + _ROUNDING,
        radius=made_of.room + _ROUNDING if made_of.room else 0.0,
        elsewhere=[with_moved_obstacles(scenario.world, made_of.moved)] if made_of.moved else [],
    )
    problems = []
    for problem in range(SPLITS[split]):
        rng = np.random.default_rng(problem_seed(suite, split, map_name, difficulty, agents, problem))
        problems.append([_cut(points) for points in drawer.draw(agents, rng)])
    starts = np.stack([pair[0] for pair in problems])
    goals = np.stack([pair[1] for pair in problems])
    table = oracle_table(scenario, starts, goals, made_of.resolution) if with_oracle else None
    return ProblemSet(suite, split, map_name, map_sha256(scenario), difficulty, agents, starts, goals, table)


def build_problem_sets(suite: str, split: str = "test", *, with_oracle: bool = True) -> Iterator[ProblemSet]:
    """All cells of a suite, one after the other; raises as `build_cell`."""
    made_of = _suite(suite)
    for map_name in made_of.maps:
        for difficulty in made_of.hops:
            for agents in made_of.agents:
                yield build_cell(suite, split, map_name, difficulty, agents, with_oracle=with_oracle)


def oracle_table(scenario: Scenario, starts: Float32, goals: Float32, resolution: float) -> OracleTable:
    """The oracle's columns for starts and goals (P, A, 2)."""
    shape, pairs = starts.shape[:2], (starts.reshape(-1, 2), goals.reshape(-1, 2))
    oracle = Oracle(scenario.world, tolerance=scenario.goal_tolerance, resolution=resolution)
    cheapest, fastest = oracle.solve(*pairs), oracle.solve(*pairs, math.inf)
    # Both are found by search and polish: the one may come out a trifle better by the other's measure.
    better = fastest.cost < cheapest.cost
    cost: Float64 = np.where(better, fastest.cost, cheapest.cost)
    cost_steps = np.where(better, fastest.steps, cheapest.steps)
    sooner = cost_steps < fastest.steps
    steps, steps_cost = np.where(sooner, cost_steps, fastest.steps), np.where(sooner, cost, fastest.cost)
    # Rounded as in files, so that a set read back is the set that was built.
    return OracleTable(
        cost.round(COST_DECIMALS).reshape(shape),
        cost_steps.astype(np.int32).reshape(shape),
        steps.astype(np.int32).reshape(shape),
        steps_cost.round(COST_DECIMALS).reshape(shape),
    )


def load_problem_sets(suite: str, split: str = "test") -> tuple[ProblemSet, ...]:
    """The bundled problems of a suite, one set per cell.

    Raises:
        UnknownName: no such suite or split.
        FileFormatError: the file is damaged, or a map is not the one that the problems were drawn on.
    """
    _suite(suite)
    _known("split", split, SPLITS)
    return read_problem_sets(PROBLEM_FOLDER / f"{suite}-{split}.csv")


def _cut(points: Float32) -> Float32:
    """Coordinates cut to three decimals: cutting never leaves the cell, rounding would."""
    return (np.floor(points.astype(np.float64) * 1000) / 1000).astype(np.float32)


def _suite(name: str) -> ProblemSuite:
    _known("suite", name, SUITES)
    return SUITES[name]


def _known(kind: str, name: str, among: Collection[str]) -> None:
    if name not in among:
        raise UnknownName(kind, name, among)
