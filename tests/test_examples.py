"""The examples in docstrings say what the code does."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from tests.support.folders import CHECKOUT


def with_examples() -> list[str]:
    """Dotted names of the modules whose docstrings hold examples; nothing is imported."""
    files = sorted((CHECKOUT / "navplan").rglob("*.py"))
    return [".".join(file.relative_to(CHECKOUT).with_suffix("").parts) for file in files if b">>> " in file.read_bytes()]


@pytest.mark.parametrize("name", with_examples())
def test_examples_of_a_module(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(importlib.import_module(name.removesuffix(".__init__")))
    assert found.attempted > 0
    assert found.failed == 0
