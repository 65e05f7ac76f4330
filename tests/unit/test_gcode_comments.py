"""What slicers say in comments: layers, time, pictures; and pictures that are none."""

from __future__ import annotations

import base64
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.gcode.comments import LARGEST_THUMBNAIL_BYTES, CommentReader, duration_s
from tests.gcode_reading import UNHURRIED, read


def heard(*comments: str) -> CommentReader:
    reader = CommentReader()
    for comment in comments:
        reader.take(comment)
    return reader


@pytest.mark.parametrize(
    ("comment", "seconds"),
    [
        (" estimated printing time (normal mode) = 15m 36s", 936.0),
        (" estimated printing time (normal mode) = 1d 2h 3m 4s", 93784.0),
        (" estimated printing time = 2h 0m 1s", 7201.0),
        ("TIME:6543", 6543.0),
        ("TIME:6543.5", 6543.5),
        (" model printing time: 14m 54s; total estimated time: 20m 21s", 1221.0),
        (" model printing time: 1h 23m 45s", 5025.0),
        (" estimated printing time (normal mode) =", None),
        (" estimated printing time (silent mode) = 15m 43s", None),
        (" estimated first layer printing time (normal mode) = 1m 1s", None),
        ("TIME_ELAPSED:12.5", None),
        ("TIME:soon", None),
        (" print time = 5m", None),
    ],
)
def test_the_slicers_estimate(comment: str, seconds: float | None) -> None:
    assert heard(comment).slicer_estimate_s == seconds


def test_the_most_complete_estimate_wins_whatever_comes_first() -> None:
    lines = ["TIME:10", " model printing time: 1m 0s; total estimated time: 2m 0s"]
    assert heard(*lines).slicer_estimate_s == 120.0
    assert heard(*reversed(lines)).slicer_estimate_s == 120.0


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("1d", 86400.0), ("2h 3m", 7380.0), ("45s", 45.0), ("", None), ("soon", None)],
)
def test_durations(written: str, seconds: float | None) -> None:
    assert duration_s(written) == seconds


@pytest.mark.parametrize(
    ("comments", "layers"),
    [
        (["LAYER_CHANGE", "Z:0.2", "LAYER_CHANGE"], 2),
        ([" CHANGE_LAYER", " Z_HEIGHT: 0.2", " CHANGE_LAYER"], 2),
        (["LAYER_COUNT:3", "LAYER:0", "LAYER:1", "LAYER:2"], 3),
        (["LAYER_CHANGE", "LAYER:0", "LAYER_CHANGE"], 2),
        (["BEFORE_LAYER_CHANGE", "AFTER_LAYER_CHANGE", "layer 5"], None),
        ([], None),
    ],
)
def test_layers(comments: list[str], layers: int | None) -> None:
    assert heard(*comments).layers == layers


def png(width: int, height: int, extra: int = 0) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"tEXt", bytes(extra))
        + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
    )


def written(data: bytes, width: int, height: int, word: str = "thumbnail", by: str = "x") -> str:
    text = base64.b64encode(data).decode()
    rows = [f"; {text[i : i + 78]}" for i in range(0, len(text), 78)]
    begin = f"; {word} begin {width}{by}{height} {len(text)}"
    return "\n".join([";", begin, *rows, f"; {word} end", ";"]) + "\n"


def test_the_largest_picture_up_to_640_is_kept() -> None:
    small, large, huge = png(16, 16), png(220, 124), png(641, 480)
    file = written(small, 16, 16) + written(large, 220, 124) + written(huge, 641, 480)
    assert read(file.encode()).thumbnail == large
    assert read((written(large, 220, 124) + written(small, 16, 16)).encode()).thumbnail == large


def test_pictures_under_other_names() -> None:
    assert read(written(png(20, 10), 20, 10, "png", "*").encode()).thumbnail == png(20, 10)
    assert read(written(png(20, 10), 20, 10, "THUMBNAIL").encode()).thumbnail == png(20, 10)
    assert read(written(png(20, 10), 20, 10, "thumbnail_JPG").encode()).thumbnail is None


@pytest.mark.parametrize(
    "data",
    [b"", b"no picture", png(17, 16), b"\xff\xd8\xff" + bytes(50), png(16, 16)[:20]],
    ids=["empty", "text", "another size", "jpeg", "cut"],
)
def test_what_is_no_such_picture_is_dropped(data: bytes) -> None:
    assert read(written(data, 16, 16).encode()).thumbnail is None


def test_a_broken_picture_does_not_hide_a_good_one() -> None:
    file = written(b"no picture", 300, 300) + written(png(16, 16), 16, 16)
    assert read(file.encode()).thumbnail == png(16, 16)


def test_a_picture_too_long_is_dropped_while_it_is_read() -> None:
    data = png(600, 600, extra=LARGEST_THUMBNAIL_BYTES)
    assert len(data) > LARGEST_THUMBNAIL_BYTES
    assert read(written(data, 600, 600).encode()).thumbnail is None


def test_a_picture_without_an_end_hides_no_layer() -> None:
    report = read("; thumbnail begin 16x16 99|; iVBORw0KGgo|;LAYER_CHANGE|;LAYER_CHANGE")
    assert report.layers == 2
    assert report.thumbnail is None


@UNHURRIED
@given(st.lists(st.text(max_size=60), max_size=30))
def test_no_comment_breaks_the_reader(comments: list[str]) -> None:
    reader = heard(*comments, "thumbnail begin 10x10 5", *comments)
    assert reader.thumbnail is None
    assert reader.layers is None or reader.layers > 0
