"""Modules that seem not to be there."""

from __future__ import annotations

import sys

import pytest


def hide_modules(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Forget that modules of these names, and those in them, are loaded; afterwards everything is as it was.

    A package keeps what is loaded in it as attributes too, and those would stay those of the second time.
    """
    for name, module in list(sys.modules.items()):
        if any(name == hidden or name.startswith(f"{hidden}.") for hidden in names):
            parent, _, child = name.rpartition(".")
            if child in vars(sys.modules.get(parent, object)):
                monkeypatch.setattr(sys.modules[parent], child, module)
            monkeypatch.delitem(sys.modules, name)
