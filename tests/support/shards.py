"""Shards that behave, and shards that do not; importable by the processes that do them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from navplan.bench.shards import Document, Failure, Shard, Stage, Workspace


@dataclass(frozen=True)
class FakeShard(Shard):
    """Says who did it and what it found there; `manner` names what it does besides.

    Attributes:
        seconds: that its second stage may take.
        kept: a failure is kept as a document.
    """

    name: str
    manner: str = "good"
    group: str = ""
    seconds: float = 60.0
    kept: bool = False

    @property
    def identity(self) -> dict[str, Any]:
        return {"name": self.name}

    @property
    def label(self) -> str:
        return f"shard {self.name}"

    @property
    def stages(self) -> Sequence[Stage]:
        return () if self.manner == "leaves" else (("starting", 60.0), ("acting", self.seconds))

    def work(self, workspace: Workspace) -> Document:
        before = workspace.cache.get(self.group, lambda: [0])
        before[0] += 1
        workspace.next_stage()
        os.write(1, b"noise on standard output\n")
        if self.manner in ("dies", "leaves"):
            os.write(2, b"last words\n")
            os.kill(os.getpid(), signal.SIGKILL) if self.manner == "dies" else os._exit(3)
        if self.manner == "hangs":
            time.sleep(60)
        if self.manner == "raises":
            raise ValueError("it went\nwrong")
        seen = {"process": os.getpid(), "variable": os.environ.get("NAVPLAN_TEST_SHARD"), "done": before[0]}
        return {"name": self.name, **seen}

    def accepts(self, document: Document, out: Path) -> bool:
        return document.get("name") == self.name

    def lost(self, failure: Failure) -> Document | None:
        return {"name": self.name, "how": failure.how} if self.kept else None
