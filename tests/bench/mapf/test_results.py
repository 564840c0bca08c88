from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from navplan.bench.mapf.results import COLUMNS, groups, read_csv, write_csv
from navplan.errors import FileFormatError
from tests.support.mapf_rows import row


def test_columns_are_those_of_the_tracker_first() -> None:
    assert COLUMNS[:6] == ("map_name", "scen_type", "type_id", "agents", "lower_cost", "solution_cost")


def known(value: Any) -> bool:
    return value is not None and value != ""


def test_rows_survive_the_csv(tmp_path: Path) -> None:
    rows = [row(), row(solved=False, status="timeout", reason='a "b", c', sum_of_costs=None, valid=None, runtime_s=30.0)]
    write_csv(tmp_path / "r.csv", rows)
    again = read_csv(tmp_path / "r.csv")
    for before, after in zip(rows, again, strict=True):
        expected = {**before, "lower_cost": before["lower_bound"], "solution_cost": before["sum_of_costs"]}
        assert {k: v for k, v in after.items() if v not in (None, "")} == {
            k: v for k, v in expected.items() if v not in (None, "")
        }
    (tmp_path / "r.csv").write_text((tmp_path / "r.csv").read_text().replace(",true", ",maybe"))
    with pytest.raises(FileFormatError, match=r"r.csv:2: malformed cell: solved is 'maybe'"):
        read_csv(tmp_path / "r.csv")
    (tmp_path / "r.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FileFormatError, match="has no column 'map_name'"):
        read_csv(tmp_path / "r.csv")


def test_groups_count_unsolved_runs_and_take_medians_over_solved_ones() -> None:
    rows = [
        row(number=1, runtime_s=1.0),
        row(number=2, runtime_s=3.0),
        row(number=3, solved=False, status="skipped", runtime_s=None),
    ]
    group = groups(rows)[0]
    assert (group.runs, group.solved, group.solved_s, group.runtime_s) == (3, 2, 2.0, 3.0)
    assert group.rate == pytest.approx(2 / 3)
