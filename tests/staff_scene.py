"""A lab in the morning: people who work, come, and did not come; machines that ask for somebody."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.orm import Session

from fabctl.clock import ManualClock
from fabctl.model.accounts import GroupKind
from fabctl.model.booking_slots import Slot
from fabctl.model.consent import Consent, Signer
from fabctl.model.notice import Code
from fabctl.model.people import Role
from fabctl.model.person_rights import PersonRight
from fabctl.model.upkeep import ProblemKind
from fabctl.services import (
    accounts,
    bookings,
    certifications,
    mail_queue,
    maintenance,
    noshows,
    notices,
    participants,
    people,
    people_desk,
    person_rights,
    presence,
    problems,
    resource_desk,
    upkeep_tasks,
    using,
    wrong_tries,
)
from fabctl.services.booking_record import write
from fabctl.services.notices import About
from tests.kept_scenes import kept
from tests.training_scene import LONG, training_scene
from tests.web_lab import WebLab

HOUR = timedelta(hours=1)
SCRIPT = "<script>alert(1)</script>"


@dataclass
class Morning:
    """``sasha`` is of the staff, ``root`` an admin; ``karim`` trains; ``lou`` is a child of
    ``mia``; ``late`` did not come; ``noemie`` waits for a check.
    """

    lab: WebLab
    people: dict[str, str] = field(default_factory=dict)
    """Ids by login."""
    problem: str = ""
    task: str = ""
    plan: str = ""
    missed: str = ""
    """A reservation to which nobody came."""
    begun: str = ""
    """One whose time has begun, and nobody is there yet."""
    group: str = ""


@kept
def morning(lab: WebLab, words: str = "La buse est bouchée, et elle fait un bruit.") -> Morning:
    """Fill the lab. ``words`` are what people write."""
    training_scene(lab)
    scene = Morning(lab)
    scene.people["root"] = lab.person("root", role=Role.ADMIN).id
    for login in ("mia", "late"):
        scene.people[login] = lab.certified(login).id
    for login in ("sasha", "karim", "noemie", "omar"):
        scene.people[login] = lab.id_of(login)
    with lab.db.transaction() as db:
        _people(scene, db)
        _bookings(scene, db)
        _machines(scene, db, words)
        _mail(scene, db)
    return scene


def _people(scene: Morning, db: Session) -> None:
    lab, staff, root = scene.lab, scene.people["sasha"], scene.people["root"]
    zone, year = lab.config.time_zone, lab.clock.now().year
    scene.people["lou"] = participants.add_participant(
        db, lab.clock, zone, first_name="Lou", birth_year=year - 12, by=staff,
        guardian_id=scene.people["mia"],
    )  # fmt: skip
    form = Consent(
        Signer.GUARDIAN, takes_part=True, image_rights=False, guardian_name="Mia",
        guardian_phone="06 00 00 00 00",
    )  # fmt: skip
    participants.sign_consent(
        db, lab.clock, zone, person_id=scene.people["lou"], form=form, by=scene.people["mia"]
    )
    participants.consent_for(db, lab.clock, person_id=scene.people["lou"], by=staff)
    scene.people["long"] = people.add_person(db, lab.clock, display_name=LONG, by=root).id
    people_desk.suspend(
        db, lab.clock, person_id=scene.people["long"], by=staff,
        reason="N’a pas rendu la clé de la découpe laser, malgré trois demandes.",
    )  # fmt: skip
    person_rights.give(
        db, lab.clock, person_id=scene.people["mia"], right=PersonRight.AFTER_HOURS, by=staff
    )
    scene.group = accounts.add_group(
        db, lab.clock, name="Association des couturières et couturiers du quartier",
        kind=GroupKind.ASSOCIATION, by=staff,
    ).id  # fmt: skip
    for login, acts in (("mia", True), ("long", False)):
        accounts.set_member(
            db, lab.clock, account_id=scene.group, person_id=scene.people[login], may_act=acts,
            by=staff,
        )  # fmt: skip
    presence.check_in(db, lab.clock, person_id=scene.people["mia"], by=staff)
    for _ in range(5):
        wrong_tries.count_wrong(db, lab.clock, "pin", "192.168.1.40")


def _bookings(scene: Morning, db: Session) -> None:
    lab, now = scene.lab, scene.lab.clock.now()
    zone, early = lab.config.time_zone, ManualClock(now - 2 * HOUR)
    late, mia, root = scene.people["late"], scene.people["mia"], scene.people["root"]
    slot = Slot(now - 2 * HOUR, now - timedelta(minutes=30))
    scene.missed = write(db, early, slot, "printer-b", person_id=late, by=late).id
    noshows.catch_up(db, lab.clock, zone)
    slot = Slot(now - timedelta(minutes=5), now + HOUR)
    scene.begun = write(db, lab.clock, slot, "printer-b", person_id=late, by=late).id
    certifications.certify(db, early, person_id=root, resource_id="printer-a")
    write(db, early, Slot(early.now(), now + HOUR), "printer-a", person_id=root, by=root)
    using.begin_use(db, early, zone, person_id=root, resource_id="printer-a", machine_state="idle")
    bookings.book(
        db, lab.clock, zone, person_id=mia, resource_id="printer-b",
        start=now + 2 * HOUR, end=now + 3 * HOUR, by=mia,
    )  # fmt: skip


def _machines(scene: Morning, db: Session, words: str) -> None:
    lab, staff = scene.lab, scene.people["sasha"]
    now = lab.clock.now()
    scene.problem = problems.report_problem(
        db, lab.clock, resource_id="printer-a", summary=words, details=words,
        kind=ProblemKind.DAMAGED, by=scene.people["mia"],
    ).id  # fmt: skip
    resource_desk.put_out_of_order(
        db, lab.clock, resource_id="printer-b", reason=words, next_step="La pièce arrive vendredi",
        by=staff,
    )  # fmt: skip
    scene.task = upkeep_tasks.add_task(
        db, lab.clock, title="Commander du filament PLA et deux buses de rechange", details=words,
        owner_id=staff, due_at=now - HOUR, by=staff,
    ).id  # fmt: skip
    scene.plan = maintenance.plan_maintenance(
        db, ManualClock(now - 3 * HOUR), resource_id="printer-a", title="Graisser les axes",
        every_hours=1, owner_id=scene.people["karim"], instructions=words, by=staff,
    ).id  # fmt: skip


def _mail(scene: Morning, db: Session) -> None:
    lab, omar = scene.lab, scene.people["omar"]
    mail_queue.set_wish(
        db, lab.clock, person_id=omar, address="omar@example.org", wanted=True, by=omar
    )
    notices.tell(db, lab.clock, omar, Code.TASK_GIVEN, About())
    mail_queue.queue_up(db, lab.clock)
    errand = mail_queue.take(db, lab.clock)
    assert errand is not None
    mail_queue.note_refused(db, lab.clock, mail_id=errand.id, trouble="550 no such user")
