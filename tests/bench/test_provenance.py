from __future__ import annotations

import hashlib
import re
from importlib.metadata import version as installed

from navplan.bench.provenance import code_hash, surroundings, version
from tests.support.folders import CHECKOUT


def test_the_hash_is_of_names_and_contents_of_the_rooms_sources() -> None:
    digest = hashlib.sha256()
    for room in ("plan", "control"):
        for source in sorted((CHECKOUT / "navplan" / room).rglob("*.py")):
            digest.update(source.name.encode() + source.read_bytes())
    assert code_hash("plan", "control") == digest.hexdigest()[:8]
    assert re.fullmatch("[0-9a-f]{8}", code_hash("plan"))
    assert code_hash("plan") != code_hash("control")


def test_versions_and_machine_are_said() -> None:
    assert version() == installed("navplan")
    said = surroundings("numpy", "scipy")
    assert said["packages"] == {"numpy": installed("numpy"), "scipy": installed("scipy")}
    assert list(said["machine"]) == ["system", "processor", "python"]
