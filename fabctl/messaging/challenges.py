"""Challenges: how a machine knows that a signed request was made just now, for it.

No wall clock is compared: the machine gives out a random text, and takes it back once, within
5 s of its own monotonic clock. A recorded request can therefore never be played again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from fabctl.clock import Clock
from fabctl.errors import NotAuthenticError
from fabctl.units import Seconds

LIFE = Seconds(5.0)
MOST = 32


class ChallengeBook:
    """The challenges that are out: at most 32, each good once and for 5 s.

    :param make: returns a new random text each time.
    """

    def __init__(self, clock: Clock, make: Callable[[], str]) -> None:
        self._clock = clock
        self._make = make
        self._issued: OrderedDict[str, Seconds] = OrderedDict()

    def issue(self) -> str:
        """Return a new challenge. When 32 are out, the oldest is forgotten."""
        while len(self._issued) >= MOST:
            self._issued.popitem(last=False)
        challenge = self._make()
        self._issued[challenge] = self._clock.monotonic()
        return challenge

    def spend(self, challenge: str) -> None:
        """Take a challenge back; it is gone whatever the answer.

        :raises NotAuthenticError: it was never given out, was spent before, or is too old.
        """
        issued = self._issued.pop(challenge, None)
        if issued is None:
            raise NotAuthenticError("the challenge is not one of ours, or was used already")
        age = self._clock.monotonic() - issued
        if age > LIFE:
            raise NotAuthenticError(f"the challenge is {age:.1f} s old", limit=f"{LIFE:g} s")

    def __len__(self) -> int:
        return len(self._issued)
