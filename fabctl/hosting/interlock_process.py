"""``fabctl interlock ID``: finds the daemon, gives it its key and its signals, runs it."""

from __future__ import annotations

import signal
import threading
import time
from typing import cast

from fabctl.clock import SystemClock
from fabctl.complaint import Complaint
from fabctl.config import LabConfig
from fabctl.errors import InputError, LocalError
from fabctl.hosting.locks import FolderLock
from fabctl.hosting.logs import identify, log
from fabctl.installed import INTERLOCKS, all_entry_points, entry_points, load
from fabctl.interlock import InterlockDaemon, InterlockFactory, InterlockProfile
from fabctl.keyfile import KeyFile

PROGRAM = "gpio"
"""The name in the entry-point group; there is one kind so far."""
PREDECESSOR_ENDS_WITHIN_S = 15.0
KEY_LOOK_EVERY_S = 1.0
"""A ``stat`` so often: ``fabctl key rotate`` needs no restart."""


def run_interlock(config: LabConfig, profile: InterlockProfile) -> int:
    """Guard one machine until SIGTERM or SIGINT; return the exit code.

    :raises InputError: no such daemon is installed, or it cannot use the profile.
    :raises LocalError: another process guards it, or its key or its sockets cannot be had.
    """
    factory = _factory(profile)
    profile.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    identify("interlock", profile.machine)
    lock = FolderLock(profile.folder / "lock")
    lock.take(f"the interlock of {profile.machine}", PREDECESSOR_ENDS_WITHIN_S)
    key = KeyFile(config.paths.permit_key(profile.machine))
    daemon = factory(profile, key.key(), SystemClock(), simulated=config.simulated, say=log)
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, lambda *_: daemon.end())
    threading.Thread(target=_watch, args=(key, daemon), name="key", daemon=True).start()
    return daemon.run()


def _watch(key: KeyFile, daemon: InterlockDaemon) -> None:
    """Hand the daemon a rotated key; the disk is looked at here, never by the scan.

    A key that cannot be read changes nothing: without it no permit is made either.
    """
    said = ""
    while True:
        time.sleep(KEY_LOOK_EVERY_S)
        try:
            daemon.take_key(key.key())
            said = ""
        except LocalError as error:
            if str(error) != said:
                said = str(error)
                log(Complaint(said))


def _factory(profile: InterlockProfile) -> InterlockFactory:
    value = entry_points(INTERLOCKS).get(PROGRAM) or all_entry_points(INTERLOCKS).get(PROGRAM)
    if value is None:
        raise InputError("no interlock daemon is installed", device=profile.machine)
    try:
        return cast("InterlockFactory", load(value))
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"the interlock daemon {value} cannot be loaded: {error}", device=profile.machine
        ) from error
