"""A disk of a megabyte or so that can be filled to the last page, for tests of full disks.

A tmpfs: the kernel's own answer (ENOSPC), not one that a test makes up. It gives room in pages of
4 KiB, so a file may still grow within its last page when nothing is left. With
``SMALL_DISK=ext4`` it is an ext4 in a file instead: what a Pi has.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

LEFT_KIB = (0, 1, 4, 16, 64)
"""How much a ballast leaves free: a writer then fails at its beginning, or somewhere on its way."""
BLOCK = 64 * 1024
SYSTEM = os.environ.get("SMALL_DISK", "tmpfs")
EXT4_ITSELF_KIB = 6 * 1024
"""More than its journal and tables take."""


@dataclass(frozen=True)
class SmallDisk:
    """A mounted disk, and the ballast on it."""

    path: Path

    @property
    def _ballast(self) -> Path:
        return self.path / ".ballast"

    def fill(self, left_kib: int = 0) -> None:
        """Fill the disk but for so many KiB."""
        self.make_room()
        with self._ballast.open("wb", buffering=0) as file:
            with suppress(OSError):
                while file.write(bytes(BLOCK)):
                    pass
            with suppress(OSError):
                while file.write(bytes(1024)):
                    pass
            file.truncate(max(0, file.tell() - left_kib * 1024))

    def make_room(self) -> None:
        """Take the ballast away, as a person does who deletes something."""
        self._ballast.unlink(missing_ok=True)

    def names(self) -> set[str]:
        """Return every file on it, by its path below the disk."""
        found = (path for path in self.path.rglob("*") if path.is_file())
        return {str(path.relative_to(self.path)) for path in found} - {".ballast"}


@contextmanager
def small_disk(folder: Path, kib: int = 2048) -> Iterator[SmallDisk]:
    """Mount a disk of so many KiB on a new folder; it is gone afterwards, however the test ends.

    Where the kernel forbids it (no root, a container without the right to mount): a skip.
    """
    place = folder / "disk"
    place.mkdir()
    done = _mount(place, kib)
    if done.returncode != 0:
        why = done.stderr.strip() or f"mount: exit code {done.returncode}"
        pytest.skip(f"a small disk cannot be mounted ({why}); this takes root")
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _mount(place: Path, kib: int) -> subprocess.CompletedProcess[str]:
    options, what = f"size={kib}k,mode=0755", "fabctl-tests"
    if SYSTEM == "ext4":
        image = place.with_name("disk.ext4")
        with image.open("wb") as file:
            file.truncate((kib + EXT4_ITSELF_KIB) * 1024)
        words = ["mkfs.ext4", "-q", "-m", "0", "-b", "4096", str(image)]
        subprocess.run(words, check=True)
        options, what = "loop", str(image)
    words = ["mount", "-t", SYSTEM, "-o", options, what, str(place)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 2 MiB."""
    with small_disk(tmp_path) as found:
        yield found
