"""The topics of a lab, made and read in one place. Pure.

``fab/v1/<lab>/m/<machine>/…`` and ``fab/v1/<lab>/host/<host>/…``. Every part that comes from a
name matches ``[a-z0-9-]{1,128}``, so that ``+``, ``#`` and ``/`` never reach a topic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fabctl.errors import InputError

PREFIX = "fab/v1"
ID_FORM = "lowercase letters, digits and hyphens, 1 to 128 of them"
_ID = re.compile(r"[a-z0-9-]{1,128}")
_ANY = "+"


def is_id(name: str) -> bool:
    """Say whether a name may be a part of a topic."""
    return _ID.fullmatch(name) is not None


def client_id(*parts: str) -> str:
    """Return a client's name on the broker: its parts, checked, joined by hyphens."""
    return "-".join(checked_id(part) for part in parts)


def checked_id(name: str) -> str:
    """Return the name itself.

    :raises InputError: it could not be a part of a topic.
    """
    if not is_id(name):
        raise InputError(f"{name!r} cannot be a name on MQTT", limit=ID_FORM)
    return name


@dataclass(frozen=True, slots=True)
class Place:
    """What a topic of this lab is about."""

    kind: str
    """``state``, ``job``, ``meta``, ``booking``, ``interlock``, ``telemetry``, ``event``, ``cmd``,
    ``host`` (its status), ``steward`` (its status) or ``answer``."""
    owner: str
    """The machine's id; the host's, the client's for ``host`` and ``answer``; else empty."""
    name: str = ""
    """The telemetry group, the event's type or the command's verb; else empty."""


_PLAIN = ("meta", "state", "job", "interlock", "booking")
_NAMED = ("telemetry", "event", "cmd")


@dataclass(frozen=True, slots=True)
class LabTopics:
    """Every topic and filter of one lab."""

    lab: str

    def __post_init__(self) -> None:
        checked_id(self.lab)

    def host_status(self, host: str) -> str:
        """Retained: whether any process of this host is there."""
        return f"{self.root}/host/{checked_id(host)}/status"

    @property
    def steward_status(self) -> str:
        """Retained: the steward's own health."""
        return f"{self.root}/steward/status"

    def meta(self, machine: str) -> str:
        """Retained: name, kind, host and limits."""
        return self._machine(machine, "meta")

    def state(self, machine: str) -> str:
        """Retained, said again every 3 s, unknown after ``max_age_s`` (8); also the will."""
        return self._machine(machine, "state")

    def job(self, machine: str) -> str:
        """Retained, at most once a second: the job and how far it is."""
        return self._machine(machine, "job")

    def interlock(self, machine: str) -> str:
        """Retained, on change and every 2 s, unknown after ``max_age_s`` (6)."""
        return self._machine(machine, "interlock")

    def booking(self, machine: str) -> str:
        """Retained: when the machine is busy and next taken, without names."""
        return self._machine(machine, "booking")

    def kept(self, machine: str) -> tuple[str, ...]:
        """Return every topic on which the broker keeps a word about a machine."""
        own = (self.meta, self.state, self.job, self.interlock, self.booking)
        return (*(topic(machine) for topic in own), discovery(machine))

    def telemetry(self, machine: str, group: str) -> str:
        """QoS 0, at most once a second, kept nowhere: one group of readings."""
        return self._machine(machine, "telemetry", checked_id(group))

    def event(self, machine: str, kind: str) -> str:
        """QoS 1; said again until the steward has recorded it, so it may come twice."""
        return self._machine(machine, "event", checked_id(kind))

    def command(self, machine: str, verb: str) -> str:
        """QoS 1: a request. A retained one is dropped, whatever it says."""
        return self._machine(machine, "cmd", checked_id(verb))

    def answer(self, client: str) -> str:
        """Where one client wants its answers (MQTT 5 response topic)."""
        return f"{self.root}/answer/{checked_id(client)}"

    def every(self, kind: str) -> str:
        """Return the filter for one kind of topic of all machines (or of all hosts)."""
        if kind == "host":
            return f"{self.root}/host/{_ANY}/status"
        tail = f"{kind}/{_ANY}" if kind in _NAMED else kind
        return f"{self.root}/m/{_ANY}/{tail}"

    def commands(self, machine: str) -> str:
        """Return the filter for everything that is asked of one machine."""
        return f"{self.root}/m/{checked_id(machine)}/cmd/{_ANY}"

    @property
    def everything(self) -> str:
        """The filter for the whole lab."""
        return f"{self.root}/#"

    @property
    def root(self) -> str:
        """The lab's own prefix, without a slash at its end."""
        return f"{PREFIX}/{self.lab}"

    def place(self, topic: str) -> Place | None:
        """Return what a topic is about; None when it is no topic of this lab."""
        if not topic.startswith(f"{self.root}/"):
            return None
        parts = topic.removeprefix(f"{self.root}/").split("/")
        if not all(is_id(part) for part in parts):
            return None
        return _place(parts)

    def _machine(self, machine: str, *parts: str) -> str:
        return "/".join((self.root, "m", checked_id(machine), *parts))


def _place(parts: list[str]) -> Place | None:
    match parts:
        case ["m", machine, kind] if kind in _PLAIN:
            return Place(kind, machine)
        case ["m", machine, kind, name] if kind in _NAMED:
            return Place(kind, machine, name)
        case ["host", host, "status"]:
            return Place("host", host)
        case ["steward", "status"]:
            return Place("steward", "")
        case ["answer", client]:
            return Place("answer", client)
    return None


def discovery(machine: str) -> str:
    """Return where Home Assistant looks for this machine's description (retained)."""
    return f"homeassistant/device/{checked_id(machine)}/config"
