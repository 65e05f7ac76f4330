"""Mail: which addresses we write to, how long we try, what may stand in a header."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from enum import StrEnum

from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

GIVE_UP_AFTER = timedelta(days=3)
"""From when a mail was put in the queue; one more try is made after a longer downtime."""
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360))
"""After the first, second, … try that did not succeed; the last one goes on."""
SERVER_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (15, 30, 60, 300, 900))
"""The same for a server that cannot be talked to at all."""

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_LOCAL}@{_LABEL}(?:\.{_LABEL})*")
"""RFC 5321, section 4.1.2: a dot-string at a domain; no quoted strings, no literals."""
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Outcome(StrEnum):
    """How a mail ended."""

    SENT = "sent"
    REFUSED = "refused"
    """The server will never take it."""
    GIVEN_UP = "given-up"
    OVERTAKEN = "overtaken"
    """Its time was over before it could be sent."""
    UNWANTED = "unwanted"


TROUBLES = (Outcome.REFUSED, Outcome.GIVEN_UP)
"""What the staff are shown."""

BAD_ADDRESS = Refusal(
    "bad-address",
    text("This is not an e-mail address that mail can be sent to."),
    text("Write it like name@example.org, or leave it empty."),
)


def address_refusals(address: str) -> list[Refusal]:
    """Return why mail cannot be sent to an address; letters beyond ASCII need a server for them."""
    local = address.partition("@")[0]
    good = len(address) <= 254 and len(local) <= 64 and _ADDRESS.fullmatch(address)
    return [] if good else [BAD_ADDRESS]


def same_address(address: str) -> str:
    """Return an address as it is compared: capitals and blanks around it make no other one."""
    return "".join(sign.lower() if sign.isascii() else sign for sign in address.strip())


def address_taken() -> Refusal:
    """Return the refusal for an address that signs in somebody else."""
    return Refusal(
        "address-taken",
        text("Somebody else signs in with this address."),
        text("Look who has it, or ask for another address."),
    )


def address_not_shown() -> Refusal:
    """Return the refusal for confirming an address that is not, or no longer, this person's."""
    return Refusal(
        "address-changed",
        text("This is not the address of this person any more."),
        text("Open the page again and look at the address."),
    )


def pause_after(tries: int) -> timedelta:
    """Return how long to wait after so many tries (≥ 1)."""
    return PAUSES[min(tries, len(PAUSES)) - 1]


def server_pause(failures: int) -> timedelta:
    """Return how long to leave a server alone after so many failures in a row (≥ 1)."""
    return SERVER_PAUSES[min(failures, len(SERVER_PAUSES)) - 1]


def one_line(words: str, most: int = 200) -> str:
    """Return words for a header: one line, nothing that ends it or turns its direction around."""
    kept = (
        " " if unicodedata.category(sign) in {"Cc", "Zl", "Zp", "Cs"} else sign
        for sign in words
        if sign not in _BIDIRECTIONAL
    )
    return " ".join("".join(kept).split())[:most]
