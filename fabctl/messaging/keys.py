"""The machines' signing keys on disk, one file each, readable by their owner only."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from fabctl.config import DataPaths
from fabctl.errors import LocalError
from fabctl.messaging.signing import KEY_BYTES


def read_key(path: Path) -> bytes:
    """Return a machine's key, 32 bytes.

    :raises LocalError: the file is absent, unreadable or not 64 hex digits.
    """
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise LocalError(
            f"the signing key {path} cannot be read: {error}",
            next_step="`fabctl run` makes the keys of a new lab; copy them to the other hosts",
        ) from error
    if len(key) != KEY_BYTES:
        raise LocalError(f"the signing key {path} holds {len(key)} bytes", limit="32 bytes")
    return key


def make_keys(paths: DataPaths, machines: Iterable[str]) -> list[str]:
    """Make the missing keys of these machines and the web's secret; return what was made."""
    wanted = {machine: paths.machine_key(machine) for machine in machines}
    wanted["the web's secret"] = paths.secret
    return [name for name, path in wanted.items() if make_secret(path)]


def make_secret(path: Path) -> bool:
    """Write 32 random bytes as hex digits (0600) where there is no file; say whether it did.

    The file appears whole or not at all, and never replaces one that is there.
    """
    if path.exists():
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(half, path)
    except FileExistsError:
        return False
    finally:
        half.unlink()
    return True
