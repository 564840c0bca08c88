"""The names of `navplan` itself: there on first use, light until then, never hidden by a module."""

from __future__ import annotations

import importlib
import subprocess
import sys
from types import ModuleType

import pytest

import navplan as nv


def test_every_public_name_is_what_its_module_defines() -> None:
    assert dir(nv) == sorted(nv.__all__)
    assert {*nv._WHERE, "planners"} == set(nv.__all__)
    for name, module in nv._WHERE.items():
        assert getattr(nv, name) is getattr(importlib.import_module(module), name)
        assert not isinstance(getattr(nv, name), ModuleType)
    assert nv.planners is importlib.import_module("navplan.planners")
    with pytest.raises(AttributeError, match="module 'navplan' has no attribute 'sovle'"):
        _ = nv.sovle


def test_importing_navplan_imports_nothing_heavy() -> None:
    program = (
        "import sys, navplan\n"
        "print(sorted({'numpy', 'scipy', 'networkx', 'numba', 'shapely', 'torch', 'pygame'} & set(sys.modules)))\n"
        "import navplan.plan.validation, navplan.planners.solving, navplan.navigation.navigate\n"
        "print(all(callable(value) for value in (navplan.validate, navplan.solve, navplan.navigate)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True"]
