from __future__ import annotations

import json
from pathlib import Path

import pytest

from navplan.cli.command_line import main
from tests.support.suites import write_suite


def test_it_evaluates_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite, out = write_suite(tmp_path), tmp_path / "out"
    page = tmp_path / "page.md"
    page.write_text("<!-- quick table: begin --><!-- quick table: end -->")
    asked = ["evaluate", "--suite", str(suite), "--out", str(out)]
    assert main([*asked, "--methods", "policy", "--agents", "2", "--train-seeds", "0", "--problems", "1", "--json"]) == 0
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert [line for line in shown.err.splitlines() if not line.startswith("evaluating quick")] == []  # after ten seconds
    assert (document["suite"], document["tasks"], document["done"], document["failures"]) == ("quick", 1, 1, [])
    assert document["rows"][0]["method"] == "policy"
    assert len(document["rows"]) == 1
    table = (out / "results.csv").read_bytes()
    assert main([*asked, "--methods", "policy", "--problems", "1", "--report-only", "--readme", str(page)]) == 0
    assert "wrote" in capsys.readouterr().out
    assert (out / "results.csv").read_bytes() == table
    assert "| center-dot | easy | 2 |" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--suite", "paper-3d"], "unknown suite 'paper-3d': did you mean 'paper-2d'"),
        (["--suite", "nowhere/x.toml"], "nowhere/x.toml: cannot be read"),
        (["--suite", "paper-2d", "--methods", "sorb,navplam"], "unknown method of suite paper-2d 'navplam'"),
        (["--suite", "paper-2d", "--agents", "1,2"], "suite paper-2d has no agents 2"),
        (["--suite", "paper-2d", "--problems", "99"], "has 50 problems of a kind, got 99"),
        (["--suite", "paper-2d", "--train-seeds", "0", "x"], "argument --train-seeds"),
        (["--suite", "paper-2d", "--train-seeds", "3:1"], "argument --train-seeds"),
        (["--suite", "paper-2d", "--workers", "0"], "argument --workers"),
        (["--suite", "paper-2d", "--perturbations", "late"], "suite paper-2d has no perturbations, got late"),
        (
            ["--suite", "robust", "--perturbations", "lost_moves,lat"],
            "unknown perturbation of suite robust 'lat': did you mean 'late'",
        ),
        (["--suite", "paper-2d", "--report-only"], "results.csv: cannot be read"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", *arguments, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert message in said
    assert said.count("\n") == 1
