"""The interlock's daemon: the scan loop, in a process of its own.

Every 10 ms on CLOCK_MONOTONIC: read all inputs, ask the chain, write K2, and as the very last act
toggle K1's dead-man line. Between two scans the sockets are served, without waiting; the disk is
another thread's. The wall clock is read for the record's lines and for nothing else.

A process that is killed, stopped or stuck makes no pulses, and K1 lets go in the cabinet.
"""

from __future__ import annotations

import os
import secrets
import time
import traceback
from collections.abc import Callable

from fabctl.clock import Clock
from fabctl.complaint import Complaint
from fabctl.errors import DeviceError, FabError
from fabctl.interlock import InputRole, InterlockProfile
from fabctl.sd_notify import Notifier
from fabctl.units import Seconds
from fabctl_drivers.interlock.causes import FaultCode, FaultRecord
from fabctl_drivers.interlock.chain import Chain
from fabctl_drivers.interlock.clerk import Clerk
from fabctl_drivers.interlock.fault_file import FaultFile
from fabctl_drivers.interlock.gpio import Gpio
from fabctl_drivers.interlock.inputs import Reading
from fabctl_drivers.interlock.pace import Pace
from fabctl_drivers.interlock.press import PressAtTheMachine
from fabctl_drivers.interlock.realtime import settle, suspended_s
from fabctl_drivers.interlock.record import Record
from fabctl_drivers.interlock.talk import Talk
from fabctl_drivers.interlock.telling import entry, own_entry
from fabctl_drivers.interlock.view import OFF, Outputs

STALE_S = Seconds(0.05)
"""A scan that took longer (the process was stopped, or a pin hung, in the middle of it) switches
nothing on, and the next one trips. What is left: a write that hangs itself ends with a level that
was decided before it hung. For K2 that alone powers nothing; K1 had at most that one edge more,
and lets go 150 to 200 ms after it."""
LEAST_GAP = 0.7
"""Of a period, between two scans, also after a late one: what is unsafe in two scans of 10 ms was
so for at least 7 ms, and a glitch of 5 ms never is."""
OPENS_WITHIN_S = Seconds(10.0)
"""Right after a computer's start the chip may not be there yet; then it is a FAULT."""
OPEN_AGAIN_S = Seconds(0.5)
WRITE_WITHIN_S = 2.0
"""What the clerk gets at the end to put the last words on the disk."""
_NOTHING = Reading({}, None)


class GpioInterlock:
    """One machine's daemon; see :class:`fabctl.interlock.InterlockFactory`."""

    def __init__(
        self,
        profile: InterlockProfile,
        key: bytes,
        clock: Clock,
        *,
        simulated: bool,
        say: Callable[[str], None],
        suspended: Callable[[], float] = suspended_s,
    ) -> None:
        """Touch nothing yet.

        :param suspended: see :func:`fabctl_drivers.interlock.realtime.suspended_s`.
        """
        self._profile = profile
        self._key = key
        self._clock = clock
        self._simulated = simulated
        self._say = say
        self._ending = False
        self._gpio: Gpio | None = None
        self._open_at = clock.monotonic()
        self._give_up_at: Seconds | None = Seconds(self._open_at + OPENS_WITHIN_S)
        self._suspended = suspended
        self._pace = Pace(profile.timings.scan_s)
        self._stalled = False
        """The next scan trips: the one before took too long."""
        self._press = PressAtTheMachine(profile.inputs[InputRole.RESET], profile.timings)
        self._kept: FaultRecord | None = None
        """What the clerk was last told to remember."""
        self._clearing = False

    def end(self) -> None:
        """Have :meth:`run` switch the outputs off and return; safe in a signal handler."""
        self._ending = True

    def take_key(self, key: bytes) -> None:
        """Verify permits with this key from the next scan on; safe from another thread."""
        self._key = key

    def run(self) -> int:
        """Scan until :meth:`end`; return the exit code. The outputs are off on return.

        :raises InputError: the profile names no factory that may be used here.
        :raises LocalError: the sockets cannot be made.
        """
        profile = self._profile
        profile.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        record, faults = Record(profile.record), FaultFile(profile.fault_file)
        remembered = _remembered(faults, has_run_before=record.exists())
        self._notifier = Notifier(os.environ)
        self._clerk = Clerk(record, faults)
        self._boot = secrets.token_hex(8)
        self._chain = Chain(
            profile,
            key=self._key,
            boot=self._boot,
            now=self._clock.monotonic(),
            remembered=remembered,
        )
        self._talk = Talk(profile, self._chain, self._clerk, self._pace, self._clear)
        self._clerk.start()
        self._note("started", f"{profile.kind} on {profile.factory}")
        try:
            return self._run()
        finally:
            self._finish()

    # -- the loop ------------------------------------------------------------------------------

    def _run(self) -> int:
        try:
            self._open()
            for line in settle():
                self._say(Complaint(line))
            self._loop()
        except FabError:
            raise
        except Exception as error:  # noqa: BLE001  # top of the process: it is a FAULT
            self._say(Complaint(traceback.format_exc().rstrip()))
            self._switch_off()
            why = f"{type(error).__name__}: {error}"
            self._clerk.remember(FaultRecord(FaultCode.INTERNAL, why))
            self._note("failed", why)
            return 1
        return 0

    def _loop(self) -> None:
        period = self._profile.timings.scan_s
        due: float = self._clock.monotonic()
        ready = False
        while not self._ending:
            now = self._clock.monotonic()
            self._pace.begin(now)
            self._scan(now)
            self._notifier.turned(now)
            self._between(now)
            if not ready:
                ready = True
                self._notifier.ready(f"scanning every {1000 * period:.0f} ms")
            due = max(due + period, now + LEAST_GAP * period)
            time.sleep(max(0.0, due - self._clock.monotonic()))

    def _scan(self, now: Seconds) -> None:
        """Read, decide, write; the pulse comes last and only when all before went well."""
        stalled, self._stalled = self._stalled, False
        if self._pace.slept(self._suspended()):
            stalled = True
            self._chain.drop_permit(now, "the computer slept")  # it held for longer than it said
        gpio = self._gpio
        if gpio is None:
            self._press.take(None, now)
            self._chain.step(_NOTHING, now, stalled=stalled)
            return
        reading = gpio.read()
        self._press.take(reading.levels.get(InputRole.RESET), now)
        if gpio.trouble is not None:
            self._chain.failed(FaultCode.GPIO_READ, str(gpio.trouble), now)
        outputs = self._chain.step(reading, now, stalled=stalled)
        try:
            self._write(gpio, outputs, now)
        except DeviceError as error:
            self._chain.failed(FaultCode.GPIO_WRITE, str(error), now)
            self._switch_off()

    def _write(self, gpio: Gpio, outputs: Outputs, now: Seconds) -> None:
        if outputs == OFF:
            gpio.off()
            return
        if not self._is_stale(now):
            gpio.write_k2(on=outputs.k2)
        if outputs.pulse and not self._is_stale(now):
            gpio.toggle_k1()
        if self._is_stale(now):
            self._stalled = True
            gpio.off()

    def _is_stale(self, now: Seconds) -> bool:
        return self._clock.monotonic() - now > STALE_S

    def _between(self, now: Seconds) -> None:
        """Do what must not stand inside a scan; nothing here waits."""
        if self._give_up_at is not None and now >= self._open_at:
            self._open()
        if self._clearing and self._clerk.forgot is not None:
            self._cleared(now)
        self._watch_the_clerk(now)
        self._keep_fault()
        for event in self._chain.take_events():
            self._clerk.record(entry(event, self._boot, self._clock.now()))
            self._notifier.status(event.state)
        self._chain.take_key(self._key)
        self._talk.turn(now)

    # -- the chip ------------------------------------------------------------------------------

    def _open(self) -> None:
        """Open the chip; right after a computer's start it may not be there for a while."""
        now = self._clock.monotonic()
        try:
            self._gpio = Gpio(self._profile, simulated=self._simulated)
        except DeviceError as error:
            self._open_at = Seconds(now + OPEN_AGAIN_S)
            if self._give_up_at is not None and self._open_at > self._give_up_at:
                self._give_up_at = None
                self._chain.failed(FaultCode.GPIO_OPEN, str(error), now)
        else:
            self._give_up_at = None
            self._chain.opened(now)

    def _open_again(self) -> str | None:
        """Close what is left of the chip and open it anew; return why that failed."""
        self._close()
        try:
            self._gpio = Gpio(self._profile, simulated=self._simulated)
        except DeviceError as error:
            return str(error)
        return None

    def _close(self) -> None:
        gpio, self._gpio = self._gpio, None
        if gpio is None:
            return
        try:
            gpio.close()
        except DeviceError as error:
            self._say(Complaint(f"the outputs could not all be switched off: {error}"))

    def _switch_off(self) -> None:
        """Switch off what can be; without pulses K1 lets go anyhow."""
        if self._gpio is None:
            return
        try:
            self._gpio.off()
        except DeviceError as error:
            self._say(Complaint(f"the outputs could not all be switched off: {error}"))

    # -- faults --------------------------------------------------------------------------------

    def _keep_fault(self) -> None:
        """Have a new fault remembered, before anybody is told of it."""
        fault = self._chain.fault
        if fault is not None and fault != self._kept:
            self._kept = fault
            self._press.renew()
            self._clerk.remember(fault)

    def _watch_the_clerk(self, now: Seconds) -> None:
        """Arm nothing while a fault could not be remembered; what runs may come to its end."""
        if not self._clerk.is_alive:
            self._chain.failed(FaultCode.FAULT_FILE, "nobody writes to the disk any more", now)
        elif self._clerk.trouble is not None and not self._chain.outputs_on:
            self._chain.failed(FaultCode.FAULT_FILE, self._clerk.trouble, now)

    def _clear(self, code: str) -> str | None:
        """Begin to clear the present fault; return why not, or None.

        Only for somebody at the machine, who pressed reset just now: a press that began in this
        FAULT. It is cleared once the disk has forgotten it: :meth:`_cleared`.
        """
        fault = self._chain.fault
        if fault is None:
            return "no-fault"
        if fault.code != code:
            return "other-fault"
        if not self._press.counts(self._clock.monotonic()):
            return (None if self._press.is_read else self._open_again()) or "press-reset"
        why = self._open_again()
        if why is not None:
            return why
        self._clearing = True
        self._press.renew()
        self._clerk.forget()
        return None

    def _cleared(self, now: Seconds) -> None:
        self._clearing = False
        if self._clerk.forgot:
            self._kept = None
            self._chain.clear_fault(now)

    # -- beginning and end ---------------------------------------------------------------------

    def _note(self, what: str, why: str) -> None:
        now, wall = self._clock.monotonic(), self._clock.now()
        self._clerk.record(own_entry(what, why, self._boot, now, wall))

    def _finish(self) -> None:
        self._close()
        self._notifier.stopping()
        longest_ms = 1000 * self._pace.longest_s
        told = f"{self._pace.missed} scans missed, the longest gap {longest_ms:.0f} ms"
        self._note("ended", told)
        self._talk.close()
        if not self._clerk.end(WRITE_WITHIN_S):
            self._say(Complaint("the disk did not take the last words of the record"))
        self._notifier.close()


def _remembered(faults: FaultFile, *, has_run_before: bool) -> FaultRecord | None:
    """Return the fault that is on the disk; a disk that could not keep one is a fault too."""
    fault = faults.read(has_run_before=has_run_before)
    if fault is None:
        try:
            faults.write(None)
        except DeviceError as error:
            return FaultRecord(FaultCode.FAULT_FILE, str(error))
    return fault
