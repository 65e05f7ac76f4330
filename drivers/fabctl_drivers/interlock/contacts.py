"""Contacts: a switch that reads safe or unsafe, the channels of a lid, a relay's feedback. Pure.

All times are monotonic, in s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fabctl.units import Seconds
from fabctl_drivers.interlock.causes import FaultCode

MONOSTABLE_S: Final = Seconds(0.200)
"""K1's monostable holds 150 to 200 ms after the last pulse (interlock.md, "Facts that shaped
it"): so much longer than K2 does K1 take to let go."""


class Contact:
    """One switch: unsafe at the second unsafe scan, safe after a while without any.

    A single unsafe scan is forgiven when nothing but safe ones follow for ``safe_after_s``; so a
    glitch shorter than a scan does not trip, and a contact that chatters does, however it beats
    with the scan. A scan that comes late forgives nothing: there is no time left for a second one.
    ``safe`` is None until the contact has been one or the other.
    """

    def __init__(self, safe_after_s: Seconds, now: float) -> None:
        self._safe_after_s = safe_after_s
        self._clean_since: float | None = None
        self._unsafe_since: float | None = None
        self._suspicions = 0
        self.read_safe = False
        """What the last scan read, unconditioned; not read is not safe."""
        self.safe: bool | None = None
        self.since = now
        """When ``safe`` became what it is."""
        self.was_unsafe = False
        """It was read unsafe without a break for ``safe_after_s``, since :meth:`renew`."""

    def renew(self) -> None:
        """Ask anew for having been unsafe once."""
        self.was_unsafe = False
        self._unsafe_since = None

    def take(self, safe: bool | None, now: float, *, late: bool) -> None:
        """Take one scan's reading; None: it could not be read, which is not safe."""
        if safe and self.safe and not self._suspicions:
            return  # as in the scan before, and nothing to forget
        self.read_safe = safe is True
        if safe:
            self._take_safe(now)
        else:
            self._clean_since = None
            self._suspicions += 2 if late else 1
            if self._suspicions >= 2:
                self._settle(safe=False, now=now)
        self._prove_unsafe(safe, now)

    def _take_safe(self, now: float) -> None:
        if self._clean_since is None:
            self._clean_since = now
        if now - self._clean_since >= self._safe_after_s:
            self._suspicions = 0
            self._settle(safe=True, now=now)

    def _prove_unsafe(self, safe: bool | None, now: float) -> None:
        if safe is not False:
            self._unsafe_since = None
        elif self._unsafe_since is None:
            self._unsafe_since = now
        elif now - self._unsafe_since >= self._safe_after_s:
            self.was_unsafe = True

    def _settle(self, *, safe: bool, now: float) -> None:
        if self.safe is not safe:
            self.safe = safe
            self.since = now


class Patience:
    """A contact that may be unsafe for a while before it trips.

    The while is used up by every unsafe time, and is whole again only once the contact has been
    safe for as long without a break: a contact that flaps does not get it anew each time.

    :param while_s: 0 for none.
    """

    def __init__(self, contact: Contact, while_s: float) -> None:
        self._contact = contact
        self._while_s = while_s
        self._used_s = 0.0
        """By the unsafe times that are over."""
        self._unsafe_since: float | None = None
        self.is_over = False
        """The contact is unsafe now, and has been for too long in all."""

    def take(self, now: float) -> None:
        """Count, after the contact has taken its reading."""
        if self._contact.safe:
            if self.is_over or self._used_s or self._unsafe_since is not None:
                self._rest(now)
            return
        since = self._contact.since
        if self._contact.safe is False:  # None: it has never been read for long enough
            self._unsafe_since = since
        self.is_over = self._used_s + now - since >= self._while_s

    def _rest(self, now: float) -> None:
        safe_since = self._contact.since
        if self._unsafe_since is not None:
            self._used_s += safe_since - self._unsafe_since
            self._unsafe_since = None
        if now - safe_since >= self._while_s:
            self._used_s = 0.0
        self.is_over = False


class Lid:
    """The channels of one lid or door: they agree, and were seen open once."""

    def __init__(self, channels: Sequence[Contact], discrepancy_s: Seconds) -> None:
        self._channels = channels
        self._discrepancy_s = discrepancy_s
        self._differ_since: float | None = None
        self.differs = False
        """The channels have differed for too long: one is stuck, or a wire is."""

    @property
    def closed(self) -> bool:
        """Return whether every channel is known to be closed; True where there is no lid."""
        return all(channel.safe for channel in self._channels)

    @property
    def seen_open(self) -> bool:
        """Return whether every channel was seen open; True where there is no lid."""
        return all(channel.was_unsafe for channel in self._channels)

    def renew(self) -> None:
        """Ask anew for having been seen open."""
        self._differ_since = None
        for channel in self._channels:
            channel.renew()

    def compare(self, now: float) -> None:
        """Compare what the last scan read of the channels, unconditioned.

        Whichever reads unsafe trips by itself; so a channel that chatters is no discrepancy.
        """
        read = {channel.read_safe for channel in self._channels}
        if len(read) < 2:
            self._differ_since = None
        elif self._differ_since is None:
            self._differ_since = now
        self.differs = (
            self._differ_since is not None and now - self._differ_since > self._discrepancy_s
        )


class Relay:
    """A relay's force-guided feedback contact against what the relay was told.

    :param pull_in_s: so long may it take to pull in.
    :param release_s: so long may it take to let go.
    :param settle_s: so long must the contact be right without a break.
    """

    def __init__(
        self,
        codes: tuple[FaultCode, FaultCode],
        *,
        pull_in_s: Seconds,
        release_s: Seconds,
        settle_s: Seconds,
        now: float,
    ) -> None:
        self._welded, self._no_pull_in = codes
        self._pull_in_s = pull_in_s
        self._release_s = release_s
        self._settle_s = settle_s
        self._told_on = False
        self._wrong_since: float | None = now
        self._right_since: float | None = None
        self.fault: FaultCode | None = None
        self.since = now
        """When it last began to agree, or to be waited for."""

    @property
    def agrees(self) -> bool:
        """Return whether the contact shows what the relay was told, and has settled."""
        return self._wrong_since is None

    @property
    def limit_s(self) -> Seconds:
        """Return how long the contact may be wrong now."""
        return self._pull_in_s if self._told_on else self._release_s

    def renew(self, now: float) -> None:
        """Wait for the contact anew."""
        self._wrong_since = self.since = now
        self._right_since = None
        self.fault = None

    def take(self, pulled_in: bool | None, now: float, *, told_on: bool) -> None:
        """Take one scan's reading; None: it could not be read, which is wrong."""
        if told_on is not self._told_on:
            self._told_on = told_on
            self.renew(now)
        if pulled_in is told_on:
            self._take_right(now)
        else:
            self._take_wrong(now)

    def _take_right(self, now: float) -> None:
        self.fault = None
        if self._right_since is None:
            self._right_since = now
        if self._wrong_since is not None and now - self._right_since >= self._settle_s:
            self._wrong_since = None
            self.since = now

    def _take_wrong(self, now: float) -> None:
        self._right_since = None
        if self._wrong_since is None:
            self._wrong_since = self.since = now
        if now - self._wrong_since > self.limit_s:
            self.fault = self._no_pull_in if self._told_on else self._welded
