"""A folder for one run of tests, which the next run takes away when this one was killed."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HELD = "held"
"""A file in it that is locked for as long as the run lives; the kernel sees to that."""


@contextmanager
def held_folder(prefix: str, clear: Callable[[str], None]) -> Iterator[Path]:
    """Yield a new folder; take away first what runs left that are dead.

    :param clear: takes away what belongs to a folder of this name, outside of it.
    """
    _clear_left_over(prefix, clear)
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    with (folder / "new").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        (folder / "new").rename(folder / HELD)  # never seen without its lock
        try:
            yield folder
        finally:
            clear(folder.name)
            shutil.rmtree(folder)


def _clear_left_over(prefix: str, clear: Callable[[str], None]) -> None:
    for held in Path(tempfile.gettempdir()).glob(f"{prefix}*/{HELD}"):
        try:
            with held.open() as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                clear(held.parent.name)
                shutil.rmtree(held.parent)
        except (BlockingIOError, FileNotFoundError):
            continue  # somebody lives in it, or clears it just now
