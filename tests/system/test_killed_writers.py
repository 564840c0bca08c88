"""Writers that are killed at their file operations, and at random: nothing is lost, nothing is different in the end.

A part of them; ``NAVPLAN_FAULTS=1 pytest -s tests/system/test_killed_writers.py`` kills at every operation and 104 times at
random, in ten minutes or more, and prints the counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.faults import count_operations, ended_at
from tests.support.writers import CASES

ALL = bool(os.environ.get("NAVPLAN_FAULTS"))
# Every so many operations is one to be killed at.
STEPS = {"plan": 1, "trajectory": 5, "graph": 4, "scenarios": 7, "train": 30, "evaluate": 20, "bench": 50, "kernels": 6}
AT_RANDOM = 13


@pytest.mark.parametrize("case", CASES)
def test_killed_anywhere_nothing_is_lost_or_different(case: str) -> None:
    every, count = (1, AT_RANDOM) if ALL else (STEPS[case], 1)
    command = [sys.executable, "-m", "tests.support.writers", case, "--every", str(every), "--random", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=None if ALL else 300)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout)
    assert found["killed"] >= max(1, found["operations"] // every - 2)
    if ALL:
        sys.stdout.write(f"\n{found}\n")


def test_the_fault_comes_at_every_kind_of_operation(tmp_path: Path) -> None:
    """A folder, a file that is written twice, flushed, renamed; then the file is removed."""

    def work() -> None:
        folder = tmp_path / "new"
        folder.mkdir()
        with open(folder / "half", "wb") as stream:
            for part in (b"abcd", b"efgh"):
                stream.write(part)
                stream.flush()
            os.fsync(stream.fileno())
        os.replace(folder / "half", folder / "whole")
        (folder / "whole").unlink()
        folder.rmdir()

    left = []
    total = count_operations(tmp_path, work)
    for at in range(1, total + 1):
        assert ended_at(tmp_path, at, work)
        left.append({path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()})
        for path in sorted(tmp_path.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
    assert not ended_at(tmp_path, total + 1, work)
    whole = b"abcdefgh"
    assert [found for k, found in enumerate(left) if found not in left[:k]] == [
        {},
        {"half": b"ab"},
        {"half": b"abcdef"},
        {"half": whole},
        {"whole": whole},
    ]
