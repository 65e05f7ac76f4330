"""The desk where permits are handed in: verified, counted, and held until they end. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

from fabctl.errors import InputError, NotAuthenticError
from fabctl.permits import USUAL_S, Permit, unseal
from fabctl.units import Seconds
from fabctl_drivers.interlock.causes import PermitRefusal

CHALLENGE_EVERY_S: Final = Seconds(2.0)
"""So often a new challenge is told."""
OLD_AFTER_S: Final = Seconds(6.0)
"""A permit for a challenge that was new longer ago is refused: somebody held it back. At 2 s until
the next challenge, that leaves 4 s for the way to the issuer and back."""
MOST_CHALLENGES: Final = 4
"""More are never recent."""
_LABEL: Final = b"fabctl-challenge-v1\n"


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

    Its challenges are pseudo-random (HMAC-SHA256 with the machine's key of boot and number): who
    has not the key cannot know the next one, and so cannot have a permit made for it.

    :param key: the machine's key, 32 bytes.
    :param boot: what permits must name; another one for every run of the daemon.
    :param now: monotonic, s.
    """

    def __init__(self, machine: str, key: bytes, boot: str, now: float) -> None:
        self._machine = machine
        self._key = key
        self._boot = boot
        self._serial = 0
        self._number = 0
        self._challenges: deque[tuple[str, float]] = deque(maxlen=MOST_CHALLENGES)
        """Each with when it was new, monotonic, s; the newest last."""
        self.challenge = ""
        """What the next permit must name."""
        self._ask_anew(now)
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
        self._held = Held(permit.use, permit.person, now + min(permit.seconds, USUAL_S))
        self.accepted += 1
        return PermitAnswer(accepted=True)

    def tick(self, now: float) -> None:
        """Think of a new challenge when it is time.

        :param now: monotonic, s; at every scan.
        """
        if not now - self._challenges[-1][1] < CHALLENGE_EVERY_S:
            self._ask_anew(now)

    def _ask_anew(self, now: float) -> None:
        self._number += 1
        asked = _LABEL + f"{self._boot}\n{self._number}".encode()
        self.challenge = hmac.new(self._key, asked, hashlib.sha256).hexdigest()[:32]
        self._challenges.append((self.challenge, now))

    def begin_anew(self, now: float) -> None:
        """Believe nothing from before: time ran backwards, and every age is wrong."""
        self.drop()
        self._challenges.clear()
        self._ask_anew(now)

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
        if not self._is_recent(permit.challenge, now):
            return PermitRefusal.EXPIRED
        return None

    def _is_recent(self, challenge: str, now: float) -> bool:
        return any(
            hmac.compare_digest(challenge, known) and 0.0 <= now - since <= OLD_AFTER_S
            for known, since in self._challenges
        )

    def _refuse(self, code: PermitRefusal) -> PermitAnswer:
        self.refused[code] += 1
        return PermitAnswer(accepted=False, code=code)
