"""What mosquitto keeps: whole, torn, or of a format that is not judged."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from fabctl.hosting.broker_memory import set_aside_if_torn

CHUNKS = ((1, bytes(16)), (2, b"m" * 77), (4, bytes(8)))
"""As mosquitto 2.0.11 writes them for one kept message."""


def memory(version: int = 6) -> bytes:
    start = b"\x00\xb5\x00mosquitto db" + struct.pack(">II", 0, version)
    return start + b"".join(struct.pack(">II", kind, len(body)) + body for kind, body in CHUNKS)


ENDS = {23, 23 + 24, 23 + 24 + 85, len(memory())}
"""Where a file may end: mosquitto reads it."""


@pytest.mark.parametrize(
    ("content", "is_torn"),
    [(memory()[:end], end not in ENDS) for end in range(len(memory()) + 1)]
    + [
        (memory(5), False),
        (memory(7)[:-3], False),  # not known: mosquitto says itself what it cannot read
        (bytes(4096), True),  # after a power cut
        (memory() + bytes(4), True),
        (memory()[:-16] + struct.pack(">II", 4, 2**32 - 1), True),
    ],
)
def test_what_is_torn_is_set_aside(tmp_path: Path, content: bytes, is_torn: bool) -> None:
    file, aside = tmp_path / "mosquitto.db", tmp_path / "mosquitto.db.unreadable"
    file.write_bytes(content)
    aside.write_bytes(b"of the last time")
    said = set_aside_if_torn(file)
    assert (said is not None, file.exists()) == (is_torn, not is_torn)
    assert aside.read_bytes() == (content if is_torn else b"of the last time")


def test_no_file_is_no_trouble(tmp_path: Path) -> None:
    assert set_aside_if_torn(tmp_path / "mosquitto.db") is None
    (tmp_path / "mosquitto.db").mkdir()
    assert set_aside_if_torn(tmp_path / "mosquitto.db") is None
