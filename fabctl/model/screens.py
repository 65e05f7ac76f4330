"""Shared screens and the badges held before them: what numbers and settings must look like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from fabctl.model.refusal import Refusal
from fabctl.model.texts import text

BADGE_LEAST, BADGE_MOST = 7, 64
"""Characters of a badge's number: longer than a PIN, so that neither is taken for the other."""
CODE_DIGITS = 6
CODE_LASTS = timedelta(minutes=10)
BRIGHTNESS = (100, 80, 60, 40)
"""Percent."""
IDLE_S = (30, 3600)
NAME_MAX = 60
MINUTES_A_DAY = 24 * 60
_ID = re.compile(r"[a-z0-9](-?[a-z0-9]){0,29}")


@dataclass(frozen=True, slots=True)
class ScreenSettings:
    """What is a screen's own."""

    name: str
    idle_s: int = 300
    """Seconds without a touch until it goes back to its home page, 30 to 3600."""
    brightness: int = 100
    """Percent: 100, 80, 60 or 40."""
    night: tuple[int, int] | None = None
    """From and until, in minutes since midnight on the lab's clocks; it may go past midnight."""
    home: str = "/"
    """The path of a page."""


def clean_badge(number: str) -> str:
    """Return a badge's number as it is hashed: letters and digits only, all capitals."""
    return "".join(one for one in number.upper() if one.isascii() and one.isalnum())


def badge_refusals(number: str) -> list[Refusal]:
    """Say what is wrong with a number (already cleaned): 7 to 64 letters and digits."""
    if BADGE_LEAST <= len(number) <= BADGE_MOST:
        return []
    return [
        Refusal(
            "badge-unreadable",
            text("This is no number of a badge."),
            text("Hold the badge before the reader again."),
        )
    ]


def badge_taken() -> Refusal:
    """Return the refusal of a badge that somebody has: only the staff read it."""
    return Refusal(
        "badge-taken",
        text("This badge belongs to somebody already."),
        text("Take it away from them first, or use another badge."),
    )


def settings_refusals(wanted: ScreenSettings) -> list[Refusal]:
    """Say everything that is wrong with a screen's settings."""
    night = wanted.night
    good = {
        "name": 1 <= len(wanted.name.strip()) <= NAME_MAX and wanted.name.isprintable(),
        "idle_s": IDLE_S[0] <= wanted.idle_s <= IDLE_S[1],
        "brightness": wanted.brightness in BRIGHTNESS,
        "night": night is None
        or (night[0] != night[1] and all(0 <= one < MINUTES_A_DAY for one in night)),
        "home": wanted.home.startswith("/") and not wanted.home.startswith("/kiosk/"),
    }
    return [_REFUSALS[name] for name, holds in good.items() if not holds]


_REFUSALS = {
    "name": Refusal(
        "screen-name",
        text("A screen's name has 1 to {most} characters.", most=NAME_MAX),
        text("Name the place where it hangs."),
    ),
    "idle_s": Refusal(
        "screen-idle",
        text("A screen waits {least} s to {most} s for a touch.", least=IDLE_S[0], most=IDLE_S[1]),
        text("Choose a time between the two."),
    ),
    "brightness": Refusal(
        "screen-brightness",
        text("A screen cannot be as bright as that."),
        text("Choose one of the steps."),
    ),
    "night": Refusal(
        "screen-night",
        text("A night begins and ends at different times."),
        text("Give both times, or none."),
    ),
    "home": Refusal(
        "screen-home",
        text("A screen goes back to another page than that."),
        text("Choose a page of the lab, for instance /planning."),
    ),
}


def id_refusals(screen_id: str) -> list[Refusal]:
    """Say what is wrong with a screen's word in the address."""
    if len(screen_id) <= 30 and _ID.fullmatch(screen_id):
        return []
    return [
        Refusal(
            "screen-id",
            text("The short name is for the address: small letters, digits, hyphens."),
            text("Write for instance: entrance."),
        )
    ]


def id_taken() -> Refusal:
    """Return the refusal of a second screen with the same address."""
    return Refusal(
        "screen-taken",
        text("There is a screen with this short name already."),
        text("Choose another short name."),
    )
