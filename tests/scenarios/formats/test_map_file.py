from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navplan.errors import FileAccessError, FileFormatError
from navplan.scenarios.formats.map_file import read_map_file
from navplan.scenarios.formats.movingai import write_map


def test_the_ending_says_the_kind_in_either_case(tmp_path: Path) -> None:
    write_map(tmp_path / "a.MAP", np.eye(3, dtype=np.bool_))
    world = read_map_file(tmp_path / "a.MAP")
    assert (world.name, world.is_grid) == ("a", True)
    with pytest.raises(FileFormatError, match=r"a\.toml: unknown kind of map file '\.toml', expected one of \.map, \.yaml"):
        read_map_file(tmp_path / "a.toml")
    with pytest.raises(FileAccessError, match=r"none\.map: cannot be read"):
        read_map_file(tmp_path / "none.map")
