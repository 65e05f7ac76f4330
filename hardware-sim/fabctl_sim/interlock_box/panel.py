"""What the cabinet's control socket can be asked: honest acts and faults, each by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fabctl_sim.interlock_box.cabinet import USUAL_FLOW_HZ, Cabinet
from fabctl_sim.interlock_box.layout import Level
from fabctl_sim.interlock_box.relay import Relay, RelayFault
from fabctl_sim.interlock_box.wiring import Role

Request = dict[str, Any]
Doer = Callable[[Request], None]


class Panel:
    """Acts and faults.

    :ivar acts: by name: a sentence for people, and what to do.
    """

    def __init__(self, cabinet: Cabinet) -> None:
        self.cabinet = cabinet
        self.slow_channel: tuple[Role, float] | None = None
        self.acts: dict[str, tuple[str, Doer]] = {**self._honest(), **self._faults()}

    def answer(self, request: Request) -> dict[str, Any]:
        """Do what a request asks and return how everything stands then.

        :raises ValueError: there is no such act, or its details make no sense.
        """
        command = str(request.get("cmd"))
        if command == "log":
            return {"events": self.cabinet.journal.since(int(request.get("start", 1)))}
        if command not in {"status", "cabinet"}:
            if command not in self.acts:
                raise ValueError(f"cmd is one of {', '.join(['status', 'log', *self.acts])}")
            self.acts[command][1](request)
            self.cabinet.advance(self.cabinet.clock())
        return self.cabinet.status()

    def _honest(self) -> dict[str, tuple[str, Doer]]:
        put = self._put
        return {
            "open-lid": ("Open the lid or door.", lambda _: self._lid(safe=False)),
            "close-lid": ("Close it.", lambda _: self._lid(safe=True)),
            "reset-press": (
                "Press the reset button for 0.5 s (or: seconds=0.2).",
                self._press,
            ),
            "reset-hold": ("Press the reset button and hold it.", put(Role.RESET, safe=False)),
            "reset-release": ("Let the reset button go.", self._release),
            "estop": ("Push the emergency stop; it stays in.", put(Role.ESTOP, safe=False)),
            "estop-release": ("Turn the emergency stop free.", put(Role.ESTOP, safe=True)),
            "key-off": ("Turn the key to off.", put(Role.KEY, safe=False)),
            "key-on": ("Turn the key to on.", put(Role.KEY, safe=True)),
            "exhaust-off": ("The exhaust stops.", put(Role.EXHAUST, safe=False)),
            "exhaust-on": ("The exhaust blows.", put(Role.EXHAUST, safe=True)),
            "flow-stop": ("The water stands still.", lambda _: self._flow_at(0.0)),
            "flow-start": ("The water runs (or: hz=15).", self._flow_start),
            "run": ("The machine works (only with power).", lambda _: self._run(wanted=True)),
            "idle": ("The machine has done its work.", lambda _: self._run(wanted=False)),
            "repair": ("Take every fault away (or one: what=NAME).", self._repair),
        }

    def _faults(self) -> dict[str, tuple[str, Doer]]:
        return {
            **self._input_faults(),
            **self._relay_faults(),
            "chip-vanish": ("The GPIO chip vanishes.", lambda _: self._chip(present=False)),
            "chip-return": ("The GPIO chip is back.", lambda _: self._chip(present=True)),
            "write-fails": ("Writing an output fails (relay=k2).", self._write_fails),
        }

    def _input_faults(self) -> dict[str, tuple[str, Doer]]:
        return {
            "channel-a-stuck": ("Lid channel A stays closed.", self._stuck(Role.LID_A)),
            "channel-b-stuck": ("Lid channel B stays closed.", self._stuck(Role.LID_B)),
            "lid-late": ("Lid channel B follows later from now on (seconds=0.25).", self._late),
            "wire-broken": ("The wire of an input is broken (role=lid_a).", self._wire_broken),
            "pin-fails": ("Reading an input's pin fails (role=lid_a).", self._pin_fails),
            "glitch": ("An input is unsafe for 5 ms (role=lid_a seconds=0.005).", self._glitch),
            "chatter": ("A contact bounces (role=lid_a edges=50 seconds=1).", self._chatter),
            "flow-fast": ("The flow meter counts faster than water (hz=48).", self._flow_fast),
            "flow-noise": ("The flow input rings.", self._shows("flow-noise", Level.NOISE)),
            "flow-frozen-high": (
                "The flow input stays high.",
                self._shows("flow-frozen-high", Level.HIGH),
            ),
            "flow-frozen-low": (
                "The flow input stays low.",
                self._shows("flow-frozen-low", Level.LOW),
            ),
            "run-stuck": ("The run signal stays on.", self._run_stuck),
        }

    def _relay_faults(self) -> dict[str, tuple[str, Doer]]:
        k1, k2 = self.cabinet.k1, self.cabinet.k2
        return {
            "k1-welded": ("K1's contact is welded.", self._relay(k1, RelayFault.WELDED)),
            "k1-stuck": ("K1 does not pull in.", self._relay(k1, RelayFault.STUCK)),
            "k2-welded": ("K2's contact is welded.", self._relay(k2, RelayFault.WELDED)),
            "k2-stuck": ("K2 does not pull in.", self._relay(k2, RelayFault.STUCK)),
        }

    def _put(self, role: Role, *, safe: bool) -> Doer:
        def doer(_: Request) -> None:
            self.cabinet.inputs.wire(role)
            if role is Role.RESET:
                self.cabinet.agenda.drop("reset")
            self.cabinet.inputs.put(role, safe=safe)

        return doer

    def _lid(self, *, safe: bool) -> None:
        cabinet = self.cabinet
        cabinet.inputs.wire(Role.LID_A)
        cabinet.inputs.put(Role.LID_A, safe=safe)
        later = 0.0 if self.slow_channel is None else self.slow_channel[1]
        if later:
            at = cabinet.clock() + later
            cabinet.agenda.at(at, lambda _: cabinet.inputs.put(Role.LID_B, safe=safe), "lid_b")
        else:
            cabinet.agenda.drop("lid_b")
            cabinet.inputs.put(Role.LID_B, safe=safe)

    def _late(self, request: Request) -> None:
        self.slow_channel = (Role.LID_B, _seconds(request, 0.25))

    def _press(self, request: Request) -> None:
        cabinet = self.cabinet
        seconds = _seconds(request, 0.5)
        cabinet.inputs.wire(Role.RESET)
        cabinet.inputs.put(Role.RESET, safe=False)
        cabinet.agenda.at(cabinet.clock() + seconds, lambda _: self._release({}), "reset")

    def _release(self, _: Request) -> None:
        self.cabinet.agenda.drop("reset")
        self.cabinet.inputs.put(Role.RESET, safe=True)

    def _flow_at(self, hertz: float) -> None:
        self.cabinet.inputs.wire(Role.FLOW)
        self.cabinet.set_flow(hertz, self.cabinet.clock())

    def _flow_start(self, request: Request) -> None:
        self._flow_at(float(request.get("hz", USUAL_FLOW_HZ)))

    def _flow_fast(self, request: Request) -> None:
        self._flow_at(float(request.get("hz", 48.0)))

    def _run(self, *, wanted: bool) -> None:
        self.cabinet.inputs.wire(Role.ACTIVE)
        self.cabinet.run(wanted=wanted)

    def _stuck(self, role: Role) -> Doer:
        name = f"channel-{role[-1]}-stuck"

        def doer(_: Request) -> None:
            self.cabinet.inputs.spoil(name, role, self.cabinet.inputs.wire(role).safe)

        return doer

    def _shows(self, name: str, level: Level) -> Doer:
        return lambda _: self.cabinet.inputs.spoil(name, Role.FLOW, level)

    def _run_stuck(self, _: Request) -> None:
        wire = self.cabinet.inputs.wire(Role.ACTIVE)
        self.cabinet.inputs.spoil("run-stuck", Role.ACTIVE, wire.unsafe)

    def _wire_broken(self, request: Request) -> None:
        role = _role(request)
        self.cabinet.inputs.spoil(f"wire-broken {role}", role, Level.FLOATING)

    def _pin_fails(self, request: Request) -> None:
        role = _role(request)
        self.cabinet.inputs.spoil(f"pin-fails {role}", role, Level.FAILS)

    def _glitch(self, request: Request) -> None:
        self._bounce(f"glitch {_role(request)}", _role(request), 1, _seconds(request, 0.005))

    def _chatter(self, request: Request) -> None:
        role, edges = _role(request), int(request.get("edges", 50))
        if not 2 <= edges <= 1000:
            raise ValueError("2 to 1000 edges")
        pulses = edges // 2
        self._bounce(f"chatter {role}", role, pulses, _seconds(request, 1.0) / (2 * pulses))

    def _bounce(self, name: str, role: Role, pulses: int, half: float) -> None:
        """Unsafe for ``half`` s, then as the switch stands for as long; so many times."""
        cabinet = self.cabinet
        unsafe = cabinet.inputs.wire(role).unsafe
        start = cabinet.clock()
        cabinet.inputs.spoil(name, role, unsafe)
        for n in range(pulses):
            there, back = start + 2 * n * half, start + (2 * n + 1) * half
            if n:
                cabinet.agenda.at(there, lambda _: cabinet.inputs.spoil(name, role, unsafe))
            cabinet.agenda.at(back, lambda _: cabinet.inputs.repair(name))

    def _relay(self, relay: Relay, fault: RelayFault) -> Doer:
        return lambda _: relay.spoil(fault, self.cabinet.clock())

    def _chip(self, *, present: bool) -> None:
        self.cabinet.memory.chip(present=present)

    def _write_fails(self, request: Request, *, fails: bool = True) -> None:
        relay = str(request.get("relay", "k2"))
        if relay not in {"k1", "k2"}:
            raise ValueError("relay is k1 or k2")
        wiring = self.cabinet.wiring
        pin = wiring.k1 if relay == "k1" else wiring.k2
        self.cabinet.memory.writing_fails(pin, fails=fails)

    def _repair(self, request: Request) -> None:
        what = request.get("what")
        self.cabinet.inputs.repair(None if what is None else str(what))
        for relay in (self.cabinet.k1, self.cabinet.k2):
            if what is None or str(what).startswith(relay.name.lower()):
                relay.spoil(RelayFault.NONE, self.cabinet.clock())
        if what in {None, "lid-late"}:
            self.slow_channel = None
        if what in {None, "write-fails"}:
            for relay_name in ("k1", "k2"):
                self._write_fails({"relay": relay_name}, fails=False)
        if what in {None, "chip-vanish"}:
            self._chip(present=True)


def _role(request: Request) -> Role:
    return Role(str(request.get("role", "lid_a")))


def _seconds(request: Request, usual: float) -> float:
    seconds = float(request.get("seconds", usual))
    if not 0 < seconds <= 600:
        raise ValueError("more than 0, at most 600 s")
    return seconds
