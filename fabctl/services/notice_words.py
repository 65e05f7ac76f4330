"""A notice in a language: its heading and what it says, times by the lab's clocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

from fabctl.i18n import translate
from fabctl.model.booking_slots import Slot
from fabctl.model.notice import ABOUT, STAFF_WROTE, WORDINGS
from fabctl.model.texts import Text, text
from fabctl.services.notices import NoticeView

_SLOT = text("{day} from {start} to {end}")
_ACROSS = text("from {start} to {end}")
_MOMENT = text("{day}, {time}")


@dataclass(frozen=True, slots=True)
class Worded:
    """What somebody reads."""

    heading: str
    body: str


def worded(view: NoticeView, language: str, zone: ZoneInfo) -> Worded:
    """Return a notice in a language (``fr`` or ``en``), its times in the lab's zone."""
    values = {
        "what": view.what,
        "when": _slot(view.about.slot, language, zone) if view.about.slot else "",
        "until": _moment(view.about.until, language, zone) if view.about.until else "",
    }
    wording = WORDINGS[view.code]
    # something that is gone has no name any more: then no colon either
    heading = translate(Text(wording.heading.template, values), language).rstrip(
        ": \N{NO-BREAK SPACE}"
    )
    body = translate(Text(wording.body.template, values), language)
    if view.name is not None:
        body = translate(Text(ABOUT.template, {"name": view.name, "said": body}), language)
    if view.about.words:
        wrote = Text(STAFF_WROTE.template, {"words": view.about.words})
        body = f"{body}\n{translate(wrote, language)}"
    return Worded(heading, body)


def _slot(slot: Slot, language: str, zone: ZoneInfo) -> str:
    start, end = slot.start.astimezone(zone), slot.end.astimezone(zone)
    if start.date() != end.date():
        ends = {"start": _moment(start, language, zone), "end": _moment(end, language, zone)}
        return translate(Text(_ACROSS.template, ends), language)
    values = {
        "day": format_date(start, "full", locale=language),
        "start": _time(start, language),
        "end": _time(end, language),
    }
    return translate(Text(_SLOT.template, values), language)


def _moment(instant: datetime, language: str, zone: ZoneInfo) -> str:
    local = instant.astimezone(zone)
    day = format_date(local, "full", locale=language)
    values = {"day": day, "time": _time(local, language)}
    return translate(Text(_MOMENT.template, values), language)


def _time(local: datetime, language: str) -> str:
    # in their own zone already; both languages of the house count to 24
    return str(format_time(local.timetz(), "HH:mm", locale=language))
