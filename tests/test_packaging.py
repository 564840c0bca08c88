"""The sdist and the wheel built from it hold the whole package, links or not."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKPOINTS = "navplan/learned/checkpoints/"
SHIPPED = {"center-dot", "four-rooms-modified"}


def shipped(name: str) -> bool:
    """Whether a file of the checkout comes with the package: of the checkpoints only two do."""
    return not name.startswith(CHECKPOINTS) or name.split("/")[3] in SHIPPED


def test_sdist_to_wheel_holds_every_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    tracked = subprocess.run(["git", "ls-files", "navplan"], cwd=ROOT, check=True, capture_output=True, text=True)
    expected = {name for name in tracked.stdout.split() if (ROOT / name).is_file() and shipped(name)}
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    assert expected - packed == set()
    assert {name.split("/")[3] for name in packed if name.startswith(CHECKPOINTS)} == SHIPPED
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert expected - names == set()
    assert {name.split("/")[3] for name in names if name.startswith(CHECKPOINTS)} == SHIPPED
    assert "tests/test_packaging.py" in names


def test_the_rooms_are_seen_at_the_top() -> None:
    for room in ("planners", "learned", "scenarios", "bench"):
        listed = subprocess.run(["git", "ls-files", "-s", room], cwd=ROOT, check=True, capture_output=True, text=True)
        assert listed.stdout.startswith("120000 "), f"{room} should be a committed link"
        assert (ROOT / "navplan" / room / "__init__.py").is_file()
