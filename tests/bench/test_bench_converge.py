from __future__ import annotations

from navplan.bench import run_suite
from navplan.bench.converge import VARIANTS
from navplan.learned.config import bundled_config


def test_every_variant_is_trained_and_judged() -> None:
    rows = run_suite("converge", quick=True)
    assert [row["name"] for row in rows] == list(VARIANTS)
    assert all(0 <= row["value"] <= 100 for row in rows)
    assert [row["note"].split(" ")[0] for row in rows] == ["40", "40", "40", "40", "4", "40", "40", "40"]


def test_variants_change_one_thing() -> None:
    base = bundled_config("center-dot")
    assert all(base.replace(**changes) != base for name, changes in VARIANTS.items() if name != "as it is")
