"""The dry run of the Grbl driver: the bytes that would be written, in their order."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabctl.clock import SystemClock
from fabctl.errors import DeviceError
from fabctl.ports import (
    HandControl,
    JobFile,
    JogCancel,
    MachineKind,
    MachineProfile,
    Overrides,
    Rehearsable,
)
from fabctl_drivers.grbl.driver import GrblDriver
from fabctl_drivers.marlin.driver import MarlinDriver

SIGN = Path(__file__).parents[1] / "data" / "sign.nc"


def driver(
    kind: type[GrblDriver | MarlinDriver], **options: bool | int
) -> GrblDriver | MarlinDriver:
    profile = MachineProfile(
        "mill", "Mill", MachineKind.MILL, "grbl", "here", "/dev/null", 115_200, options=options
    )
    return kind(profile, SystemClock())


def rehearsed(path: Path, **options: bool | int) -> list[str]:
    count = len(path.read_bytes().splitlines())
    grbl = driver(GrblDriver, **options)
    said = b"".join(grbl.rehearse(JobFile("job", path, path.name, count, count)))
    return said.replace(b"?", b"").decode().split("\n")


def job(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "job.nc"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_what_would_be_said_from_the_opening_to_the_end(tmp_path: Path) -> None:
    path = job(tmp_path, "%", "g21 (mm)", "G10 L20 P1 X0", "M0 (look)", "$110=500", "G1 X1 F500")
    assert rehearsed(path) == [
        "\x18$I", "$$", "$#", "G21", "G10L20P1X0", "M0", "$110=500", "G1X1F500", "G4P0", ""
    ]  # fmt: skip


def test_a_program_s_own_end_needs_no_dwell(tmp_path: Path) -> None:
    assert rehearsed(job(tmp_path, "G21", "M30", "G0 X1"))[3:] == ["G21", "M30", ""]


def test_a_check_run_is_entered_and_left(tmp_path: Path) -> None:
    said = rehearsed(job(tmp_path, "G21", "G0 X1"), check_run=True)
    assert said == ["\x18$I", "$$", "$#", "$C", "G21", "G0X1", "\x18"]


def test_a_real_file_is_said_whole() -> None:
    said = rehearsed(SIGN)
    assert len(said) > 800
    assert all(len(line) < 80 for line in said)


def test_a_file_that_would_fail_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="line 2 has 80 bytes"):
        rehearsed(job(tmp_path, "G21", "G1X" + "0" * 77))


def test_who_can_do_what() -> None:
    grbl, marlin = driver(GrblDriver), driver(MarlinDriver)
    for protocol in (HandControl, JogCancel, Overrides, Rehearsable):
        assert isinstance(grbl, protocol)
    assert isinstance(marlin, HandControl)
    assert isinstance(marlin, Rehearsable)
    assert not isinstance(marlin, Overrides)
