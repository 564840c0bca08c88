"""A run of the paper's recipe: a single environment, two stages, the queue of problems, and its way into and out of files."""

from __future__ import annotations

import copy
import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import torch

from navplan.errors import CheckpointError
from navplan.learned.curriculum.disagreement import Problems, Wish, all_pairs, pick
from navplan.learned.recipes.navplan.run import COLUMNS, thinned, versions, write_policies
from navplan.learned.recipes.paper.collect import Ring, Wanderer
from navplan.learned.recipes.paper.config import PaperConfig
from navplan.learned.recipes.paper.learner import PaperAgent
from navplan.learned.trained import load_networks, network_arrays
from navplan.learned.training import tensors as files
from navplan.learned.training.state import agent_arrays, agent_shapes, fill_agent
from navplan.learned.training.tensors import Arrays
from navplan.scenarios.registry import load_scenario

# Updates between looks at the clock and at Ctrl-C.
_ROUND = 100
# Finished episodes that the logged figures are means of.
_RECENT = 500
# The published sampler of distance problems keeps what lies within the critics' range.
_WHOLE_RANGE = (0.0, 20.0)


class PaperRun:
    """Everything that changes while training."""

    def __init__(self, config: PaperConfig) -> None:
        self.config = config
        scenario = load_scenario(config.scenario)
        world = scenario.world
        self.size = (world.height, world.width)
        self.rng = np.random.default_rng(config.seed)
        self.agent = PaperAgent(config, self.size)
        self.frozen: PaperAgent | None = None  # stage 1's networks, which choose stage 2's problems
        self.ring = Ring(config.replay_size)
        self.wanderer = Wanderer(config, world, self.size, scenario.goal_tolerance, self.rng)
        self.recent: deque[tuple[float, bool]] = deque(maxlen=_RECENT)
        self.env_steps = 0
        self.rows: list[list[float]] = []
        self.seconds = 0.0
        self._latest: dict[str, torch.Tensor] = {}

    @property
    def stage(self) -> int:
        """1 or 2."""
        return 1 if self.frozen is None else 2

    def warm_up(self) -> None:
        """The uniformly random steps that each stage begins with."""
        self._collect(self.config.initial_steps, uniform=True)

    def round(self) -> None:
        """Some iterations: a few environment steps, one update, at times new problems and a step of the multiplier."""
        config, agent = self.config, self.agent
        begin = time.perf_counter()
        for _ in range(min(_ROUND, config.steps - agent.updates)):
            if self.stage == 1 and agent.updates >= config.stage1_steps:
                self._begin_stage_two()
            finished = self._collect(config.collect_steps if self.stage == 1 else config.stage2_collect_steps)
            self._latest = agent.update(self.ring.sample(config.batch_size, self.rng))
            if finished:
                agent.update_multiplier(finished[-1][0])
            if agent.updates % config.queue_interval == 0:
                self._refill()
        self.seconds += time.perf_counter() - begin

    def _collect(self, count: int, *, uniform: bool = False) -> list[tuple[float, bool]]:
        finished = self.wanderer.collect(self.agent.networks.actor, count, self.ring, uniform=uniform)
        self.env_steps += count
        if not uniform:
            self.recent.extend(finished)
        return finished

    def _begin_stage_two(self) -> None:
        """Go on from stage 1's networks with a fresh replay, fresh episodes and the multiplier; keep a frozen copy."""
        self.frozen = self._copy_of_agent()
        self.agent.multiplier = self.config.multiplier_start
        for name, module in self.agent.targets.items():  # targets are in no published checkpoint: they start as copies
            module.load_state_dict(getattr(self.agent.networks, name.removeprefix("target_")).state_dict())
        self.ring.clear()
        self.recent.clear()
        self.wanderer.queue.take(len(self.wanderer.queue))
        self.wanderer.reset()
        self.warm_up()

    def _copy_of_agent(self) -> PaperAgent:
        frozen = PaperAgent(self.config, self.size)
        for ours, theirs in zip(frozen.networks, self.agent.networks, strict=True):
            if ours is not None and theirs is not None:
                ours.load_state_dict(copy.deepcopy(theirs.state_dict()))
        return frozen

    def _refill(self) -> None:
        """Replace the queue (2): stage 1 by disagreement on distance and on cost, stage 2 by cost as the frozen agent sees it."""
        config, env = self.config, self.wanderer.env
        points, count = config.queue_points, config.queue_problems
        parts: list[Problems] = []
        if self.frozen is None:
            anywhere = all_pairs(env.sample_free(points, self.rng), env.sample_free(points, self.rng))
            parts.append(pick(self.agent, anywhere, count, Wish(distance=_WHOLE_RANGE)))
        target = None
        if self.frozen is not None:
            low, high = sorted((config.cost_limit, config.queue_cost_max))
            target = float(self.rng.uniform(low, high))
        safe = all_pairs(self.wanderer.safe_points(points), self.wanderer.safe_points(points))
        parts.append(pick(self.frozen or self.agent, safe, count, Wish(by="cost", target=target)))
        self.wanderer.queue.refill(*parts)

    def log(self) -> dict[str, float]:
        """Append a row to the curves; returns it by name."""
        losses = [float(self._latest.get(name, 0.0)) for name in ("distance_loss", "cost_loss", "actor_distance")]
        means = np.mean(self.recent, axis=0).tolist() if self.recent else [0.0, 0.0]
        self.rows.append(
            [self.agent.updates, self.stage, self.env_steps, *losses, self.agent.multiplier or 0.0, *means, self.seconds]
        )
        return dict(zip(COLUMNS, self.rows[-1], strict=True))

    # -- files --------------------------------------------------------------------------------------------------------------

    def save(self, out: Path) -> None:
        """Write ``checkpoint.safetensors``: the learner, the ring, the episode under way, the queue, generators, curves."""
        wanderer = self.wanderer
        arrays = agent_arrays(self.agent)
        if self.frozen is not None:
            arrays |= {f"stage1.{name}": value for name, value in network_arrays(self.frozen.networks).items()}
        arrays |= {f"episode.{name}": getattr(wanderer, name) for name in Wanderer.STATE}
        arrays["ring"] = self.ring.rows
        arrays["problems"] = wanderer.queue.waiting
        arrays["recent"] = np.array(self.recent, np.float64).reshape(-1, 2)
        arrays["curves"] = np.array(self.rows, np.float64).reshape(-1, len(COLUMNS))
        document = {
            **self.document(),
            "seconds": self.seconds,
            "numpy_rng": self.rng.bit_generator.state,
            "multiplier": self.agent.multiplier,
            "ring_head": self.ring.head,
        }
        files.write_tensors(out / files.CHECKPOINT, "checkpoint", arrays, document)
        files.write_summary(out / "checkpoint.json", document)

    def restore(self, path: Path) -> None:
        """Become the run that `path` holds.

        Raises:
            FileAccessError, CheckpointError: it cannot be read, is damaged or is that of another configuration.
        """
        arrays, document = files.read_tensors(path, "checkpoint")
        if document.get("config") != self.config.to_dict():
            raise CheckpointError(path, "belongs to another configuration than config.json beside it")
        files.expect(path, arrays, self._shapes(arrays))
        agent, wanderer = self.agent, self.wanderer
        try:
            fill_agent(path, agent, arrays)
            first = {key.removeprefix("stage1."): v for key, v in arrays.items() if key.startswith("stage1.")}
            if first:
                self.frozen = self._copy_of_agent()
                load_networks(path, self.frozen.networks, first)
            for name in Wanderer.STATE:
                getattr(wanderer, name)[...] = arrays[f"episode.{name}"]
            self.ring.rows = arrays["ring"]
            self.ring.head = int(document["ring_head"])
            wanderer.queue.waiting = arrays["problems"]
            self.recent.extend((float(cost), bool(hit)) for cost, hit in arrays["recent"])
            self.rows = arrays["curves"].tolist()
            self.rng.bit_generator.state = document["numpy_rng"]
            agent.multiplier = None if document["multiplier"] is None else float(document["multiplier"])
            agent.updates = int(document["updates"])
            self.env_steps = int(document["env_steps"])
            self.seconds = float(document["seconds"])
        except (KeyError, TypeError, ValueError, RuntimeError, IndexError, OverflowError) as error:
            raise CheckpointError(path, f"is incomplete or misshaped: {error}") from error

    def _shapes(self, arrays: Arrays) -> dict[str, tuple[int, ...]]:
        shapes = agent_shapes(self.agent)
        if any(name.startswith("stage1.") for name in arrays):
            shapes |= {f"stage1.{name}": array.shape for name, array in network_arrays(self.agent.networks).items()}
        shapes["ring"] = (min(len(arrays.get("ring", ())), self.config.replay_size), Ring.WIDTH)
        shapes["problems"] = (len(arrays.get("problems", ())), 4)
        return shapes

    def export(self, out: Path) -> None:
        """Write ``policy.safetensors`` and ``stage1.safetensors``."""
        rng = np.random.default_rng(self.config.seed)
        free = self.wanderer.env.sample_free(6 * self.config.export_states, rng)
        states = thinned(free, self.config.export_states, self.config.seed)
        final = network_arrays(self.agent.networks)
        first = network_arrays(self.frozen.networks) if self.frozen is not None else final
        write_policies(out, first, final, states, {**self.document(), "cost_limit": self.config.cost_limit})

    def document(self) -> dict[str, Any]:
        """Identity and progress of the run."""
        return {
            "config": self.config.to_dict(),
            "size": list(self.size),
            "updates": self.agent.updates,
            "env_steps": self.env_steps,
            "versions": versions(),
        }
