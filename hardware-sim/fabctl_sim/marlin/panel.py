"""What the control socket can ask a Marlin stand-in, and the list of the commands it ran."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import IO, Any

from fabctl_sim.base_panel import BasePanel, Request
from fabctl_sim.marlin.firmware import Firmware
from fabctl_sim.marlin.heating import FAULTS, fault
from fabctl_sim.marlin.machine import Machine
from fabctl_sim.marlin.words import Command
from fabctl_sim.stand import Stand


class Log:
    """The commands that were run, in order; the oldest are dropped beyond ``keep``.

    :param path: also append every one to this file: number (``-`` without), tab, text.
    """

    def __init__(self, keep: int, path: Path | None) -> None:
        self._commands: deque[tuple[int | None, str]] = deque(maxlen=keep)
        self._file: IO[str] | None = path.open("a", encoding="latin-1") if path else None
        self.count = 0

    def add(self, command: Command) -> None:
        """Take one command."""
        self.count += 1
        self._commands.append((command.number, command.text))
        if self._file:
            number = "-" if command.number is None else command.number
            self._file.write(f"{number}\t{command.text}\n")
            self._file.flush()

    def since(self, start: int) -> list[dict[str, Any]]:
        """Return the commands from the ``start``-th on, as far as they are kept."""
        skip = max(0, start - self.dropped)
        return [{"n": n, "text": text} for n, text in list(self._commands)[skip:]]

    @property
    def dropped(self) -> int:
        """How many are no longer kept."""
        return self.count - len(self._commands)

    def clear(self) -> None:
        """Forget them; the file stays as it is."""
        self._commands.clear()
        self.count = 0


class Panel(BasePanel):
    """Answers the control socket's requests."""

    def __init__(self, firmware: Firmware, stand: Stand, log: Log) -> None:
        super().__init__(stand)
        self.firmware = firmware
        self.log = log
        own = {"status": self._status, "received": self._received, "clear-received": self._clear}
        self.doers = {**own, **self.doers}
        self.injectors = {
            "flip-checksum": self._flip_checksum,
            "drop-ok": self._drop_ok,
            "lose-bytes": self._lose_bytes,
            "noise": self._noise,
            "stall": self._stall,
            "stop": self._stop,
            "say": self._say,
            **self.injectors,
            **dict.fromkeys(FAULTS, self._fault),
        }

    def _status(self, _: Request) -> dict[str, Any]:
        now = self.stand.now()
        self.firmware.advance(now)
        return {**self._facts(), **_state(self.firmware.machine, now)}

    def _facts(self) -> dict[str, Any]:
        fw = self.firmware
        return {
            **self.place(),
            "received": fw.received,
            "executed": fw.executed,
            "queued": len(fw.queue),
            "log_dropped": self.log.dropped,
            "overrun_bytes": fw.wire.overrun,
        }

    def _received(self, request: Request) -> dict[str, Any]:
        return {"commands": self.log.since(int(request.get("start", 0)))}

    def _clear(self, _: Request) -> dict[str, Any]:
        self.log.clear()
        return {}

    def _fault(self, request: Request) -> None:
        machine = self._machine_now()
        if not machine.halted:
            bed = request.get("heater") == "bed"
            fault(machine, str(request["what"]), machine.bed if bed else machine.nozzle)

    def _machine_now(self) -> Machine:
        return self.firmware.catch_up(self.stand.now())

    def _flip_checksum(self, request: Request) -> None:
        self.firmware.spoil_lines += int(request.get("count", 1))

    def _drop_ok(self, request: Request) -> None:
        self.firmware.machine.drop_oks += int(request.get("count", 1))

    def _lose_bytes(self, request: Request) -> None:
        self.firmware.wire.lose_next += int(request.get("count", 1))

    def _noise(self, request: Request) -> None:
        wire = self.firmware.wire
        wire.flip_every = int(request.get("flip_every", 0))
        wire.lose_every = int(request.get("lose_every", 0))

    def _stall(self, request: Request) -> None:
        self._machine_now().clock += float(request["seconds"])

    def _stop(self, _: Request) -> None:
        self._machine_now().stop()

    def _say(self, request: Request) -> None:
        self._machine_now().say(str(request["text"]))


def _state(m: Machine, now: float) -> dict[str, Any]:
    motion = m.motion
    return {
        "phase": m.phase,
        "nozzle_c": round(m.nozzle.temperature(now), 2),
        "nozzle_target_c": m.nozzle.target_c,
        "bed_c": round(m.bed.temperature(now), 2),
        "bed_target_c": m.bed.target_c,
        "fan": motion.fan,
        "carriage": [round(mm, 3) for mm in motion.carriage_at(now)],
        "position": [round(mm, 3) for mm in motion.logical()],
        "homed": list(motion.homed),
        "moving": bool(motion.planner.blocks),
        "blocks": len(motion.planner.blocks),
        "moves": motion.planner.moves,
        "last_line": m.check.last,
    }
