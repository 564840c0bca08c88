from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navplan.errors import FileAccessError, InvalidInput
from navplan.scenarios.formats.movingai import ScenRow, map_text, read_map, read_scen, write_map, write_scen
from tests.support.damaged_files import complaint, damaged, survives
from tests.support.folders import MOVINGAI, needs_movingai

VALID_MAP = "type octile\nheight 2\nwidth 3\nmap\n.@.\nGTS\n"
VALID_SCEN = "version 1\n0\tx.map\t3\t2\t0\t1\t2\t0\t2.5\n3\tx.map\t3\t2\t2\t1\t0\t0\t0\n"
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_terrain(tmp_path):
    path = tmp_path / "a.map"
    path.write_text("type octile\nheight 1\nwidth 8\nmap\n.GSE@OTW")
    assert read_map(path).tolist() == [[False] * 4 + [True] * 4]


def test_windows_line_ends_and_blank_tail(tmp_path):
    path = tmp_path / "a.map"
    path.write_bytes(VALID_MAP.replace("\n", "\r\n").encode() + b"\r\n\r\n")
    assert read_map(path).tolist() == [[False, True, False], [False, True, False]]


@same_folder
@given(st.integers(1, 7), st.integers(1, 7), st.data())
def test_map_round_trip(tmp_path, height, width, data):
    walls = np.array(data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))).reshape(height, width)
    write_map(tmp_path / "a.map", walls)
    assert (read_map(tmp_path / "a.map") == walls).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.map:1: first line is '', expected 'type octile'"),
        (VALID_MAP.replace("type octile", "octile"), "a.map:1: first line is 'octile', expected 'type octile'"),
        (VALID_MAP.replace("height 2", "height two"), "a.map:2: height is 'two', expected a positive integer"),
        (VALID_MAP.replace("height 2", "height 0"), "a.map:2: height is '0', expected a positive integer"),
        (VALID_MAP.replace("height 2", "height -2"), "a.map:2: height is '-2', expected a positive integer"),
        (VALID_MAP.replace("height 2", "tall 2"), "a.map:2: line is 'tall 2', expected 'height NUMBER'"),
        (VALID_MAP.replace("width 3", "height 3"), "a.map:3: line is 'height 3', expected 'width NUMBER'"),
        (VALID_MAP.replace("width 3", ""), "a.map:3: line is '', expected 'width NUMBER'"),
        (VALID_MAP.replace("height 2", "height 999999999"), "a.map:3: 999999999 x 3 cells, expected at most"),
        (VALID_MAP.replace("map\n", "grid\n"), "a.map:4: line is 'grid', expected 'map'"),
        (VALID_MAP.replace("height 2", "height 3"), "a.map:6: the map has 2 rows, expected 3 as its header says"),
        (VALID_MAP.replace("height 2", "height 1"), "a.map:6: the map has 2 rows, expected 1 as its header says"),
        (VALID_MAP.replace(".@.", ".@"), "a.map:5: row has 2 characters, expected 3 as the header says"),
        (VALID_MAP.replace("GTS", "GTSS"), "a.map:6: row has 4 characters, expected 3 as the header says"),
        (
            VALID_MAP.replace("GTS", "GT?"),
            "a.map:6: column 3: unknown terrain '?', expected one of .GSE (free) or @OTW (blocked)",
        ),
    ],
)
def test_malformed_maps(tmp_path, text, message):
    assert complaint(read_map, tmp_path / "a.map", text).startswith(message)


def test_missing_file(tmp_path):
    with pytest.raises(FileAccessError, match=r"none\.map"):
        read_map(tmp_path / "none.map")


def test_map_text_needs_two_axes():
    with pytest.raises(InvalidInput):
        map_text(np.zeros(3, bool))


def test_scen_columns_are_x_then_y(tmp_path):
    path = tmp_path / "a.scen"
    path.write_text(VALID_SCEN)
    found = read_scen(path)
    assert found.rows[0] == ScenRow(0, "x.map", 3, 2, (1, 0), (0, 2), 2.5)
    assert found.lines == (2, 3)


def test_scen_map_names_with_spaces_need_tabs(tmp_path):
    path = tmp_path / "a.scen"
    path.write_text(VALID_SCEN.replace("x.map", "my maps/x.map"))
    assert read_scen(path).rows[1].map == "my maps/x.map"


names = st.text(st.characters(codec="utf-8", exclude_characters="\t\r\n"), min_size=1, max_size=8).filter(
    lambda s: s.strip() and s == s.strip(" \v\f")
)


@st.composite
def scen_rows(draw):
    width, height = draw(st.integers(1, 500)), draw(st.integers(1, 500))
    cell = st.tuples(st.integers(0, height - 1), st.integers(0, width - 1))
    optimal = draw(st.integers(0, 10**6)) / 64
    return ScenRow(draw(st.integers(0, 99)), draw(names), width, height, draw(cell), draw(cell), optimal)


@same_folder
@given(st.lists(scen_rows(), max_size=5))
def test_scen_round_trip(tmp_path, rows):
    write_scen(tmp_path / "a.scen", rows)
    assert list(read_scen(tmp_path / "a.scen").rows) == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.scen:1: first line is '', expected 'version 1'"),
        (VALID_SCEN.replace("version 1", "version 2"), "a.scen:1: first line is 'version 2', expected 'version 1'"),
        (VALID_SCEN.replace("\t2.5", ""), "a.scen:2: line has 8 columns, expected 9 tab-separated ones: bucket, map,"),
        (VALID_SCEN.replace("0\t1\t2\t0\t2.5", "0\t1.0\t2\t0\t2.5"), "a.scen:2: start y is '1.0', expected an integer"),
        (VALID_SCEN.replace("0\t1\t2\t0\t2.5", "0\t1\t-2\t0\t2.5"), "a.scen:2: goal x is '-2', expected an integer"),
        (
            VALID_SCEN.replace("2\t1\t0\t0\t0\n", "3\t1\t0\t0\t0\n"),
            "a.scen:3: start x=3, y=1 is outside the map of width 3, height 2",
        ),
        (VALID_SCEN.replace("2.5", "nan"), "a.scen:2: optimal length is 'nan', expected a number that is not negative"),
        (VALID_SCEN.replace("2.5", "1e999"), "a.scen:2: optimal length is '1e999', expected a number that is not negative"),
    ],
)
def test_malformed_scens(tmp_path, text, message):
    assert complaint(read_scen, tmp_path / "a.scen", text).startswith(message)


@pytest.mark.parametrize("change", [{"map": "a\tb"}, {"map": ""}, {"bucket": -1}, {"optimal": float("inf")}, {"start": (0, -1)}])
def test_scen_rows_that_could_not_be_read_back_are_not_written(tmp_path, change):
    row = ScenRow(0, "x.map", 3, 2, (1, 0), (0, 2), 2.5)._replace(**change)
    with pytest.raises(InvalidInput, match="scen row 0"):
        write_scen(tmp_path / "a.scen", [row])
    assert not (tmp_path / "a.scen").exists()


@same_folder
@given(damaged(VALID_MAP.encode()))
def test_damaged_maps(tmp_path, data):
    survives(read_map, tmp_path / "a.map", data)


@same_folder
@given(damaged(VALID_SCEN.encode()))
def test_damaged_scens(tmp_path, data):
    survives(read_scen, tmp_path / "a.scen", data)


@needs_movingai
def test_published_maps_and_scens(tmp_path: Path):
    maps = {path.stem: read_map(path) for path in (MOVINGAI / "maps").glob("*.map")}
    assert maps["den520d"].shape == (257, 256)
    assert int((~maps["random-32-32-20"]).sum()) == 819
    for path in (MOVINGAI / "scens").glob("*-1.scen"):
        rows = read_scen(path).rows
        name = max((name for name in maps if path.name.startswith(name)), key=len)
        walls = maps[name]
        assert rows
        for row in rows[:200]:
            assert (row.height, row.width) == walls.shape
            assert Path(row.map).name == f"{name}.map"
            assert not walls[row.start]
            assert not walls[row.goal]
        write_scen(tmp_path / "again.scen", rows[:50])
        assert read_scen(tmp_path / "again.scen").rows == rows[:50]


@pytest.mark.parametrize("odd", ["\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\u2003"])
def test_blanks_that_are_no_blanks_of_files_are_refused(tmp_path, odd):
    row = f"version 1\n0\ta.map\t4\t3\t0\t0\t3\t2\t{odd}5.0\n"
    assert complaint(read_scen, tmp_path / "a.scen", row).startswith("a.scen:2: optimal length is")
    row = f"version 1\n0\ta.map\t4{odd}\t3\t0\t0\t3\t2\t5.0\n"
    assert complaint(read_scen, tmp_path / "a.scen", row).startswith("a.scen:2: ")
