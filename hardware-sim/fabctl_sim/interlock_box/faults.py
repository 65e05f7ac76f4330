"""The faults of a cabinet, each switched on by its name, and taken away again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fabctl_sim.interlock_box.cabinet import Cabinet
from fabctl_sim.interlock_box.layout import Level
from fabctl_sim.interlock_box.relay import Relay, RelayFault
from fabctl_sim.interlock_box.wiring import Role

Request = dict[str, Any]
Doer = Callable[[Request], None]


class Faults:
    """What can be wrong with one cabinet.

    :ivar acts: by name.
    :ivar channel_b_late_s: how much later than A the lid's channel B follows, s.
    """

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet
        self._inputs = cabinet.inputs
        self.channel_b_late_s = 0.0
        self._bouncing: set[str] = set()
        self.acts: dict[str, Doer] = {
            **self._of_inputs(),
            "k1-welded": self._relay(cabinet.k1, RelayFault.WELDED),
            "k1-stuck": self._relay(cabinet.k1, RelayFault.STUCK),
            "k2-welded": self._relay(cabinet.k2, RelayFault.WELDED),
            "k2-stuck": self._relay(cabinet.k2, RelayFault.STUCK),
            "write-fails": self._write_fails,
            "pins-hang": self._pins_hang,
            "chip-vanish": lambda _: cabinet.memory.chip(present=False),
            "chip-return": lambda _: cabinet.memory.chip(present=True),
            "repair": self._repair,
        }

    def _of_inputs(self) -> dict[str, Doer]:
        return {
            "channel-a-stuck": self._stuck(Role.LID_A),
            "channel-b-stuck": self._stuck(Role.LID_B),
            "lid-late": self._late,
            "flow-noise": self._flow_shows("flow-noise", Level.NOISE),
            "flow-frozen-high": self._flow_shows("flow-frozen-high", Level.HIGH),
            "flow-frozen-low": self._flow_shows("flow-frozen-low", Level.LOW),
            "wire-broken": self._wire_broken,
            "pin-fails": self._pin_fails,
            "glitch": self._glitch,
            "chatter": self._chatter,
            "run-stuck": self._run_stuck,
        }

    def _stuck(self, role: Role) -> Doer:
        name = f"channel-{role[-1]}-stuck"
        return lambda _: self._inputs.spoil(name, role, self._inputs.wire(role).safe)

    def _late(self, request: Request) -> None:
        self._inputs.wire(Role.LID_B)
        seconds = float(request.get("seconds", 0.25))
        if not 0 <= seconds <= 10:
            raise ValueError("0 to 10 s")
        self.channel_b_late_s = seconds

    def _flow_shows(self, name: str, level: Level) -> Doer:
        return lambda _: self._inputs.spoil(name, Role.FLOW, level)

    def _wire_broken(self, request: Request) -> None:
        role = _role(request)
        self._inputs.spoil(f"wire-broken {role}", role, Level.FLOATING)

    def _pin_fails(self, request: Request) -> None:
        role = _role(request)
        self._inputs.spoil(f"pin-fails {role}", role, Level.FAILS)

    def _run_stuck(self, _: Request) -> None:
        self._inputs.spoil("run-stuck", Role.ACTIVE, self._inputs.wire(Role.ACTIVE).unsafe)

    def _glitch(self, request: Request) -> None:
        seconds = float(request.get("seconds", 0.005))
        self._bounce(f"glitch {_role(request)}", _role(request), 1, seconds)

    def _chatter(self, request: Request) -> None:
        pulses = int(request.get("edges", 50)) // 2
        if not 1 <= pulses <= 500:
            raise ValueError("2 to 1000 edges")
        seconds = float(request.get("seconds", 1.0))
        self._bounce(f"chatter {_role(request)}", _role(request), pulses, seconds / (2 * pulses))

    def _bounce(self, name: str, role: Role, pulses: int, half: float) -> None:
        """Unsafe for ``half`` s, then as the switch stands for as long; so many times."""
        if not 0 < half <= 60:
            raise ValueError("more than 0, at most 60 s")
        agenda, inputs = self._cabinet.agenda, self._inputs
        unsafe = inputs.wire(role).unsafe

        def there(due: float, left: int) -> None:
            inputs.spoil(name, role, unsafe)
            agenda.at(due + half, lambda at: back(at, left - 1), name)

        def back(due: float, left: int) -> None:
            inputs.repair(name)
            if left:
                agenda.at(due + half, lambda at: there(at, left), name)

        self._bouncing.add(name)
        there(self._cabinet.clock(), pulses)

    def _relay(self, relay: Relay, fault: RelayFault) -> Doer:
        return lambda _: relay.spoil(fault, self._cabinet.clock())

    def _write_fails(self, request: Request) -> None:
        role = str(request.get("role", "k2"))
        if role not in {"k1", "k2"}:
            raise ValueError("role is k1 or k2")
        self._cabinet.memory.writing_fails(getattr(self._cabinet.wiring, role), fails=True)

    def _pins_hang(self, request: Request) -> None:
        seconds = seconds_in(request, 0.3)
        self._cabinet.memory.waits_until(int((self._cabinet.clock() + seconds) * 1e9))

    def _repair(self, request: Request) -> None:
        """Take faults away whose name begins with ``what``, or all."""
        what = str(request.get("what", ""))
        cabinet = self._cabinet
        self._inputs.repair(what)
        for name in [one for one in self._bouncing if one.startswith(what)]:
            self._bouncing.remove(name)
            cabinet.agenda.drop(name)
        for relay in (cabinet.k1, cabinet.k2):
            if f"{relay.name.lower()}-{relay.fault}".startswith(what):
                relay.spoil(RelayFault.NONE, cabinet.clock())
        if "lid-late".startswith(what):
            self.channel_b_late_s = 0.0
        if "write-fails".startswith(what):
            for pin in (cabinet.wiring.k1, cabinet.wiring.k2):
                cabinet.memory.writing_fails(pin, fails=False)
        if "pins-hang".startswith(what):
            cabinet.memory.waits_until(0)
        if "chip-vanish".startswith(what):
            cabinet.memory.chip(present=True)


def seconds_in(request: Request, usual: float) -> float:
    """Return how long a request means, s.

    :raises ValueError: not more than 0, or more than 600.
    """
    seconds = float(request.get("seconds", usual))
    if not 0 < seconds <= 600:
        raise ValueError("more than 0, at most 600 s")
    return seconds


def _role(request: Request) -> Role:
    return Role(str(request.get("role", "lid_a")))
