"""What the paper's recipe learns from: a single environment, its ring of transitions, and the queue of problems."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from navplan.learned.curriculum.disagreement import Problems, Wish, all_pairs, pick
from navplan.learned.interface import Arrays, Saved, Shapes
from navplan.learned.networks import Actor
from navplan.learned.recipes.paper.collect import Ring, Wanderer
from navplan.learned.recipes.paper.config import PaperConfig
from navplan.learned.recipes.paper.learner import PaperLearner, Transitions
from navplan.scenarios.scenario import Scenario
from navplan.system.arrays import Float32

# Updates between looks at the clock and at Ctrl-C.
_ROUND = 100
# Finished episodes that the logged figures are means of.
_RECENT = 500
# The published sampler of distance problems keeps what lies within the critics' range.
_WHOLE_RANGE = (0.0, 20.0)


class RingExperience:
    """Makes a few steps before each update, and draws from the last few transitions only."""

    def __init__(self, config: PaperConfig, scenario: Scenario) -> None:
        self.config = config
        self.size = (scenario.world.height, scenario.world.width)
        self.rng = np.random.default_rng(config.seed)
        self.ring = Ring(config.replay_size)
        self.wanderer = Wanderer(config, scenario.world, self.size, scenario.goal_tolerance, self.rng)
        self.recent: deque[tuple[float, bool]] = deque(maxlen=_RECENT)
        self.env_steps = 0

    def warm_up(self, learner: PaperLearner) -> None:
        """The uniformly random steps that each stage begins with."""
        self._collect(learner, self.config.initial_steps, uniform=True)

    def batches(self, learner: PaperLearner) -> Iterator[Transitions]:
        """Some iterations: a few environment steps, a batch, at times new problems and a step of the multiplier."""
        config = self.config
        for _ in range(min(_ROUND, config.steps - learner.updates)):
            if learner.stage == 1 and learner.updates >= config.stage1_steps:
                self.begin_stage_two(learner)
            finished = self._collect(learner, config.collect_steps if learner.stage == 1 else config.stage2_collect_steps)
            yield self.ring.sample(config.batch_size, self.rng)
            if finished:
                learner.update_multiplier(finished[-1][0])
            if learner.updates % config.queue_interval == 0:
                self.refill(learner)

    def _collect(self, learner: PaperLearner, count: int, *, uniform: bool = False) -> list[tuple[float, bool]]:
        finished = self.wanderer.collect(cast(Actor, learner.networks["actor"]), count, self.ring, uniform=uniform)
        self.env_steps += count
        if not uniform:
            self.recent.extend(finished)
        return finished

    def begin_stage_two(self, learner: PaperLearner) -> None:
        """Go on from stage 1's networks with a fresh replay, fresh episodes and the multiplier."""
        learner.begin_stage_two()
        self.ring.clear()
        self.recent.clear()
        self.wanderer.queue.take(len(self.wanderer.queue))
        self.wanderer.reset()
        self.warm_up(learner)

    def refill(self, learner: PaperLearner) -> None:
        """Replace the queue (2): stage 1 by disagreement on distance and on cost, stage 2 by cost as stage 1's see it."""
        config, env = self.config, self.wanderer.env
        points, count = config.queue_points, config.queue_problems
        parts: list[Problems] = []
        target = None
        if learner.stage == 1:
            anywhere = all_pairs(env.sample_free(points, self.rng), env.sample_free(points, self.rng))
            parts.append(pick(learner, anywhere, count, Wish(distance=_WHOLE_RANGE)))
        else:
            low, high = sorted((config.cost_limit, config.queue_cost_max))
            target = float(self.rng.uniform(low, high))
        safe = all_pairs(self.wanderer.safe_points(points), self.wanderer.safe_points(points))
        parts.append(pick(learner, safe, count, Wish(by="cost", target=target)))
        self.wanderer.queue.refill(*parts)

    # -- what a run asks for ------------------------------------------------------------------------------------------------

    def figures(self) -> dict[str, float]:
        """Steps made, and what recent episodes came to."""
        cost, reached = np.mean(self.recent, axis=0).tolist() if self.recent else (0.0, 0.0)
        return {"env_steps": self.env_steps, "episode_cost": cost, "reached": reached}

    def facts(self) -> dict[str, Any]:
        """Size of the map, and steps made."""
        return {"size": list(self.size), "env_steps": self.env_steps}

    def states(self) -> Float32:
        """Free points: the published graphs use no replay states (4)."""
        return self.wanderer.env.sample_free(6 * self.config.export_states, np.random.default_rng(self.config.seed))

    def state(self) -> Saved:
        """Ring, the episode under way, waiting problems, recent episodes, generator."""
        wanderer = self.wanderer
        arrays: Arrays = {f"episode.{name}": getattr(wanderer, name) for name in Wanderer.STATE}
        arrays["ring"] = self.ring.rows
        arrays["problems"] = wanderer.queue.waiting
        arrays["recent"] = np.array(self.recent, np.float64).reshape(-1, 2)
        return Saved(arrays, {"numpy_rng": self.rng.bit_generator.state, "ring_head": self.ring.head})

    def shapes(self, arrays: Arrays) -> Shapes:
        """Ring and waiting problems."""
        rows = min(len(arrays.get("ring", ())), self.config.replay_size)
        return {"ring": (rows, Ring.WIDTH), "problems": (len(arrays.get("problems", ())), 4)}

    def restore(self, state: Saved) -> None:
        """See `navplan.learned.interface.Remembering`."""
        (arrays, numbers), wanderer = state, self.wanderer
        for name in Wanderer.STATE:
            getattr(wanderer, name)[...] = arrays[f"episode.{name}"]
        self.ring.rows = arrays["ring"]
        self.ring.head = int(numbers["ring_head"])
        wanderer.queue.waiting = arrays["problems"]
        self.recent.extend((float(cost), bool(hit)) for cost, hit in arrays["recent"])
        self.rng.bit_generator.state = numbers["numpy_rng"]
        self.env_steps = int(numbers["env_steps"])
