"""The paper's recipe: its constants, its update against a plain one, its queue, its runs."""

from __future__ import annotations

import copy
import json
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from navplan.cli import main
from navplan.errors import CheckpointError, FileFormatError, InvalidInput
from navplan.graph.critics import EdgeCritics
from navplan.kernels.motion.rollout import rollout
from navplan.learned.curriculum.disagreement import Problems
from navplan.learned.evaluation.judge import evaluate_pairs
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.recipes.paper.collect import Ring, Wanderer
from navplan.learned.recipes.paper.config import PaperConfig, paper_config
from navplan.learned.recipes.paper.experience import RingExperience
from navplan.learned.recipes.paper.learner import PaperLearner, Transitions
from navplan.learned.recipes.paper.networks import Stack
from navplan.learned.training.load import load_checkpoint
from navplan.learned.training.run import Run, new_run
from navplan.learned.training.tensors import read_tensors, write_tensors
from navplan.learned.training.train import train
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.worlds.geodesic import geodesic_steps
from navplan.scenarios.worlds.world import World
from navplan.system.progress import Silence

SIZE = (15.0, 15.0)
TINY = PaperConfig(
    "center-dot", seed=3, steps=400, stage1_fraction=0.5, batch_size=8, hidden=8, initial_steps=50, replay_size=100,
    queue_interval=50, queue_points=6, queue_problems=4, checkpoint_interval=100, log_interval=100, export_states=40,
)  # fmt: skip


def test_constants_are_the_published_ones() -> None:
    config = paper_config("center-dot")
    assert (config.batch_size, config.hidden, config.ensemble, config.distance_bins) == (64, 256, 3, 20)
    assert (config.cost_atoms, config.cost_max, config.polyak, config.target_interval) == (40, 40.0, 0.05, 5)
    assert (config.actor_rate, config.critic_rate, config.cost_critic_rate) == (1e-4, 3e-4, 1e-4)
    assert (config.noise, config.initial_steps, config.replay_size, config.episode_steps) == (1.0, 1000, 100, 20)
    assert (config.collect_steps, config.stage2_collect_steps) == (10, 20)
    assert (config.queue_interval, config.queue_problems, config.queue_points, config.queue_share) == (1000, 20, 50, 0.5)
    assert (config.cost_limit, config.multiplier_start, config.multiplier_rate) == (10.0, 1e-3, 10.0)
    assert (config.steps, config.stage1_steps) == (300_000, 100_000)
    assert paper_config("four-rooms-modified").replay_size == 5000
    assert paper_config("maze-wide").replay_size == 1000


def test_networks_have_the_published_sizes_and_initial_weights() -> None:
    agent = PaperLearner(paper_config("center-dot"), SIZE)

    def count(module: nn.Module) -> int:
        return sum(p.numel() for p in module.parameters())

    assert count(agent.networks["actor"]) == 67_586
    assert count(agent.critics.distance) == 218_172
    assert count(agent.critics.cost) == 233_592
    limits = {"w1": 4**-0.5, "w2": 258**-0.5, "wa": 258**-0.5, "w3": 3e-3}
    for name, limit in limits.items():
        largest = float(getattr(agent.critics.distance, name).detach().abs().max())
        assert 0.98 * limit < largest <= limit
    middle = agent.networks["actor"].layers[1]
    assert 0.98 / 16 < float(middle.weight.detach().abs().max()) <= 1 / 16  # type: ignore[union-attr, operator]
    for optimizer in agent.optimizers.values():
        assert optimizer.param_groups[0]["eps"] == 1e-7


# -- one update, written out ----------------------------------------------------------------------------------------------------


class Member(nn.Module):
    """One critic with layers of its own."""

    def __init__(self, stack: Stack, m: int) -> None:
        super().__init__()
        self.first = nn.Linear(4, stack.w1.shape[2])
        self.second = nn.Linear(stack.w2.shape[1] + 2, stack.w2.shape[2])
        self.third = nn.Linear(stack.w3.shape[1], stack.w3.shape[2])
        with torch.no_grad():
            self.first.weight.copy_(stack.w1[m].T)
            self.second.weight.copy_(torch.cat([stack.w2[m], stack.wa[m]]).T)
            self.third.weight.copy_(stack.w3[m].T)
            for layer, bias in ((self.first, stack.b1), (self.second, stack.b2), (self.third, stack.b3)):
                layer.bias.copy_(bias[m, 0])

    def forward(self, features: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.first(features))
        return self.third(torch.relu(self.second(torch.cat([x, actions], dim=1))))


class Plain:
    """The same learner, a loop where the other has a stack."""

    def __init__(self, agent: PaperLearner) -> None:
        config = self.config = agent.config
        self.multiplier = agent.multiplier
        self.actor, self.target_actor = copy.deepcopy(agent.networks["actor"]), copy.deepcopy(agent.targets["actor"])
        self.near = [Member(agent.critics.distance, m) for m in range(config.ensemble)]
        self.cost = [Member(agent.critics.cost, m) for m in range(config.ensemble)]
        self.target_near = [Member(agent.target_critics.distance, m) for m in range(config.ensemble)]
        self.target_cost = [Member(agent.target_critics.cost, m) for m in range(config.ensemble)]
        rates = ((self.actor, config.actor_rate),)
        rates += tuple((m, config.critic_rate) for m in self.near) + tuple((m, config.cost_critic_rate) for m in self.cost)
        self.adam = {module: torch.optim.Adam(module.parameters(), lr=rate, eps=1e-7) for module, rate in rates}

    def update(self, b: Transitions) -> None:
        config = self.config
        size = torch.tensor([*SIZE, *SIZE])
        x, y = torch.cat([b.states, b.goals], 1) / size, torch.cat([b.next_states, b.goals], 1) / size
        with torch.no_grad():
            move = self.target_actor(y)
            near_targets = [self.shifted(torch.softmax(m(y, move), 1), b.done) for m in self.target_near]
            cost_targets = [self.projected(torch.softmax(m(y, move), 1), b.costs, b.done) for m in self.target_cost]
        for members, targets in ((self.near, near_targets), (self.cost, cost_targets)):
            entropies = [
                -(t * torch.log_softmax(m(x, b.actions), 1)).sum(1).mean() for m, t in zip(members, targets, strict=True)
            ]
            loss = sum(entropies) / len(members)
            self.step(loss, members)
        a = self.actor(x)
        steps = torch.arange(1.0, config.distance_bins + 1)
        atoms = torch.linspace(0, config.cost_max, config.cost_atoms)
        near = sum((torch.softmax(m(x, a), 1) * steps).sum(1) for m in self.near) / config.ensemble
        cost = sum((torch.softmax(m(x, a), 1) * atoms).sum(1) for m in self.cost) / config.ensemble
        loss = near.mean()
        if self.multiplier is not None:
            masked = torch.where(cost > config.cost_limit, cost, torch.zeros(()))
            loss = (near.mean() + self.multiplier * masked.mean()) / (1 + self.multiplier)
        self.step(loss, [self.actor])

    def step(self, loss: torch.Tensor, modules: list[nn.Module]) -> None:
        for adam in self.adam.values():
            adam.zero_grad()
        loss.backward()
        for module in modules:
            self.adam[module].step()

    def shifted(self, p: torch.Tensor, done: torch.Tensor) -> torch.Tensor:
        out = torch.zeros_like(p)
        for row in range(len(p)):
            if done[row]:
                out[row, 0] = 1
                continue
            for k in range(p.shape[1]):
                out[row, min(k + 1, p.shape[1] - 1)] += p[row, k]
        return out

    def projected(self, p: torch.Tensor, costs: torch.Tensor, done: torch.Tensor) -> torch.Tensor:
        out = torch.zeros_like(p)
        width = self.config.cost_max / (p.shape[1] - 1)
        for row in range(len(p)):
            for k in range(p.shape[1]):
                value = float(costs[row]) + (0.0 if done[row] else k * width)
                place = min(value, self.config.cost_max) / width
                low = int(place + 1e-6)
                out[row, low] += p[row, k] * (1 - max(0.0, place - low))
                if low + 1 < p.shape[1]:
                    out[row, low + 1] += p[row, k] * max(0.0, place - low)
        return out


def transitions(count: int, seed: int) -> Transitions:
    rng = np.random.default_rng(seed)

    def points() -> torch.Tensor:
        return torch.from_numpy(rng.uniform(0, 15, (count, 2)).astype(np.float32))

    done = torch.from_numpy(rng.random(count) < 0.3)
    costs = torch.from_numpy(rng.uniform(0, 2, count).astype(np.float32))
    return Transitions(points(), points(), points() / 7.5 - 1, costs, points(), done)


@pytest.mark.parametrize("multiplier", [None, 0.7])
def test_updates_are_those_of_a_plain_implementation(multiplier: float | None) -> None:
    agent = PaperLearner(TINY.replace(target_interval=3, cost_limit=15.0), SIZE)
    agent.multiplier = multiplier
    with torch.no_grad():  # larger last layers, or all members say the same
        for stack in (agent.critics.distance, agent.critics.cost, agent.target_critics.distance, agent.target_critics.cost):
            stack.w3.uniform_(-1, 1, generator=torch.Generator().manual_seed(1))
    plain = Plain(agent)
    before = agent.target_critics.cost.w2.clone()
    for k in range(2):
        batch = transitions(16, k)
        agent.update(batch)
        plain.update(batch)
    for ours, theirs in ((agent.critics.distance, plain.near), (agent.critics.cost, plain.cost)):
        for m, member in enumerate(theirs):
            torch.testing.assert_close(ours.w2[m].T, member.second.weight[:, :-2], atol=2e-6, rtol=1e-4)
            torch.testing.assert_close(ours.wa[m].T, member.second.weight[:, -2:], atol=2e-6, rtol=1e-4)
            torch.testing.assert_close(ours.b3[m, 0], member.third.bias, atol=2e-6, rtol=1e-4)
    for ours_, theirs_ in zip(agent.networks["actor"].parameters(), plain.actor.parameters(), strict=True):
        torch.testing.assert_close(ours_, theirs_, atol=2e-6, rtol=1e-4)
    torch.testing.assert_close(agent.target_critics.cost.w2, before)  # not before the third update
    agent.update(transitions(16, 9))
    moved = before + TINY.polyak * (agent.critics.cost.w2.detach() - before)
    torch.testing.assert_close(agent.target_critics.cost.w2, moved)


def test_the_multiplier_follows_the_last_episode_and_has_no_upper_bound() -> None:
    agent = PaperLearner(TINY, SIZE)
    agent.update_multiplier(1e6)
    assert agent.multiplier is None  # stage 1 has none
    agent.multiplier = 1e-3
    agent.update_multiplier(12.5)
    assert agent.multiplier == pytest.approx(1e-3 + 25)
    agent.update_multiplier(0.0)
    assert agent.multiplier == 0


# -- collection -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def wanderer() -> Wanderer:
    return Wanderer(TINY, load_scenario("center-dot").world, SIZE, 0.5, np.random.default_rng(0))


def test_steps_are_those_of_the_environment_and_the_actor(wanderer: Wanderer) -> None:
    actor = PaperLearner(TINY, SIZE).networks["actor"]
    ring = Ring(1000)
    finished = wanderer.collect(actor, 300, ring)
    assert len(finished) >= 15
    rows = torch.from_numpy(ring.rows)
    env = PointEnv(wanderer.env.world, num_envs=300, body="point", rng=np.random.default_rng(0))
    env.reset(ring.rows[:, None, 0:2], ring.rows[:, None, 2:4])
    result = env.step(ring.rows[:, None, 4:6])
    np.testing.assert_array_equal(result.states[:, 0], ring.rows[:, 6:8])
    np.testing.assert_array_equal(result.cost[:, 0], ring.rows[:, 8])
    np.testing.assert_array_equal(result.reached[:, 0], ring.rows[:, 9] > 0)
    features = torch.cat([rows[:, 0:2], rows[:, 2:4]], 1) / 15
    with torch.no_grad():
        wished = actor(features)
    quiet = Wanderer(TINY.replace(noise=0.0), wanderer.env.world, SIZE, 0.5, np.random.default_rng(0))
    other = Ring(1000)
    quiet.collect(actor, 50, other)
    with torch.no_grad():
        exact = actor(torch.from_numpy(other.rows[:, 0:4]) / 15)
    np.testing.assert_allclose(other.rows[:, 4:6], exact.numpy(), atol=1e-5)
    assert np.abs(ring.rows[:, 4:6] - wished.numpy()).mean() > 0.3


@pytest.mark.kernels
def test_the_kernel_stops_at_the_goal() -> None:
    env = PointEnv(World.from_walls("field", np.zeros((6, 6), np.bool_)), body="point", rng=np.random.default_rng(0))
    layers = tuple(np.zeros(shape, np.float32) for shape in ((4, 3), 3, (3, 3), 3, (3, 2), 2))
    state, goal = np.full((1, 1, 2), 1.0, np.float32), np.full((1, 1, 2), 3.2, np.float32)
    noise = np.full((9, 2), 0.7, np.float32)
    states, actions, costs, reached = np.empty((9, 2), "f4"), np.empty((9, 2), "f4"), np.empty(9, "f4"), np.empty(9, "?")
    made = rollout(
        env.geometry, layers, np.ones(4, np.float32), state, goal, noise, False, 0.5, np.empty((2, 1, 11), np.float32),
        states, actions, costs, reached, np.empty((2, 3), np.float32), np.empty(2, np.float32),
    )  # fmt: skip
    assert made == 3
    np.testing.assert_allclose(states[:3], [[1.7, 1.7], [2.4, 2.4], [3.1, 3.1]], rtol=1e-5)
    assert reached[:3].tolist() == [False, False, True]
    np.testing.assert_array_equal(state[0, 0], states[2])


def test_weights_that_are_not_finite_end_the_run(wanderer: Wanderer) -> None:
    actor = PaperLearner(TINY, SIZE).networks["actor"]
    with torch.no_grad():
        actor.layers[2].bias.fill_(float("nan"))  # type: ignore[union-attr, operator]
    with pytest.raises(FloatingPointError, match="not finite"):
        wanderer.collect(actor, 10, Ring(100))


def test_episodes_begin_at_safe_corners_or_with_queued_problems(wanderer: Wanderer) -> None:
    assert len(wanderer.safe) == 161  # paper facts, section 2
    points = np.full((400, 2), 2.25, np.float32)
    queued = 0
    wanderer.queue.refill(Problems(points, points + 5))
    for _ in range(400):
        wanderer.reset()
        if wanderer.state[0, 0, 0] == 2.25:
            queued += 1
            np.testing.assert_array_equal(wanderer.goal[0, 0], [7.25, 7.25])
        else:
            np.testing.assert_array_equal(wanderer.state % 1, 0)
            assert wanderer.env.cost_at(wanderer.state[0]) == 0
    assert 160 < queued < 240
    assert len(wanderer.queue) == 400 - queued
    wanderer.queue.take(400)
    wanderer.reset()
    assert wanderer.state[0, 0, 0] != 2.25


def test_the_ring_forgets_the_oldest() -> None:
    ring = Ring(5)
    for k in range(4):
        ring.add(np.full((2, Ring.WIDTH), k, np.float32))
    assert sorted(ring.rows[:, 0].tolist()) == [1, 2, 2, 3, 3]
    batch = ring.sample(64, np.random.default_rng(0))
    assert set(batch.costs.tolist()) == {1.0, 2.0, 3.0}


def test_the_queue_is_replaced_by_the_published_numbers_of_problems() -> None:
    learner, experience = PaperLearner(TINY, SIZE), RingExperience(TINY, load_scenario("center-dot"))
    run = Run(TINY, learner, experience)
    run.warm_up()
    experience.refill(learner)
    assert len(experience.wanderer.queue) == 2 * TINY.queue_problems
    before = learner.critics.distance.w1.clone()
    experience.begin_stage_two(learner)
    assert (learner.stage, learner.multiplier, len(experience.wanderer.queue)) == (2, TINY.multiplier_start, 0)
    assert len(experience.ring.rows) == TINY.initial_steps
    run.round()
    torch.testing.assert_close(learner.stage1["critics"].distance.w1, before)
    assert not torch.equal(learner.critics.distance.w1, before)
    experience.refill(learner)
    assert len(experience.wanderer.queue) == TINY.queue_problems


def test_stage_two_practises_what_stage_one_thinks_of() -> None:
    learner = PaperLearner(TINY, SIZE)
    points = np.random.default_rng(0).uniform(0, 15, (2, 9, 2)).astype(np.float32)
    before = learner.members(*points)
    learner.begin_stage_two()
    for k in range(3):
        learner.update(transitions(16, k))
    for ours, theirs in zip(learner.members(*points), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


# -- runs -----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(TINY, tmp_path_factory.mktemp("paper") / "whole")


def exports(run: Path) -> list[bytes]:
    return [(run / name).read_bytes() for name in ("policy.safetensors", "stage1.safetensors")]


@pytest.mark.parametrize("stop_at", [200, 300])
def test_resuming_leaves_no_trace_in_either_stage(undisturbed: Path, tmp_path: Path, stop_at: int) -> None:
    class Stop(Silence):
        def show(self, done: int, total: int, note: str = "") -> None:
            if done == stop_at - 100:
                signal.raise_signal(signal.SIGINT)

    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(TINY, run, progress=Stop())
    assert json.loads((run / "checkpoint.json").read_text())["updates"] == stop_at
    train(TINY, run, resume=True)
    assert exports(run) == exports(undisturbed)


def test_a_checkpoint_without_a_generator_of_torch_resumes(undisturbed: Path, tmp_path: Path) -> None:
    """As they were written when only the recipes that draw from it saved it."""
    arrays, document = read_tensors(undisturbed / "checkpoint.safetensors", "checkpoint")
    del arrays["torch_rng"]
    (tmp_path / "config.json").write_bytes((undisturbed / "config.json").read_bytes())
    write_tensors(tmp_path / "checkpoint.safetensors", "checkpoint", arrays, document)
    train(TINY, tmp_path, resume=True)
    assert exports(tmp_path) == exports(undisturbed)


def test_the_export_serves_like_any_other(undisturbed: Path) -> None:
    critics = load_checkpoint(undisturbed)
    assert isinstance(critics, EdgeCritics)
    assert (critics.config.recipe, critics.stage, critics.seed, critics.states.shape) == ("paper", 2, 3, (40, 2))
    distance, risk = critics.evaluate(critics.states[:7], critics.states[1:8])
    assert distance.shape == risk.shape == (7,)
    assert ((distance >= 1) & (distance <= 20)).all()
    with pytest.raises(InvalidInput, match="recipe 'paper' trains none"):
        _ = critics.behaviour_cloning
    assert critics.policies == {"policy": critics.policy}
    assert load_checkpoint(undisturbed, stage=1).stage == 1


def test_damaged_files_are_named(undisturbed: Path, tmp_path: Path) -> None:
    arrays, document = read_tensors(undisturbed / "policy.safetensors", "policy")
    arrays["critics.cost.w3"] = arrays["critics.cost.w3"][:2]
    write_tensors(tmp_path / "a.safetensors", "policy", arrays, document)
    with pytest.raises(CheckpointError, match=r"'critics\.cost\.w3' is float32 \(2, 8, 40\), expected float32 \(3, 8, 40\)"):
        load_checkpoint(tmp_path / "a.safetensors")
    arrays, document = read_tensors(undisturbed / "checkpoint.safetensors", "checkpoint")
    arrays["ring"] = arrays["ring"][:, :3]
    write_tensors(tmp_path / "c.safetensors", "checkpoint", arrays, document)
    with pytest.raises(CheckpointError, match="'ring' is float32"):
        new_run(TINY).restore(tmp_path / "c.safetensors")


def test_each_recipe_has_a_configuration_of_its_own() -> None:
    with pytest.raises(FileFormatError, match="recipe is 'navplan', expected 'paper'"):
        PaperConfig.from_dict({"scenario": "line", "recipe": "navplan"})
    with pytest.raises(FileFormatError, match="recipe is 'paper', expected 'navplan'"):
        TrainConfig.from_dict({"scenario": "line", "recipe": "paper"})
    with pytest.raises(FileFormatError, match="unknown key 'num_envs'"):
        PaperConfig.from_dict({"scenario": "line", "num_envs": 3})
    with pytest.raises(InvalidInput, match="noise is -1"):
        PaperConfig("line", noise=-1.0)
    assert PaperConfig.from_dict(TINY.to_dict()) == TINY


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "run")
    command = ["train", "--scenario", "center-dot", "--recipe", "paper", "--seed", "1", "--steps", "3", "--out", out]
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["updates"] == 3
    assert load_checkpoint(out).config == paper_config("center-dot").replace(seed=1, steps=3)
    assert main(["train", "--resume", "--recipe", "navplan", "--out", out]) == 2
    assert "was started with recipe 'paper', not 'navplan'" in capsys.readouterr().err


def test_learning_a_small_world(tmp_path: Path) -> None:
    scenario = tmp_path / "corner.toml"
    scenario.write_text('name = "corner"\n[world]\nrows = ["....", "....", "..#.", "...."]\n')
    config = PaperConfig(
        str(scenario), steps=1600, hidden=32, actor_rate=1e-3, critic_rate=2e-3, cost_critic_rate=1e-3, replay_size=1000,
        cost_max=10.0, export_states=50,
    )  # fmt: skip
    critics = load_checkpoint(train(config, tmp_path / "run"))
    walls = np.zeros((4, 4), np.bool_)
    walls[2, 2] = True
    world = World.from_walls("corner", walls)
    env = PointEnv(world, body="point", rng=np.random.default_rng(0))
    starts, goals = env.sample_free(300), env.sample_free(300)
    report = evaluate_pairs(critics, world, starts, goals, geodesic_steps(world, starts, goals))
    assert report.reached > 0.9, report
    assert report.distance_mae < 0.9, report
