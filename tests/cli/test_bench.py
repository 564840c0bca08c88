from __future__ import annotations

import json
from pathlib import Path

import pytest

from navplan.bench.mapf.generated import write_instances
from navplan.bench.mapf.report import BEGIN, END
from navplan.cli import main


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "maps"
    write_instances(folder, 1, 8, ("random",))
    return folder.parent


def test_suites_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "list", "--json"]) == 0
    assert {"env", "search", "graph", "mapf", "learn"} <= json.loads(capsys.readouterr().out).keys()
    assert main(["bench", "list"]) == 0
    assert "mapf" in capsys.readouterr().out


@pytest.mark.usefixtures("no_pictures")
def test_json_is_one_document_and_nothing_else(maps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    arguments = ["bench", "run", "mapf", "--quiet", "--maps", str(maps), "--out", str(out)]
    arguments += ["--planners", "cbs", "--agents", "4,2"]
    assert main([*arguments, "--json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert captured.err == ""
    assert (document["runs"], document["done"], document["interrupted"]) == (2, 2, False)
    assert [row["agents"] for row in document["rows"]] == [2, 4]
    assert all(row["status"] == "optimal" and row["valid"] for row in document["rows"])
    assert {Path(name).name for name in document["files"]} >= {"results.csv", "run.json", "report.md", "success.png"}
    stamps = {path.name: path.stat().st_mtime_ns for path in (out / "shards").iterdir()}

    assert main(arguments) == 0  # nothing left to do
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "cbs      random       4     1/1" in captured.out
    assert stamps == {path.name: path.stat().st_mtime_ns for path in (out / "shards").iterdir()}


@pytest.mark.usefixtures("no_pictures")
def test_a_report_can_be_written_again(maps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, readme = tmp_path / "out", tmp_path / "README.md"
    common = ["--maps", str(maps), "--out", str(out), "--planners", "cbs", "--agents", "2", "--plans"]
    assert main(["bench", "run", "mapf", *common]) == 0
    (out / "report.md").unlink()
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert main(["bench", "report", str(out), "--readme", str(readme)]) == 0
    assert "## Growth" in (out / "report.md").read_text()
    text = readme.read_text()
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    plans = list((out / "plans").iterdir())
    capsys.readouterr()
    assert main(["validate", str(plans[0])]) == 0
    assert main(["bench", "report", str(tmp_path)]) == 2
    assert "holds no shards" in capsys.readouterr().err
    readme.write_text("no markers")
    assert main(["bench", "report", str(out / "results.csv"), "--readme", str(readme)]) == 2
    assert "expected the lines" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--maps", "nowhere"], "nowhere: is no folder"),
        (["--maps", "."], "holds no .map file"),
        (["--planners", "cbz"], "unknown planner 'cbz'"),
        (["--planners", "astar"], "plans for 1 agent"),
        (["--planners", "ecbs:w=2"], "has no option 'w'"),
        (["--planners", "cbs,,ecbs"], "--planners"),
        (["--agents", "10,0"], "--agents"),
        (["--agents", "9"], "no scenario has as many rows"),
        (["--scens", "7"], "no scenario file"),
        (["--only", "maze"], "holds no map 'maze', but random"),
        (["--time-limit", "-1"], "--time-limit"),
        (["--memory-limit", "0"], "--memory-limit"),
        (["--workers", "0"], "--workers"),
        (["--targets", "--agents", "4"], "leave --agents out"),
    ],
)
def test_bad_input_exits_2_with_one_line_before_anything_is_written(
    maps: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    out = tmp_path / "out"
    assert main(["bench", "run", "mapf", "--maps", str(maps), "--out", str(out), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert not (out / "shards").exists()


def test_options_of_one_suite_are_refused_by_the_others(maps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "run", "env", "--agents", "5"]) == 2
    assert "--agents goes with suite mapf and --maps" in capsys.readouterr().err
    assert main(["bench", "run", "mapf", "--maps", str(maps)]) == 2
    assert "needs --out" in capsys.readouterr().err
    assert main(["bench", "run", "maps"]) == 2
    assert "unknown suite 'maps'" in capsys.readouterr().err


def test_an_output_folder_that_cannot_be_written_is_found_first(maps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = maps / "maps" / "random.map"
    assert main(["bench", "run", "mapf", "--maps", str(maps), "--out", str(taken)]) == 2
    assert "cannot be written" in capsys.readouterr().err
