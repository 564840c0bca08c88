"""What damages a file: bytes, tokens, values within its JSON, or what lies within its container, whose checks hold again."""

from __future__ import annotations

import contextlib
import copy
import gzip
import hashlib
import io
import json
import math
import random
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from navplan.graph.files import ARRAYS, MORE
from tests.support.damaged_files import TOKENS

Change = Callable[[random.Random, bytes], bytes]

_WORD = re.compile(rb'"[^"\n]*"|[-+\w.]+')
_SAID = (
    "0 1 2 7 -1 0.5 -0.0 1e-320 1e5 5e-2 1e308 -1e308 1e400 nan inf -inf NaN 65536 3000000 16777216 4294967296 "
    '0x10 1_0 1:30 2026-11-29 true null ~ [] {} [[]] "" "x" "\\ud800" "\\u0000" \' .. - @ T a.b &a !!binary /dev/zero'
)
_WORDS = [*(word.encode() for word in _SAID.split()), b"9" * 30, b"9" * 5000, b"&a *a", "\u00e9".encode()]
_EDGES = [0, 1, 2, 7, -1, 0.5, -0.0, 1e-320, 1e308, -1e308, math.nan, math.inf, 65536, 3_000_000, 2**31, 2**63, -(2**63) - 1]
_TEXTS = ["", "x", "inf", "nan", "\x00", "\ud800", "a\nb", "/dev/zero", "..", "9" * 400]
_GROUPS: list[Any] = [[], {}, [[]], [None], [0, 0], [1.5, 2.5], ["x"] * 2, [[0] * 3] * 3, [[[0, 0], [1, 1], [0, 1]]], {"a": 1}]
VALUES: list[Any] = [None, True, False, 10**400, *_EDGES, *_TEXTS, *_GROUPS]


def bytes_changed(draw: random.Random, valid: bytes) -> bytes:
    """`valid` with one to four of: cut, bytes replaced, tokens put in, lines dropped, doubled or moved, a part repeated."""
    data = valid
    for _ in range(draw.randint(1, 4)):
        at, kind = draw.randint(0, len(data)), draw.randint(0, 7)
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            data = data[:at] + draw.randbytes(draw.randint(1, 4)) + data[at + draw.randint(0, 3) :]
        elif kind in (2, 3):
            data = data[:at] + draw.choice(TOKENS) + data[at + draw.randint(0, 3) :]
        elif kind == 4:
            end = min(len(data), at + draw.randint(1, 40))
            data = data[:end] + data[at:end] * draw.choice((1, 2, 1000)) + data[end:]
        elif kind == 5 and data:
            at = min(at, len(data) - 1)
            data = data[:at] + bytes([data[at] ^ 1 << draw.randint(0, 7)]) + data[at + 1 :]
        else:
            lines = data.split(b"\n")
            number = draw.randrange(len(lines))
            lines[number : number + 1] = [] if kind == 6 else [lines[number]] * 2
            data = b"\n".join(lines)
    return data


def words_changed(draw: random.Random, valid: bytes) -> bytes:
    """`valid` with one to three of its words (numbers, names, text in quotes) replaced: by others, or by its own."""
    words = list(_WORD.finditer(valid))
    if not words:
        return bytes_changed(draw, valid)
    data = valid
    for word in sorted(draw.sample(words, min(len(words), draw.randint(1, 3))), key=lambda found: -found.start()):
        other = draw.choice(words)[0] if draw.random() < 0.3 else draw.choice(_WORDS)
        data = data[: word.start()] + other + data[word.end() :]
    return data


def values_changed(draw: random.Random, valid: bytes) -> bytes:
    """A JSON document with one to three of its values replaced, left out or doubled."""
    document = [json.loads(valid)]
    for _ in range(draw.randint(1, 3)):
        places = list(_places(document))
        group, key = draw.choice(places)
        kind = draw.randint(0, 5)
        if kind == 0 and group is not document:
            del group[key]
        elif kind == 1 and isinstance(group, list) and group is not document:
            group.insert(key, group[key])
        elif kind == 2:
            other, name = draw.choice(places)
            group[key] = copy.deepcopy(other[name])
        else:
            group[key] = copy.deepcopy(draw.choice(VALUES))
    return json.dumps(document[0]).encode()


def _places(group: Any) -> Any:
    """Every (list or dict, key) below `group`."""
    for key in range(len(group)) if isinstance(group, list) else list(group):
        yield group, key
        if isinstance(group[key], list | dict):
            yield from _places(group[key])


def gzip_changed(draw: random.Random, valid: bytes) -> bytes:
    """Packed text, damaged and packed again."""
    return gzip.compress(draw.choice((bytes_changed, words_changed))(draw, gzip.decompress(valid)), 1)


def png_changed(draw: random.Random, valid: bytes) -> bytes:
    """A PNG file with one of its chunks damaged, left out or doubled, its checksum right again."""
    chunks, at = [], 8
    while at < len(valid):
        (length,) = struct.unpack_from(">I", valid, at)
        chunks.append((valid[at + 4 : at + 8], valid[at + 8 : at + 8 + length]))
        at += 12 + length
    number = draw.randrange(len(chunks))
    name, content = chunks[number]
    kind = draw.randint(0, 4)
    if name == b"IDAT" and kind > 1:
        content = zlib.compress(bytes_changed(draw, zlib.decompress(content)))
    elif name == b"IHDR" and kind > 1:
        field = draw.randrange(7)
        width, height, *rest = struct.unpack(">IIBBBBB", content)
        values = [width, height, *rest]
        values[field] = draw.choice(
            (0, 1, 2, 3, 4, 6, 8, 16, 255) if field > 1 else (0, 1, 5, 4096, 70_000, 2**31 - 1, 2**32 - 1)
        )
        content = struct.pack(">IIBBBBB", *values)
    else:
        content = bytes_changed(draw, content)
    more = draw.choice((b"PLTE", b"tRNS", b"gAMA", b"tEXt", b"zTXt", b"iCCP", b"acTL", b"fcTL", b"IEND")), draw.randbytes(9)
    chunks[number : number + 1] = [[], [(name, content)] * 2, [more, (name, content)]][kind] if kind < 3 else [(name, content)]
    packed = (struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks)
    return valid[:8] + b"".join(packed)


def safetensors_changed(draw: random.Random, valid: bytes) -> bytes:
    """A checkpoint whose header, or the document within it, is damaged, its length right again; or one of its numbers."""
    (length,) = struct.unpack_from("<Q", valid)
    text, body = valid[8 : 8 + length], valid[8 + length :]
    kind = draw.randint(0, 4)
    if kind == 0:
        text = values_changed(draw, text)
    elif kind == 1:
        text = words_changed(draw, text)
    elif kind == 2:
        at = 4 * draw.randrange(len(body) // 4)
        other = draw.choice((0.0, -1.0, 1e38, -1e38, 1e-40, math.nan, math.inf))
        body = body[:at] + struct.pack("<f", other) + body[at + 4 :]
    else:
        header = json.loads(text)
        document = header["__metadata__"]["navplan"].encode()
        header["__metadata__"]["navplan"] = draw.choice((values_changed, words_changed))(draw, document).decode(
            "utf-8", "replace"
        )
        text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def archive_changed(draw: random.Random, valid: bytes) -> bytes:
    """An archive of arrays with some of them changed in values, shape, kind or name, or its header in its values."""
    with np.load(io.BytesIO(valid), allow_pickle=False) as file:
        arrays: dict[str, Any] = {name: file[name] for name in file.files}
    header = json.loads(arrays.pop("header").tobytes()) if "header" in arrays else None
    for _ in range(draw.randint(1, 3)):
        if not arrays:
            break
        name = draw.choice(list(arrays))
        arrays[name] = _array_changed(draw, arrays[name])
        if draw.random() < 0.05:
            del arrays[name]
    if header is not None:
        if draw.random() < 0.4:
            header = json.loads(values_changed(draw, json.dumps(header).encode()))
        if isinstance(header, dict) and draw.random() < 0.9:
            header["sha256"] = _graph_digest(arrays)
        arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            archive.writestr(f"{name}.npy", content.getvalue())
    return stream.getvalue()


def _array_changed(draw: random.Random, array: Any) -> Any:
    kind = draw.randint(0, 9)
    if kind == 0:
        return array.reshape(-1)
    if kind == 1:
        return array[None]
    if kind == 2:
        return array[..., :0] if array.ndim else np.zeros(0, array.dtype)
    if kind == 3:
        return np.concatenate([array, array]) if array.ndim else np.stack([array, array])
    if kind == 4:
        return array[: draw.randint(0, len(array))] if array.ndim else array
    if kind == 5:
        other = draw.choice(("<f4", "<f8", "<i4", "<i8", "<u1", "?", "<c8", "<U3", ">f8", "<f2", "<M8[s]", "S2"))
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"), contextlib.suppress(ValueError, RuntimeError):
            return array.astype(other)
        return array  # text that is no number
    if kind == 6:
        return np.asfortranarray(array)
    changed = np.array(array)
    for _ in range(draw.randint(1, 3)):
        if changed.size:
            value = draw.choice(
                (0, 1, -1, 0.5, 2, 1e30, -1e30, 1e308, float("nan"), float("inf"), 2**31 - 1, -(2**31), 7, 1e-320)
            )
            with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"), contextlib.suppress(ValueError):
                changed.flat[draw.randrange(changed.size)] = np.array(value).astype(changed.dtype)
    return changed


def _graph_digest(arrays: dict[str, Any]) -> str:
    """As a state graph's file has it: only so is what comes after it read at all."""
    digest = hashlib.sha256()
    for name in (name for name in (*ARRAYS, *MORE) if name in arrays):
        digest.update(f"{name}{arrays[name].shape}".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()
