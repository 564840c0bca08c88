"""What every registered module keeps, whoever wrote it: one test for all, and the same for a module that is added here."""

from __future__ import annotations

import dataclasses
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from navplan.learned import registry
from navplan.learned.choices import chosen, parse_choices
from navplan.learned.interface import SLOTS, Curriculum, Offer, Recipe
from navplan.learned.training.fields import TrainingSettings, hosted, module_table, read_module
from navplan.learned.training.load import load_checkpoint
from navplan.learned.training.run import Run, new_run
from navplan.learned.training.state import fill_networks, network_arrays
from navplan.learned.training.train import fixed_numerics
from navplan.scenarios.formats.toml_table import toml_value
from navplan.system.names import entry_points_in


def keeps_the_contract(name: str, out: Path) -> None:
    """Fails where the module registered as `name` is not what modules of its slot are."""
    cls = registry.get(name)
    assert cls.name == name == name.lower().replace("_", "-")
    assert cls.slot in SLOTS
    assert name in registry.names(cls.slot)
    for text in (cls.about, cls.source, cls.__doc__):
        assert text.strip()
    assert "\n" not in cls.about
    assert cls.paper is None or cls.paper.strip() == cls.paper != ""
    assert dataclasses.is_dataclass(cls)
    assert cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    module = cls()  # every option has a default
    assert isinstance(module, SLOTS[cls.slot])
    table = ", ".join(f"{key} = {toml_value(value)}" for key, value in module_table(module).items())
    assert read_module(cls.slot, tomllib.loads(f"{cls.slot} = {{{table}}}")[cls.slot]) == module
    if cls.slot in CHECKS:
        CHECKS[cls.slot](module, out)


# -- curriculum -----------------------------------------------------------------------------------------------------------------


def draws_what_is_on_offer(module: Curriculum, out: Path) -> None:
    rng = np.random.default_rng(0)
    starts, goals = rng.uniform(0, 15, (2, 40, 2)).astype(np.float32)
    distance, cost = rng.uniform(2, 9, (2, 3, 40)).astype(np.float32)
    for target in (None, 4.0):
        offer = Offer(starts, goals, distance, cost, 15.0, target)
        first, again = (module.draw(offer, 6, np.random.default_rng(1)) for _ in range(2))
        assert (first.dtype, first.ndim) == (np.int64, 1)
        assert 0 < len(first) <= 6
        assert ((first >= 0) & (first < 40)).all()
        np.testing.assert_array_equal(first, again)


# -- recipes --------------------------------------------------------------------------------------------------------------------


def train_until(run: Run[Any], updates: int) -> None:
    while run.learner.updates < updates:
        run.round()


def exports(run: Run[Any], out: Path) -> dict[str, bytes]:
    run.export(out)
    return {path.name: path.read_bytes() for path in out.iterdir()}


def saved_runs_go_on_as_if_nothing_had_happened(recipe: Recipe[TrainingSettings, Any], out: Path) -> Run[Any]:
    settings = recipe.quick("center-dot")
    with fixed_numerics(settings):
        whole = new_run(settings)
        whole.warm_up()
        train_until(whole, settings.steps // 2)
        whole.save(out)
        train_until(whole, settings.steps)
    with fixed_numerics(settings.replace(seed=settings.seed + 1)):  # what is drawn must come from the file
        other = new_run(settings)
        other.restore(out / "checkpoint.safetensors")
        assert 0 < other.learner.updates < settings.steps
        train_until(other, settings.steps)
    assert exports(other, out / "other") == exports(whole, out / "whole")
    assert whole.log().keys() == other.log().keys()
    return whole


def exports_act_as_what_was_trained(run: Run[Any], out: Path) -> None:
    arrays = network_arrays(run.learner.networks)
    fill_networks(run.learner.networks, {name: a.astype(np.float16).astype(np.float32) for name, a in arrays.items()})
    critics = load_checkpoint(out / "whole")
    states, goals = critics.states[:20], critics.states[-20:]
    assert "policy" in critics.policies
    assert critics.policies.keys() == run.learner.policies().keys()
    for name, policy in run.learner.policies().items():
        np.testing.assert_array_equal(critics.policies[name].act(states, goals), policy.act(states, goals), err_msg=name)


def every_column_is_somebodys(run: Run[Any]) -> None:
    learner, experience = new_run(run.settings).learner, run.experience
    losses = {name for batch in experience.batches(learner) for name in learner.update(batch)}
    assert set(learner.columns) <= {"updates", "seconds", *learner.figures(), *experience.figures(), *losses}


def configurations_survive_the_way_through_files(recipe: Recipe[TrainingSettings, Any]) -> None:
    for settings in (recipe.settings("center-dot"), recipe.quick("center-dot")):
        assert settings.recipe == recipe.name
        assert recipe.read(settings.to_dict(), "f") == recipe.recall(settings.to_dict(), "f") == settings
        assert not set(hosted(type(settings))) & set(settings.to_dict())  # files from before there were slots say the same
    for slot in hosted(type(settings)):
        for name in registry.names(slot):
            other = settings.replace(**{slot: registry.get(name, slot)()})
            assert recipe.read(other.to_dict(), "f") == other


def a_whole_run_keeps_its_promises(recipe: Recipe[TrainingSettings, Any], out: Path) -> None:
    configurations_survive_the_way_through_files(recipe)
    run = saved_runs_go_on_as_if_nothing_had_happened(recipe, out)
    every_column_is_somebodys(run)
    exports_act_as_what_was_trained(run, out)


# -- parts of learning from logs ------------------------------------------------------------------------------------------------


def learns_from_logs(module: Any, out: Path) -> None:
    recipe = registry.get("offline")()

    class Chosen:
        def quick(self, scenario: str) -> TrainingSettings:
            settings: TrainingSettings = recipe.quick(scenario).replace(**{module.slot: module})
            return settings

    run = saved_runs_go_on_as_if_nothing_had_happened(Chosen(), out)  # type: ignore[arg-type]
    exports_act_as_what_was_trained(run, out)
    critics = load_checkpoint(out / "whole")
    seen = critics.states[:30]
    pairs = np.repeat(seen, 30, axis=0), np.tile(seen, (30, 1))
    distance, risk = critics.evaluate(*pairs)
    assert distance.shape == risk.shape == (900,)
    assert (distance >= 0).all()
    assert (distance <= critics.horizon).all()
    space = critics.embed(seen)
    if critics.lower_bound is not None:
        apart = np.linalg.norm(space[:, None] - space[None], axis=2).ravel()
        assert (apart <= distance + 1e-3 * (1 + distance)).all()


CHECKS: dict[str, Callable[[Any, Path], None]] = {
    "critic": learns_from_logs,
    "curriculum": draws_what_is_on_offer,
    "policy": learns_from_logs,
    "recipe": a_whole_run_keeps_its_promises,
}
"""What a slot's modules are held to beyond their Protocol."""


@pytest.mark.parametrize("name", registry.names())
def test_a_registered_module_keeps_the_contract(name: str, tmp_path: Path) -> None:
    keeps_the_contract(name, tmp_path)


# -- a module from elsewhere ----------------------------------------------------------------------------------------------------

EMPTY = """
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

@dataclass(frozen=True)
class FirstCome:
    \"\"\"The problems on offer as they come.\"\"\"

    name: ClassVar[str] = "first-come"
    slot: ClassVar[str] = "curriculum"
    about: ClassVar[str] = "practises the problems on offer as they come"
    paper: ClassVar[str | None] = None
    source: ClassVar[str] = "baseline"

    skip: int = 0

    def draw(self, offer, count, rng):
        return np.arange(self.skip, min(count + self.skip, len(offer.starts)))
"""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another distribution with a module in a file, and a line that registers it."""
    (tmp_path / "first_come.py").write_text(EMPTY)
    info = tmp_path / "first_come-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: first-come\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[navplan.modules]\nfirst-come = first_come:FirstCome\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    entry_points_in.cache_clear()
    yield
    entry_points_in.cache_clear()
    sys.modules.pop("first_come", None)


@pytest.mark.usefixtures("elsewhere")
def test_a_module_is_a_file_and_a_line(tmp_path: Path) -> None:
    assert registry.names("curriculum") == ["disagreement", "first-come", "uniform"]
    keeps_the_contract("first-come", tmp_path)
    settings = chosen(registry.get("navplan")().quick("center-dot"), parse_choices(["curriculum=first_come:skip=3"]))
    assert settings.to_dict()["curriculum"] == {"use": "first-come", "skip": 3}
    run = new_run(settings)
    run.warm_up()
    run.round()
    assert run.learner.updates == 4
    assert len(run.experience.queue) > 0


def test_a_line_in_the_table_does_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "first_come_too.py").write_text(EMPTY)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(registry.MODULES, "first-come", "first_come_too:FirstCome")
    keeps_the_contract("first-come", tmp_path)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("@dataclass(frozen=True)", "@dataclass"),
        ("skip: int = 0", "skip: int"),
        ("def draw(", "def pick("),
        ('"practises the', '"practises\\nthe'),
        ('slot: ClassVar[str] = "curriculum"', 'slot: ClassVar[str] = "curricula"'),
        ("np.arange(self.skip,", "np.arange(-1,"),
    ],
)
def test_the_contract_sees_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str, right: str) -> None:
    (tmp_path / "not_quite.py").write_text(EMPTY.replace(wrong, right))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "not_quite", raising=False)
    monkeypatch.setitem(registry.MODULES, "first-come", "not_quite:FirstCome")
    with pytest.raises((AssertionError, TypeError)):
        keeps_the_contract("first-come", tmp_path)
