"""Binary G-code that people send: made plain by Prusa's library, or refused with a next step."""

from __future__ import annotations

import hashlib
import importlib
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl import unpack_bgcode
from tests.gcode_pictures import png, with_thumbnail
from tests.gcode_reading import DEMO_FILES
from tests.web_lab import Browser, WebLab, web_lab

pybgcode = pytest.importorskip("pybgcode", reason="the extra fabctl[bgcode] is not installed")
PAGE = "/m/printer-a"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        found.certified("camille")
        yield found


@pytest.fixture
def camille(lab: WebLab) -> Browser:
    browser = lab.browser(language="fr")
    browser.sign_in("camille")
    return browser


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The demo's keyring tag as PrusaSlicer would write it: packed, with checksums."""
    return packed(DEMO_FILES / "keyring_tag.gcode", tmp_path_factory.mktemp("bgcode"))


def packed(plain: Path, folder: Path) -> bytes:
    """Return a plain file as binary G-code."""
    inner = importlib.import_module("pybgcode._bgcode")
    target = folder / "tag.bgcode"
    config = pybgcode.get_config()
    config.checksum = inner.ChecksumType.CRC32
    config.compression.gcode = inner.CompressionType.Heatshrink_12_4
    config.gcode_encoding = inner.GCodeEncodingType.MeatPackComments
    source = pybgcode.open(str(plain), "r")
    written = pybgcode.open(str(target), "wb")
    result = pybgcode.from_ascii_to_binary(source, written, config)
    pybgcode.close(source)
    pybgcode.close(written)
    assert result == pybgcode.EResult.Success
    return target.read_bytes()


def moves(data: bytes) -> list[bytes]:
    """Every move, as MeatPack may write it: without blanks."""
    rows = (row.split(b";")[0].replace(b" ", b"") for row in data.splitlines())
    return [row for row in rows if row.startswith((b"G0", b"G1"))]


def test_it_is_kept_as_plain_gcode(lab: WebLab, camille: Browser, binary: bytes) -> None:
    assert len(binary) < (DEMO_FILES / "keyring_tag.gcode").stat().st_size / 2
    answer = camille.upload(binary, "porte-clés.bgcode", page=PAGE)
    assert answer.status_code == 303
    (name,) = lab.files_on_disk()
    kept = lab.config.paths.files / name
    assert name == f"{hashlib.sha256(kept.read_bytes()).hexdigest()}.gcode"
    assert moves(kept.read_bytes()) == moves((DEMO_FILES / "keyring_tag.gcode").read_bytes())
    assert "porte-clés.gcode est prêt à démarrer." in camille.get(PAGE).get_data(as_text=True)
    assert list(lab.config.paths.tmp.iterdir()) == []


def test_its_picture_is_shown(lab: WebLab, camille: Browser, tmp_path: Path) -> None:
    plain, picture = tmp_path / "tag.gcode", png(220, 124)
    tag = (DEMO_FILES / "keyring_tag.gcode").read_bytes()
    first, _, rest = tag.partition(b"\n")  # the library knows PrusaSlicer by the first line
    plain.write_bytes(first + b"\n\n" + with_thumbnail(rest, picture, 220, 124))
    answer = camille.upload(packed(plain, tmp_path), "porte-clés.bgcode", page=PAGE)
    assert answer.status_code == 303
    page = camille.get(PAGE).get_data(as_text=True)
    shown = re.search(r'<img class="thumbnail" src="([^"]+)" width="220" height="124"', page)
    assert shown, page
    assert camille.get(shown[1]).data == picture


def damaged(binary: bytes) -> Iterator[bytes]:
    rng = random.Random(7)  # noqa: S311 # no secret
    yield binary[: len(binary) // 2]
    yield binary[:10]
    yield b"GCDE" + rng.randbytes(4000)
    for _ in range(3):
        at = rng.randrange(20, len(binary))
        yield binary[:at] + bytes([binary[at] ^ 0x55]) + binary[at + 1 :]


def test_damaged_files_are_refused_and_leave_nothing(
    lab: WebLab, camille: Browser, binary: bytes
) -> None:
    for data in damaged(binary):
        answer = camille.upload(data, "x.bgcode", page=PAGE)
        assert answer.status_code in {409, 422}
        said = answer.get_data(as_text=True)
        assert "Ce G-code binaire (.bgcode) est abîmé" in said
        assert 'data-code="bad-bgcode"' in said
        assert lab.files_on_disk() == []
        assert list(lab.config.paths.tmp.iterdir()) == []


def test_a_file_that_grows_too_large_is_stopped(tmp_path: Path, binary: bytes) -> None:
    source, target = tmp_path / "a.bgcode", tmp_path / "a.gcode"
    source.write_bytes(binary)
    done = run_child(source, target, 20_000)
    assert done != 0
    assert target.stat().st_size <= 20_000
    assert run_child(source, target, 1_000_000) == 0


def run_child(source: Path, target: Path, largest: int) -> int:
    command = [sys.executable, "-m", unpack_bgcode.__name__, str(source), str(target), str(largest)]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_without_the_library_the_check_says_what_to_do(
    camille: Browser, binary: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack_bgcode, "LIBRARY", "a_library_that_nobody_has")
    answer = camille.upload(binary, "x.bgcode", page=PAGE)
    assert answer.status_code == 422
    assert 'data-code="not-text"' in answer.get_data(as_text=True)
