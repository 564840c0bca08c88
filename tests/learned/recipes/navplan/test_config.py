from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navplan.errors import FileFormatError, InvalidInput, NavplanError
from navplan.learned.recipes.navplan.config import TrainConfig, bundled_config, load_config
from tests.support.damaged_files import complaint, damaged, survives

VALID = b'scenario = "center-dot"\nsteps = 100\nnoise = [0.2, 1]\ncost_limit = 3\n'


def test_values_survive_the_way_through_json() -> None:
    config = TrainConfig("center-dot", seed=7, noise=(0.1, 0.2, 0.3), cost_limit=2.5)
    assert TrainConfig.from_dict(config.to_dict()) == config


def test_toml_numbers_become_floats_and_tuples(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(VALID)
    config = load_config(path)
    assert (config.steps, config.noise, config.cost_limit) == (100, (0.2, 1.0), 3.0)
    assert isinstance(config.cost_limit, float)


@pytest.mark.parametrize(
    "scenario", ["center-dot", "four-rooms-modified", "central-obstacle", "four-rooms", "maze-wide", "warehouse-wide"]
)
def test_committed_configs_are_valid(scenario: str) -> None:
    config = bundled_config(scenario)
    assert config.scenario == scenario
    assert 0 < config.stage1_steps < config.steps
    assert config.stage1_steps % config.updates_per_round == 0


@pytest.mark.parametrize("scenario", ["center-dot", "maze-wide"])
def test_the_ablation_of_self_training_changes_nothing_else(scenario: str) -> None:
    assert bundled_config(f"{scenario}-without-self-training") == bundled_config(scenario).replace(self_training_share=0.0)


def test_a_scenario_without_a_config_gets_the_defaults() -> None:
    assert bundled_config("line") == TrainConfig("line")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scenario = 'x'\nstepz = 3\n", "a.toml: unknown key 'stepz' (did you mean steps?), known: scenario, recipe,"),
        ("scenario = 'x'\nsteps = 1.5\n", "a.toml: steps is 1.5, expected int"),
        ("scenario = 'x'\nsteps = true\n", "a.toml: steps is True, expected int"),
        ("scenario = 'x'\nnoise = 3\n", "a.toml: noise is 3, expected a list of numbers"),
        ("scenario = 'x'\ncost_max = inf\n", "a.toml: cost_max is inf, expected float"),
        ("scenario = 'x'\nsteps = 0\n", "a.toml: steps is 0, expected a positive number"),
        ("scenario = 'x'\nhidden = 1000000\n", "a.toml: hidden is 1000000, expected at most 4096"),
        (
            "scenario = 'x'\ngoal_future = 0.9\n",
            "a.toml: goal_future, goal_near, goal_random and goal_here add up to more than 1",
        ),
        ("steps = 3\n", "a.toml: key 'scenario' is missing"),
        ("steps = = 3\n", "a.toml:1: Invalid value, expected TOML"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, text: str, message: str) -> None:
    assert complaint(load_config, tmp_path / "a.toml", text).startswith(message)


def test_bad_values_are_refused_in_code_too() -> None:
    with pytest.raises(InvalidInput, match="seed is -1"):
        TrainConfig("center-dot", seed=-1)
    with pytest.raises(InvalidInput, match="greedy_share is 2"):
        TrainConfig("center-dot").replace(greedy_share=2)
    with pytest.raises(NavplanError, match="unknown recipe 'papre': did you mean 'paper'"):
        TrainConfig("center-dot", recipe="papre")


@given(data=damaged(VALID))
def test_damaged_files_never_crash(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    survives(load_config, tmp_path_factory.mktemp("config") / "a.toml", data)


@given(st.dictionaries(st.text(max_size=8), st.one_of(st.none(), st.integers(), st.text(max_size=3), st.booleans())))
def test_any_dictionary_is_a_config_or_a_format_error(values: dict[str, object]) -> None:
    with contextlib.suppress(FileFormatError):
        TrainConfig.from_dict({"scenario": "x", **values}, "f")
