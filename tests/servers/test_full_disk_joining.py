"""A full disk on a computer that joins a lab, and on one that fetches a job's file from it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from fabctl.errors import LocalError
from fabctl.hosting.preparation import NotReady, Preparation, Prepared
from fabctl.joining.placing import Place, check_room, put
from fabctl.messaging.payloads import StartOrder
from fabctl.ports import MachineKind, MachineProfile, Trouble
from tests.servers.test_file_fetching import WANTED, source, url
from tests.small_disk import SmallDisk, disk
from tests.unit.test_host_codes import PARCEL

__all__ = ["disk", "url"]
PATIENCE_S = 30.0
PROFILE = MachineProfile("a", "A", MachineKind.PRINTER, "marlin", "here", None, 115200)
SERVER = "https://lab.example"


def place_on(disk: SmallDisk) -> Place:
    return Place(disk.path / "etc" / "lab.toml", disk.path / "data")


@pytest.mark.parametrize("left", [0, 1, 4, 16])
def test_no_code_is_spent_when_there_is_no_room(disk: SmallDisk, left: int) -> None:
    disk.fill(left)
    with pytest.raises(LocalError, match=r"/disk/\S+ cannot be written: No space left") as caught:
        check_room(place_on(disk))
    assert "the code has not been used" in str(caught.value)
    assert disk.names() == set()
    disk.make_room()
    check_room(place_on(disk))
    assert disk.names() == set()


@pytest.mark.parametrize("left", [0, 4, 16])
def test_what_a_host_is_given_is_there_whole_or_as_it_was(disk: SmallDisk, left: int) -> None:
    place = place_on(disk)
    put(place, PARCEL, SERVER, None)
    before = place.config_file.read_text(), disk.names()
    disk.fill(left)
    with pytest.raises(LocalError, match=r"No space left.* nothing was changed; make room"):
        put(place, PARCEL, f"{SERVER}:444", None)
    assert (place.config_file.read_text(), disk.names()) == before
    disk.make_room()
    put(place, PARCEL, f"{SERVER}:444", None)
    assert f"{SERVER}:444" in place.config_file.read_text()
    assert disk.names() == before[1]


@pytest.mark.parametrize("left", [0, 4, 300])
def test_a_job_whose_file_is_fetched_and_finds_no_room_is_not_begun(
    disk: SmallDisk, tmp_path: Path, url: str, left: int
) -> None:
    order = StartOrder("j", WANTED.sha256, WANTED.size, "part.gcode", 9, 9, None)
    results: list[Prepared] = []
    ended = threading.Event()

    def done(prepared: Prepared) -> None:
        results.append(prepared)
        ended.set()

    disk.fill(left)
    elsewhere = source(url, "right")
    Preparation(order, PROFILE, tmp_path / "none", disk.path, done, elsewhere).begin()
    assert ended.wait(PATIENCE_S)
    (prepared,) = results
    assert isinstance(prepared.result, NotReady)
    assert prepared.result.trouble is Trouble.DISK_FULL
    assert disk.names() == set()
