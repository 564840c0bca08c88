from __future__ import annotations

import builtins
import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from navplan.errors import FileAccessError, InvalidInput, MissingExtra
from navplan.scenarios.formats.images import decode_pgm, encode_pgm, read_image
from navplan.scenarios.formats.ros_map import RosMap, read_ros_map, write_ros_map
from tests.support.damaged_files import complaint, damaged, survives

YAML = """image: floor.pgm
resolution: 0.05
origin: [-1.0, 2.0, 0.0]
negate: 0
occupied_thresh: 0.65
free_thresh: 0.196
"""
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
# grey levels around the thresholds: 255-89=166 -> p 0.349; 89 -> 0.651; 205 -> 0.19608; 206 -> 0.192
LEVELS = np.array([[0, 89, 90], [204, 205, 206], [254, 255, 127]], np.uint8)


def write(folder, text=YAML, pixels=LEVELS, name="floor.pgm"):
    (folder / name).write_bytes(encode_pgm(pixels))
    (folder / "floor.yaml").write_text(text)
    return folder / "floor.yaml"


def test_trinary_thresholds(tmp_path):
    found = read_ros_map(write(tmp_path))
    assert found.occupancy.tolist() == [[100, 100, -1], [-1, -1, 0], [0, 0, -1]]
    assert found.walls().tolist() == [[True, True, True], [True, True, False], [False, False, True]]
    assert found.walls("free").tolist() == [[True, True, False], [False, False, False], [False, False, False]]
    assert found.world("floor").resolution == 0.05
    assert found.origin == (-1.0, 2.0, 0.0)


@pytest.mark.parametrize("value", ["1", "true"])
def test_negate_swaps_light_and_dark(tmp_path, value):
    found = read_ros_map(write(tmp_path, YAML.replace("negate: 0", f"negate: {value}")))
    assert found.occupancy.tolist() == [[0, -1, -1], [100, 100, 100], [100, 100, -1]]


def test_scale_grades_what_lies_between(tmp_path):
    found = read_ros_map(write(tmp_path, YAML + "mode: scale\n"))
    p = 1 - 127 / 255
    middle = round((p - 0.196) / (0.65 - 0.196) * 98 + 1)
    assert found.occupancy.tolist() == [[100, 100, 98], [2, 1, 0], [0, 0, middle]]
    assert found.walls().tolist() == [[True, True, True], [True, True, False], [False, False, True]]


def test_raw_values_are_occupancies(tmp_path):
    pixels = np.array([[0, 19, 20, 65, 66, 100, 101, 255]], np.uint8)
    found = read_ros_map(write(tmp_path, YAML + "mode: raw\n", pixels))
    assert found.occupancy.tolist() == [[0, 19, 20, 65, 66, 100, -1, -1]]
    assert found.walls().tolist() == [[False, False, True, True, True, True, True, True]]
    assert found.walls("free").tolist() == [[False, False, False, False, True, True, False, False]]


def test_row_zero_is_the_top_and_ros_counts_from_below():
    found = RosMap(np.zeros((10, 20), np.int8), 0.5, (3.0, -2.0, 0.0))
    corner = found.to_metres(np.array([[10.0, 0.0], [0.0, 20.0]]))
    assert corner.tolist() == [[3.0, -2.0], [13.0, 3.0]]


@given(st.floats(-4, 4), st.floats(-9, 9), st.floats(-9, 9))
def test_metres_and_cells_round_trip(yaw, x, y):
    found = RosMap(np.zeros((4, 7), np.int8), 0.1, (x, y, yaw))
    points = np.array([[0.5, 1.5], [4.0, 7.0], [0.0, 0.0]])
    assert found.to_cells(found.to_metres(points)) == pytest.approx(points, abs=1e-9)


@same_folder
@given(
    st.integers(1, 5), st.integers(1, 5), st.data(), st.sampled_from(["pgm", "png"]), st.sampled_from(["trinary", "scale", "raw"])
)
def test_round_trip(tmp_path, height, width, data, image, mode):
    values = st.sampled_from([-1, 0, 100]) if mode == "trinary" else st.integers(-1, 100)
    cells = data.draw(st.lists(values, min_size=height * width, max_size=height * width))
    before = RosMap(np.array(cells, np.int8).reshape(height, width), 0.07, (1.0, -2.5, 0.25), mode=mode)
    write_ros_map(tmp_path / "a.yaml", before, image=image)
    after = read_ros_map(tmp_path / "a.yaml")
    assert (after.occupancy == before.occupancy).all()
    assert (after.walls() == before.walls()).all()
    assert (after.walls("free") == before.walls("free")).all()
    assert (after.resolution, after.origin) == (before.resolution, before.origin)


def test_thresholds_that_do_not_fit_the_written_greys_are_replaced(tmp_path):
    before = RosMap(np.array([[0, -1, 100]], np.int8), occupied_thresh=0.1, free_thresh=0.05)
    write_ros_map(tmp_path / "a.yaml", before)
    assert read_ros_map(tmp_path / "a.yaml").occupancy.tolist() == [[0, -1, 100]]


@pytest.mark.parametrize("plain", [False, True])
def test_pgm_with_comments(tmp_path, plain):
    data = encode_pgm(LEVELS, plain).replace(b"255\n", b"# most\n255\n", 1).replace(b"3 3", b"3 # wide\n 3", 1)
    assert (decode_pgm(data, "a.pgm") * 255 == LEVELS).all()


def test_pgm_of_sixteen_bits():
    data = b"P5 2 1 65535\n" + np.array([0, 65535], ">u2").tobytes()
    assert decode_pgm(data, "a.pgm").tolist() == [[0.0, 1.0]]
    assert decode_pgm(b"P2\n2 1\n1000\n500 1000", "a.pgm").tolist() == [[0.5, 1.0]]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"P5\n3 3\n", "a.pgm:2: PGM maxval is missing, expected a positive integer"),
        (b"P5\nx 3\n255\n", "a.pgm:1: PGM width is missing"),
        (b"P5\n3 0\n255\n", "a.pgm:2: PGM height is missing"),
        (b"P5\n3 3\n65536\n", "a.pgm:3: PGM maxval is 65536, expected 1 to 65535"),
        (b"P5\n999999999 999999999\n255\n", "a.pgm:3: PGM has 999999999 x 999999999 pixels, expected at most"),
        (b"P5\n3 3\n255\n12345", "a.pgm: PGM is cut off: 5 bytes of pixels, expected 9"),
        (b"P2\n4000 4000\n255\n1 2 3", "a.pgm: PGM is cut off: expected 16000000 pixel values"),
        (b"P2\n2 1\n255\n1 -2", "a.pgm: PGM pixel 1 is '-2', expected an integer"),
        (b"P2\n2 1\n255\n1 256", "a.pgm: PGM pixel 1 is 256, expected at most maxval, 255"),
        (b"P5" + b"#" * 5000, "a.pgm:1: PGM width is missing"),
        (b"hello", "a.pgm: not a readable image (unknown format), expected PGM or PNG"),
        (b"", "a.pgm: not a readable image"),
    ],
)
def test_malformed_images(tmp_path, data, message):
    assert complaint(read_image, tmp_path / "a.pgm", data).startswith(message)


def png(tmp_path, image: Image.Image, **options):
    image.save(tmp_path / "a.png", **options)
    return read_image(tmp_path / "a.png")


def test_palette_and_alpha_images_are_converted(tmp_path):
    palette = Image.new("P", (2, 1))
    palette.putpalette([200, 200, 200, 10, 10, 10])  # index 0 is light: reading indices as greys would be wrong
    palette.putdata([0, 1])
    lightness, opaque = png(tmp_path, palette)
    assert (lightness * 255).tolist() == [[200.0, 10.0]]
    assert opaque.all()

    lightness, opaque = png(tmp_path, Image.fromarray(np.array([[[255, 255, 255, 255], [255, 255, 255, 0]]], np.uint8)))
    assert lightness.tolist() == [[1.0, 1.0]]
    assert opaque.tolist() == [[True, False]]

    lightness, _ = png(tmp_path, Image.fromarray(np.array([[[30, 60, 90]]], np.uint8)))
    assert lightness[0, 0] * 255 == pytest.approx(60)

    lightness, _ = png(tmp_path, Image.fromarray(np.array([[0, 65535]], np.uint16)))
    assert lightness.tolist() == [[0.0, 1.0]]

    lightness, opaque = png(tmp_path, Image.fromarray(np.array([[7, 8]], np.uint8)), transparency=7)
    assert opaque.tolist() == [[False, True]]


def test_transparent_pixels_are_unknown(tmp_path):
    Image.fromarray(np.array([[[255, 255, 255, 255], [0, 0, 0, 0]]], np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "a.yaml").write_text(YAML.replace("floor.pgm", "a.png"))
    assert read_ros_map(tmp_path / "a.yaml").occupancy.tolist() == [[0, -1]]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("image: floor.pgm\n", "", "a.yaml: image is missing, expected image, resolution, origin"),
        ("floor.pgm", "[1]", "a.yaml:1: image is [1], expected the path of a PGM or PNG file"),
        ("resolution: 0.05", "resolution: 0", "a.yaml:2: resolution is 0, expected a positive number of metres per cell"),
        ("resolution: 0.05", "resolution: .nan", "a.yaml:2: resolution is .nan, expected a number"),
        ("[-1.0, 2.0, 0.0]", "[1, 2]", "a.yaml:3: origin is [1, 2], expected [x, y, yaw]"),
        ("[-1.0, 2.0, 0.0]", "[1, 2, .inf]", "a.yaml:3: origin is [1, 2, .inf], expected [x, y, yaw]"),
        ("negate: 0", "negate: 2", "a.yaml:4: negate is 2, expected 0 or 1"),
        (
            "free_thresh: 0.196",
            "free_thresh: 0.7",
            "a.yaml:6: free_thresh is 0.7, expected 0 <= free_thresh <= occupied_thresh <= 1",
        ),
        ("free_thresh: 0.196", "free_thresh: 0.196\nmode: grey", "a.yaml:7: mode is 'grey', expected one of trinary, scale, raw"),
        ("negate: 0", "negate: 0\nnegate: 1", "a.yaml:5: negate is given twice"),
        ("negate: 0", "negate: [", "a.yaml:6: expected ',' or ']', but got ':', expected YAML"),
        ("negate: 0", "negate: tRUE", "a.yaml:4: negate is 'tRUE', expected 0 or 1"),
        ("[-1.0, 2.0, 0.0]", "[1, [2], {}]", "a.yaml:3: origin is [1, …, …], expected [x, y, yaw]"),
        ("resolution: 0.05", "resolution: 1:30", "a.yaml:2: resolution is 1:30, expected a number"),
        ("resolution: 0.05", "resolution: {a: 1}", "a.yaml:2: resolution is a mapping, expected a number"),
        (YAML, "- 1\n", "a.yaml:1: expected a mapping with the keys image"),
        (YAML, "[" * 5000, "a.yaml: "),
        (YAML, "image: \0", "a.yaml: "),
        (YAML, "x" * (1 << 17), "a.yaml: 131072 bytes, expected YAML of at most 65536"),
    ],
)
def test_malformed_yaml(tmp_path, old, new, message):
    write(tmp_path)
    assert complaint(read_ros_map, tmp_path / "a.yaml", YAML.replace(old, new)).startswith(message)


@pytest.mark.parametrize("image", ["none.pgm", "..", "a\\0b", "x" * 5000, "\\ud800"])
def test_image_that_is_not_there(tmp_path, image):
    (tmp_path / "a.yaml").write_text(YAML.replace("floor.pgm", f'"{image}"'))
    with pytest.raises((FileAccessError, InvalidInput)):
        read_ros_map(tmp_path / "a.yaml")


@pytest.mark.parametrize(("module", "suffix", "package"), [("yaml", "pgm", "PyYAML"), ("PIL", "png", "Pillow")])
def test_missing_packages_are_named(tmp_path, monkeypatch, module, suffix, package):
    write_ros_map(tmp_path / "a.yaml", RosMap(np.zeros((2, 2), np.int8)), image=suffix)
    real = builtins.__import__

    def fake(name, *args, **kwargs):
        if name.split(".")[0] == module:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", fake)
    with pytest.raises(MissingExtra, match=rf"{package}: pip install 'navplan\[ros\]'"):
        read_ros_map(tmp_path / "a.yaml")
    if module == "PIL":
        with pytest.raises(MissingExtra):
            write_ros_map(tmp_path / "b.yaml", RosMap(np.zeros((2, 2), np.int8)), image="png")
        assert not (tmp_path / "b.yaml").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"occupancy": np.zeros(3)},
        {"occupancy": np.full((2, 2), 101)},
        {"resolution": 0.0},
        {"origin": (0.0, 0.0, float("nan"))},
        {"free_thresh": 0.9},
        {"mode": "grey"},
    ],
)
def test_bad_ros_maps(change):
    with pytest.raises(InvalidInput):
        RosMap(**{"occupancy": np.zeros((2, 2), np.int8)} | change)


def test_walls_and_image_options_are_checked(tmp_path):
    grid = RosMap(np.zeros((2, 2), np.int8))
    with pytest.raises(InvalidInput):
        grid.walls("maybe")
    with pytest.raises(InvalidInput):
        write_ros_map(tmp_path / "a.yaml", grid, image="gif")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("resolution: 0.05", "resolution: 5e-2"),
        ("resolution: 0.05", 'resolution: "0.05"'),
        ("resolution: 0.05", "resolution: &cell .05"),
        ("resolution: 0.05", "resolution: +5.e-2"),
        ("[-1.0, 2.0, 0.0]", "[-1, 2e0, 0]"),
        ("[-1.0, 2.0, 0.0]", "\n  - -1\n  - 2\n  - 0."),
        ("negate: 0", "negate: FALSE"),
        ("negate: 0", "negate: no"),
        ("negate: 0", "negate: 0x0"),
        ("negate: 0", "negate: !!python/object:os.system 0"),
        ("image: floor.pgm", "&stem image: floor.pgm\nother: {deep: [1, *stem]}"),
        ("\n", "\r\n"),
        ("image", "\ufeffimage"),
    ],
)
def test_scalars_are_read_as_map_server_reads_them(tmp_path, old, new):
    found, plain = read_ros_map(write(tmp_path, YAML.replace(old, new))), read_ros_map(write(tmp_path))
    assert (found.resolution, found.origin) == (plain.resolution, plain.origin)
    assert (found.occupancy == plain.occupancy).all()


@pytest.mark.parametrize("name", ["2024", "yes", "1.5e3", "01:30"])
def test_the_name_of_an_image_is_text_whatever_it_looks_like(tmp_path, name):
    write(tmp_path, name=name)
    assert read_ros_map(write(tmp_path, YAML.replace("floor.pgm", name))).occupancy.shape == (3, 3)


@same_folder
@given(damaged(YAML.encode()))
def test_damaged_yaml(tmp_path, data):
    write(tmp_path)
    survives(read_ros_map, tmp_path / "a.yaml", data)


@same_folder
@given(st.sampled_from([False, True]).flatmap(lambda plain: damaged(encode_pgm(LEVELS, plain))))
def test_damaged_pgm(tmp_path, data):
    survives(read_image, tmp_path / "a.pgm", data)


def _png_bytes() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(LEVELS).save(stream, format="PNG")
    return stream.getvalue()


@same_folder
@given(damaged(_png_bytes()))
def test_damaged_png(tmp_path, data):
    survives(read_image, tmp_path / "a.png", data)
