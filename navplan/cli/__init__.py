"""The command line."""

from __future__ import annotations

from navplan.cli.main import main

__all__ = ["main"]
