"""Which extra brings which optional module, so that every command can say what to install."""

from __future__ import annotations

import importlib

from navplan.errors import MissingExtra

EXTRAS: dict[str, tuple[str, str]] = {
    "torch": ("PyTorch", "learned"),
    "safetensors": ("safetensors", "learned"),
    "pygame": ("pygame-ce", "viewer"),
    "PIL": ("Pillow", "viewer"),
    "av": ("PyAV", "video"),
    "yaml": ("PyYAML", "ros"),
    "gymnasium": ("Gymnasium", "envs"),
    "pettingzoo": ("PettingZoo", "envs"),
    "minari": ("Minari", "minari"),
    "matplotlib": ("Matplotlib", "bench"),
    "rustworkx": ("rustworkx", "bench"),
}
"""Module -> (package as people call it, extra)."""


def need(purpose: str, *modules: str) -> None:
    """Import optional modules before long work begins.

    Raises:
        MissingExtra: one of them is not installed.
    """
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise MissingExtra(purpose, *EXTRAS[module]) from error


def missing(purpose: str, error: ModuleNotFoundError) -> MissingExtra | None:
    """The error for people when the module that was not found belongs to an extra."""
    known = EXTRAS.get((error.name or "").split(".")[0])
    return MissingExtra(purpose, *known) if known else None
