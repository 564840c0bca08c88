"""Fixed sets of multi-agent problems: kept as text, read with their maps checked.

A problem file is CSV with comment lines (``pandas.read_csv(path, comment="#")``), one row per agent::

    # navplan problems: suite paper-2d, split test
    # map center-dot sha256 2f0c...
    map, difficulty, agents, problem, agent, start_row, start_col, goal_row, goal_col, oracle_cost, ...

Coordinates have three decimals. Where the bundled sets come from: `navplan.scenarios.problems.suites`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np

from navplan.errors import FileFormatError, UnknownName
from navplan.scenarios.registry import load_scenario, scenario_names
from navplan.scenarios.scenario import Scenario, scenario_toml
from navplan.system.arrays import Float32, Float64, Int32
from navplan.system.files import read_bytes
from navplan.system.reading import decode_utf8

COST_DECIMALS = 6
"""Of costs in files, and so in sets that are built."""

_KEYS = ("map", "difficulty", "agents", "problem", "agent", "start_row", "start_col", "goal_row", "goal_col")
# Coordinates are kept as float32.
_FARTHEST = 1e30
_ORACLE_KEYS = ("oracle_cost", "oracle_cost_steps", "oracle_steps", "oracle_steps_cost")


@dataclass(frozen=True, eq=False)
class OracleTable:
    """What each agent could do alone, knowing the map (`navplan.scenarios.problems.oracle`).

    Attributes:
        cost: (P, A) float64 cheapest cumulative cost.
        cost_steps: (P, A) int32 fewest steps at that cost.
        steps: (P, A) int32 fewest steps at any cost.
        steps_cost: (P, A) float64 cheapest cumulative cost in that many steps.
    """

    cost: Float64
    cost_steps: Int32
    steps: Int32
    steps_cost: Float64


@dataclass(frozen=True, eq=False)
class ProblemSet:
    """The problems of one cell of a suite.

    Attributes:
        suite, split, map, difficulty: names; `map` is a scenario's.
        map_sha256: of the scenario, as `map_sha256` gives it.
        agents: A.
        starts, goals: (P, A, 2) float32, (row, col).
        oracle: what was possible, or None in files built without.
    """

    suite: str
    split: str
    map: str
    map_sha256: str
    difficulty: str
    agents: int
    starts: Float32
    goals: Float32
    oracle: OracleTable | None = None


def map_sha256(scenario: Scenario) -> str:
    """Hash of what problems and scores depend on: map, hazard, bodies and tolerance; not of words, counts or limits."""
    world = replace(scenario.world, name="")
    bare = Scenario("", world, 1, radius=scenario.radius, goal_tolerance=scenario.goal_tolerance)
    return hashlib.sha256(scenario_toml(bare).encode()).hexdigest()


def problem_sets_text(sets: list[ProblemSet]) -> str:
    """The problem file of some cells, all of one suite and split."""
    out = io.StringIO()
    out.write(f"# navplan problems: suite {sets[0].suite}, split {sets[0].split}\n")
    for name, digest in dict.fromkeys((cell.map, cell.map_sha256) for cell in sets):
        out.write(f"# map {name} sha256 {digest}\n")
    out.write(",".join((*_KEYS, *_ORACLE_KEYS)) + "\n")
    for cell in sets:
        for problem, agent in np.ndindex(*cell.starts.shape[:2]):
            points = [*cell.starts[problem, agent], *cell.goals[problem, agent]]
            out.write(f"{cell.map},{cell.difficulty},{cell.agents},{problem},{agent},")
            out.write(",".join(f"{value:.3f}" for value in points))
            table = cell.oracle
            if table is None:
                out.write(",,,,\n")
                continue
            at = problem, agent
            cost, steps_cost = (f"{values[at]:.{COST_DECIMALS}f}" for values in (table.cost, table.steps_cost))
            out.write(f",{cost},{table.cost_steps[at]},{table.steps[at]},{steps_cost}\n")
    return out.getvalue()


def read_problem_sets(path: str | Path) -> tuple[ProblemSet, ...]:
    """Read a problem file.

    Raises:
        FileAccessError: it cannot be read.
        FileFormatError: it is damaged, or a map is not the one that the problems were drawn on; names file and line.
    """
    file = Path(path)
    lines = decode_utf8(file, read_bytes(file), "a problem file").splitlines()
    words = lines[0].replace(",", " ").split() if lines else []
    if len(words) != 7 or words[:4] != ["#", "navplan", "problems:", "suite"] or words[5] != "split":
        raise FileFormatError(file, "expected '# navplan problems: suite NAME, split NAME'", 1)
    digests: dict[str, str] = {}
    at = 1
    while at < len(lines) and lines[at].startswith("#"):
        words_here = lines[at].split()
        if len(words_here) != 5 or words_here[1] != "map" or words_here[3] != "sha256":
            raise FileFormatError(file, "expected '# map NAME sha256 DIGEST'", at + 1)
        digests[words_here[2]] = _checked_map(file, at + 1, words_here[2], words_here[4])
        at += 1
    if at == len(lines) or tuple(lines[at].split(",")) != (*_KEYS, *_ORACLE_KEYS):
        raise FileFormatError(file, f"expected the columns {','.join((*_KEYS, *_ORACLE_KEYS))}", min(at, len(lines) - 1) + 1)
    rows = [_AgentRow.read(file, at + 2 + k, fields, digests) for k, fields in enumerate(csv.reader(lines[at + 1 :]))]
    cells = [list(group) for _, group in groupby(rows, key=lambda row: row.cell)]
    if len({cell[0].cell for cell in cells}) != len(cells):
        raise FileFormatError(file, "the rows of a cell are not together")
    return tuple(_assemble(file, words[4], words[6], cell, digests) for cell in cells)


@dataclass(frozen=True)
class _AgentRow:
    """One agent of a problem, and the line it stands on."""

    line: int
    cell: tuple[str, str, int]
    problem: int
    agent: int
    points: tuple[float, ...]
    oracle: tuple[float, ...]

    @classmethod
    def read(cls, file: Path, line: int, fields: list[str], maps: dict[str, str]) -> _AgentRow:
        if len(fields) != len(_KEYS) + len(_ORACLE_KEYS):
            raise FileFormatError(file, f"{len(fields)} fields, expected {len(_KEYS) + len(_ORACLE_KEYS)}", line)
        if fields[0] not in maps:
            raise FileFormatError(file, f"map {fields[0]!r} is not among those declared above", line)
        try:
            agents, problem, agent = (int(field) for field in fields[2:5])
            points = tuple(float(field) for field in fields[5:9])
            known = tuple(float(field) for field in fields[9:]) if any(fields[9:]) else ()
        except ValueError as error:
            raise FileFormatError(file, f"{error}, expected a number", line) from error
        if known and not all(0 <= value < 1 << 31 for value in known[1:3]):
            raise FileFormatError(file, "expected steps of fewer than 2**31", line)
        if not all(abs(value) < _FARTHEST for value in points) or any(math.isnan(value) or value < 0 for value in known):
            raise FileFormatError(file, "expected finite coordinates and costs that are not negative", line)
        return cls(line, (fields[0], fields[1], agents), problem, agent, points, known)


def _assemble(file: Path, suite: str, split: str, rows: list[_AgentRow], maps: dict[str, str]) -> ProblemSet:
    map_name, difficulty, agents = rows[0].cell
    for k, row in enumerate(rows):
        if agents < 1 or (row.problem, row.agent) != divmod(k, agents):
            expected = f"problem {k // agents}, agent {k % agents}" if agents > 0 else "at least one agent"
            raise FileFormatError(file, f"problem {row.problem}, agent {row.agent}: expected {expected}", row.line)
        if len(row.oracle) != len(rows[0].oracle):
            raise FileFormatError(file, "the oracle's columns are filled for some agents only", row.line)
    if len(rows) % agents:
        raise FileFormatError(file, f"the last problem has {len(rows) % agents} agents, expected {agents}", rows[-1].line)
    points = np.array([row.points for row in rows]).reshape(-1, agents, 4).astype(np.float32)
    table = None
    if rows[0].oracle:
        cost, cost_steps, steps, steps_cost = np.array([row.oracle for row in rows]).T.reshape(4, -1, agents)
        table = OracleTable(cost, cost_steps.astype(np.int32), steps.astype(np.int32), steps_cost)
    starts, goals = np.ascontiguousarray(points[..., :2]), np.ascontiguousarray(points[..., 2:])
    return ProblemSet(suite, split, map_name, maps[map_name], difficulty, agents, starts, goals, table)


def _checked_map(file: Path, line: int, name: str, digest: str) -> str:
    if name not in scenario_names():
        raise FileFormatError(file, str(UnknownName("scenario", name, scenario_names())), line)
    now = map_sha256(load_scenario(name))
    if digest != now:
        raise FileFormatError(file, f"the problems are for another map {name!r} (sha256 {digest[:12]}, now {now[:12]})", line)
    return now
