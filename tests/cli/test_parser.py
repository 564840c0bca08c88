"""What the command line takes: options that are misspelled, names with `_`, lists in one syntax."""

from __future__ import annotations

from pathlib import Path

import pytest

from navplan.cli.command_line import main
from navplan.cli.commands import parse
from navplan.cli.options import RegisteredName, asked_low_level, checkpoints_list, methods_list, planners_list, scenario_name
from navplan.errors import InvalidInput, UnknownName


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["solve", "--agnets", "3"], "navplan solve: unrecognized arguments: --agnets (did you mean --agents?)"),
        (["solve", "--map", "line", "-agents", "3"], "navplan solve: unrecognized arguments: -agents (did you mean --agents?)"),
        (["view", "line", "--exprt=my picture.png"], "unrecognized arguments: --exprt=my picture.png (did you mean --export?)"),
        (["--verison"], "navplan: unrecognized arguments: --verison (did you mean --version?)"),
        (["-x", "solve"], "navplan: unrecognized arguments: -x"),
        (["planners", "--jsn"], "navplan planners: unrecognized arguments: --jsn (did you mean --json?)"),
        (["planners", "more", "words"], "navplan planners: unrecognized arguments: more words"),
        (
            ["scenario", "make", "maze", "--corridoor", "2"],
            "navplan scenario make maze: unrecognized arguments: --corridoor (did",
        ),
        (["scenario", "lst"], "invalid choice: 'lst' (did you mean list?), expected list, show, make"),
        (["solve", "--map", "line", "--allocation", "jont"], "invalid choice: 'jont' (did you mean joint?), expected joint,"),
        (["judge", "line", "--stage", "3"], "invalid choice: 3, expected 1, 2"),
        (["solve", "--s", "3"], "ambiguous option: --s could match --scen, --seed"),
        (["demo", "--agents"], "navplan demo: argument --agents: expected one argument"),
        (["solve"], "the following arguments are required: --map"),
        (["bench", "run", "learm"], "unknown suite 'learm': did you mean 'learn'?"),
        (["run", "line", "--checkpoint", "x", "--method", "srb"], "unknown method 'srb': did you mean 'sorb'?"),
    ],
)
def test_what_is_misspelled_is_said_in_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert message in shown.err


def test_underscores_are_taken_for_hyphens() -> None:
    assert parse(["solve", "--map", "center_dot", "--time_limit=3", "--risk_b", "2"]).time_limit == 3.0
    args = parse(
        ["run", "four_rooms", "--method", "constrained_search", "--checkpoint", "center_dot", "--low_level", "straight_line"]
    )
    assert (args.scenario, args.method, args.checkpoint) == ("four-rooms", "constrained-search", "center-dot")
    assert args.low_level == "straight-line"
    args = parse(["solve", "--map", "center_dot", "--allocation", "surplus_deficit"])
    assert (args.map, args.allocation) == ("center-dot", "surplus-deficit")
    assert parse(["evaluate", "--suite", "long_horizon", "--out", "x"]).suite == "long-horizon"
    assert parse(["scenario", "show", "spiral_5x5"]).name == "spiral-5x5"
    assert methods_list("constrained_policy,constrained_search/my_setting") == [
        "constrained-policy",
        "constrained-search/my_setting",
    ]


def test_paths_and_names_registered_with_underscores_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_run").mkdir()
    for path in ("my_map.toml", "maps/center_dot", "./center_dot", "my_run"):
        assert scenario_name(path) == path
    assert RegisteredName(lambda: ["my_planner"])("my_planner") == "my_planner"
    assert planners_list("my_own:max_nodes=3,ecbs:suboptimality=1.2") == ["my-own:max_nodes=3", "ecbs:suboptimality=1.2"]


def test_one_syntax_of_lists() -> None:
    common = ["evaluate", "--suite", "paper-2d", "--out", "x"]
    args = parse([*common, "--methods", "sorb,navplan", "--agents", "20,1", "--train-seeds", "0:3,7", "--checkpoint", "a,b"])
    assert (args.methods, args.agents, args.train_seeds) == (["sorb", "navplan"], [1, 20], [0, 1, 2, 7])
    assert args.checkpoint == ["a", "b"]
    apart = ["--methods", "sorb", "navplan", "--agents", "20", "1", "--train-seeds", "0", "--train-seeds", "1,2", "7"]
    args = parse([*common, *apart, "--checkpoint", "a", "--checkpoint", "b"])
    assert (args.methods, args.agents, args.train_seeds) == (["sorb", "navplan"], [20, 1], [0, 1, 2, 7])
    assert args.checkpoint == ["a", "b"]
    assert parse(common).methods is None
    assert parse(["judge", "a,b", "c"]).runs == ["a", "b", "c"]
    args = parse(["bench", "run", "--agents", "2:5,10", "--scens", "3,1", "mapf"])
    assert (args.agents, args.scens, args.suite) == ([2, 3, 4, 10], [1, 3], "mapf")


@pytest.mark.parametrize("text", ["", "1,", "a", "1:1", "3:1", ":", "1:2:3", "-1", "0:900000"])
def test_lists_of_numbers_that_are_none(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--suite", "paper-2d", "--out", "x", f"--train-seeds={text}"]) == 2
    assert "argument --train-seeds: is " in capsys.readouterr().err


def test_a_run_whose_name_holds_a_comma(tmp_path: Path) -> None:
    folder = tmp_path / "a,b"
    assert checkpoints_list(str(folder)) == [str(tmp_path / "a"), "b"]
    folder.mkdir()
    assert checkpoints_list(str(folder)) == [str(folder)]


def asked(*words: str) -> str:
    return asked_low_level(parse(["demo", *words]))


def test_who_drives() -> None:
    assert asked() == "policy"
    assert asked("--low-level", "straight-line") == asked("--set", "policy=straight_line") == "straight-line"
    assert asked("--low-level", "straight-line", "--set", "policy=straight-line") == "straight-line"
    for words, message in (
        (["--set", "policy"], "expected SLOT=NAME"),
        (["--set", "policy="], "expected SLOT=NAME"),
        (["--set", "policy=policy:speed=2"], "has no options"),
        (["--set", "policy=policy", "--low-level", "straight-line"], "straight-line and policy are asked for"),
        (["--set", "policy=policy", "--set", "policy=straight-line"], "--set policy is given twice"),
    ):
        with pytest.raises(InvalidInput, match=message):
            asked(*words)
    with pytest.raises(UnknownName, match="unknown slot 'polcy': did you mean 'policy'"):
        asked("--set", "polcy=policy")


def test_what_looks_like_an_option_and_is_a_value() -> None:
    args = parse(["view", "--", "--odd-name.map"])
    assert args.file == "--odd-name.map"
    with pytest.raises(SystemExit):
        parse(["view", "--odd-name.map"])
