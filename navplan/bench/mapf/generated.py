"""The suite on generated maps, for a first look without benchmark files."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np

from navplan.bench import Row
from navplan.bench.mapf.config import Config
from navplan.bench.mapf.instances import find_instances
from navplan.bench.mapf.results import groups
from navplan.bench.mapf.shards import chains, collect
from navplan.bench.processes import Processes
from navplan.bench.shards import Tally
from navplan.graph.state_graph import StateGraph
from navplan.scenarios.formats.movingai import ScenRow, write_map, write_scen
from navplan.scenarios.problems.pairs import draw_pairs
from navplan.scenarios.worlds.generators import generate
from navplan.system.progress import heard

KINDS = ("random", "rooms", "maze", "warehouse")


def write_instances(folder: Path, scens: int, agents: int, kinds: tuple[str, ...] = KINDS) -> None:
    """Write KIND.map and KIND-drawn-1.scen and so on: starts and goals at random, each goal in reach."""
    for kind in kinds:
        walls = generate(kind, 0)
        write_map(folder / f"{kind}.map", walls)
        graph = StateGraph.from_grid(walls)
        height, width = walls.shape
        for number in range(1, scens + 1):
            starts, goals = draw_pairs(graph, agents, np.random.default_rng(number))
            cells = [np.floor(graph.states[ids]).astype(int).tolist() for ids in (starts, goals)]
            rows = [ScenRow(0, f"{kind}.map", width, height, tuple(s), tuple(g), 0.0) for s, g in zip(*cells, strict=True)]
            write_scen(folder / f"{kind}-drawn-{number}.scen", rows)


def run(quick: bool) -> list[Row]:
    """The suites' common entry: every planner for many agents on generated maps of the field's kinds, no files needed.

    A row for each planner, map and number of agents.
    """
    teams = (5, 10) if quick else (10, 20, 40, 60)
    kinds = ("random",) if quick else KINDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_instances(folder, 1 if quick else 3, max(teams), kinds)
        config = Config(folder, folder / "out", agents=teams, time_limit=1.0 if quick else 10.0)
        work = chains(config, find_instances(folder))
        runs = sum(len(chain.shards) for chain in work)
        tally = Tally(runs, heard(), "solved", lambda done: bool(done.document and done.document["solved"]))
        Processes(one_group=True).run(work, config.out, tally)
        rows = collect(work, config.out)
    return [
        Row(
            name=f"{group.planner}, {group.map_name}, {group.agents} agents",
            value=math.nan if group.solved_s is None else 1e3 * group.solved_s,
            unit="ms",
            peer="",
            ratio=None,
            note=f"median of {group.solved}/{group.runs} solved in {group.time_limit:g} s"
            + ("" if group.ratio is None else f"; sum of costs at most {group.ratio:.3f} x optimum"),
        )
        for group in groups(rows)
    ]
