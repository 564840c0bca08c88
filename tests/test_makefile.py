"""`make demo` installs what the demo needs and no more, and says what it takes before it starts."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

from tests.support.folders import CHECKOUT


def dry_run(target: str, folder: Path) -> str:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(CHECKOUT / name, folder / name)
    done = subprocess.run(["make", "--dry-run", target], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_demo_says_size_and_time_first_and_takes_the_small_torch(tmp_path: Path) -> None:
    said = dry_run("demo", tmp_path)
    first, index = said.index("GB on disk"), said.index("https://download.pytorch.org/whl/cpu")
    assert first < said.index("-m venv") < index < said.index("'.[demo]'") < said.index("navplan demo")
    assert "minutes" in said[:first] + said[first:].split("\n")[0]
    assert "[dev]" not in said


def test_the_demo_extra_is_what_the_demo_imports() -> None:
    extras = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras["demo"] == ["navplan[learned,viewer]"]


def test_the_readme_says_first_what_it_is_for_whom_and_what_it_takes() -> None:
    first = (CHECKOUT / "README.md").read_text(encoding="utf-8").split("##")[0].split("![")[0]
    for words in ("multi-agent navigation", "for\npeople", "make demo", "minutes", "GB"):
        assert words in first
