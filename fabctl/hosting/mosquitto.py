"""The private broker: a mosquitto with a generated configuration, on this computer only.

Written anew at each start, so that lab.toml stays the only place to change anything; what must
last (passwords, the port, the kept messages) stays. See mosquitto.conf(5), mosquitto_passwd(1).
"""

from __future__ import annotations

import os
import pwd
import secrets
import socket
import subprocess
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fabctl.config import DataPaths, LabConfig
from fabctl.errors import LocalError
from fabctl.hosting.broker_memory import MEMORY_FILE, set_aside_if_torn
from fabctl.messaging.topics import LabTopics, discovery, is_id
from fabctl.whole_files import explaining_full_disk, sync_folder, write_whole

DESK = "desk"
DASHBOARD = "dashboard"
LOOPBACK = "127.0.0.1"
PID_FILE = "mosquitto.pid"
PORT_FREE_WITHIN_S = 5.0
"""How long a broker that is just ending may still hold our port."""
SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")
"""Where Debian puts mosquitto; not on everybody's PATH."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What one user of the broker may do: topic filters."""

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()


def rights(
    config: LabConfig, removed: Iterable[str] = (), revoked: Collection[str] = ()
) -> dict[str, Rights]:
    """Return the rights of every user: one per host, the desk, the dashboards. Pure.

    A host writes what its own machines say, and hears what is asked of them. The desk (web and
    steward) asks, and hears everything. A dashboard sees, and asks for nothing.

    :param removed: machines that were in lab.toml once: the desk clears what is kept of them.
    :param revoked: hosts that were put out of the lab: they have no account, and the desk says that
        they are gone.
    """
    topics = LabTopics(config.id)
    users = {
        host: _host_rights(config, topics, host) for host in config.hosts if host not in revoked
    }
    users[DESK] = Rights(
        read=(topics.everything,),
        write=(
            topics.every("cmd"),
            topics.every("booking"),
            topics.steward_status,
            *(topic for machine in removed for topic in topics.kept(machine)),
            *map(topics.host_status, sorted(revoked)),
        ),
    )
    shown = ("host", "meta", "state", "job", "interlock", "booking", "telemetry", "event")
    users[DASHBOARD] = Rights(
        read=(*map(topics.every, shown), topics.steward_status, "homeassistant/device/+/config")
    )
    return users


def _host_rights(config: LabConfig, topics: LabTopics, host: str) -> Rights:
    machines = [one.id for one in config.machines.values() if one.host == host]
    write = [topics.host_status(host), f"{topics.root}/answer/+"]
    for machine in machines:
        own = (topics.meta, topics.state, topics.job, topics.interlock)
        write += [topic(machine) for topic in own]
        write += [f"{topics.root}/m/{machine}/{kind}/+" for kind in ("telemetry", "event")]
        write.append(discovery(machine))
    return Rights(read=tuple(topics.commands(machine) for machine in machines), write=tuple(write))


def acl_text(users: Mapping[str, Rights]) -> str:
    """Return mosquitto's access list. What is not in it is denied. Pure."""
    lines: list[str] = []
    for user, may in users.items():
        lines.append(f"user {user}")
        lines += [f"topic read {topic}" for topic in may.read]
        lines += [f"topic write {topic}" for topic in may.write]
        lines.append("")
    return "\n".join(lines)


def configuration_text(folder: Path, port: int, user: str) -> str:
    """Return mosquitto's configuration. Pure."""
    return "\n".join(
        [
            "# Written by `fabctl run` at each start.",
            f"listener {port} {LOOPBACK}",
            "allow_anonymous false",
            f"password_file {folder / 'passwords'}",
            f"acl_file {folder / 'acl'}",
            f"user {user}",
            f"pid_file {folder / PID_FILE}",
            "set_tcp_nodelay true",
            "max_queued_messages 10000",
            "max_packet_size 131072",
            "persistence true",
            f"persistence_location {folder}/",
            # s; every minute it would write 47 MB a day with nothing to do. What a power cut
            # takes is said again: states every few seconds, events until they are on record.
            "autosave_interval 1800",
            "persistent_client_expiration 30d",
            "connection_messages false",
            "log_dest stderr",
            "log_timestamp false",
            "log_type error",
            "log_type warning",
            "",
        ]
    )


@dataclass(frozen=True, slots=True)
class PrivateBroker:
    """A broker that is ready to be started."""

    command: tuple[str, ...]
    port: int
    memory: Path
    """What it keeps from one start to the next."""

    def mend(self) -> str | None:
        """Do what lets it start after a power cut or a full disk; return what was done."""
        return set_aside_if_torn(self.memory)

    def answers(self) -> bool:
        """Say whether something listens on its port."""
        try:
            socket.create_connection((LOOPBACK, self.port), timeout=0.2).close()
        except OSError:
            return False
        return True


def prepare_broker(config: LabConfig) -> PrivateBroker:
    """Write the broker's files and choose its port.

    :raises LocalError: mosquitto is not installed, or a file cannot be written.
    """
    program = find_program("mosquitto")
    folder = config.paths.broker
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    users = rights(config, removed_machines(config), revoked_hosts(config.paths))
    make_passwords(config, users)
    port = choose_port(config.paths.broker_port)
    write_private(folder / "acl", acl_text(users))
    file = folder / "mosquitto.conf"
    write_private(file, configuration_text(folder, port, pwd.getpwuid(os.geteuid()).pw_name))
    return PrivateBroker((program, "-c", str(file)), port, folder / MEMORY_FILE)


def removed_machines(config: LabConfig) -> list[str]:
    """Return the machines that have a key in the data directory but no place in lab.toml."""
    keys = config.paths.keys.glob("*.key")
    return sorted(key.stem for key in keys if is_id(key.stem) and key.stem not in config.machines)


def revoked_hosts(paths: DataPaths) -> frozenset[str]:
    """Return the hosts that were put out of the lab."""
    return frozenset(file.stem for file in paths.broker.glob("*.revoked"))


def find_program(name: str) -> str:
    """Return where a program of mosquitto's lies.

    :raises LocalError: it is not installed.
    """
    folders = [*os.environ.get("PATH", "").split(os.pathsep), *SYSTEM_FOLDERS]
    for folder in filter(None, folders):
        program = Path(folder) / name
        if program.is_file() and os.access(program, os.X_OK):
            return str(program)
    raise LocalError(
        f"{name} is not installed",
        next_step="install it (Debian: sudo apt install mosquitto), or name a broker of yours in "
        "lab.toml under [broker]",
    )


def plain_passwords(config: LabConfig, users: Iterable[str]) -> dict[str, str]:
    """Make the missing passwords, each in a file of its own; return them all.

    :raises LocalError: a file cannot be written.
    """
    found = {}
    for user in users:
        file = config.broker_password_file(user)
        if not file.exists():
            write_private(file, f"{secrets.token_urlsafe(24)}\n")
        found[user] = file.read_text().strip()
    return found


def make_passwords(config: LabConfig, users: Iterable[str], folder: Path | None = None) -> None:
    """Make the missing passwords, and the hashed file ``passwords`` that mosquitto reads.

    :param folder: where that file goes; None: where the private broker has it.
    :raises LocalError: mosquitto_passwd is not installed or fails.
    """
    folder = folder or config.paths.broker
    lines = [f"{user}:{word}\n" for user, word in plain_passwords(config, users).items()]
    half = folder / ".passwords.new"
    write_private(half, "".join(lines))
    command = (find_program("mosquitto_passwd"), "-U", str(half))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        half.unlink(missing_ok=True)
        raise LocalError(f"mosquitto_passwd failed: {(done.stderr or done.stdout).strip()}")
    half.replace(folder / "passwords")
    sync_folder(folder)


def choose_port(file: Path, patience_s: float = PORT_FREE_WITHIN_S) -> int:
    """Return the broker's port: the one it had before, if it is free; else any free one."""
    kept = _kept_port(file)
    end = time.monotonic() + patience_s
    while kept is not None:
        if _is_free(kept):
            return kept
        if time.monotonic() > end:
            break
        time.sleep(0.2)
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    write_private(file, f"{port}\n")
    return port


def _kept_port(file: Path) -> int | None:
    try:
        port = int(file.read_text())
    except (OSError, ValueError):
        return None
    return port if 1 <= port <= 65_535 else None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def write_private(path: Path, content: str) -> None:
    """Replace a file that only its owner may read."""
    try:
        with explaining_full_disk(path):
            write_whole(path, content, mode=0o600)
    except OSError as error:
        raise LocalError(f"{path} cannot be written: {error.strerror}") from error
