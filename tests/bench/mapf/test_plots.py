from __future__ import annotations

from pathlib import Path

import numpy as np

from navplan.bench.mapf.plots import draw_all
from tests.support.mapf_rows import row


def test_plots_are_pictures_and_not_blank(tmp_path: Path) -> None:
    from PIL import Image

    rows = [
        row(planner, name, agents, number, runtime_s=0.01 * agents, peak_memory_mb=300.0, suboptimality=1 + agents / 1e4)
        for planner in ("cbs", "lacam")
        for name in ("a", "b")
        for agents in (10, 100, 1000)
        for number in (1, 2)
    ]
    files = draw_all(tmp_path, rows)
    assert {path.name for path in files} >= {"success.png", "runtime.png", "cost.png", "memory.png", "cost.pdf"}
    for path in files:
        if path.suffix == ".png":
            pixels = np.asarray(Image.open(path).convert("RGB"))
            assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20
            assert pixels.shape[1] > 600
