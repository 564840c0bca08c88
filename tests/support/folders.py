"""Where tests find the shared benchmark files that are not part of the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("NAVPLAN_DATA", CHECKOUT.parent / "shared" / "data"))
MOVINGAI = DATA / "movingai"

needs_movingai = pytest.mark.skipif(
    not MOVINGAI.is_dir(), reason=f"no MovingAI benchmark files at {MOVINGAI}; set NAVPLAN_DATA to the folder above movingai"
)
