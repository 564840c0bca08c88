from __future__ import annotations

import subprocess
import sys

import pytest

from navplan.errors import UnknownName
from navplan.learned import registry


def test_modules_are_found_by_name_and_by_slot() -> None:
    assert registry.names() == sorted(registry.MODULES)
    assert registry.names("recipe") == ["navplan", "offline", "paper"]
    assert registry.names("curriculum") == ["disagreement", "uniform"]
    assert registry.names("ranking") == []
    assert registry.get("uniform").slot == "curriculum"
    assert registry.get("uniform", "curriculum") is registry.get("uniform")


def test_unknown_names_are_told_what_is_near() -> None:
    with pytest.raises(UnknownName, match="unknown module 'unifrom': did you mean 'uniform'"):
        registry.get("unifrom")
    with pytest.raises(UnknownName, match=r"unknown recipe 'uniform':.* known: navplan, offline, paper"):
        registry.get("uniform", "recipe")


def test_listing_and_configuring_need_no_pytorch() -> None:
    program = (
        "import sys\n"
        "from navplan.learned import registry\n"
        "from navplan.learned.choices import Wanted, new_settings, parse_choices\n"
        "print([registry.get(name).about for name in registry.names()] != [])\n"
        "print(new_settings(Wanted('center-dot', choices=parse_choices(['curriculum=uniform']))).curriculum.name)\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["True", "uniform", "False"]
