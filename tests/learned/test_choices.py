"""`--set SLOT=NAME[:OPTION=VALUE,…]`, and what a run's configuration is made from."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navplan.cli import main
from navplan.errors import FileFormatError, InvalidInput, NavplanError, UnknownName
from navplan.learned.choices import Wanted, chosen, new_settings, parse_choices, resumed_settings
from navplan.learned.curriculum.disagreement import Disagreement
from navplan.learned.curriculum.uniform import Uniform
from navplan.learned.recipes.navplan.config import TrainConfig, bundled_config
from navplan.learned.recipes.paper.config import paper_config
from navplan.learned.training.run_config import config_from, read_config
from navplan.learned.training.train import train


def wanted(*texts: str, scenario: str | None = "center-dot", recipe: str | None = None) -> Wanted:
    return Wanted(scenario, recipe, choices=parse_choices(texts))


def test_choices_are_read() -> None:
    assert parse_choices([]) == {}
    assert parse_choices(["curriculum=disagreement:spread=2,most=0.5,shortest=3", "recipe=navplan"]) == {
        "curriculum": {"use": "disagreement", "spread": 2, "most": 0.5, "shortest": 3},
        "recipe": {"use": "navplan"},
    }
    assert parse_choices(["critic=x:two-words=yes,flag=true,other=a:b=c"]) == {
        "critic": {"use": "x", "two_words": "yes", "flag": True, "other": "a:b=c"}
    }


def test_choices_fill_slots() -> None:
    assert new_settings(wanted()) == bundled_config("center-dot")
    assert new_settings(wanted("curriculum=uniform")) == bundled_config("center-dot").replace(curriculum=Uniform())
    found = new_settings(wanted("curriculum=disagreement:spread=1,shortest=2"))
    assert found == bundled_config("center-dot").replace(curriculum=Disagreement(spread=1, shortest=2.0))
    assert new_settings(wanted("recipe=paper")) == new_settings(wanted(recipe="paper")) == paper_config("center-dot")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["curriculum"], "--set is 'curriculum', expected SLOT=NAME or SLOT=NAME:OPTION=VALUE,…"),
        (["curriculum="], "--set is 'curriculum=', expected SLOT=NAME or SLOT=NAME:OPTION=VALUE,…"),
        (["=uniform"], "--set is '=uniform', expected SLOT=NAME or SLOT=NAME:OPTION=VALUE,…"),
        (["curriculum=uniform:"], "--set is 'curriculum=uniform:', expected SLOT=NAME or SLOT=NAME:OPTION=VALUE,…"),
        (["curriculum=uniform:a"], "--set is 'curriculum=uniform:a', expected SLOT=NAME or SLOT=NAME:OPTION=VALUE,…"),
        (["curriculum=uniform:a=1,a=2"], "--set is 'curriculum=uniform:a=1,a=2': a is given twice"),
        (["curiculum=uniform"], "unknown slot 'curiculum': did you mean 'curriculum'? known: "),
        (["curriculum=uniform", "curriculum=uniform"], "--set curriculum is given twice, expected one choice for a slot"),
        (["curriculum=unifrom"], "unknown curriculum 'unifrom': did you mean 'uniform'? known: disagreement, uniform"),
        (["curriculum=paper"], "unknown curriculum 'paper': known: disagreement, uniform"),
        (["curriculum=uniform:a=1"], "--set curriculum=uniform: curriculum 'uniform' has no option 'a', it has none"),
        (
            ["curriculum=disagreement:sprad=1"],
            "--set curriculum=disagreement: curriculum 'disagreement' has no option 'sprad' (did you mean spread?), known",
        ),
        (["curriculum=disagreement:spread=much"], "--set curriculum=disagreement: spread is 'much', expected int"),
        (["curriculum=disagreement:spread=1.5"], "--set curriculum=disagreement: spread is 1.5, expected int"),
        (["curriculum=disagreement:spread=0"], "--set curriculum=disagreement: spread is 0, expected at least 1"),
        (["curriculum=disagreement:most=nan"], "--set curriculum=disagreement: most is nan, expected float"),
        (["critic=x"], "--set critic: recipe 'navplan' has no such slot, expected curriculum"),
        (["recipe=paper", "curriculum=uniform"], "--set curriculum: recipe 'paper' has no such slot, it has none"),
        (["recipe=papre"], "unknown recipe 'papre': did you mean 'paper'? known: navplan, offline, paper"),
        (
            ["recipe=paper:steps=3"],
            "--set recipe=paper: has no option steps; a TOML file (--config) says the rest of a run",
        ),
    ],
)
def test_wrong_choices_are_named_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], texts: list[str], message: str
) -> None:
    with pytest.raises(NavplanError) as caught:
        new_settings(wanted(*texts))
    assert str(caught.value).startswith(message)
    command = [part for text in texts for part in ("--set", text)]
    assert main(["train", "--scenario", "center-dot", *command, "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")
    assert not (tmp_path / "run").exists()


@given(st.lists(st.text(alphabet="=:,-_.abc1 \n", max_size=12), max_size=3))
def test_any_text_is_choices_or_an_error(texts: list[str]) -> None:
    with contextlib.suppress(InvalidInput, UnknownName):
        for table in parse_choices(texts).values():
            assert table["use"]


def test_recipes_must_agree(tmp_path: Path) -> None:
    assert new_settings(wanted("recipe=paper", recipe="paper")).recipe == "paper"
    with pytest.raises(InvalidInput, match="--recipe navplan and --set recipe=paper differ"):
        new_settings(wanted("recipe=paper", recipe="navplan"))
    path = tmp_path / "own.toml"
    path.write_text('scenario = "line"\nrecipe = "paper"\nsteps = 3\n')
    assert new_settings(Wanted(), path) == new_settings(Wanted(recipe="paper"), path) == read_config(path)
    assert read_config(path).recipe == "paper"
    with pytest.raises(InvalidInput, match="--config is for new runs of its own recipe"):
        new_settings(Wanted(recipe="navplan"), path)


def test_a_file_names_modules_alone_or_with_options(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    plain = TrainConfig("line")
    for text, curriculum in (
        ("", Disagreement()),
        ('curriculum = "uniform"', Uniform()),
        ('curriculum = {use = "uniform"}', Uniform()),
        ('curriculum = {use = "disagreement", spread = 2, most = 1}', Disagreement(spread=2, most=1.0)),
        ('[curriculum]\nuse = "disagreement"\nspread = 2', Disagreement(spread=2)),
    ):
        path.write_text(f'scenario = "line"\n{text}\n')
        assert read_config(path) == plain.replace(curriculum=curriculum)
    for text, message in (
        ("curriculum = 3", "curriculum is 3, expected a module's name or a table {use = NAME, OPTION = VALUE, …}"),
        ("curriculum = {spread = 3}", "curriculum is {'spread': 3}, expected a module's name or a table"),
        ('curriculum = "unifrom"', "unknown curriculum 'unifrom': did you mean 'uniform'"),
        ('curriculum = {use = "disagreement", spread = 2.5}', "spread is 2.5, expected int"),
        ('recipe = "papre"', "unknown recipe 'papre': did you mean 'paper'"),
    ):
        path.write_text(f'scenario = "line"\n{text}\n')
        with pytest.raises(FileFormatError) as caught:
            read_config(path)
        assert str(caught.value).startswith(f"{path}: {message}")


def test_what_is_usual_is_not_written_and_old_files_mean_it() -> None:
    usual = TrainConfig("line")
    assert "curriculum" not in usual.to_dict()
    assert config_from({**usual.to_dict(), "recipe": "navplan"}, "f") == usual
    other = usual.replace(curriculum=Disagreement(spread=2))
    assert other.to_dict()["curriculum"] == {"use": "disagreement", "shortest": 1.5, "spread": 2, "most": 1.0}
    assert config_from(json.loads(json.dumps(other.to_dict())), "f") == other != usual


def test_a_run_remembers_what_it_is_made_of(tmp_path: Path) -> None:
    quick = bundled_config("center-dot").replace(  # made small
        steps=8, updates_per_round=4, batch_size=8, hidden=4, num_envs=8, warmup_rounds=1, replay_episodes=40, export_states=10
    )
    settings = chosen(quick, parse_choices(["curriculum=uniform"]))
    run = train(settings, tmp_path / "run")
    assert json.loads((run / "config.json").read_text())["config"]["curriculum"] == {"use": "uniform"}
    assert resumed_settings(wanted(scenario=None), run) == settings
    assert resumed_settings(wanted("curriculum=uniform", scenario=None), run) == settings
    train(settings, run, resume=True)
    with pytest.raises(InvalidInput, match="was started with another configuration"):
        train(resumed_settings(wanted("curriculum=disagreement", scenario=None), run), run, resume=True)
    with pytest.raises(InvalidInput, match="was started with recipe 'navplan', not 'paper'"):
        resumed_settings(wanted("recipe=paper", scenario=None), run)


def test_the_command_line_takes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    command = ["train", "--scenario", "center-dot", "--steps", "1", "--set", "curriculum=uniform", "--out", str(out), "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["updates"] == 1
    assert json.loads((out / "config.json").read_text())["config"]["curriculum"] == {"use": "uniform"}
    assert main(["train", "--set", "recipe=paper", "--resume", "--out", str(out)]) == 2
    assert "was started with recipe 'navplan', not 'paper'" in capsys.readouterr().err
