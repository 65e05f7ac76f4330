"""Guessing made slow: how many wrong PINs or passwords, and the waiting that follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

IN_A_ROW = 5
"""Wrong tries in a row before the first lock."""
IN_WINDOW = 30
"""Wrong tries within :data:`WINDOW`, right ones in between or not, before a lock."""
WINDOW = timedelta(hours=1)
LONGEST_LOCK = timedelta(hours=1)
"""No lock lasts longer."""
FORGET_AFTER = timedelta(days=1)
"""After this long without a wrong try, the next lock is a first one again."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How long locks last: the first one, and twice as long each time up to the longest."""

    first: timedelta
    longest: timedelta
    in_a_row: int = IN_A_ROW
    in_window: int = IN_WINDOW


OF_A_LOGIN = Waits(timedelta(minutes=1), LONGEST_LOCK)
OF_A_SCREEN = Waits(timedelta(seconds=15), timedelta(minutes=15))
"""Short: everybody at the screen waits for what one of them typed. 15 minutes leave 96 guesses a
day at a million PINs."""
OF_AN_ADDRESS = Waits(timedelta(minutes=1), timedelta(minutes=15), in_a_row=20, in_window=60)
"""A whole lab may share one address: a course of beginners must not lock it, a list of guesses
must."""

OF_A_PAIRING = Waits(timedelta(seconds=15), timedelta(minutes=15), in_a_row=50, in_window=50)
"""By screen, while a code is out; one address has five as :data:`OF_A_SCREEN`, so that nobody alone
keeps a screen from being paired. 50 guesses are one in 20 000 of a code's million."""


@dataclass(frozen=True, slots=True)
class Tries:
    """What is remembered of one device, or of one login."""

    in_a_row: int = 0
    in_window: int = 0
    window_began: datetime | None = None
    last_wrong: datetime | None = None
    locks: int = 0
    locked_until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        """Say whether nothing is tried at this moment, right or wrong.

        A lock that would last longer than any was set by a clock that was ahead: it is none.
        """
        return self.locked_until is not None and now < self.locked_until <= now + LONGEST_LOCK


def after_wrong(tries: Tries, now: datetime, waits: Waits = OF_A_LOGIN) -> Tries:
    """Count a wrong try; too many in a row, and every one after them, lock, each time longer."""
    if tries.last_wrong is None or now - tries.last_wrong > FORGET_AFTER:
        tries = Tries()
    if tries.window_began is None or now - tries.window_began > WINDOW:
        tries = replace(tries, in_window=0, window_began=now)
    tries = replace(
        tries, in_a_row=tries.in_a_row + 1, in_window=tries.in_window + 1, last_wrong=now
    )
    if tries.in_a_row < waits.in_a_row and tries.in_window < waits.in_window:
        return tries
    lock = min(waits.first * 2 ** min(tries.locks, 16), waits.longest)
    return replace(tries, locks=tries.locks + 1, locked_until=now + lock)


def after_right(tries: Tries) -> Tries:
    """Count a right try: the row ends, the window goes on.

    Somebody who has a PIN of their own cannot wash away the guesses made in between.
    """
    return replace(tries, in_a_row=0, locks=0 if tries.in_window < IN_A_ROW else tries.locks)


def network_of(address: str) -> str:
    """Return what counts as one address: IPv4 as it is, of IPv6 the /64 that one house has.

    RFC 4291, section 2.5.4: the last 64 bits are the interface's own to choose. What is no
    address counts as itself.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((int(found), 64), strict=False))
