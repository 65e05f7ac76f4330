"""One lab with somebody of every kind and one thing of every kind, most of them Lea's.

It is made once; a request that changed something is undone by copying the database back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from fabctl.clock import ManualClock
from fabctl.model.accounts import GroupKind
from fabctl.model.attendance import Mark, Presence
from fabctl.model.booking import ClaimKind
from fabctl.model.booking_facts import ResourceKind
from fabctl.model.booking_policy import Scope
from fabctl.model.booking_slots import Slot
from fabctl.model.certification import Level
from fabctl.model.consent import Consent, Signer
from fabctl.services import (
    accounts,
    attendance,
    badges,
    bookings,
    certificates,
    certifications,
    closures,
    courses,
    enrolments,
    feeds,
    machines,
    maintenance,
    notices,
    participants,
    policies,
    problems,
    quiz_making,
    resources,
    series,
    sessions,
    tokens,
    upkeep_tasks,
    using,
    waiting,
    workshops,
)
from fabctl.services.attendance import SentMark
from fabctl.services.courses import Wording
from fabctl.services.quizzes import QuestionWording
from fabctl.store.tables import Reservation
from tests.interlocked_lab import interlocked_config
from tests.web_caller import Caller
from tests.web_lab import SECRET, TWELVE, WebLab, web_lab

WHO = ("nobody", "other", "owner", "trainer", "animator", "lead", "staff", "admin")
"""The table's columns. ``other`` and ``owner`` are members; Lea, the owner, has what the rows ask
for. The trainer trains on printer-a; ``lead`` is an animator who leads the session."""

LOGINS = dict(zip(WHO[1:], ("sam", "lea", "tim", "ali", "ana", "awa", "ada"), strict=True))
_ROLES = {"tim": "trainer", "ali": "animator", "ana": "animator", "awa": "staff", "ada": "admin"}
MINUTE = timedelta(minutes=1)
SIGNED = Consent(Signer.SELF, takes_part=True)
PARENT = Consent(
    Signer.GUARDIAN, takes_part=True, guardian_name="Lea", guardian_phone="06 12 34 56 78"
)


@dataclass
class RightsScene:
    """The lab, everybody's program, and the ids that paths and bodies name."""

    lab: WebLab
    programs: dict[str, Caller]
    ids: dict[str, str]
    file: Path
    kept: sqlite3.Connection

    def __post_init__(self) -> None:
        self.at_first = self.fingerprint()

    def put_back(self) -> None:
        """Let everything be as it was before the first request."""
        with sqlite3.connect(self.file) as live:
            live.execute("PRAGMA synchronous = OFF")
            self.kept.backup(live)
        live.close()
        for machine in self.lab.config.machines:
            self.lab.workshop.say(machine, "idle")
            self.lab.app.extensions["fabctl"].booked_anew(machine)
        self.lab.workshop.asked.clear()

    def fingerprint(self) -> tuple[int, ...]:
        """Return how many rows each table has: whatever is done leaves one in the audit trail."""
        with sqlite3.connect(self.file) as live:
            tables = live.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            counts = ", ".join(f'(SELECT count(*) FROM "{one}")' for (one,) in tables)  # noqa: S608  # our own names
            found: tuple[int, ...] = live.execute(f"SELECT {counts}").fetchone()
        live.close()
        return found


@contextmanager
def rights_scene(folder: Path) -> Iterator[RightsScene]:
    """Yield the whole lab."""
    config, clock = interlocked_config(folder, TWELVE[:4]), ManualClock()
    with web_lab(folder, clock, config) as lab:
        for login in LOGINS.values():
            lab.person(login, role=_ROLES.get(login, "member"), birth_year=1990)
        ids = {"nobody": "nobody", **{login: lab.id_of(login) for login in LOGINS.values()}}
        with lab.db.transaction() as db:
            made = {who: _token(db, lab, ids[login]) for who, login in LOGINS.items()}
        programs = {"nobody": Caller(lab, None)}
        programs |= {who: Caller(lab, token) for who, token in made.items()}
        ids["eve"] = lab.person("eve", role="admin", birth_year=1990).id
        for part in (_people, _training, _booked, _workshops, _upkeep):
            with lab.db.transaction() as db:
                part(db, lab, ids)
        clock.advance(300)
        with lab.db.transaction() as db:
            _five_minutes_later(db, lab, ids)
        ids["job"] = programs["owner"].upload().get_json()["id"]
        file, kept = folder / "lab.db", sqlite3.connect(":memory:")
        with sqlite3.connect(file) as live:
            live.backup(kept)
        live.close()
        try:
            yield RightsScene(lab, programs, ids, file, kept)
        finally:
            kept.close()


def _token(db: Session, lab: WebLab, person: str) -> str:
    return tokens.create_token(db, lab.clock, person_id=person, name="rights")[1]


def _slot(lab: WebLab, after_min: int, minutes: int = 30) -> Slot:
    start = lab.clock.now() + after_min * MINUTE
    return Slot(start, start + minutes * MINUTE)


def _people(db: Session, lab: WebLab, ids: dict[str, str]) -> None:
    clock, zone = lab.clock, lab.config.time_zone
    ids["kid"] = participants.add_participant(
        db, clock, zone, first_name="Tom", birth_year=2016, by=ids["lea"], guardian_id=ids["lea"]
    )
    participants.sign_consent(db, clock, zone, person_id=ids["kid"], form=PARENT, by=ids["lea"])
    for login in LOGINS.values():
        who = ids[login]
        participants.sign_consent(db, clock, zone, person_id=who, form=SIGNED, by=who)
    group = accounts.add_group(db, clock, name="MJC", kind=GroupKind.PARTNER, by=ids["awa"])
    ids["partner"] = group.id
    accounts.set_member(
        db, clock, account_id=group.id, person_id=ids["lea"], may_act=True, by=ids["awa"]
    )
    accounts.set_member(
        db, clock, account_id=group.id, person_id=ids["eve"], may_act=False, by=ids["awa"]
    )


def _training(db: Session, lab: WebLab, ids: dict[str, str]) -> None:
    for login in LOGINS.values():
        level = Level.TRAINER if login == "tim" else Level.AUTONOMOUS
        for machine in lab.config.machines:
            certifications.certify(
                db, lab.clock, person_id=ids[login], resource_id=machine, level=level
            )
    made = courses.create_course(
        db,
        lab.clock,
        wording={"en": Wording("3D printer")},
        resource_ids=["printer-a"],
        by=ids["awa"],
    )
    ids["course"] = made.id
    ids["short"] = courses.create_course(
        db, lab.clock, wording={"en": Wording("Vinyl")}, resource_ids=["printer-a"], by=ids["awa"]
    ).id
    ids["question"] = quiz_making.add_question(
        db,
        lab.clock,
        course_id=made.id,
        wording={"en": QuestionWording("Touch it?", ("Yes", "No"))},
        right=[1],
        by=ids["awa"],
    )


def _booked(db: Session, lab: WebLab, ids: dict[str, str]) -> None:
    clock, zone, lea = lab.clock, lab.config.time_zone, ids["lea"]
    numbers = {"members_series": True, "several_at_once": True, "minors_consent": False}
    policies.set_policy(db, clock, scope=Scope(), numbers=numbers, by=ids["awa"])

    def book(who: str, machine: str, slot: Slot) -> str:
        return bookings.book(
            db, clock, zone, person_id=who, resource_id=machine, start=slot.start, end=slot.end,
            by=who,
        ).id  # fmt: skip

    ids["running"] = book(lea, "printer-a", _slot(lab, 0, 60))
    bookings.check_in(db, clock, reservation_id=ids["running"], by=lea)
    ids["starting"] = book(lea, "printer-b", _slot(lab, 0, 15))
    book(lea, "printer-d", _slot(lab, 0, 60))
    ids["missed"] = book(lea, "printer-b", _slot(lab, 60))
    db.get_one(Reservation, ids["missed"]).no_show_at = clock.now()
    ids["booked"] = book(lea, "printer-b", _slot(lab, 120))
    day = 24 * 60
    every_week = _slot(lab, day)
    report = series.book_series(
        db, clock, zone, person_id=lea, resource_id="printer-b", start=every_week.start,
        end=every_week.end, weeks=2, by=lea,
    )  # fmt: skip
    ids["series"] = report.series_id or ""
    for name, after in (("entry", 2 * day), ("offer", 3 * day)):
        slot = _slot(lab, after)
        taken = book(ids["sam"], "printer-b", slot)
        ids[name] = waiting.join(
            db, clock, zone, person_id=lea, resource_id="printer-b", start=slot.start,
            end=slot.end, by=lea,
        ).id  # fmt: skip
        if name == "offer":
            bookings.cancel(db, clock, zone, reservation_id=taken, by=ids["sam"])
        else:
            ids["sams"] = taken
    feed, ids["secret"] = feeds.create(db, clock, kind=feeds.PERSON, subject=lea, by=lea)
    ids["calendar"] = feed.id
    made = closures.close(
        db, clock, zone, resource_id="printer-b", kind=ClaimKind.CLOSURE, slot=_slot(lab, 5 * day),
        note="paint", by=ids["awa"],
    )  # fmt: skip
    ids["closure"] = made.id
    ids["planned"] = closures.close(
        db, clock, zone, resource_id="printer-c", kind=ClaimKind.MAINTENANCE,
        slot=_slot(lab, 5 * day), note="a new belt", by=ids["awa"],
    ).id  # fmt: skip
    both = ["printer-a", "printer-b"]
    for name, kind in (("seat", ResourceKind.SEAT), ("room", ResourceKind.SPACE)):
        resources.add_resource(
            db, clock, resource_id=name, name=name.title(), kind=kind, by=ids["awa"]
        )
    machines.set_out_of_order(db, clock, resource_id="room", reason="wet paint", by=ids["awa"])
    resources.set_pool(db, clock, pool_id="any", name="Any", members=both, by=ids["awa"])


def _workshops(db: Session, lab: WebLab, ids: dict[str, str]) -> None:
    clock, zone, awa = lab.clock, lab.config.time_zone, ids["awa"]
    shown = workshops.create_workshop(db, clock, title="Découpe", places=8, by=awa)
    ids["workshop"] = shown.id

    def put_on(after_min: int, places: int | None = None, *machines: str) -> str:
        return sessions.schedule(
            db, clock, workshop_id=shown.id, slot=_slot(lab, after_min, 60), places=places,
            resource_ids=machines, animators=[ids["ana"]], by=awa,
        ).id  # fmt: skip

    def enrol(session: str, who: str) -> str:
        made = enrolments.enrol(db, clock, zone, session_id=session, person_ids=[who], by=awa)
        return made[0].id

    ids["session"] = put_on(6 * 24 * 60)
    ids["enrolment"] = enrol(ids["session"], ids["lea"])
    ids["held"] = enrolments.hold_places(
        db, clock, session_id=ids["session"], partner_id=ids["partner"], count=1, by=ids["lea"]
    )[0].id
    full = put_on(7 * 24 * 60, 1)
    first = enrol(full, ids["sam"])
    ids["offered"] = enrol(full, ids["lea"])
    enrolments.cancel_enrolment(db, clock, enrolment_id=first, by=ids["sam"])
    ids["empty"] = put_on(8 * 24 * 60)
    ids["today"] = put_on(0, None, "printer-c")
    ids["present"] = enrol(ids["today"], ids["lea"])


def _upkeep(db: Session, lab: WebLab, ids: dict[str, str]) -> None:
    clock = lab.clock
    badge = badges.add_badge(
        db, clock, SECRET, person_id=ids["lea"], number="0012345678", by=ids["awa"]
    )
    ids["badge"] = badge.id
    made = problems.report_problem(
        db, clock, resource_id="printer-b", summary="It squeaks", by=ids["lea"]
    )
    ids["problem"] = made.id
    task = upkeep_tasks.add_task(
        db, clock, title="Oil it", owner_id=ids["tim"], resource_id="printer-b", by=ids["awa"]
    )
    ids["task"] = task.id
    plan = maintenance.plan_maintenance(
        db, clock, resource_id="printer-b", title="Grease", every_hours=100, owner_id=ids["tim"],
        by=ids["awa"],
    )  # fmt: skip
    ids["plan"] = plan.id


def _five_minutes_later(db: Session, lab: WebLab, ids: dict[str, str]) -> None:
    clock, lea, ana = lab.clock, ids["lea"], ids["ana"]
    use = using.begin_use(
        db, clock, lab.config.time_zone, person_id=lea, resource_id="printer-a",
        machine_state="idle",
    )  # fmt: skip
    using.finish_use(db, clock, use_id=use.id, by=lea)
    ids["use"] = use.id
    using.begin_use(
        db, clock, lab.config.time_zone, person_id=lea, resource_id="printer-d",
        machine_state="idle",
    )  # fmt: skip
    mark = SentMark(ids["present"], Mark("tap-1", clock.now(), Presence.PRESENT))
    attendance.take_marks(db, clock, session_id=ids["today"], marks=[mark], by=ana)
    attendance.set_passed(db, clock, enrolment_id=ids["present"], passed=True, by=ana)
    certificates.award(db, clock, lab.config.time_zone, session_id=ids["today"], by=ana)
    ids["certificate"] = certificates.certificates_of(db, lab.config.time_zone, person_id=lea)[0].id
    ids["notice"] = notices.of_person(db, person_id=lea)[0].id
    certifications.suspend(
        db, clock, person_id=lea, resource_id="printer-c", reason="left a mess", by=ids["awa"]
    )
