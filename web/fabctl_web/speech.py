"""How the screens speak: one language, one time zone, clock times as people say them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from zoneinfo import ZoneInfo

from fabctl.i18n import gettext_for, translate
from fabctl.model.texts import Text

NO_BREAK = "\N{NO-BREAK SPACE}"
NARROW = "\N{NARROW NO-BREAK SPACE}"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True)
class Speech:
    """Everything that is said on a page goes through one of these."""

    language: str
    """A language of the catalogue: ``fr`` or ``en``."""
    zone: ZoneInfo

    @cached_property
    def _gettext(self) -> Callable[[str], str]:
        return gettext_for(self.language)

    def __call__(self, template: str, **values: str | float) -> str:
        """Return ``template`` in this language with its ``{values}``; in templates: ``_()``."""
        said = self._gettext(template)
        return said.format(**values) if values else said

    def text(self, found: Text) -> str:
        """Return a sentence of the core (a refusal, a problem in a file) in this language."""
        return translate(found, self.language)

    def clock(self, instant: datetime) -> str:
        """Return the wall clock time of an instant: ``15 h 10`` in French, ``15:10`` in English."""
        return self.wall(instant.astimezone(self.zone).time())

    def wall(self, read: time) -> str:
        """Return a time as it is read from a clock on the wall."""
        if self.language != "fr":
            return f"{read:%H:%M}"
        minutes = f"{NO_BREAK}{read:%M}" if read.minute else ""
        return f"{read.hour}{NO_BREAK}h{minutes}"

    def day(self, instant: datetime, now: datetime) -> str:
        """Return the day: today, tomorrow, or weekday and date (with another year's number)."""
        return self.on(instant.astimezone(self.zone).date(), now)

    def on(self, day: date, now: datetime) -> str:
        """Return the same of a day in the calendar."""
        today = now.astimezone(self.zone).date()
        if 0 <= (day - today).days <= 1:
            return self("today") if day == today else self("tomorrow")
        weekday, month = self(WEEKDAYS[day.weekday()]), self(MONTHS[day.month - 1])
        number = "1er" if self.language == "fr" and day.day == 1 else day.day
        said = self("{weekday} {day} {month}", weekday=weekday, day=number, month=month)
        return said if day.year == today.year else f"{said} {day.year}"

    def moment(self, instant: datetime, now: datetime) -> str:
        """Return the clock time, with the day in front unless it is today."""
        if instant.astimezone(self.zone).date() == now.astimezone(self.zone).date():
            return self.clock(instant)
        return self("{day} at {time}", day=self.day(instant, now), time=self.clock(instant))

    def slot(self, start: datetime, end: datetime, now: datetime) -> str:
        """Return a stretch of time: the day, from, to."""
        said = self(
            "{day}, {start} to {end}",
            day=self.day(start, now),
            start=self.clock(start),
            end=self.clock(end),
        )
        return said[0].upper() + said[1:]

    def lasting(self, seconds: float) -> str:
        """Return a duration, rounded up to whole minutes: ``1 h 05``, ``25 min``."""
        hours, minutes = divmod(int(-(-seconds // 60)), 60)
        if not hours:
            return f"{minutes}{NO_BREAK}min"
        return f"{hours}{NO_BREAK}h" + (f"{NO_BREAK}{minutes:02}" if minutes else "")

    def percent(self, share: float) -> str:
        """Return a share, 0 to 1, as whole percent, rounded down: 100 % means done."""
        space = NARROW if self.language == "fr" else ""
        return f"{int(share * 100)}{space}%"

    def celsius(self, value: float) -> str:
        """Return a temperature in whole °C."""
        return f"{value:.0f}{NO_BREAK}°C"
