"""The machines' signing keys on disk, one file each, readable by their owner only."""

from __future__ import annotations

from collections.abc import Iterable

from fabctl.config import DataPaths
from fabctl.keyfile import make_secret, read_key

__all__ = ["make_keys", "make_permit_keys", "make_secret", "read_key"]


def make_keys(paths: DataPaths, machines: Iterable[str]) -> list[str]:
    """Make the missing keys of these machines and the web's secret; return what was made."""
    wanted = {machine: paths.machine_key(machine) for machine in machines}
    wanted["the web's secret"] = paths.secret
    return [name for name, path in wanted.items() if make_secret(path)]


def make_permit_keys(paths: DataPaths, machines: Iterable[str]) -> list[str]:
    """Make the missing keys of the permits of these machines; return whose were made."""
    return [machine for machine in machines if make_secret(paths.permit_key(machine))]
