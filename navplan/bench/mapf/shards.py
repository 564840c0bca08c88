"""The shards of a run: a trial for each planner, scenario, number of agents and seed; those of growing teams form a chain."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from navplan.bench.mapf.config import Config, parse_planner
from navplan.bench.mapf.instances import Instance
from navplan.bench.mapf.measure import describe, lengths
from navplan.bench.provenance import code_hash, version
from navplan.bench.shards import Chain, Document, Failure, Stage, Workspace, key_of, never, read_document, read_shard
from navplan.errors import FileAccessError, NavplanError
from navplan.plan.problem import Problem
from navplan.planners.solving import configured, solve
from navplan.planners.warm_up import warm_up
from navplan.scenarios.problems.load import load_problem
from navplan.system.memory import peak_memory, reset_peak

# Wall seconds for loading a problem and compiling a planner's kernels, and for validating a plan.
LOAD_S, CHECK_S = 600.0, 600.0
# Whose sources decide what comes out.
_ROOMS = ("kernels", "planners")


def grace(limit: float) -> float:
    """Wall seconds past the time limit after which a planner is killed."""
    return 5.0 + 0.5 * limit


@dataclass(frozen=True)
class Trial:
    """One planner's plan for the first agents of a scenario.

    Attributes:
        planner: as asked for: a name, then ``:option=value`` for each option set.
        time_limit: wall seconds. memory_limit: gigabytes, or None.
        keep_plan: the plan is kept under OUT/plans.
    """

    planner: str
    instance: Instance
    agents: int
    seed: int
    time_limit: float
    memory_limit: float | None
    keep_plan: bool = False

    @property
    def identity(self) -> dict[str, Any]:
        """See `navplan.bench.shards.Shard`."""
        return {
            "planner": self.planner,
            "map_name": self.instance.map_name,
            "map_sha256": self.instance.map_sha256,
            "scen_type": self.instance.scen_type,
            "type_id": self.instance.type_id,
            "scen_sha256": self.instance.scen_sha256,
            "agents": self.agents,
            "seed": self.seed,
            "time_limit": self.time_limit,
            "memory_limit": self.memory_limit,
            "version": version(),
        }

    @property
    def label(self) -> str:
        """Planner, scenario, agents."""
        scen = self.instance
        return f"{self.planner} {scen.map_name}-{scen.scen_type}-{scen.type_id} {self.agents}"

    @property
    def group(self) -> str:
        """The planner: another one's kernels and pools are no part of its memory."""
        return self.planner

    @property
    def stages(self) -> Sequence[Stage]:
        """Loading, planning, validating."""
        return (("loading", LOAD_S), ("planning", self.time_limit + grace(self.time_limit)), ("validating", CHECK_S))

    def work(self, workspace: Workspace) -> Document:
        """The row of the trial; bad input and too little memory are results too."""
        try:
            row = self._planned(workspace)
        except NavplanError as error:
            row = {"status": "refused", "solved": False, "reason": str(error)}
        except MemoryError as error:
            row = {"status": "unsolved", "solved": False, "reason": f"out of memory outside the planner: {error}"}
        return {**self.columns(), **row}

    def _planned(self, workspace: Workspace) -> dict[str, Any]:
        """Plan once; the columns that this fills."""
        name, options = parse_planner(self.planner)
        problem = load_problem(self.instance.map_path, self.instance.scen_path, self.agents)
        planner = configured(name, options)
        compile_s = warm_up(planner, problem)
        reset_peak()
        workspace.next_stage()
        cpu = time.process_time()
        wall = time.perf_counter()
        plan = solve(problem, planner, time_limit=self.time_limit, seed=self.seed, memory_limit=self.memory_limit)
        wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
        workspace.next_stage()
        peak = peak_memory()
        row = describe(plan, problem, self._shortest(problem, workspace), self.time_limit)
        if self.keep_plan:
            plan.save(workspace.out / "plans" / f"{key_of(self)}.json")
        return {
            **row,
            "compile_s": round(compile_s, 4),
            "wall_s": round(wall_s, 5),
            "cpu_s": round(cpu_s, 5),
            "peak_memory_mb": round(peak / 1e6, 1),
        }

    def _shortest(self, problem: Problem, workspace: Workspace) -> float:
        """Sum of the agents' shortest paths alone: a lower bound on any plan's cost on a unit grid."""
        known: list[float] = workspace.cache.get(self.instance.scen_sha256 + self.instance.map_sha256, list)
        done = len(known)
        if done < problem.num_agents:
            known += lengths(problem.graph, problem.starts[done:], problem.goals[done:])
        return float(sum(known[: problem.num_agents]))

    def accepts(self, document: Document, out: Path) -> bool:
        """Whether a document is the trial's row; one that was skipped is to be run."""
        return document.get("shard") == key_of(self) and document.get("status") not in (None, "skipped")

    def lost(self, failure: Failure) -> Document:
        """The row of a trial whose process crashed or was stuck: it is not solved."""
        status = "killed" if failure.how == "killed" else "crashed"
        return {**self.columns(), "status": status, "solved": False, "reason": failure.words}

    def columns(self) -> dict[str, Any]:
        """The columns that say what was run."""
        return {**self.identity, "shard": key_of(self), "code": code_hash(*_ROOMS)}

    def skipped(self, after: Mapping[str, Any]) -> dict[str, Any]:
        """Its row where it is not run because a smaller team, whose row is given, was not solved."""
        reason = f"not run: {after['agents']} agents were not solved ({after['status']})"
        return {**self.columns(), "status": "skipped", "solved": False, "reason": reason}


def unsolved(row: Document) -> bool:
    """Whether larger teams are not worth trying."""
    return not row["solved"]


def chains(config: Config, instances: Sequence[Instance]) -> list[Chain[Trial]]:
    """The work, planner by planner; on each scenario teams grow until one is not solved, or to the last with `keep_going`."""
    wanted = config.work or tuple(
        (planner, name, agents, config.time_limit)
        for planner in config.planners
        for name in sorted({i.map_name for i in instances})
        for agents in config.agents
    )
    grouped: dict[tuple[str, str, float], list[int]] = {}
    for planner, name, agents, limit in wanted:
        grouped.setdefault((planner, name, limit), []).append(agents)

    def trial(planner: str, instance: Instance, agents: int, limit: float) -> Trial:
        return Trial(planner, instance, agents, config.seed, limit, config.memory_limit, config.plans)

    return [
        Chain(
            tuple(trial(planner, instance, agents, limit) for agents in sorted(teams)), never if config.keep_going else unsolved
        )
        for (planner, name, limit), all_teams in grouped.items()
        for instance in instances
        if instance.map_name == name and (teams := [n for n in all_teams if n <= instance.rows])
    ]


def collect(work: Iterable[Chain[Trial]], out: Path) -> list[dict[str, Any]]:
    """Rows of the trials that are done, and of those skipped after a failure; the rest has no row."""
    rows = []
    for chain in work:
        ended: Mapping[str, Any] | None = None
        for trial in chain.shards:
            row = read_shard(trial, out)
            if row is None and ended is not None:
                row = trial.skipped(ended)
            if row is None:
                continue
            rows.append(row)
            if ended is None and chain.until(row):
                ended = row
    return rows


def everything(out: Path) -> list[dict[str, Any]]:
    """Rows of all shards in the folder, whatever run they come from, by planner, map, scenario and agents.

    Raises:
        FileAccessError: no shards are there.
    """
    if not (out / "shards").is_dir():
        raise FileAccessError(f"{out}: holds no shards of navplan bench run mapf")
    found = [(path.stem, read_document(path)) for path in (out / "shards").glob("*.json")]
    rows = [row for key, row in found if row is not None and row.get("shard") == key]
    order = ("planner", "map_name", "scen_type", "type_id", "time_limit", "agents", "seed", "shard")
    return sorted(rows, key=lambda row: tuple(row[name] for name in order))
