"""A switch and the computers at it, each a network namespace with a cable that can be cut."""

from __future__ import annotations

import ctypes
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CLONE_NEWNET = 0x40000000
"""sched.h; setns(2)."""
SWITCH = "switch"
_LIBC = ctypes.CDLL(None, use_errno=True)
_NUMBERS = itertools.count()


def need_namespaces() -> None:
    """Skip where network namespaces cannot be made; on CI that is a failure."""
    if shutil.which("ip") is None:
        _missing("the program ip is missing: apt-get install iproute2")
    if os.geteuid() != 0:
        _missing("network namespaces are root's: run this as root, or let CI do it")
    name = f"fab{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        _missing(f"no network namespace can be made here: {made.stderr.strip()}")
    _ip("netns", "del", name)


def _missing(why: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


@dataclass
class Network:
    """A switch (a bridge in a namespace of its own) and computers with one cable each."""

    prefix: str
    addresses: dict[str, str] = field(default_factory=dict)

    def name(self, computer: str) -> str:
        """Return the name of a computer's namespace."""
        return f"{self.prefix}-{computer}"

    def add(self, computer: str, address: str) -> None:
        """Put a computer at the switch."""
        space, switch = self.name(computer), self.name(SWITCH)
        _ip("netns", "add", space)
        self.addresses[computer] = address
        _ip(
            "-n",
            switch,
            "link",
            "add",
            "name",
            computer,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            space,
        )
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
        """Return what runs a program on a computer; it keeps its process id."""
        return ["nsenter", f"--net=/run/netns/{self.name(computer)}", "--", *map(str, words)]

    @contextmanager
    def inside(self, computer: str = SWITCH) -> Iterator[None]:
        """Have this thread, and those it starts, on a computer until the end of the block."""
        with (
            Path("/proc/thread-self/ns/net").open("rb") as before,
            Path("/run/netns", self.name(computer)).open("rb") as there,
        ):
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(before.fileno())

    def remove(self) -> None:
        """Take everything away; the cables go with the namespaces."""
        for computer in (*self.addresses, SWITCH):
            _ip("netns", "del", self.name(computer))


def _enter(descriptor: int) -> None:
    if _LIBC.setns(descriptor, CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


@contextmanager
def switch(own_address: str) -> Iterator[Network]:
    """Yield a network with a switch; whoever is :meth:`Network.inside` it sits at it."""
    need_namespaces()
    network = Network(f"fab{os.getpid()}-{next(_NUMBERS)}")
    space = network.name(SWITCH)
    _ip("netns", "add", space)
    try:
        _ip("-n", space, "link", "set", "dev", "lo", "up")
        _ip("-n", space, "link", "add", "name", "br0", "type", "bridge", "stp_state", "0")
        _ip("-n", space, "addr", "add", f"{own_address}/24", "dev", "br0")
        _ip("-n", space, "link", "set", "dev", "br0", "up")
        yield network
    finally:
        network.remove()


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
