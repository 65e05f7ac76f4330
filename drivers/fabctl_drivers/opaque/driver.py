"""A machine that fabctl shows, books and opens, but does not send files to."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from fabctl.clock import Clock
from fabctl.errors import LocalError
from fabctl.ports import Connected, DriverEvent, JobFile, MachineProfile, Phase, PhaseChanged
from fabctl.units import Seconds


class OpaqueDriver:
    """Idle from its opening to its closing: its own controller, or its own software, drives it."""

    def __init__(self, profile: MachineProfile, clock: Clock) -> None:  # noqa: ARG002  # DriverFactory
        self._machine = profile.id
        self._phase = Phase.CLOSED
        self._events: list[DriverEvent] = []
        self._woken = threading.Event()

    @property
    def phase(self) -> Phase:
        """IDLE while open, CLOSED before and after."""
        return self._phase

    @property
    def confirmed_line(self) -> int:
        """Always 0: no job ever runs."""
        return 0

    @property
    def watched_only(self) -> bool:
        """Nothing is sent: the interlock's run signal alone says that it works."""
        return True

    def open(self) -> None:
        """Be there; there is no port to open."""
        if self._phase is Phase.CLOSED:
            self._events.append(Connected(firmware=None))
            self._change(Phase.IDLE)

    def pump(self, timeout: Seconds) -> Sequence[DriverEvent]:
        """Wait for ``timeout`` s, or until woken, unless there is something to tell."""
        if not self._events:
            self._woken.wait(max(0.0, timeout))
        self._woken.clear()
        events, self._events = self._events, []
        return events

    def wake(self) -> None:
        """End a waiting pump early."""
        self._woken.set()

    def start(self, job: JobFile) -> None:
        """Refuse.

        :raises LocalError: always.
        """
        raise LocalError(
            f"fabctl does not send files to this machine, so “{job.name}” cannot start here",
            device=self._machine,
            next_step="start the job with the machine's own software or panel",
        )

    def pause(self) -> None:
        """Refuse.

        :raises LocalError: always.
        """
        raise LocalError("no job runs that fabctl could pause", device=self._machine)

    def resume(self) -> None:
        """Refuse.

        :raises LocalError: always.
        """
        raise LocalError("no job is paused", device=self._machine)

    def stop(self) -> None:
        """Do nothing: there is nothing that fabctl started, and no wire to say it on."""

    def say(self, line: str) -> None:  # noqa: ARG002  # the protocol's signature
        """Refuse.

        :raises LocalError: always.
        """
        raise LocalError("fabctl has no wire to this machine to say it on", device=self._machine)

    def clear(self) -> None:
        """Do nothing: this driver is never broken.

        :raises LocalError: it is not open.
        """
        if self._phase is Phase.CLOSED:
            raise LocalError("the driver is not open", device=self._machine)

    def close(self) -> None:
        """Be gone."""
        if self._phase is not Phase.CLOSED:
            self._change(Phase.CLOSED)

    def _change(self, phase: Phase) -> None:
        self._phase = phase
        self._events.append(PhaseChanged(phase))
