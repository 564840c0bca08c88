"""The safety filter and the observer with bodies that cannot stop at once."""

from __future__ import annotations

import os

import numpy as np
import pytest

from navplan.control.disturbance import Disturbance
from navplan.control.straight_line import StraightLine
from navplan.errors import InvalidInput
from navplan.execution.alone import alone
from navplan.execution.observer import Observer
from navplan.execution.safety_filter import keep_apart
from navplan.execution.simulator import told
from navplan.execution.synchronised import drive
from navplan.scenarios.bodies.body import KINDS, Body
from navplan.scenarios.bodies.condition import CONDITION
from navplan.scenarios.environments.disturbed import DisturbedEnv
from navplan.scenarios.environments.embodied import EmbodiedEnv
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.problems.draw import draw_problem
from navplan.scenarios.worlds.world import World
from tests.support.execution import prioritised

FLEETS = int(os.environ.get("NAVPLAN_FLEETS", "10"))
"""How many random fleets are driven; 200 take half a minute."""


def random_fleet(rng: np.random.Generator, kinds=KINDS) -> EmbodiedEnv:
    """Eight bodies of random kinds and sizes, at rest and apart, between a few walls."""
    while True:
        world = World.from_walls("yard", rng.random((8, 8)) < 0.1)
        bodies = [
            Body(str(rng.choice(kinds)), radius=float(rng.uniform(0.2, 0.4)), max_speed=float(rng.uniform(0.5, 1.0)))
            for _ in range(8)
        ]
        try:
            starts, goals = draw_problem(world, 8, rng, distance=(0.0, 99.0), start_spacing=0.85, goal_spacing=0.85, radius=0.4)
        except InvalidInput:
            continue
        env = EmbodiedEnv(world, bodies=bodies, rng=rng)
        env.reset(starts, goals)
        return env


def driven(env: EmbodiedEnv, rng: np.random.Generator, steps: int, half_steps: int | None = None) -> tuple[int, float]:
    """Contacts under random wishes that the filter has changed, and the mean way of a step.

    Args:
        half_steps: how much of what is predicted the filter sees; None: all, braking included.
    """
    wishes, waited, found, way = rng.uniform(-1, 1, (8, 2)), np.zeros(8, np.int64), 0, 0.0
    for _ in range(steps):
        changed = rng.random(8) < 0.3
        wishes[changed] = rng.uniform(-1, 1, (int(changed.sum()), 2))
        outcome = keep_apart(
            env.states[0],
            wishes.astype(np.float32),
            lambda actions, states: env.predict(actions, states)[:, :, :half_steps],
            radius=env.radii,
            priority=rng.random(8),
            waited=waited,
        )
        waited = np.where(outcome.yielded, waited + 1, 0)
        before = env.states
        found += int(np.triu(env.step(outcome.actions[None]).agent_contacts[0]).sum())
        way += float(np.linalg.norm(env.states - before, axis=-1).mean())
    return found, way / steps


def test_random_fleets_never_touch() -> None:
    found, ways = [], []
    for seed in range(FLEETS):
        rng = np.random.default_rng(seed)
        contacts, way = driven(random_fleet(rng), rng, 100)
        found.append(contacts)
        ways.append(way)
    assert found == [0] * FLEETS
    assert min(ways) > 0.1  # they do not just stand there


def test_a_filter_that_takes_bodies_for_points_lets_them_touch() -> None:
    rng = np.random.default_rng(0)
    contacts, _ = driven(random_fleet(rng, ["unicycle"]), rng, 100, half_steps=20)
    assert contacts > 10


def test_bodies_far_apart_but_fast_are_looked_at() -> None:
    """Two that drive at each other: more than two steps away they must brake already."""
    world = World.from_walls("lane", np.zeros((3, 20), bool))
    slow = {"max_accel": 0.15}
    env = EmbodiedEnv(world, bodies=[Body("double-integrator", **slow), Body("double-integrator", **slow)], rng=0)
    env.reset([[1.5, 1.0], [1.5, 19.0]], [[1.5, 19.0], [1.5, 1.0]])
    touched, nearest = 0, np.inf
    for _ in range(60):
        wishes = np.array([[0.0, 1.0], [0.0, -1.0]], np.float32)
        outcome = keep_apart(env.states[0], wishes, env.predict, radius=env.radii, priority=np.zeros(2))
        touched += int(env.step(outcome.actions[None]).agent_contacts.any())
        nearest = min(nearest, float(np.linalg.norm(env.states[0, 0] - env.states[0, 1])))
    assert touched == 0
    assert nearest < 3.0


def crossing(disturbance: Disturbance, kinds: list[str]) -> DisturbedEnv:
    world = World.from_walls("hall", np.zeros((12, 12), bool))
    env = EmbodiedEnv(world, bodies=[Body(kind) for kind in kinds], rng=3)
    around = np.linspace(0, 2 * np.pi, len(kinds), endpoint=False)
    places = 6.0 + 4.5 * np.stack([np.sin(around), np.cos(around)], axis=1)
    env.reset(places, 12.0 - places)
    return DisturbedEnv(env, disturbance, np.random.default_rng(1))


@pytest.mark.parametrize(
    "disturbance",
    [Disturbance(), Disturbance(late=1), Disturbance(late=2), Disturbance(lost_moves=0.2), Disturbance(localisation_noise=0.05)],
    ids=["calm", "late", "later", "lost", "localisation"],
)
def test_late_lost_and_inexact_moves_of_bodies_are_prepared_for(disturbance: Disturbance) -> None:
    env = crossing(disturbance, ["unicycle", "quad", "double-integrator", "car", "point", "unicycle"])
    trajectory = alone(StraightLine(), env, max_steps=60, filtered=True, expects=disturbance)  # type: ignore[arg-type]
    assert trajectory.num_agent_contacts == 0
    assert trajectory.num_wall_contacts == 0
    gaps = np.linalg.norm(trajectory.states - trajectory.goals, axis=2).mean(axis=1)
    assert gaps[-1] < 0.5 * gaps[0]
    assert trajectory.headings is not None
    assert trajectory.headings.shape == (trajectory.num_steps + 1, 6)


def test_the_observer_foresees_the_states_of_bodies() -> None:
    disturbance = Disturbance(late=2)
    env = crossing(disturbance, ["car", "quad", "unicycle"])
    observer, rng, seen = Observer.of(env, disturbance), np.random.default_rng(0), []  # type: ignore[arg-type]
    for _ in range(8):
        here = observer.look()
        seen.append((here.copy(), observer.ahead.copy(), env.states[0].copy(), env.body[0].copy()))
        actions = rng.uniform(-1, 1, (3, 2)).astype(np.float32)
        observer.decided(actions)
        env.step(actions[None])
    for (here, ahead, _, _), (_, _, there, body) in zip(seen, seen[2:], strict=False):
        np.testing.assert_array_equal(here, there)
        np.testing.assert_array_equal(ahead, body)


def test_a_run_ends_when_bodies_rest_at_their_goals() -> None:
    env = crossing(Disturbance(), ["double-integrator", "quad"]).env
    trajectory = alone(StraightLine(), env, max_steps=80, filtered=True)  # type: ignore[arg-type]
    assert trajectory.success
    assert env.at_rest.all()


class Asked:
    """Drives straight on, and keeps what it is told of the bodies."""

    conditioned = True

    def __init__(self) -> None:
        self.told: list[np.ndarray] = []

    def act(self, observations, goals, condition=None):
        self.told.append(condition)
        return StraightLine().act(observations, goals)


def test_a_low_level_that_asks_is_told_of_the_bodies() -> None:
    env, asked = crossing(Disturbance(), ["car", "quad"]).env, Asked()
    alone(asked, env, max_steps=3)  # type: ignore[arg-type]
    first, last = asked.told[0], asked.told[-1]
    assert first.shape == (2, len(CONDITION))
    assert not first[:, -3:].any()
    assert last[:, -3:].any()
    assert told(env, StraightLine()) is None  # type: ignore[arg-type]
    points = PointEnv(World.from_walls("hall", np.zeros((5, 5), bool)), rng=0)
    assert told(points, asked).shape == (1, len(CONDITION))  # type: ignore[arg-type, union-attr]


@pytest.mark.parametrize("kind", ["double-integrator", "unicycle"])
def test_a_body_brakes_before_the_end_of_what_is_free_to_it(kind: str) -> None:
    """It must let a slow point cross before it, at (4.5, 4.5), and neither goes too far nor has to come back."""
    walls = np.zeros((9, 9), bool)
    plan = prioritised(walls, [4, 36], [76, 44])
    bodies = [Body("point", max_speed=0.25), Body(kind, max_accel=0.4)]
    env = EmbodiedEnv(World.from_walls("hall", walls), bodies=bodies, rng=0)
    env.reset([[0.5, 4.5], [4.5, 0.5]], [[8.5, 4.5], [4.5, 8.5]], headings=[0.0, 0.0])
    trajectory = drive(plan, StraightLine(), env, filtered=False, max_steps=12)  # type: ignore[arg-type]
    way = trajectory.states[:, 1, 1]
    assert 3.9 < way[-1] < 4.55
    assert np.diff(way).min() > -0.01
