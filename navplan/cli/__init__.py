"""The command line."""

from __future__ import annotations

from navplan.cli.command_line import main

__all__ = ["main"]
