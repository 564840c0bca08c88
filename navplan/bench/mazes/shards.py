"""A world of a rung with one seed: logs are made, networks learned, graphs built, and every arm driven."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from navplan.bench.mazes.rungs import SUITE, MazeArm, Rung
from navplan.bench.provenance import code_hash
from navplan.bench.shards import Document, Shard, Workspace
from navplan.control.interface import Controller
from navplan.graph.critics import EdgeCritics, EuclideanCritics
from navplan.graph.state_graph import StateGraph
from navplan.learned.datasets.dataset import Dataset
from navplan.learned.fit import fit
from navplan.learned.training.load import load_checkpoint
from navplan.navigation.navigator import Navigator
from navplan.scenarios.environments.mazes import GoalMaze, make_logs
from navplan.system.arrays import Float32

_ROOMS = ("control", "graph", "kernels", "learned", "navigation", "scenarios", "system")
# How far apart observations of scrambled mazes are a step apart, per step: their numbers say nothing else.
_RAW_STEPS = 5


@dataclass(frozen=True, eq=False)
class MazeShard(Shard):
    """One world, one seed, all arms of a rung."""

    rung: Rung
    world: str
    seed: int
    episodes: int

    @property
    def identity(self) -> Mapping[str, Any]:
        """See `Shard`."""
        rung = dataclasses.asdict(self.rung)
        del rung["worlds"], rung["about"]
        for arm in rung["arms"]:
            del arm["about"]
        mine = {"world": self.world, "seed": self.seed, "episodes": self.episodes}
        return {"suite": SUITE, "rung": rung, **mine, "code": code_hash(*_ROOMS)}

    @property
    def label(self) -> str:
        """See `Shard`."""
        return f"rung {self.rung.name}, {self.world}, seed {self.seed}"

    @property
    def group(self) -> str:
        """See `Shard`."""
        return self.label

    def accepts(self, document: Document, out: Path) -> bool:
        """See `Shard`."""
        return isinstance(document.get("rows"), list)

    def work(self, workspace: Workspace) -> Document:
        """See `Shard`."""
        bench = _Workshop(self, workspace.out)
        rows: list[dict[str, Any]] = []
        seconds: dict[str, float] = {}
        for arm in self.rung.arms:
            began = time.perf_counter()
            rows += bench.driven(arm)
            seconds[arm.label] = time.perf_counter() - began
        return {"rows": rows, "seconds": {**bench.seconds, **seconds}}


class _Workshop:
    """Logs, networks and graphs of one shard, made when an arm asks for them."""

    def __init__(self, shard: MazeShard, out: Path) -> None:
        self.shard, self.out, self.seconds = shard, out, dict[str, float]()
        arrays = make_logs(shard.world, transitions=shard.rung.transitions, seed=shard.seed)
        starts = np.concatenate([[0], np.flatnonzero(arrays["terminals"]) + 1])
        self.car = shard.world.startswith("carmaze")
        self.data = Dataset(arrays["observations"], arrays["actions"], starts, goal=_place if self.car else None)
        self._graphs: dict[tuple[str, str, bool], StateGraph] = {}
        self._critics: dict[str, Any] = {}

    def learned(self, arm: MazeArm) -> Any:
        """Critics and policy of a run that is made here, and not kept."""
        policy = arm.follower
        if policy not in self._critics:
            rung, seed = self.shard.rung, self.shard.seed
            folder = self.out / "runs" / f"{rung.name.replace(chr(39), '1')}-{self.shard.world}-{seed}-{policy.replace(':', '-')}"
            shutil.rmtree(folder, ignore_errors=True)
            began = time.perf_counter()
            fit(
                self.data,
                folder,
                critic=rung.critic,
                policy=policy,
                seed=seed,
                steps=rung.steps if arm.trained else 1,
                progress=False,
            )
            self.seconds[f"learning {policy}"] = time.perf_counter() - began
            self._critics[policy] = load_checkpoint(folder)
            shutil.rmtree(folder)
        return self._critics[policy]

    def critics(self, arm: MazeArm) -> EdgeCritics:
        """What weighs the arm's graph."""
        if arm.metric == "critic":
            return cast(EdgeCritics, self.learned(arm))
        if arm.metric == "raw":
            seen = self.data.observations
            steps = np.linalg.norm(seen[_RAW_STEPS:20_000] - seen[: 20_000 - _RAW_STEPS], axis=1)
            return EuclideanCritics(float(np.median(steps)) / _RAW_STEPS)
        return EuclideanCritics(self.shard.rung.speed, _place if self.car else None)

    def graph(self, arm: MazeArm) -> StateGraph:
        """Of the arm; arms that weigh it alike share it."""
        key = (arm.follower if arm.metric == "critic" else str(arm.metric), arm.edges, arm.lucky)
        if key not in self._graphs:
            began = time.perf_counter()
            how: dict[str, Any] = {"edges": arm.edges, "seed": self.shard.seed, "price_luck": not arm.lucky, "progress": False}
            nodes = self.shard.rung.nodes_in(self.shard.world)
            self._graphs[key] = StateGraph.from_dataset(self.data, self.critics(arm), nodes, **how)
            self.seconds[f"graph {arm.label}"] = time.perf_counter() - began
        return self._graphs[key]

    def driven(self, arm: MazeArm) -> list[dict[str, Any]]:
        """A row for each task."""
        shard, env = self.shard, GoalMaze(self.shard.world)
        seen, goals = env.reset(np.repeat(np.arange(env.num_tasks), shard.episodes), seed=shard.seed)
        controller = self._controller(arm, env)
        took = np.full(len(seen), -1)
        for step in range(1, env.max_steps + 1):
            actions = env.driver_actions() if controller is None else np.asarray(controller.act(seen, goals), np.float32)
            seen, reached = env.step(actions)
            took[reached & (took < 0)] = step
            if reached.all():
                break
        rows = []
        for task, steps in enumerate(took.reshape(env.num_tasks, shard.episodes)):
            there = steps[steps >= 0]
            rows.append(
                {
                    "suite": SUITE, "rung": shard.rung.name, "map": shard.world, "method": arm.method, "setting": arm.setting,
                    "train_seed": shard.seed, "task": task, "episodes": shard.episodes, "reached": len(there),
                    "success": len(there) / shard.episodes, "steps_mean": float(there.mean()) if len(there) else None,
                }
            )  # fmt: skip
        return rows

    def _controller(self, arm: MazeArm, env: GoalMaze) -> Controller | None:
        """None for who knows all."""
        if arm.follower == "oracle":
            return None
        follower = env.driver if arm.follower == "driver" else self.learned(arm).policy
        if arm.metric is None:
            return cast(Controller, follower)
        return Navigator(self.graph(arm), self.critics(arm), cast(Controller, follower))


def _place(seen: Float32) -> Float32:
    """(x, y) of a car."""
    return seen[..., :2]
