from __future__ import annotations

from navplan.bench.speed.converge import MAPS, VARIANTS, row, variant
from navplan.learned.recipes.navplan.config import bundled_config


def test_a_variant_is_trained_and_judged() -> None:
    found = row("center-dot", "goals anywhere, a small ring and few updates", 40, quick=True)
    assert found["name"] == "center-dot: goals anywhere, a small ring and few updates"
    assert 0 <= found["value"] <= 100
    assert found["note"].startswith("4 updates; distance off by ")


def test_variants_change_something_and_keep_the_environment_steps() -> None:
    for scenario in MAPS:
        base = bundled_config(scenario).replace(steps=1000)
        for name, changes in VARIANTS.items():
            changed = variant(base, changes)
            assert (changed == base) == (name == "as it is")
            assert changed.steps / changed.updates_per_round == base.steps / base.updates_per_round
