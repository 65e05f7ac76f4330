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
from fabctl.errors import DeviceError, FabError
from fabctl.interlock import InterlockProfile
from fabctl.units import Seconds
from fabctl_drivers.interlock.causes import FaultCode, FaultRecord
from fabctl_drivers.interlock.chain import Chain
from fabctl_drivers.interlock.clerk import Clerk
from fabctl_drivers.interlock.fault_file import FaultFile
from fabctl_drivers.interlock.gpio import Gpio
from fabctl_drivers.interlock.inputs import Reading
from fabctl_drivers.interlock.notify import Notifier
from fabctl_drivers.interlock.realtime import settle
from fabctl_drivers.interlock.record import Record
from fabctl_drivers.interlock.talk import Talk
from fabctl_drivers.interlock.telling import entry, own_entry
from fabctl_drivers.interlock.view import OFF, Outputs

STALE_S = Seconds(0.05)
"""A scan that took longer (the process was stopped in the middle of it) switches nothing on."""
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
    ) -> None:
        self._profile = profile
        self._key = key
        self._clock = clock
        self._simulated = simulated
        self._say = say
        self._ending = False
        self._gpio: Gpio | None = None
        self._open_at = clock.monotonic()
        self._give_up_at: Seconds | None = Seconds(self._open_at + OPENS_WITHIN_S)
        self._overruns = 0
        """Scans that were not made in their time."""
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
        self._talk = Talk(profile, self._chain, self._clerk, self._clear)
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
                self._say(line)
            self._loop()
        except FabError:
            raise
        except Exception as error:  # noqa: BLE001  # top of the process: it is a FAULT
            self._say(traceback.format_exc().rstrip())
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
            missed = max(0, int((now - due) / period))
            self._overruns += missed
            self._scan(now)
            self._notifier.scan_done(now)
            self._between(now)
            if not ready:
                ready = True
                self._notifier.ready(f"scanning every {1000 * period:.0f} ms")
            due = max(due + (missed + 1) * period, now + LEAST_GAP * period)
            time.sleep(max(0.0, due - self._clock.monotonic()))

    def _scan(self, now: Seconds) -> None:
        """Read, decide, write; the pulse comes last and only when all before went well."""
        gpio = self._gpio
        if gpio is None:
            self._chain.step(_NOTHING, now)
            return
        reading = gpio.read()
        if gpio.trouble is not None:
            self._chain.failed(FaultCode.GPIO_READ, str(gpio.trouble), now)
        outputs = self._chain.step(reading, now)
        try:
            self._write(gpio, outputs, now)
        except DeviceError as error:
            self._chain.failed(FaultCode.GPIO_WRITE, str(error), now)
            self._switch_off()

    def _write(self, gpio: Gpio, outputs: Outputs, now: Seconds) -> None:
        if outputs == OFF:
            gpio.off()
            return
        gpio.write_k2(on=outputs.k2)
        if self._clock.monotonic() - now > STALE_S:
            gpio.off()
        elif outputs.pulse:
            gpio.toggle_k1()

    def _between(self, now: Seconds) -> None:
        """Do what must not stand inside a scan; nothing here waits."""
        for event in self._chain.take_events():
            self._clerk.record(entry(event, self._boot, self._clock.now()))
            self._notifier.status(event.state)
            self._keep_fault()
        if self._give_up_at is not None and now >= self._open_at:
            self._open()
        if self._clearing and self._clerk.forgot is not None:
            self._cleared(now)
        self._chain.take_key(self._key)
        self._talk.turn(now, self._overruns)

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
            self._say(f"the outputs could not all be switched off: {error}")

    def _switch_off(self) -> None:
        """Switch off what can be; without pulses K1 lets go anyhow."""
        if self._gpio is None:
            return
        try:
            self._gpio.off()
        except DeviceError as error:
            self._say(f"the outputs could not all be switched off: {error}")

    # -- faults --------------------------------------------------------------------------------

    def _keep_fault(self) -> None:
        fault = self._chain.fault
        if fault is not None and fault != self._kept:
            self._kept = fault
            self._clerk.remember(fault)

    def _clear(self, code: str) -> str | None:
        """Begin to clear the present fault; return why not, or None.

        It is cleared once the disk has forgotten it: :meth:`_cleared`.
        """
        fault = self._chain.fault
        if fault is None:
            return "no-fault"
        if fault.code != code:
            return "other-fault"
        why = self._open_again()
        if why is not None:
            return why
        self._clearing = True
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
        self._note("ended", f"{self._overruns} scans missed")
        self._talk.close()
        if not self._clerk.end(WRITE_WITHIN_S):
            self._say("the disk did not take the last words of the record")
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
