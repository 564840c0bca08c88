"""Every kernel can be found in a test: one of its own, or those that its module names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import navplan

ROOT = Path(navplan.__file__).parents[1]
KERNELS = ROOT / "navplan" / "kernels"
MODULES = sorted(path.relative_to(KERNELS) for path in KERNELS.rglob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_kernel_has_a_test_or_names_one(module: Path) -> None:
    doc = ast.get_docstring(ast.parse((KERNELS / module).read_text())) or ""
    line = re.search(r"^Tested through (.+)\.$", doc, re.MULTILINE)
    named = line[1].split(" and ") if line else []
    own = ROOT / "tests" / "kernels" / module.parent / f"test_{module.name}"
    assert named or own.is_file(), f"{module}: no tests/kernels/{module.parent}/test_{module.name}, no line 'Tested through ...'"
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_the_rooms_of_tests_are_those_of_kernels() -> None:
    """No test is left behind where a kernel has moved away."""
    tests = {path.relative_to(ROOT / "tests" / "kernels") for path in (ROOT / "tests" / "kernels").glob("*/test_*.py")}
    assert tests <= {module.parent / f"test_{module.name}" for module in MODULES}
