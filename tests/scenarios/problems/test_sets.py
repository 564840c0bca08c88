from __future__ import annotations

from pathlib import Path

import pytest

from navplan.errors import FileAccessError, FileFormatError
from navplan.scenarios.problems.sets import map_sha256, read_problem_sets
from navplan.scenarios.problems.suites import PROBLEM_FOLDER, load_problem_sets
from navplan.scenarios.registry import load_scenario


def test_the_hash_is_of_what_matters() -> None:
    first, other = load_scenario("center-dot"), load_scenario("four-rooms")
    assert map_sha256(first) == map_sha256(load_scenario("center-dot"))
    assert map_sha256(first) != map_sha256(other)
    assert all(cell.map_sha256 == map_sha256(first) for cell in load_problem_sets("paper-2d"))


@pytest.mark.parametrize(
    ("line", "old", "new", "message"),
    [
        (0, "# navplan", "# other", ":1: expected '# navplan problems"),
        (1, "sha256 ", "sha256 0", ":2: the problems are for another map 'center-dot'"),
        (1, "center-dot", "centre-dot", ":2: unknown scenario 'centre-dot'"),
        (2, "agents", "robots", ":3: expected the columns"),
        (5, "center-dot", "line", ":6: map 'line' is not among"),
        (5, ",", ",,", ":6: 14 fields, expected 13"),
        (5, "easy,1,2", "easy,1,3", ":6: problem 3, agent 0: expected problem 2, agent 0"),
        (5, "easy,1", "easy,one", ":6: invalid literal"),
        (-1, "hard,20", "hard,21", "the last problem has 19 agents, expected 20"),
    ],
)
def test_damage_is_named_by_line(tmp_path: Path, line: int, old: str, new: str, message: str) -> None:
    lines = (PROBLEM_FOLDER / "paper-2d-tuning.csv").read_text().splitlines()
    assert old in lines[line]
    lines[line] = lines[line].replace(old, new, 1)
    path = tmp_path / "p.csv"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(FileFormatError) as caught:
        read_problem_sets(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cut_files_are_refused(tmp_path: Path) -> None:
    lines = (PROBLEM_FOLDER / "paper-2d-tuning.csv").read_text().splitlines()
    path = tmp_path / "p.csv"
    path.write_text("\n".join(lines[:-1]))
    with pytest.raises(FileFormatError, match="last problem has 19 agents, expected 20"):
        read_problem_sets(path)
    path.write_text("")
    with pytest.raises(FileFormatError, match="expected '# navplan"):
        read_problem_sets(path)
    with pytest.raises(FileAccessError):
        read_problem_sets(tmp_path / "none.csv")
