"""The paper's constants, its networks, and its update against a plain one."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from navplan.learned.recipes.paper.config import paper_config
from navplan.learned.recipes.paper.learner import PaperLearner, Transitions
from navplan.learned.recipes.paper.networks import Stack
from tests.support.paper import SIZE, TINY, transitions


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
