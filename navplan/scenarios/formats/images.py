"""Grey images for occupancy maps: PGM in plain Python, everything else through Pillow."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.errors import FileAccessError, FileFormatError, MissingExtra
from navplan.system.arrays import Bool, Float64, Int64
from navplan.system.bounds import MAX_CELLS
from navplan.system.files import read_bytes, write_atomically
from navplan.system.paths import as_path, is_file

if TYPE_CHECKING:
    from PIL.Image import Image

_TOKEN = re.compile(rb"(?:[ \t\r\n\v\f]|#[^\r\n]*+)*+([0-9]{1,9})(?![0-9])")

_FORMATS = ("PNG", "PPM", "BMP")
"""Only decoders of plain pixels: others start programs or hold documents."""
_BAND = 1 << 20
"""Pixels of colour looked at together."""


class Levels(NamedTuple):
    """An image as the file has it: the lightness of a pixel is its level / `most`.

    Attributes:
        levels: (H, W) uint8 or uint16; of colours the sum over the channels. Row 0 is the top.
        most: the level of white.
        opaque: (H, W) bool, or None where every pixel is.
    """

    levels: NDArray[np.unsignedinteger]
    most: int
    opaque: Bool | None = None


def read_image(path: str | Path) -> tuple[Float64, Bool]:
    """The lightness of an image.

    Returns:
        lightness (H, W) float64 in 0..1, the mean of the colour channels; opaque (H, W) bool. Row 0 is the top.

    Raises:
        As `read_levels`.
    """
    image = read_levels(path)
    opaque = np.ones(image.levels.shape, np.bool_) if image.opaque is None else image.opaque
    return image.levels / float(image.most), opaque


def read_levels(path: str | Path) -> Levels:
    """The pixels of an image, in few bytes each.

    Raises:
        FileAccessError: the file is not there or cannot be read.
        FileFormatError: not an image, truncated, or of more than `MAX_CELLS` pixels.
        MissingExtra: not a PGM file, and Pillow is not installed.
    """
    file = as_path(path)
    if not is_file(file):
        raise FileAccessError(f"{str(path)!r}: cannot be read: no such image file")
    data = read_bytes(file)
    return _pgm_levels(data, path) if data[:2] in (b"P2", b"P5") else _decode(data, path)


def decode_pgm(data: bytes, path: str | Path) -> Float64:
    """(H, W) float64 in 0..1 from a P2 (text) or P5 (binary) image with comments and up to 16 bits a pixel.

    Raises:
        FileFormatError: a malformed header, too few pixels, or a value beyond maxval; names the line in the header and
            in text images.
    """
    image = _pgm_levels(data, path)
    return image.levels / float(image.most)


def _pgm_levels(data: bytes, path: str | Path) -> Levels:
    header: list[int] = []
    position = 2
    for name in ("width", "height", "maxval"):
        found = _TOKEN.match(data, position)
        if not found or int(found[1]) == 0 or (found.start(1) == position and not header):
            raise FileFormatError(path, f"PGM {name} is missing, expected a positive integer", line=_line(data, position))
        header.append(int(found[1]))
        position = found.end()
    width, height, most = header
    if most > 65535:
        raise FileFormatError(path, f"PGM maxval is {most}, expected 1 to 65535", line=_line(data, position))
    if width * height > MAX_CELLS:
        raise FileFormatError(
            path, f"PGM has {width} x {height} pixels, expected at most {MAX_CELLS}", line=_line(data, position)
        )
    if data[:2] == b"P2":
        pixels = _text_pixels(data, position, width * height, path)
    else:
        depth = np.dtype(">u2") if most > 255 else np.dtype(np.uint8)
        if data[position : position + 1] not in (b" ", b"\t", b"\r", b"\n", b"\v", b"\f"):
            raise FileFormatError(path, "PGM maxval must be followed by one white space", line=_line(data, position))
        body = data[position + 1 : position + 1 + width * height * depth.itemsize]
        if len(body) < width * height * depth.itemsize:
            raise FileFormatError(
                path, f"PGM is cut off: {len(body)} bytes of pixels, expected {width * height * depth.itemsize}"
            )
        pixels = np.frombuffer(body, depth).astype(np.uint8 if depth.itemsize == 1 else np.uint16)
    if pixels.max() > most:
        raise FileFormatError(path, f"PGM pixel {int(pixels.argmax())} is {int(pixels.max())}, expected at most maxval, {most}")
    return Levels(pixels.astype(np.uint16, copy=False).reshape(height, width), most)


def encode_pgm(pixels: NDArray[np.uint8], plain: bool = False) -> bytes:
    """A P5 (or, with `plain`, P2) image of (H, W) uint8 pixels."""
    height, width = pixels.shape
    header = f"{'P2' if plain else 'P5'}\n# row 0 is the top\n{width} {height}\n255\n".encode()
    if plain:
        return header + "".join(" ".join(map(str, row)) + "\n" for row in pixels.tolist()).encode()
    return header + np.ascontiguousarray(pixels, np.uint8).tobytes()


def write_png(path: str | Path, pixels: NDArray[np.uint8]) -> None:
    """Write (H, W) uint8 pixels as a grey PNG.

    Raises:
        FileAccessError: the file cannot be written.
        MissingExtra: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtra("writing PNG maps", "Pillow", "ros") from error
    image = Image.fromarray(np.ascontiguousarray(pixels, np.uint8))
    write_atomically(path, lambda stream: image.save(stream, format="PNG"))


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def _text_pixels(data: bytes, position: int, count: int, path: str | Path) -> Int64:
    if len(data) - position < 2 * count - 1:  # a digit and a space each: a huge header cannot make us allocate
        raise FileFormatError(path, f"PGM is cut off: expected {count} pixel values")
    body = re.sub(rb"#[^\r\n]*", b"", data[position:])
    words = body.split()
    if len(words) < count:
        raise FileFormatError(path, f"PGM has {len(words)} pixel values, expected {count}")
    for index, word in enumerate(words[:count]):
        if not word.isdigit() or len(word) > 9:
            shown = word[:20].decode("ascii", "backslashreplace")
            raise FileFormatError(path, f"PGM pixel {index} is {shown!r}, expected an integer")
    return np.array(words[:count], dtype=np.int64)


def _decode(data: bytes, path: str | Path) -> Levels:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtra("reading map images other than PGM", "Pillow", "ros") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large or odd images: the checks below decide
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                if image.width * image.height > MAX_CELLS:
                    size = f"{image.width} x {image.height} pixels"
                    raise FileFormatError(path, f"image has {size}, expected at most {MAX_CELLS}")
                if image.mode.startswith("I"):  # 16 bits a pixel
                    return Levels(np.clip(np.asarray(image), 0, 65535).astype(np.uint16), 65535)
                if image.mode == "F":
                    shares = np.clip(np.nan_to_num(np.asarray(image, np.float32)), 0.0, 1.0)
                    return Levels(np.rint(shares * 65535).astype(np.uint16), 65535)
                if image.mode in ("1", "L") and "transparency" not in image.info:
                    return Levels(np.asarray(image.convert("L")), 255)
                return _colours(image)
    except FileFormatError:
        raise
    except Exception as error:  # decoders fail in many ways on damaged data
        message = " ".join(str(error).split())[:80] if not str(error).startswith("cannot identify") else "unknown format"
        raise FileFormatError(path, f"not a readable image ({message}), expected PGM or PNG") from error


def _colours(image: Image) -> Levels:
    """The levels of an image with colours or transparent pixels, a band of rows after the other."""
    width, height = image.size
    levels, opaque = np.empty((height, width), np.uint16), np.empty((height, width), np.bool_)
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        band = np.asarray(image.crop((0, top, width, min(height, top + rows))).convert("RGBA"))
        levels[top : top + rows] = band[:, :, :3].sum(axis=2, dtype=np.uint16)
        opaque[top : top + rows] = band[:, :, 3] == 255
    return Levels(levels, 3 * 255, opaque)
