"""What one person can do at a machine now: one primary action, and every reason why not.

The conditions come from :mod:`fabctl.services.access`; nothing is decided here, only what is
offered. Every offer is checked again by the service when it is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from fabctl.errors import UnknownIdError
from fabctl.messaging.lab_view import MachineView
from fabctl.services import access, bookings, clearing, jobs, problems, uses
from fabctl.services.access import Condition
from fabctl.services.bookings import ReservationView, Slot
from fabctl.services.jobs import JobView
from fabctl.services.jobs_at import jobs_at
from fabctl.services.people import PersonView
from fabctl.services.problems import ProblemView
from fabctl.services.uses import UseView
from fabctl_web.lab import Lab

BOOKINGS_SHOWN = 4
PROBLEMS_SHOWN = 4
BOOKINGS_AHEAD = timedelta(days=14)
USE_MINUTES = 60
LAST_SHOWN = timedelta(hours=1)
OPAQUE = "opaque"
"""The driver's name in lab.toml."""
NO_BOOKING = frozenset(
    {
        "account-suspended",
        "not-certified",
        "certification-expired",
        "certification-suspended",
        "supervision-missing",
        "under-age",
        "consent-missing",
        "out-of-order",
    }
)
"""Conditions that speak against booking too."""
LEARN = ("not-certified", "certification-expired")
"""Conditions that the training page is the way out of."""
BOOKED = frozenset({"not-reserved", "someone-elses-slot"})
"""Conditions that wait behind a missing training anyway."""


@dataclass(frozen=True)
class Line:
    """One condition, as the list shows it."""

    condition: Condition
    css: str
    icon: str
    action: str
    """What its button does: ``book-now``, ``book``, ``learn``, ``others``, ``clear``; empty: no
    button can do it."""


@dataclass(frozen=True)
class Booking:
    """A reservation on a public screen: a time, and whether it is one's own."""

    start: datetime
    end: datetime
    mine: bool


@dataclass(frozen=True)
class Panel:
    """Everything below the state. Without a person, only the bookings are filled in."""

    state: str
    primary: str
    """``sign-in``, ``begin``, ``done``, ``start``, ``upload``, ``book-now``, ``learn``, ``resume``,
    ``clear``; empty: none."""
    lines: list[Line] = field(default_factory=list)
    prepared: list[JobView] = field(default_factory=list)
    """One's own jobs for this machine that are ready to start, newest first."""
    more_prepared: bool = False
    """Whether there are more than these: they are among all one's jobs."""
    running: JobView | None = None
    """The job on the machine now, for its person and the staff."""
    running_is_mine: bool = False
    last: JobView | None = None
    """One's own newest job here, once it has ended, for an hour."""
    behind: bool = False
    """Whether the record still has to learn how one's own job ended: look again soon."""
    now_slot: Slot | None = None
    """A free hour that starts now."""
    may_start: bool = False
    use: UseView | None = None
    """One's own use without a job of this interlocked machine."""
    may_end_use: bool = False
    """Whether a use without a job is there that this person may end: one's own, or as staff."""
    coming: list[Booking] = field(default_factory=list)
    problems: list[ProblemView] = field(default_factory=list)
    """Reported and not settled, newest first; what is for the staff is only there for them."""
    reported: bool = False
    """Whether something is reported: that much is for everybody."""


def panel_of(lab: Lab, machine: str, person: PersonView | None) -> Panel:
    """Return what ``person`` can do at ``machine`` now."""
    view = lab.machine(machine)
    with lab.db.reading() as db:
        coming = _coming(db, lab, machine, person)
        if person is None:
            reported = bool(problems.list_problems(db, by=None, resource_id=view.id, limit=1))
            return Panel(view.state, "sign-in", coming=coming, reported=reported)
        return _personal(db, lab, view, person, coming)


def _personal(
    db: Session, lab: Lab, view: MachineView, person: PersonView, coming: list[Booking]
) -> Panel:
    found = access.may_use(
        db,
        lab.clock,
        lab.config.time_zone,
        person_id=person.id,
        resource_id=view.id,
        machine_state=view.state,
    )
    slot = _slot_now(db, lab, view.id)
    against = clearing.may_clear(db, lab.clock, person_id=person.id, resource_id=view.id)
    lines = _lines(found, _offers(found, slot, may_clear=not against))
    running, may_resume = _on_machine(db, view, person)
    mine = jobs_at(db, person_id=person.id, resource_id=view.id)
    may_start = all(condition.met is True for condition in found)
    use = _use_without_job(db, lab, view.id)
    mine_now = use if use and use.person_id == person.id else None
    primary = _primary(view, lines, mine.prepared, may_start=may_start, may_resume=may_resume)
    if view.id in lab.config.interlocks:
        primary = _with_interlock(lab, view.id, primary, mine_now, may_start=may_start)
    return Panel(
        state=view.state,
        primary=primary,
        use=mine_now,
        may_end_use=use is not None and (mine_now is not None or person.role.acts_for_others),
        lines=lines,
        prepared=mine.prepared,
        more_prepared=mine.more,
        running=running,
        running_is_mine=running is not None and running.person_id == person.id,
        last=_last(mine.last, lab),
        behind=_behind(mine.begun, view),
        now_slot=slot,
        may_start=may_start,
        coming=coming,
        problems=problems.list_problems(
            db, by=person.id, resource_id=view.id, limit=PROBLEMS_SHOWN
        ),
    )


def _lines(found: list[Condition], offers: dict[str, str]) -> list[Line]:
    """Return the list to show; what is in the way comes first."""
    lines = [_line(condition, offers) for condition in found]
    return sorted(lines, key=lambda line: line.condition.met is True)


def _primary(
    view: MachineView,
    lines: list[Line],
    prepared: list[JobView],
    *,
    may_start: bool,
    may_resume: bool,
) -> str:
    if view.state == "paused":
        return "resume" if may_resume else ""
    if may_start:
        return "start" if prepared else "upload"
    offers = [line.action for line in lines if line.action]
    unmet = [line for line in lines if line.condition.met is not True]
    if "clear" in offers:
        return "clear"
    if "learn" in offers and {line.condition.code for line in unmet} <= BOOKED.union(LEARN):
        return "learn"
    # Booking is the way on only when nothing else stands in it.
    if len(unmet) == 1 and offers and offers[0] != "others":
        return offers[0]
    return ""


def takes_files(lab: Lab, machine: str) -> bool:
    """Say whether fabctl sends files to a machine; an opaque one has software of its own."""
    return lab.config.machines[machine].driver != OPAQUE


def _use_without_job(db: Session, lab: Lab, machine: str) -> UseView | None:
    if machine not in lab.config.interlocks:
        return None
    found = uses.open_use_on(db, resource_id=machine)
    return found if found is not None and found.job_id is None else None


def _with_interlock(
    lab: Lab, machine: str, primary: str, use: UseView | None, *, may_start: bool
) -> str:
    """Return the one action at an interlocked machine: first one says that one begins."""
    if use is None:
        return "begin" if may_start else primary
    return primary if takes_files(lab, machine) and primary in {"start", "upload", "resume"} else ""


def _offers(found: list[Condition], slot: Slot | None, *, may_clear: bool) -> dict[str, str]:
    """Return which unmet conditions a button can do something about.

    Booking is offered only to those who could book: certified, in order.
    """
    in_the_way = {condition.code for condition in found if condition.met is not True}
    offers = {"out-of-order": "others", **dict.fromkeys(LEARN, "learn")}
    offers |= {"machine-broken": "clear"} if may_clear else {}
    if in_the_way.isdisjoint(NO_BOOKING):
        offers |= {"not-reserved": "book-now" if slot else "book", "someone-elses-slot": "book"}
    return offers


def _line(condition: Condition, offers: dict[str, str]) -> Line:
    if condition.met is True:
        return Line(condition, "met", "check", "")
    css, icon = ("unsure", "circle-question-mark") if condition.met is None else ("unmet", "x")
    return Line(condition, css, icon, offers.get(condition.code, ""))


def _slot_now(db: Session, lab: Lab, machine: str) -> Slot | None:
    """Return the hour that starts now, if it is free."""
    found = bookings.proposals(
        db, lab.clock, lab.config.time_zone, machine, minutes=USE_MINUTES, count=1, fit=True
    )
    return found[0] if found and found[0].start <= lab.clock.now() else None


def _last(newest: JobView | None, lab: Lab) -> JobView | None:
    if newest is None or newest.ended_at is None:
        return None
    return newest if lab.clock.now() - newest.ended_at < LAST_SHOWN else None


def _behind(begun: list[JobView], view: MachineView) -> bool:
    on_machine = {"starting", "running", "paused"}
    return any(job.state in on_machine and job.id != view.job for job in begun)


def _coming(db: Session, lab: Lab, machine: str, person: PersonView | None) -> list[Booking]:
    now = lab.clock.now()
    found = bookings.for_resource(db, resource_id=machine, start=now, end=now + BOOKINGS_AHEAD)
    return [_booking(r, person) for r in found[:BOOKINGS_SHOWN]]


def _booking(found: ReservationView, person: PersonView | None) -> Booking:
    return Booking(found.start, found.end, person is not None and found.person_id == person.id)


def _on_machine(db: Session, view: MachineView, person: PersonView) -> tuple[JobView | None, bool]:
    """Return the job on the machine, for its person and the staff, and whether this person may
    resume it."""
    if view.job is None:
        return None, False
    try:
        job = jobs.get_job(db, view.job)
    except UnknownIdError:  # a job of another database: nobody's here
        return None, False
    may_resume = jobs.may_control(db, person.id, job.id, "resume")
    visible = job.person_id == person.id or person.role.acts_for_others
    return (job if visible else None), may_resume
