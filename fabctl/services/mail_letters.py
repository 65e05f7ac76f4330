"""A notice as a letter (RFC 5322), with a calendar entry (RFC 5545) where there is a date."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from fabctl.clock import Clock
from fabctl.i18n import translate
from fabctl.model.mail import one_line
from fabctl.model.notice import CALENDAR_ENTRIES, CANCELLATIONS
from fabctl.model.texts import Text, text
from fabctl.services.calendar_entries import SEQUENCE_FROM
from fabctl.services.mail_queue import Errand
from fabctl.services.notice_words import worded
from fabctl.services.notices import NoticeView

_HELLO = text("Hello {name},")
_MORE = text("All your notices: {url}")
_NO_MORE = text("You do not want mail? Say so on your page, or tell the staff.")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes."""

    address: str
    lab_name: str
    language: str
    """The lab's, for those who chose none."""
    zone: ZoneInfo
    url: str | None
    """Where people reach the pages."""


def letter(errand: Errand, sender: Sender, clock: Clock) -> EmailMessage:
    """Return the letter. Its Message-ID is the same at every try, so that a second copy shows.

    Names and titles come from people: each is cut to one line before it may stand in a header.
    """
    language = errand.language or sender.language
    said = worded(errand.notice, language, sender.zone)
    domain = sender.address.rpartition("@")[2]
    made = EmailMessage(policy=SMTP)
    made["From"] = Address(one_line(sender.lab_name, 80), addr_spec=sender.address)
    made["To"] = Address(one_line(errand.name, 80), addr_spec=errand.address)
    made["Subject"] = one_line(f"{sender.lab_name}: {said.heading}")
    made["Date"] = format_datetime(clock.now())
    made["Message-ID"] = f"<{errand.id}@{domain}>"
    made["Auto-Submitted"] = "auto-generated"
    hello = translate(Text(_HELLO.template, {"name": one_line(errand.name)}), language)
    parts = [hello, said.body, *_last_lines(sender, language)]
    made.set_content("\n\n".join(parts) + "\n", cte="quoted-printable")
    entry = _calendar(errand.notice, said.heading, clock)
    if entry is not None:
        made.add_attachment(
            entry,
            maintype="text",
            subtype="calendar",
            filename="fabctl.ics",
            params={"charset": "utf-8", "method": "PUBLISH"},
        )
    made["Content-Language"] = language  # only now: an attachment would take it into its part
    return made


def _last_lines(sender: Sender, language: str) -> list[str]:
    lines = [translate(_NO_MORE, language)]
    if sender.url:
        lines.insert(0, translate(Text(_MORE.template, {"url": sender.url}), language))
    return ["\n".join(lines)]


def _calendar(notice: NoticeView, heading: str, clock: Clock) -> bytes | None:
    """Return the date as a calendar's entry, one that is off as cancelled; None: there is none.

    Its UID is the one in the person's calendar feed, so that programs see one entry, not two.
    """
    from icalendar import Calendar, Event  # noqa: PLC0415  # 55 ms that only this needs

    slot = notice.about.slot
    if slot is None or notice.code not in CALENDAR_ENTRIES | CANCELLATIONS:
        return None
    off = notice.code in CANCELLATIONS
    found, entry = Calendar(), Event()
    found.add("prodid", "-//fabctl//fabctl//EN")
    found.add("version", "2.0")
    found.add("method", "PUBLISH")
    entry.add("uid", f"{notice.about.subject.partition(':')[2] or notice.id}@fabctl")
    entry.add("dtstamp", clock.now())
    # a later word about the same date has a greater number (RFC 5545, section 3.8.7.4)
    entry.add("sequence", int(notice.at.timestamp()) - SEQUENCE_FROM)
    entry.add("dtstart", slot.start)
    entry.add("dtend", slot.end)
    entry.add("summary", one_line(heading if off else notice.what))
    entry.add("status", "CANCELLED" if off else "CONFIRMED")
    found.add_component(entry)
    return bytes(found.to_ical())
