"""A disk whose plug is pulled: what the kernel had not written to it yet is gone.

An ext4 in a file. The file holds what was sent to the disk, and nothing of what the kernel still
has in its memory: a copy of it, taken while the writer stands still, is what a power cut leaves.
The kernel writes by itself only after ten minutes here, so what nobody forced to the disk is lost.
What is not shown: a disk that loses, or mixes up, what it was sent and told to keep.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

IMAGE_MIB = 32
IN_MEMORY = Path("/dev/shm")  # noqa: S108  # a file system, not a place for a file of that name


class NoMountError(Exception):
    """The kernel forbids mounting."""


@dataclass
class Disk:
    """A mounted disk, and the file that it is in."""

    folder: Path

    @property
    def path(self) -> Path:
        """Where it is mounted."""
        return self.folder / "disk"

    def sync(self) -> None:
        """Have everything on it written."""
        subprocess.run(["sync", "--file-system", self.path], check=True)

    def pull(self, pid: int) -> None:
        """Cut the power while a child of ours writes."""
        os.kill(pid, signal.SIGSTOP)
        os.waitpid(pid, os.WUNTRACED)
        shutil.copyfile(self._image, self._left)
        os.kill(pid, signal.SIGKILL)

    def plug_in(self) -> None:
        """Have the disk as the cut left it; nobody uses it now."""
        self.unmount()
        self._left.replace(self._image)
        self.mount()

    def mount(self) -> None:
        """Mount it.

        :raises NoMountError: the kernel forbids it.
        """
        words = ["mount", "-o", "loop,commit=600", str(self._image), str(self.path)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NoMountError(done.stderr.strip())

    def unmount(self) -> None:
        """Unmount it."""
        subprocess.run(["umount", str(self.path)], check=True)

    def make(self) -> None:
        """Make an empty one."""
        self.path.mkdir()
        with self._image.open("wb") as file:
            file.truncate(IMAGE_MIB * 1024 * 1024)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-b", "4096", self._image], check=True)

    @property
    def _image(self) -> Path:
        return self.folder / "disk.ext4"

    @property
    def _left(self) -> Path:
        return self.folder / "left.ext4"


@contextmanager
def disk_with_a_plug() -> Iterator[Disk]:
    """Yield a disk; it is gone afterwards.

    :raises NoMountError: the kernel forbids mounting.
    """
    place = IN_MEMORY if IN_MEMORY.is_dir() else None
    disk = Disk(Path(tempfile.mkdtemp(prefix="fabctl-plug-", dir=place)))
    try:
        disk.make()
        disk.mount()
        try:
            yield disk
        finally:
            disk.unmount()
    finally:
        shutil.rmtree(disk.folder)
