"""What ``fabctl run`` does: prepare a data directory, then supervise the lab's processes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from fabctl.config import LabConfig
from fabctl.hosting.lab_children import desk_children, interlock_children, machine_children
from fabctl.hosting.locks import FolderLock
from fabctl.hosting.mosquitto import prepare_broker
from fabctl.hosting.supervisor import ChildSpec, Supervisor
from fabctl.messaging.keys import make_keys, make_permit_keys


def say(line: str) -> None:
    """Write one line to stdout. A reader that has gone must not stop the lab."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except OSError:  # a closed pipe, a terminal that was hung up
        sys.stdout = open("/dev/null", "w")  # noqa: PTH123, SIM115  # for the rest of our life


def run_lab(
    config: LabConfig,
    host: str,
    *,
    machines_only: bool = False,
    extra: Sequence[ChildSpec] = (),
    on_ready: Callable[[], None] | None = None,
) -> int:
    """Run a lab (or one host's machines) until Ctrl-C; return the exit code.

    :param extra: more children, such as a demo's simulators.
    :raises LocalError: another ``fabctl run`` uses the data directory, mosquitto is missing, or
        a file cannot be written.
    """
    lock = take_data_directory(config)
    children = [*extra, *interlock_children(config, host), *machine_children(config, host)]
    if not machines_only:
        make_keys(config.paths, config.machines)
        make_permit_keys(config.paths, config.interlocks)
        broker = None if config.broker.url else prepare_broker(config)
        children = [*desk_children(config, broker), *children]
    try:
        return Supervisor(children, say, on_ready).run()
    finally:
        lock.give_back()


def take_data_directory(config: LabConfig) -> FolderLock:
    """Make the data directory and keep others out of it.

    :raises LocalError: another ``fabctl run`` uses it.
    """
    for folder in (config.data_directory, config.paths.files, config.paths.tmp):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FolderLock(config.paths.run_lock)
    lock.take(f"the data directory {config.data_directory}")
    return lock
