"""What is said about an interlock: the retained message, and what a reader believes of it. Pure.

The daemon's words come as they stand on its socket; the machine's process adds its own stamp and
a promise. ``boot`` in the stamp is the machine process's; the daemon's own is ``interlock_boot``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fabctl.interlock import InputCondition, InputRole, InterlockState
from fabctl.messaging.fields import Fields, PayloadError, Stamp, decode, encode

INTERLOCK_MAX_AGE_S = 6
"""An interlock's state older than this is not believed; it is said on change and every 2 s."""
LONGEST_PROMISE_S = 10
"""A message that promises more is malformed: no screen may believe it for a day."""
UNKNOWN: Final = "unknown"
"""The state to show when the last word is too old, or the daemon does not answer. Never safe."""
STATES = frozenset({*InterlockState, UNKNOWN})
_SHORT = 64
_LONGEST_TROUBLE = 200


@dataclass(frozen=True, slots=True)
class InputWord:
    """One input, as the chain sees it."""

    condition: InputCondition
    age_s: float | None = None
    """Seconds since it is so."""
    say: str | None = None
    """What to do about it: an English template, for technicians."""


@dataclass(frozen=True, slots=True)
class PermitWord:
    """The permit that holds now."""

    use: str
    left_s: float


@dataclass(frozen=True, slots=True)
class InterlockPayload:
    """An interlock's state; ``unknown``: its daemon does not answer the machine's process."""

    state: str
    """An :class:`InterlockState`, or ``unknown``."""
    boot: str | None = None
    """The daemon's boot; a permit must name it."""
    since_s: float | None = None
    """Seconds since the state began."""
    cause: str | None = None
    first_cause: str | None = None
    """What tripped first, kept until the next arming."""
    fault: str | None = None
    advice: str | None = None
    """A code: what it waits for, where that is neither a cause nor a fault."""
    inputs: Mapping[InputRole, InputWord] = field(default_factory=dict)
    permit: PermitWord | None = None
    permits_refused: Mapping[str, int] = field(default_factory=dict)
    """Refused permits since the daemon's boot, by code."""
    outputs_on: bool | None = None
    active: bool | None = None
    """Whether the machine's run signal says that it works."""
    trips: int = 0
    """Since the daemon's boot."""
    uptime_s: float | None = None
    """Seconds since the daemon's boot."""
    trouble: str | None = None
    """What keeps the daemon from its disk, English, for technicians; None: nothing."""
    challenge: str | None = None
    """What the next permit must name; a new one every few s."""
    max_age_s: int = INTERLOCK_MAX_AGE_S

    def encode(self, stamp: Stamp) -> bytes:
        """Return the message."""
        fields: dict[str, Any] = {
            "state": str(self.state), "interlock_boot": self.boot, "since_s": self.since_s,
            "cause": self.cause, "first_cause": self.first_cause, "fault": self.fault,
            "trouble": self.trouble,
            "advice": self.advice, "uptime_s": self.uptime_s, "challenge": self.challenge,
            "inputs": {
                str(role): {"condition": str(w.condition), "age_s": w.age_s, "say": w.say}
                for role, w in self.inputs.items()
            },
            "permit": {"use": self.permit.use, "left_s": self.permit.left_s} if self.permit
            else None,
            "permits_refused": dict(self.permits_refused), "outputs_on": self.outputs_on,
            "active": self.active, "trips": self.trips, "max_age_s": self.max_age_s,
        }  # fmt: skip
        return encode(fields, stamp)

    @classmethod
    def decode(cls, payload: bytes) -> InterlockPayload:
        """Read the MQTT message. :raises PayloadError: it is malformed."""
        fields = decode(payload)
        promise = fields.whole_or_none("max_age_s", 1) or INTERLOCK_MAX_AGE_S
        if promise > LONGEST_PROMISE_S:
            raise PayloadError(f"a promise of {promise} s", limit=f"{LONGEST_PROMISE_S} s")
        boot = fields.text_or_none("interlock_boot", limit=_SHORT)
        return cls.read(fields, boot=boot, max_age_s=promise)

    @classmethod
    def read(
        cls, fields: Fields, *, boot: str | None, max_age_s: int = INTERLOCK_MAX_AGE_S
    ) -> InterlockPayload:
        """Read the fields that the daemon's socket and MQTT have in common.

        :raises PayloadError: one is malformed.
        """
        state = fields.text("state", limit=20)
        if state not in STATES:
            raise PayloadError(f"{state!r} is no state of an interlock")
        return cls(
            state=state,
            boot=boot,
            since_s=fields.number_or_none("since_s"),
            cause=fields.text_or_none("cause", limit=_SHORT),
            first_cause=fields.text_or_none("first_cause", limit=_SHORT),
            fault=fields.text_or_none("fault", limit=_SHORT),
            advice=fields.text_or_none("advice", limit=_SHORT),
            inputs=_inputs(fields),
            permit=_permit(fields),
            permits_refused=_counts(fields, "permits_refused"),
            outputs_on=_flag_or_none(fields, "outputs_on"),
            active=_flag_or_none(fields, "active"),
            trips=fields.whole_or_none("trips") or 0,
            uptime_s=fields.number_or_none("uptime_s"),
            trouble=_cut(fields, "trouble"),
            challenge=fields.text_or_none("challenge", limit=_SHORT),
            max_age_s=max_age_s,
        )


def _inputs(fields: Fields) -> dict[InputRole, InputWord]:
    """Return the inputs; a role that this version does not know is left out."""
    if fields.values.get("inputs") is None:
        return {}
    named = fields.inner("inputs")
    return {role: _input(named.inner(role)) for role in InputRole if role in named.values}


def _input(fields: Fields) -> InputWord:
    condition = fields.text("condition", limit=20)
    if condition not in set(InputCondition):
        raise PayloadError(f"{condition!r} is no condition of an input")
    return InputWord(
        InputCondition(condition),
        fields.number_or_none("age_s"),
        fields.text_or_none("say"),
    )


def _permit(fields: Fields) -> PermitWord | None:
    if fields.values.get("permit") is None:
        return None
    permit = fields.inner("permit")
    return PermitWord(permit.text("use", limit=_SHORT), permit.number("left_s"))


def _counts(fields: Fields, key: str) -> dict[str, int]:
    if fields.values.get(key) is None:
        return {}
    counts = fields.inner(key)
    return {str(code)[:_SHORT]: counts.whole(code) for code in counts.values}


def _cut(fields: Fields, key: str) -> str | None:
    """Return a text, cut short: however much an operating system says, the word counts."""
    said = fields.values.get(key)
    return said[:_LONGEST_TROUBLE] if isinstance(said, str) and said else None


def _flag_or_none(fields: Fields, key: str) -> bool | None:
    return None if fields.values.get(key) is None else fields.flag(key)


@dataclass(frozen=True, slots=True)
class InterlockView:
    """One machine's interlock, as far as a reader knows now."""

    machine: str
    state: str
    """``unknown`` when the last word is older than its promise, or none came."""
    age_s: float | None = None
    """Seconds since it was said; None: nobody knows."""
    last: InterlockPayload | None = None
    """The last word, however old; None: nothing was heard yet."""

    @property
    def known(self) -> bool:
        """Whether the last word may be believed."""
        return self.state != UNKNOWN

    @property
    def said(self) -> InterlockPayload:
        """What may be believed: the last word, or one that knows nothing."""
        return self.last if self.known and self.last else InterlockPayload(UNKNOWN)

    def condition(self, role: InputRole) -> InputWord:
        """Return an input; unknown when it was not named, or the word is too old."""
        return self.said.inputs.get(role, InputWord(InputCondition.UNKNOWN))


def view_of(
    machine: str, last: InterlockPayload | None, age_s: float | None, *, cut_off: bool
) -> InterlockView:
    """Return what may be believed.

    :param cut_off: the machine's process or its host is known to be gone.
    """
    believed = last is not None and age_s is not None and age_s <= last.max_age_s and not cut_off
    return InterlockView(machine, last.state if last and believed else UNKNOWN, age_s, last)
