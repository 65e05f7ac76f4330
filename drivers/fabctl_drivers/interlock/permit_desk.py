"""The desk where permits are handed in: verified, counted, and held until they end. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from fabctl.errors import InputError, NotAuthenticError
from fabctl.permits import Permit, unseal
from fabctl.units import Seconds
from fabctl_drivers.interlock.causes import PermitRefusal

OLD_AFTER_S: Final = Seconds(15.0)
"""A permit whose issuer had last heard of us longer ago is refused: somebody held it back. We are
heard of every few s, and a use's permit is renewed every 3 s."""
AHEAD_S: Final = Seconds(1.0)
"""Nobody can have heard an uptime that has not come yet; rounding is forgiven."""


@dataclass(frozen=True, slots=True)
class PermitAnswer:
    """What is said to whoever handed a permit in."""

    accepted: bool
    code: PermitRefusal | None = None
    """Why it was refused; None when it was accepted."""


@dataclass(frozen=True, slots=True)
class Held:
    """A permit that was accepted."""

    use: str
    person: str
    ends_at: float
    """Monotonic, s."""

    @property
    def whose(self) -> tuple[str, str]:
        """The use and the person: what an arming is bound to."""
        return self.use, self.person


class PermitDesk:
    """One machine's desk, for one boot of its daemon.

    :param key: the machine's key, 32 bytes.
    :param boot: what permits must name.
    :param started_at: monotonic, s: where the uptime begins that permits may name.
    """

    def __init__(self, machine: str, key: bytes, boot: str, started_at: float) -> None:
        self._machine = machine
        self._key = key
        self._boot = boot
        self._started_at = started_at
        self._serial = 0
        self._held: Held | None = None
        self.refused: Counter[PermitRefusal] = Counter()
        """Since the boot, by code."""
        self.accepted = 0

    def take(self, message: bytes, now: float) -> PermitAnswer:
        """Verify a permit and hold it in place of the one before; it ends its seconds from now on.

        :param now: monotonic, s.
        """
        try:
            permit = unseal(self._key, message)
        except InputError:
            return self._refuse(PermitRefusal.MALFORMED)
        except NotAuthenticError:
            return self._refuse(PermitRefusal.WRONG_SIGNATURE)
        refusal = self._objection(permit, now)
        if refusal is not None:
            return self._refuse(refusal)
        self._serial = permit.serial
        self._held = Held(permit.use, permit.person, now + permit.seconds)
        self.accepted += 1
        return PermitAnswer(accepted=True)

    def take_key(self, key: bytes) -> None:
        """Verify with a new key from now on; the permit that holds ends when it would have."""
        self._key = key

    def drop(self) -> None:
        """Forget the permit; its serial stays used."""
        self._held = None

    def fresh(self, now: float) -> Held | None:
        """Return the permit that holds now, if any.

        :param now: monotonic, s; the permit does not hold any more at its very end.
        """
        held = self._held
        return held if held is not None and now < held.ends_at else None

    def _objection(self, permit: Permit, now: float) -> PermitRefusal | None:
        if permit.machine != self._machine:
            return PermitRefusal.OTHER_MACHINE
        if permit.boot != self._boot:
            return PermitRefusal.OTHER_BOOT
        if permit.serial <= self._serial:
            return PermitRefusal.REPLAYED
        if permit.uptime_s is not None:
            age = now - self._started_at - permit.uptime_s
            if not -AHEAD_S <= age <= OLD_AFTER_S:
                return PermitRefusal.EXPIRED
        return None

    def _refuse(self, code: PermitRefusal) -> PermitAnswer:
        self.refused[code] += 1
        return PermitAnswer(accepted=False, code=code)
