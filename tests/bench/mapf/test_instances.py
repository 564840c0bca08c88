from __future__ import annotations

from pathlib import Path

import pytest

from navplan.bench.mapf.config import Config
from navplan.bench.mapf.generated import write_instances
from navplan.bench.mapf.instances import find_instances
from navplan.bench.mapf.run import run_mapf
from navplan.errors import InvalidInput


def test_maps_and_scenarios_are_found_by_name(tmp_path: Path) -> None:
    write_instances(tmp_path / "maps", 1, 3, ("random", "maze"))
    (tmp_path / "scens").mkdir()
    text = (tmp_path / "maps" / "random-drawn-1.scen").read_text()
    (tmp_path / "scens" / "random-even-7.scen").write_text(text)
    (tmp_path / "scens" / "other-even-1.scen").write_text(text)
    found = find_instances(tmp_path)
    assert [(i.map_name, i.scen_type, i.type_id, i.rows) for i in found] == [
        ("maze", "drawn", 1, 3),
        ("random", "drawn", 1, 3),
        ("random", "even", 7, 3),
    ]
    assert [i.scen_type for i in find_instances(tmp_path, ["random"], [7])] == ["even"]
    with pytest.raises(InvalidInput, match="holds no map 'rand'"):
        find_instances(tmp_path, ["rand"])
    with pytest.raises(InvalidInput, match="no scenario file"):
        find_instances(tmp_path, (), [9])
    with pytest.raises(InvalidInput, match="no scenario has as many rows"):
        run_mapf(Config(tmp_path, tmp_path / "out", ("cbs",), agents=(50,)))
