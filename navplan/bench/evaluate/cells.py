"""Cells of an evaluation: the first problems of a kind, with what an oracle finds for them and the steps that agents have."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass

import numpy as np

from navplan.bench.evaluate.score import budget_of
from navplan.bench.evaluate.suite import Suite
from navplan.errors import InvalidInput
from navplan.system.arrays import Float32, Float64, Int64


@dataclass(frozen=True, eq=False)
class Cell:
    """Problems of one kind, the first ones of a problem set.

    Attributes:
        starts, goals: (P, A, 2) float32.
        oracle_cost, oracle_steps: (P, A) float64, each agent alone on the map.
        budgets: (P,) int64 steps of every agent.
    """

    map: str
    map_sha256: str
    difficulty: str
    agents: int
    starts: Float32
    goals: Float32
    oracle_cost: Float64
    oracle_steps: Float64
    budgets: Int64

    def first(self, problems: int) -> Cell:
        """The first so many of its problems."""
        names = ("starts", "goals", "oracle_cost", "oracle_steps", "budgets")
        return dataclasses.replace(self, **{name: getattr(self, name)[:problems] for name in names})

    def digest(self) -> str:
        """Hex SHA-256 of the problems and their budgets."""
        made = hashlib.sha256()
        for array in (self.starts, self.goals, self.oracle_cost, self.oracle_steps, self.budgets):
            made.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
        return made.hexdigest()

    @property
    def where(self) -> tuple[str, str, int]:
        """Map, difficulty, agents."""
        return self.map, self.difficulty, self.agents

    @property
    def label(self) -> str:
        """Map, difficulty, agents, as text."""
        return f"{self.map} {self.difficulty} {self.agents}"


def cells_of(suite: Suite) -> list[Cell]:
    """The suite's problems, by map, difficulty and agents in the suite's order.

    Raises:
        InvalidInput: the problem set lacks a cell, problems or the oracle; or as `load_problem_sets`.
    """
    from navplan.scenarios.problems.sets import read_problem_sets
    from navplan.scenarios.problems.suites import load_problem_sets

    file = suite.problem_set.endswith(".csv")
    sets = read_problem_sets(suite.problem_set) if file else load_problem_sets(suite.problem_set, suite.split)
    found = {(one.map, one.difficulty, one.agents): one for one in sets}
    cells = []
    for where in [(m, d, a) for m in suite.maps for d in suite.difficulties for a in suite.agents]:
        one = found.get(where)
        name = f"problem set {suite.problem_set}: {where[0]}, {where[1]}, {where[2]} agents"
        if one is None or len(one.starts) < suite.problems:
            raise InvalidInput(f"{name}: {0 if one is None else len(one.starts)} problems, expected {suite.problems}")
        if one.oracle is None:
            raise InvalidInput(f"{name}: has no oracle columns, expected a file built with them")
        kept = slice(suite.problems)
        steps = np.asarray(one.oracle.steps[kept], dtype=np.float64)
        budgets = [budget_of(row, suite.budget, suite.budget_factor) for row in steps]
        cells.append(
            Cell(
                map=one.map,
                map_sha256=one.map_sha256,
                difficulty=one.difficulty,
                agents=one.agents,
                starts=np.asarray(one.starts[kept]),
                goals=np.asarray(one.goals[kept]),
                oracle_cost=np.asarray(one.oracle.cost[kept], dtype=np.float64),
                oracle_steps=steps,
                budgets=np.asarray(budgets, dtype=np.int64),
            )
        )
    return cells
