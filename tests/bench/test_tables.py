from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from navplan.bench import tables
from navplan.bench.tables import TableFormat, table_file
from navplan.errors import FileAccessError, FileFormatError, InvalidInput

POINTS = TableFormat(
    ("name", "good", "count", "x"),
    "navplan draw",
    text=frozenset({"name"}),
    truth=frozenset({"good"}),
    whole=frozenset({"count"}),
)
ROWS = [
    {"name": 'a "b", c\nd', "good": True, "count": 3, "x": 1 / 3},
    {"name": "", "good": None, "count": None, "x": None},
    {"name": "e", "good": False, "count": -1, "x": -0.0},
]
TEXT = 'name,good,count,x\n"a ""b"", c\nd",true,3,0.333333\n,,,\ne,false,-1,0\n'


@pytest.mark.parametrize("name", ["points.csv", "points.csv.gz"])
def test_typed_rows_come_back_by_name_with_or_without_the_ending(name: str, tmp_path: Path) -> None:
    POINTS.write(tmp_path / name, ROWS)
    data = (tmp_path / name).read_bytes()
    assert (gzip.decompress(data) if name.endswith(".gz") else data) == TEXT.encode()
    for asked in ("points", "points.csv", "points.csv.gz"):
        assert table_file(tmp_path / asked) == tmp_path / name
        back = POINTS.read(tmp_path / asked)
        assert back == [{**ROWS[0], "x": 0.333333}, ROWS[1], {**ROWS[2], "x": 0.0}]
        assert [type(value) for value in back[0].values()] == [str, bool, int, float]
    POINTS.write(tmp_path / name, ROWS)
    assert (tmp_path / name).read_bytes() == data  # no time stamp


def test_a_large_table_is_written_compressed_and_never_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tables.LARGE == 1024 * 1024
    monkeypatch.setattr(tables, "LARGE", len(POINTS.text_of(ROWS[2:] * 9)))
    for count, name in ((9, "t.csv"), (10, "t.csv.gz"), (1, "t.csv")):
        assert POINTS.write_sized(tmp_path / "t", ROWS[2:] * count) == tmp_path / name
        assert [path.name for path in tmp_path.iterdir()] == [name]
        assert len(POINTS.read(tmp_path / "t")) == count


def test_the_same_table_twice_is_no_choice(tmp_path: Path) -> None:
    for name in ("t.csv", "t.csv.gz"):
        POINTS.write(tmp_path / name, ROWS)
    assert len(POINTS.read(tmp_path / "t.csv.gz")) == 3
    with pytest.raises(InvalidInput, match=r"t.csv and .*t.csv.gz: the same table twice, expected one of them"):
        POINTS.read(tmp_path / "t")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("name,", "title,", "t.csv:1: has no column 'name', expected a table of navplan draw"),
        (TEXT, "", "t.csv:1: has no column 'name', expected a table of navplan draw"),
        ("true", "yes", "t.csv:3: malformed cell: good is 'yes', expected true or false"),
        ("-1", "1.5", "t.csv:5: malformed cell: count is '1.5', expected an integer"),
        ("0.333333", "much", "t.csv:3: malformed cell: x is 'much', expected a number"),
        ("0.333333", "nan", "t.csv:3: malformed cell: x is 'nan', expected a number"),
        ("-1,0", "-1", "t.csv:5: has 3 cells, expected 4"),
        ("e,false,-1,0\n", '"e,false', "t.csv:5: unexpected end of data"),
    ],
)
def test_errors_name_file_line_and_column(before: str, after: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TEXT.replace(before, after, 1))
    with pytest.raises(FileFormatError, match=re.escape(message)) as caught:
        POINTS.read(tmp_path / "t")
    assert "\n" not in str(caught.value)


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError, match=r"/t.csv: cannot be read"):
        POINTS.read(tmp_path / "t")
    with pytest.raises(FileAccessError, match=r"/t.csv.gz: cannot be read"):
        POINTS.read(tmp_path / "t.csv.gz")
    POINTS.write(tmp_path / "t.csv.gz", ROWS)
    whole = (tmp_path / "t.csv.gz").read_bytes()
    for data in (whole[:-9], b"name,good", b""):
        (tmp_path / "t.csv.gz").write_bytes(data)
        with pytest.raises(FileFormatError, match=r"t.csv.gz(: is truncated or no gzip file|:1: has no column)"):
            POINTS.read(tmp_path / "t")


def test_columns_that_nobody_asked_for_and_empty_lines_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("extra,x,count,good,name\r\n1,2,3,true,n\r\n\r\n")
    assert POINTS.read(tmp_path / "t") == [{"name": "n", "good": True, "count": 3, "x": 2.0}]
