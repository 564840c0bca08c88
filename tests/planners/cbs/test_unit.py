"""What CBS on grids asks about single agents and pairs, against every path there is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from navplan.graph.prepared import PreparedGraph
from navplan.plan.problem import Problem
from navplan.plan.validation import validate
from navplan.planners.base import Clock
from navplan.planners.cbs.unit.problem import UnitProblem
from navplan.planners.cbs.unit.rules import FOREVER, Rule
from navplan.planners.cbs.unit.tree import UnitTree
from navplan.planners.solving import solve
from navplan.planners.weighted import Weighted, distance_tables
from navplan.scenarios.problems.load import load_problem
from tests.support.folders import MOVINGAI, needs_movingai
from tests.support.instances import tight_grid
from tests.support.naive import planning as naive

Path = tuple[int, ...]
# Cost up to which paths are listed.
LONGEST = 6


def units_of(problem: Problem) -> UnitTree | None:
    """None when an agent cannot reach its goal."""
    weighted = Weighted.of(problem, PreparedGraph(problem.graph))
    clock = Clock(None)
    tables = distance_tables(weighted, problem.goals, clock)
    far = np.isinf(tables[np.arange(problem.num_agents), problem.starts]).any()
    return None if far else UnitTree(UnitProblem.of(problem, weighted, tables, clock))


def paths_of(problem: Problem, agent: int, rules: frozenset[Rule], cost: int) -> list[Path]:
    """Every path within `rules` whose last arrival is at `cost`."""
    edges = naive.successors(problem)
    goal = int(problem.goals[agent])

    def barred(u: int, v: int, time: int) -> bool:
        return any(rule.node == v and rule.low <= time <= rule.high and rule.origin in (-1, u) for rule in rules)

    def rests_too_soon() -> bool:
        return any(cost < r.low if r.node < 0 else r.node == goal and r.origin < 0 and r.high >= cost for r in rules)

    start = int(problem.starts[agent])
    found: list[Path] = [] if barred(-1, start, 0) else [(start,)]
    for time in range(1, cost + 1):
        found = [(*p, v) for p in found for v in [p[-1], *(head for head, _ in edges[p[-1]])] if not barred(p[-1], v, time)]
    return [p for p in found if p[-1] == goal and (cost == 0 or p[-2] != goal) and not rests_too_soon()]


def met(one: Path, other: Path) -> int:
    """Conflicts of two paths up to the end of the first."""
    count = 0
    for time in range(len(one)):
        v, y = one[time], other[min(time, len(other) - 1)]
        u, x = one[max(time - 1, 0)], other[min(max(time - 1, 0), len(other) - 1)]
        count += (v == y) + (u != v and u == y and v == x)
    return count


def apart(one: Path, other: Path) -> bool:
    """True when two agents never conflict, at rest at their goals for ever."""
    return met(one, other) == 0 and met(other, one) == 0


class Drawn:
    """An agent of a random problem with random rules, its least cost and all its paths of it."""

    def __init__(self, units: UnitTree, problem: Problem, agent: int, rng: np.random.Generator) -> None:
        rules = set()
        for _ in range(int(rng.integers(0, 4))):
            since = int(rng.integers(1, 6))
            origin = int(rng.integers(-2, problem.graph.num_nodes))
            rules.add(Rule(int(rng.integers(problem.graph.num_nodes)), since, since + int(rng.integers(0, 2)), max(origin, -1)))
        if rng.random() < 0.2:
            rules.add(Rule(-1, int(rng.integers(1, 7)), FOREVER))
        self.agent = agent
        self.rules = frozenset(rules)
        cost = units.paths.cost(agent, self.rules, 0)
        self.cost = -1 if cost is None else cost
        self.paths = [] if cost is None or cost > LONGEST else paths_of(problem, agent, self.rules, cost)

    @property
    def asked(self) -> tuple[int, frozenset[Rule], int]:
        return self.agent, self.rules, self.cost


def drawn(seed: int, count: int) -> Iterator[tuple[UnitTree, Problem, Drawn, Drawn, np.random.Generator]]:
    rng = np.random.default_rng(seed)
    while count > 0:
        problem = tight_grid(rng)
        units = units_of(problem)
        if units is None:
            continue
        one, other = (Drawn(units, problem, agent, rng) for agent in range(2))
        if max(one.cost, other.cost) > LONGEST:
            continue
        count -= 1
        yield units, problem, one, other, rng


def as_path(nodes: Path) -> NDArray[np.int32]:
    return np.array(nodes, np.int32)


@pytest.mark.kernels
def test_costs_are_least() -> None:
    for units, problem, one, _, _ in drawn(1, 40):
        if one.cost >= 0:
            shorter = range(int(units.problem.h[0, problem.starts[0]]), one.cost)
            assert one.paths
            assert not any(paths_of(problem, 0, one.rules, cost) for cost in shorter)


@pytest.mark.kernels
def test_paths_meet_the_traffic_least() -> None:
    for units, problem, one, other, _ in drawn(2, 40):
        if not one.paths or not other.paths:
            continue
        traffic = [np.empty(0, np.int32) for _ in problem.starts]
        traffic[1] = as_path(other.paths[0])
        units.traffic.make_room(len(traffic[1]))
        units.traffic.show(traffic)
        diagram = units.diagrams(*one.asked)
        assert diagram is not None
        path, count = units.paths.pick(diagram, one.cost)
        assert tuple(path.tolist()) in one.paths
        assert count == met(tuple(path.tolist()), other.paths[0]) == min(met(p, other.paths[0]) for p in one.paths)


@pytest.mark.kernels
def test_diagrams_run_dry_where_no_two_paths_are_apart() -> None:
    dry = 0
    for units, _, one, other, _ in drawn(3, 60):
        if one.paths and other.paths:
            free = any(apart(p, q) for p in one.paths for q in other.paths)
            assert (units.mutexes.dead_level(one.asked, other.asked) == -1) == free
            dry += not free
    assert dry >= 5


@pytest.mark.kernels
def test_whoever_is_in_a_cut_bars_the_other_even_from_longer_ways() -> None:
    cuts = 0
    for units, problem, one, other, rng in drawn(4, 60):
        if not one.paths or not other.paths:
            continue
        p, q = one.paths[int(rng.integers(len(one.paths)))], other.paths[int(rng.integers(len(other.paths)))]
        found = units.mutexes.cut(one.asked, other.asked, (as_path(p), as_path(q)), 1)
        if found is None:
            continue
        cuts += 1
        time, mine, theirs = found
        assert p[min(time, one.cost)] in mine
        assert q[min(time, other.cost)] in theirs
        sides = []
        for who, nodes in ((one, mine), (other, theirs)):
            # after its least cost a cut speaks of those at rest by then alone
            costs = (who.cost,) if time >= who.cost else (who.cost, who.cost + 1)
            ways = [way for cost in costs for way in paths_of(problem, who.agent, who.rules, cost)]
            sides.append([way for way in ways if way[min(time, len(way) - 1)] in nodes])
        assert not any(apart(a, b) for a in sides[0] for b in sides[1])
    assert cuts >= 10


@pytest.mark.kernels
def test_passing_a_node_late() -> None:
    for units, problem, one, _, rng in drawn(5, 40):
        if one.paths:
            node, time = int(rng.integers(problem.graph.num_nodes)), int(rng.integers(0, one.cost + 2))
            assert units.diagrams.passes(*one.asked, node, time) == any(node in way[time:] for way in one.paths)


@needs_movingai
@pytest.mark.parametrize(
    ("scen", "agents", "optimum"),
    [
        ("random-32-32-20-random-2", 50, 1119),
        ("warehouse-10-20-10-2-1-random-3", 100, 9004),
        ("den520d-gen-2", 100, 17550),
        ("room-32-32-4-random-1", 30, 840),
        ("empty-16-16-random-2", 40, 474),
    ],
)
def test_benchmarks_are_solved(scen: str, agents: int, optimum: int) -> None:
    name = scen.rsplit("-", 2)[0]
    problem = load_problem(MOVINGAI / "maps" / f"{name}.map", MOVINGAI / "scens" / f"{scen}.scen", agents=agents)
    plan = solve(problem, "cbs", time_limit=30)
    assert plan.status == "optimal", plan.reason
    assert plan.sum_of_costs == optimum
    validate(plan, problem)
