"""A switch and the computers at it, each a network namespace with a cable that can be cut."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.brokers import wait_until

CLONE_NEWNET = 0x40000000
"""sched.h; setns(2)."""
SWITCH = "switch"
SPACES = Path("/run/netns")
PROGRAMS = {"ip": "iproute2", "nsenter": "util-linux", "setpriv": "util-linux"}
"""And the Debian packages that they are in."""
_LIBC = ctypes.CDLL(None, use_errno=True)


def need_namespaces() -> None:
    """Skip where the kernel or the user may not make them; a missing program fails on CI."""
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            missing = f"the program {program} is missing: apt-get install {package}"
            if os.environ.get("CI"):
                pytest.fail(missing)
            pytest.skip(missing)
    if os.geteuid() != 0:
        pytest.skip("only root makes network namespaces: run these tests as root (sudo)")
    network = Network(f"fab3-try-{secrets.token_hex(4)}")
    try:
        network.lay("192.0.2.1")
        network.add("one", "192.0.2.2")
    except AssertionError as error:
        pytest.skip(
            f"no network namespaces here: {error}; run these tests where root has the rights"
            " CAP_NET_ADMIN and CAP_SYS_ADMIN (a container: --privileged) and the kernel has veth"
        )
    finally:
        remove_spaces(network.prefix)


@dataclass
class Network:
    """A switch (a bridge in a namespace of its own) and computers with one cable each."""

    prefix: str
    addresses: dict[str, str] = field(default_factory=dict)

    def name(self, computer: str) -> str:
        """Return the name of a computer's namespace."""
        return f"{self.prefix}-{computer}"

    def lay(self, own_address: str) -> None:
        """Make the switch; whoever is :meth:`inside` it has this address."""
        space = self.name(SWITCH)
        _ip("netns", "add", space)
        _ip("-n", space, "link", "set", "dev", "lo", "up")
        _ip("-n", space, "link", "add", "name", "br0", "type", "bridge", "stp_state", "0")
        _ip("-n", space, "addr", "add", f"{own_address}/24", "dev", "br0")
        _ip("-n", space, "link", "set", "dev", "br0", "up")

    def add(self, computer: str, address: str) -> None:
        """Put a computer at the switch."""
        space, switch = self.name(computer), self.name(SWITCH)
        _ip("netns", "add", space)
        self.addresses[computer] = address
        cable = ("name", computer, "type", "veth", "peer", "name", "eth0", "netns", space)
        _ip("-n", switch, "link", "add", *cable)
        _ip("-n", switch, "link", "set", "dev", computer, "master", "br0", "up")
        _ip("-n", space, "link", "set", "dev", "lo", "up")
        _ip("-n", space, "link", "set", "dev", "eth0", "up")
        _ip("-n", space, "addr", "add", f"{address}/24", "dev", "eth0")

    def cut(self, computer: str) -> None:
        """Pull a computer's cable out of the switch."""
        _ip("-n", self.name(SWITCH), "link", "set", "dev", computer, "down")

    def mend(self, computer: str) -> None:
        """Put it back."""
        _ip("-n", self.name(SWITCH), "link", "set", "dev", computer, "up")

    def command(self, computer: str, *words: str | Path) -> list[str]:
        """Return what runs a program on a computer: it keeps its process id, and ends with us."""
        space = f"--net={SPACES / self.name(computer)}"
        return ["setpriv", "--pdeathsig", "KILL", "nsenter", space, "--", *map(str, words)]

    @contextmanager
    def inside(self, computer: str = SWITCH) -> Iterator[None]:
        """Have this thread, and what it starts, on a computer until the end of the block."""
        with (
            Path("/proc/thread-self/ns/net").open("rb") as before,
            (SPACES / self.name(computer)).open("rb") as there,
        ):
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(before.fileno())


def _enter(descriptor: int) -> None:
    if _LIBC.setns(descriptor, CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def remove_spaces(prefix: str) -> None:
    """Take a network away, with every process on it; the cables go with the namespaces."""
    for space in SPACES.glob(f"{prefix}-*"):
        wait_until(lambda space=space: not _killed(space.name), f"{space} is empty", 20.0)  # type: ignore[misc]  # bound now
        _ip("netns", "del", space.name)


def _killed(space: str) -> list[int]:
    """Kill whoever is there; return who it was."""
    command = ["ip", "netns", "pids", space]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    pids = [int(word) for word in found.stdout.split()]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return pids


@contextmanager
def switch(prefix: str, own_address: str) -> Iterator[Network]:
    """Yield a network with a switch; whoever is :meth:`Network.inside` it sits at it."""
    network = Network(prefix)
    try:
        network.lay(own_address)
        yield network
    finally:
        remove_spaces(prefix)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr.strip()}"
