"""A full disk below the web: said as it is (507), nothing changed, and with room it goes on.

docs/full-disk.md says the same for people, a line for each place that is written.
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from fabctl.config import WebConfig
from fabctl.ports import MachineKind
from fabctl.services import pictures
from fabctl.store.snapshot import sqlite_troubles
from fabctl.unpack_bgcode import NO_ROOM
from tests.gcode_reading import DEMO_FILES
from tests.small_disk import LEFT_KIB, SmallDisk, disk
from tests.web_caller import Caller, caller, codes
from tests.web_lab import GOOD_FILE, WebLab, lab_config, web_lab

__all__ = ["disk"]
PAGE = "/m/printer-a"
KIOSK = "127.0.0.1"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(800)
LARGE = GOOD_FILE + b"; a comment that takes room, as long as a slicer's\n" * 2500
FULL_FR = re.compile(r"plus de place sur son disque \S+/disk\. Rien n’a été modifié\.")
NEXT_FR = "Préviens l’équipe ; quand elle aura fait de la place, réessaie."


@pytest.fixture
def lab(disk: SmallDisk) -> Iterator[WebLab]:
    """A lab whose database and files lie on the small disk; Camille is certified."""
    stick = disk.path.parent / "stick"
    stick.mkdir()
    (stick / "part.gcode").write_bytes(LARGE)
    web = WebConfig(upload_max_mb=1, kiosk_addresses=(KIOSK,), stick_folders={KIOSK: stick})
    with web_lab(disk.path, config=lab_config(disk.path, web=web)) as found:
        found.certified("camille")
        found.config.paths.tmp.mkdir(parents=True, exist_ok=True)
        yield found


def booked(who: Caller, lab: WebLab, day: int) -> int:
    start = lab.clock.now() + timedelta(days=day, hours=1)
    slot = {"start": start.isoformat(), "end": (start + timedelta(minutes=30)).isoformat()}
    answer = who.ask("POST", "/reservations", json={"resource": "printer-a", **slot})
    if answer.status_code != 201:
        assert (answer.status_code, codes(answer)) == (507, ["disk-full"])
    return answer.status_code


def of(lab: WebLab, query: str) -> int:
    """Return a number that the database holds, after a look at every page and row of it."""
    file = lab.config.file.with_name("lab.db")
    assert sqlite_troubles(file) == []
    with closing(sqlite3.connect(file)) as database:
        return int(database.execute(query).fetchone()[0])


def says_so(answer: TestResponse) -> bool:
    """Say whether a page says in French which disk is full, and what to do."""
    text = answer.get_data(as_text=True)
    return answer.status_code == 507 and bool(FULL_FR.search(text)) and NEXT_FR in text


@pytest.mark.parametrize("left", [0, 4, 64])
def test_a_booking_is_kept_whole_or_refused(lab: WebLab, disk: SmallDisk, left: int) -> None:
    camille = caller(lab, "camille")
    assert booked(camille, lab, 1) == 201
    disk.fill(left)
    said = [booked(camille, lab, day) for day in (2, 3, 4)]
    assert said.count(507) >= 2
    assert camille.ask("GET", "/reservations").status_code == 200
    disk.make_room()
    assert booked(camille, lab, 5) == 201
    kept = 2 + said.count(201)
    assert of(lab, "SELECT count(*) FROM reservation") == kept
    assert of(lab, "SELECT count(*) FROM claim") == kept
    assert of(lab, "SELECT count(*) FROM audit WHERE what = 'reservation.made'") == kept


@pytest.mark.parametrize("content", [GOOD_FILE, LARGE], ids=["small", "large"])
def test_a_file_that_is_sent_is_kept_whole_or_not_at_all(
    lab: WebLab, disk: SmallDisk, content: bytes
) -> None:
    browser = lab.browser(language="fr")
    browser.sign_in("camille")
    jobs = 0
    for left in (*LEFT_KIB, 128, 132, 144, 256):
        disk.fill(left)
        before = lab.files_on_disk()
        answer = browser.upload(content, page=PAGE)
        jobs += answer.status_code == 303
        if answer.status_code != 303:
            assert says_so(answer)
            assert lab.files_on_disk() == before
    assert jobs > 0
    disk.make_room()
    assert browser.upload(content, page=PAGE).status_code == 303
    assert of(lab, "SELECT count(*) FROM job") == jobs + 1
    assert len(lab.files_on_disk()) == 1


def test_a_picture_is_not_worth_a_job(disk: SmallDisk) -> None:
    disk.fill()
    pictures.keep(disk.path / "previews", "0" * 64, MachineKind.PRINTER, PNG * 20, None)
    assert disk.names() == set()
    disk.make_room()
    pictures.keep(disk.path / "previews", "0" * 64, MachineKind.PRINTER, PNG * 20, None)
    assert len(disk.names()) == 1


def test_a_file_from_a_stick_is_taken_once_there_is_room(lab: WebLab, disk: SmallDisk) -> None:
    browser = lab.browser(KIOSK, language="fr")
    browser.sign_in("camille")
    for left in LEFT_KIB:
        disk.fill(left)
        assert says_so(browser.post(f"{PAGE}/stick", {"name": "part.gcode"}, page=f"{PAGE}/stick"))
        assert lab.files_on_disk() == []
    disk.make_room()
    answer = browser.post(f"{PAGE}/stick", {"name": "part.gcode"}, page=f"{PAGE}/stick")
    assert answer.status_code == 303


def test_binary_gcode_is_unpacked_whole_or_not_at_all(
    lab: WebLab, disk: SmallDisk, tmp_path: Path
) -> None:
    pytest.importorskip("pybgcode", reason="the extra fabctl[bgcode] is not installed")
    from tests.servers.test_web_bgcode import packed  # noqa: PLC0415  # it skips all of itself

    binary = packed(DEMO_FILES / "keyring_tag.gcode", tmp_path)
    browser = lab.browser(language="fr")
    browser.sign_in("camille")
    for left in (0, 16, 64, 92, 96):  # the packed file has 22 KiB, the plain one 68 and a bit
        disk.fill(left)
        assert says_so(browser.upload(binary, "part.bgcode", page=PAGE))
        assert lab.files_on_disk() == []
    disk.make_room()
    assert browser.upload(binary, "part.bgcode", page=PAGE).status_code == 303


def test_what_the_library_could_not_write_as_it_closed_is_no_file(
    disk: SmallDisk, tmp_path: Path
) -> None:
    """The last bytes of 68 KiB and a bit find no room, and the library says that all is well."""
    pytest.importorskip("pybgcode", reason="the extra fabctl[bgcode] is not installed")
    from tests.servers.test_web_bgcode import packed  # noqa: PLC0415  # the same

    packed(DEMO_FILES / "keyring_tag.gcode", tmp_path)
    words = [str(tmp_path / "tag.bgcode"), str(disk.path / "plain.gcode"), "1000000"]
    disk.fill(68)
    done = subprocess.run([sys.executable, "-m", "fabctl.unpack_bgcode", *words], check=False)
    assert (disk.path / "plain.gcode").stat().st_size == 68 * 1024
    assert done.returncode == NO_ROOM


def test_signing_in_waits_for_room_and_pages_are_shown(lab: WebLab, disk: SmallDisk) -> None:
    disk.fill()
    browser = lab.browser(language="fr")
    assert browser.get("/").status_code == 200
    answer = browser.sign_in("camille")
    assert answer.status_code == 303 or says_so(answer)
    disk.make_room()
    assert browser.sign_in("camille").status_code == 303


def test_a_web_that_begins_on_a_full_disk_says_so(lab: WebLab, disk: SmallDisk) -> None:
    """Without room for the index of SQLite's log even reading fails; with room it goes on."""
    lab.db.close()
    assert not (disk.path / "lab.db-shm").exists()
    disk.fill()
    answer = lab.browser(language="fr").get("/")
    assert answer.status_code == 507
    assert FULL_FR.search(answer.get_data(as_text=True))
    assert codes(Caller(lab, "fab_x").ask("GET", "/me")) == ["disk-full"]
    disk.make_room()
    assert lab.browser().get("/").status_code == 200
