"""Small suites and made-up rows for the tests of `navplan evaluate`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from navplan.bench.evaluate.results import RESULTS
from navplan.bench.evaluate.suite import Figures, Suite, load_suite
from navplan.scenarios.problems.draw import draw_problem
from navplan.scenarios.problems.sets import OracleTable, ProblemSet, map_sha256, problem_sets_text
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.worlds.geodesic import geodesic_steps

HOPS = {"easy": (2, 2), "medium": (4, 4), "hard": (8, 8), "half": (20, 30)}


def write_problems(path: Path, map_name: str, difficulties: tuple[str, ...], agents: int = 2, problems: int = 2) -> None:
    """A problem file with made-up oracle columns."""
    scenario, rng = load_scenario(map_name), np.random.default_rng(5)
    sets = []
    for difficulty in difficulties:
        room = scenario.radius + 0.01  # for bodies, once coordinates are rounded
        drawn = [draw_problem(scenario.world, agents, rng, distance=HOPS[difficulty], radius=room) for _ in range(problems)]
        starts = np.floor(np.stack([pair[0] for pair in drawn]) * 1000) / 1000
        goals = np.floor(np.stack([pair[1] for pair in drawn]) * 1000) / 1000
        steps = np.stack([geodesic_steps(scenario.world, *pair) for pair in drawn]).astype(np.int32)
        cost = np.round(0.1 * steps, 4)
        table = OracleTable(cost, steps, steps, cost)
        digest = map_sha256(scenario)
        sets.append(ProblemSet("tiny", "test", map_name, digest, difficulty, agents, starts, goals, table))
    path.write_text(problem_sets_text(sets))


def tiny(name: str, folder: Path) -> Suite:
    """A committed suite, cut down to two problems of two agents on one bundled map, with small graphs."""
    suite = load_suite(name)
    map_name = "four-rooms-modified" if "half" in suite.difficulties else "center-dot"
    difficulties = suite.difficulties[-1:]
    write_problems(folder / f"{name}.csv", map_name, difficulties)
    settings = tuple(replace(one, options={**one.options, "graph_nodes": 60}) for one in suite.settings)
    return replace(
        suite,
        problem_set=str(folder / f"{name}.csv"),
        maps=(map_name,),
        difficulties=difficulties,
        agents=(2,),
        problems=2,
        train_seeds=(0,),
        settings=settings,
        draws=200,
        figures=None if suite.figures is None else Figures(map_name, difficulties[0], 2, 0, (0.1, 1.0)),
    )


SUITE = """
problem_set = "problems.csv"
maps = ["center-dot"]
difficulties = ["easy"]
agents = [2]
problems = 2
budget = 30
train_seeds = [0]
[bootstrap]
draws = 50
[[settings]]
method = "policy"
[[settings]]
method = "constrained-policy"
"""


def write_suite(folder: Path, text: str = SUITE) -> Path:
    """A suite file of two quick methods beside its problems."""
    write_problems(folder / "problems.csv", "center-dot", ("easy",))
    (folder / "quick.toml").write_text(text)
    return folder / "quick.toml"


def row(**changes: Any) -> dict[str, Any]:
    """A row of results.csv: one agent that succeeds."""
    base: dict[str, Any] = dict.fromkeys(RESULTS.columns)
    base |= {"suite": "paper-2d", "map": "center-dot", "map_sha256": "0", "difficulty": "hard", "agents": 1, "problem": 0}
    base |= {"method": "navplan", "setting": "default", "train_seed": 0, "success": True, "reached": True, "agent_contacts": 0}
    base |= {"cost_max": 1.0, "cost_mean": 1.0, "cost_total": 1.0, "oracle_cost_max": 0.5, "oracle_cost_mean": 0.5}
    base |= {"steps_mean": 9.0, "steps_max": 9, "steps_total": 9, "oracle_steps_mean": 8.0, "status": "success", "arrived": 1}
    base |= {"oracle_cost_total": 0.5, "oracle_steps_max": 8.0, "budget": 300, "wall_contacts": 0, "bumps": 0, "replans": 0}
    return {**base, "plan_status": "", "checkpoint_sha256": "0", "reason": "", **changes}
