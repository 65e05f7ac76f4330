"""The processes of a lab, as the supervisor runs them."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable

from fabctl.config import LabConfig
from fabctl.hosting.mosquitto import PrivateBroker
from fabctl.hosting.supervisor import ChildSpec

FIRST, THEN = 0, 1
"""Start ranks: machines, the broker and the database; what needs the database. Machines wait for
nothing: after a power cut, commanding their heaters off comes before everything else."""
TIME_TO_MAKE_SAFE_S = 5.0
"""What a machine gets to open its port and command its heaters off when the start fails."""
MACHINES, DESK, HARDWARE, BROKER = range(4)
"""Stop ranks: machines first, so that they can stop their jobs and have that recorded."""
SMALL_HEAP = {"MALLOC_ARENA_MAX": "1"}
"""glibc's own arenas for each thread cost memory and gain nothing here (mallopt(3))."""


def machine_children(config: LabConfig, host: str) -> list[ChildSpec]:
    """Return one process per machine of a host."""
    return [
        ChildSpec(
            machine.id,
            fabctl_command(config, "machine", machine.id),
            start_rank=FIRST,
            stop_rank=MACHINES,
            lives_at_least_s=TIME_TO_MAKE_SAFE_S,
            environment=SMALL_HEAP,
            stop_within_s=15.0,  # 8 s for its job, 2 s for what it has to tell, and some
        )
        for machine in config.machines.values()
        if machine.host == host
    ]


def interlock_children(config: LabConfig, host: str) -> list[ChildSpec]:
    """Return one daemon per interlock of a host's machines.

    However often one ends, it is started again, and begins with its relays off. It ends after the
    machines: a job that is being stopped needs its interlock to the last.
    """
    return [
        ChildSpec(
            f"{machine}-interlock",
            fabctl_command(config, "interlock", machine),
            start_rank=FIRST,
            stop_rank=DESK,
            environment=SMALL_HEAP,
        )
        for machine in config.interlocks
        if config.machines[machine].host == host
    ]


def desk_children(config: LabConfig, broker: PrivateBroker | None) -> list[ChildSpec]:
    """Return what a lab has once: the private broker, the database's migration, web, steward."""
    desk = [
        ChildSpec(
            name,
            fabctl_command(config, name),
            start_rank=THEN,
            stop_rank=DESK,
            ready=ready,
            environment=SMALL_HEAP,
        )
        for name, ready in (("web", web_answers(config)), ("steward", None))
    ]
    migrate = ChildSpec(
        "migrate", fabctl_command(config, "migrate"), start_rank=FIRST, stop_rank=DESK, once=True
    )
    if broker is None:
        return [migrate, *desk]
    private = ChildSpec(
        "broker",
        broker.command,
        start_rank=FIRST,
        stop_rank=BROKER,
        before=broker.mend,
        ready=broker.answers,
    )
    return [private, migrate, *desk]


def fabctl_command(config: LabConfig, *words: str) -> tuple[str, ...]:
    """Return the command line of one of our own commands."""
    return (sys.executable, "-m", "fabctl", *words, "--config", str(config.file))


def web_answers(config: LabConfig) -> Callable[[], bool] | None:
    """Return a test for the web: something listens at its address. None for port 0."""
    address, port = config.web.address_here, config.web.port
    if port == 0:
        return None

    def answers() -> bool:
        try:
            socket.create_connection((address, port), timeout=0.5).close()
        except OSError:
            return False
        return True

    return answers
