"""Binary G-code that people send, made plain before it is checked and kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from flask import request

from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.unpack_bgcode import CPU_S, MAGIC, NO_ROOM, installed
from fabctl.whole_files import disk_full
from fabctl_web.uploads import Upload, max_bytes

CANNOT_UNPACK = Refusal(
    "bad-bgcode",
    text("This binary G-code (.bgcode) is damaged or too large."),
    text("Export it as plain G-code, then send that."),
)


def plain(upload: Upload, name: str) -> tuple[Upload, str]:
    """Return a file as plain G-code, and its name; other files come back as they are.

    So does binary G-code where no library for it is installed: the check of the file then says
    what to do.

    :raises RefusedError: it is damaged, or would be larger than a plain file may be.
    :raises DiskFullError: there is no room to unpack it.
    """
    if upload.opened().read(len(MAGIC)) != MAGIC or not installed():
        return upload, name
    unpacked = upload.path.with_name(f"{upload.path.name}.plain")
    try:
        _unpack(upload, unpacked)
        return _received(unpacked), f"{Path(name).stem}.gcode"
    finally:
        unpacked.unlink(missing_ok=True)


def _unpack(upload: Upload, target: Path) -> None:
    upload.settle()
    command = [sys.executable, "-m", "fabctl.unpack_bgcode", str(upload.path), str(target)]
    try:
        done = subprocess.run(
            [*command, str(max_bytes())], capture_output=True, timeout=2 * CPU_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise RefusedError([CANNOT_UNPACK]) from error
    if done.returncode == NO_ROOM:
        raise disk_full(target)
    if done.returncode != 0 or not target.is_file():
        raise RefusedError([CANNOT_UNPACK])


def _received(file: Path) -> Upload:
    """Take a file of our own as if it had been sent; it goes away with the request."""
    upload = Upload(file.parent)
    request.environ["fabctl.uploads"].append(upload)
    with file.open("rb") as source:
        shutil.copyfileobj(source, upload)
    return upload
