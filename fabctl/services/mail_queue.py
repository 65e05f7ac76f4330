"""The queue of mail: which notices go out, when each is tried, how it ended.

Nobody waits here: a notice is written by whoever has something to say, and put in the queue by
the steward later. A try is counted, and the next one planned, *before* the mail is handed to a
server; that it was sent is written after. So a crash in between costs a second mail at worst
(with the same Message-ID), never a mail: at least once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.model.mail import (
    GIVE_UP_AFTER,
    TROUBLES,
    Outcome,
    address_refusals,
    pause_after,
)
from fabctl.model.notice import Code, useless_from
from fabctl.model.refusal import RefusedError
from fabctl.services import lookups, notices
from fabctl.services.audit import audit
from fabctl.services.notices import NoticeView
from fabctl.services.rights import require_staff
from fabctl.services.sign_in_rights import require_may_sign_in_as
from fabctl.store.ids import new_id
from fabctl.store.tables import Person
from fabctl.store.tables_notices import Mail, MailAddress, Notice

MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class MailWish:
    """Where somebody gets mail, and whether they want any."""

    address: str | None
    wanted: bool
    confirmed: bool = False
    """The staff have said that the address is theirs: it may sign them in elsewhere."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One mail to be handed over now."""

    id: str
    address: str
    name: str
    language: str | None
    """The person's; None: the lab's."""
    notice: NoticeView


@dataclass(frozen=True, slots=True)
class MailTrouble:
    """A mail that did not arrive, for the staff: whom to telephone."""

    id: str
    person_id: str
    name: str
    code: Code
    outcome: Outcome
    trouble: str | None
    tries: int
    queued_at: datetime
    ended_at: datetime


def wish_of(session: Session, *, person_id: str) -> MailWish:
    """Return what a person wants. Without an address nothing is sent."""
    row = session.get(MailAddress, person_id)
    if row is None:
        return MailWish(None, True)
    return MailWish(row.address, row.wanted, row.signs_in is not None)


def read_wish(session: Session, *, person_id: str, by: str) -> MailWish:
    """Return what a person wants: for themselves and the staff.

    :raises RefusedError: staff-only.
    :raises UnknownIdError: no such person.
    """
    if by != person_id:
        require_staff(session, by)
    lookups.person(session, person_id)
    return wish_of(session, person_id=person_id)


def set_wish(
    session: Session, clock: Clock, *, person_id: str, address: str | None, wanted: bool, by: str
) -> MailWish:
    """Say where mail goes, and yes or no to it. What was told before is not sent.

    Another address than before signs nobody in until the staff confirm it
    (:func:`fabctl.services.outside_people.confirm_address`).

    :param address: empty or None: none.
    :raises RefusedError: bad-address; staff-only: somebody else's, and not of the staff;
        admin-only: another address for somebody of the staff.
    :raises UnknownIdError: no such person.
    """
    if by != person_id:
        require_staff(session, by)
    before = wish_of(session, person_id=lookups.person(session, person_id).id)
    address = (address or "").strip() or None
    if address != before.address:
        require_may_sign_in_as(session, person_id, by)
    if address is not None and (refusals := address_refusals(address)):
        raise RefusedError(refusals)
    row = session.get(MailAddress, person_id)
    if row is None:
        row = MailAddress(person_id=person_id)
        session.add(row)
    if address != before.address:
        row.signs_in = None
    row.address, row.wanted, row.changed_at = address, wanted, clock.now()
    session.flush()
    details = {"has_address": address is not None, "wanted": wanted}
    audit(session, clock, by, "mail.wished", f"person:{person_id}", details)
    return wish_of(session, person_id=person_id)


def queue_up(session: Session, clock: Clock) -> int:
    """Put every new notice of those who want mail in the queue; return how many there were.

    What was told more than three days ago stays in the app: mail that was configured, or wished
    for, today does not begin with old news.
    """
    now, found = clock.now(), session.scalars(_new(clock).limit(MOST_AT_ONCE)).all()
    session.add_all(
        Mail(id=new_id(), notice_id=one, queued_at=now, next_at=now, tries=0) for one in found
    )
    session.flush()
    return len(found)


def is_any_new(session: Session, clock: Clock) -> bool:
    """Say whether there is a notice to queue: asking takes no lock."""
    return session.scalars(_new(clock).limit(1)).first() is not None


def _new(clock: Clock) -> Select[str]:
    return (
        select(Notice.id)
        .join(MailAddress, MailAddress.person_id == Notice.person_id)
        .outerjoin(Mail, Mail.notice_id == Notice.id)
        .where(
            Mail.id.is_(None),
            Notice.at > clock.now() - GIVE_UP_AFTER,
            Notice.at >= MailAddress.changed_at,
            MailAddress.wanted.is_(True),
            MailAddress.address.is_not(None),
        )
        .order_by(Notice.at, Notice.id)
    )


def is_any_due(session: Session, clock: Clock) -> bool:
    """Say whether there is a mail to try now."""
    return session.scalars(_due(clock).with_only_columns(Mail.id)).first() is not None


def take(session: Session, clock: Clock) -> Errand | None:
    """Take the next mail that is due: its try is counted and the next one planned at once.

    Those that are wanted or useful no more are ended here. None: nothing is due.
    """
    now = clock.now()
    while (row := session.scalars(_due(clock).with_for_update()).first()) is not None:
        view = notices.one(session, row.notice_id)
        wish = wish_of(session, person_id=view.person_id)
        start = view.about.slot.start if view.about.slot else None
        useless = useless_from(view.code, start, view.about.until)
        if not wish.wanted or wish.address is None:
            _end(session, clock, row, Outcome.UNWANTED)
        elif useless is not None and useless <= now:
            _end(session, clock, row, Outcome.OVERTAKEN)
        else:
            row.tries += 1
            row.next_at = now + pause_after(row.tries)
            session.flush()
            person = session.get_one(Person, view.person_id)
            return Errand(row.id, wish.address, person.display_name, person.language, view)
    return None


def _due(clock: Clock) -> Select[Mail]:
    query = select(Mail).where(Mail.outcome.is_(None), Mail.next_at <= clock.now())
    return query.order_by(Mail.next_at, Mail.id).limit(1)


def note_sent(session: Session, clock: Clock, *, mail_id: str) -> None:
    """Note that a server took a mail. One that was erased meanwhile leaves no note."""
    row = session.get(Mail, mail_id)
    if row is not None:
        _end(session, clock, row, Outcome.SENT)


def note_refused(session: Session, clock: Clock, *, mail_id: str, trouble: str) -> None:
    """Note that the server will never take it: it is tried no more, and the staff are shown."""
    row = session.get(Mail, mail_id)
    if row is not None:
        row.trouble = trouble
        _end(session, clock, row, Outcome.REFUSED)


def note_failed(session: Session, clock: Clock, *, mail_id: str, trouble: str) -> None:
    """Note that a try failed; it is tried again later, or given up after three days."""
    row = session.get(Mail, mail_id)
    if row is None:
        return
    row.trouble = trouble
    session.flush()
    if row.queued_at <= clock.now() - GIVE_UP_AFTER:
        _end(session, clock, row, Outcome.GIVEN_UP)


def note_no_server(session: Session, clock: Clock, *, trouble: str) -> int:
    """Note that the server could not be talked to; return how many mails are given up for it."""
    old = Mail.outcome.is_(None) & (Mail.queued_at <= clock.now() - GIVE_UP_AFTER)
    found = session.scalars(select(Mail.id).where(old)).all()
    values = {"trouble": trouble, "ended_at": clock.now(), "outcome": Outcome.GIVEN_UP.value}
    if found:
        session.execute(update(Mail).where(old).values(**values))
    return len(found)


def troubles(
    session: Session, *, by: str, limit: int = 50, after: tuple[datetime, str] | None = None
) -> list[MailTrouble]:
    """Return the mails that did not arrive, the newest first. For the staff.

    :param after: when the last one that was shown already ended, and its id.
    :raises RefusedError: staff-only.
    """
    require_staff(session, by)
    query = (
        select(Mail, Notice, Person.display_name)
        .join(Notice, Notice.id == Mail.notice_id)
        .join(Person, Person.id == Notice.person_id)
        .where(Mail.outcome.in_([one.value for one in TROUBLES]))
        .order_by(Mail.ended_at.desc(), Mail.id.desc())
        .limit(limit)
    )
    if after is not None:
        at, last = after
        query = query.where((Mail.ended_at < at) | ((Mail.ended_at == at) & (Mail.id < last)))
    return [_trouble(*row) for row in session.execute(query)]


def _trouble(row: Mail, notice: Notice, name: str) -> MailTrouble:
    return MailTrouble(
        id=row.id,
        person_id=notice.person_id,
        name=name,
        code=Code(notice.code),
        outcome=Outcome(row.outcome or ""),
        trouble=row.trouble,
        tries=row.tries,
        queued_at=row.queued_at,
        ended_at=row.ended_at or row.queued_at,
    )


def _end(session: Session, clock: Clock, row: Mail, outcome: Outcome) -> None:
    if row.outcome is None:
        row.outcome, row.ended_at = outcome.value, clock.now()
        session.flush()
