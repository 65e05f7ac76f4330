"""A workshop to try the pages on: one session that runs, one that is full, one in a week."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.orm import Session

from fabctl.model.accounts import GroupKind
from fabctl.model.booking import Slot
from fabctl.model.consent import Consent, Signer
from fabctl.model.people import Role
from fabctl.services import (
    accounts,
    enrolments,
    participants,
    session_changes,
    sessions,
    workshops,
)
from fabctl.services.people import PersonView
from tests.kept_scenes import kept
from tests.web_lab import Browser, WebLab

HOUR = timedelta(hours=1)
SELF = Consent(Signer.SELF, takes_part=True, image_rights=True)
LONG = "Anne-Charlotte de la Rochefoucauld-Montmorency"
NAMES = (LONG, "Bilal", "Chloé", "Driss", "Élise")


@dataclass
class Scene:
    """``ana`` leads (``eve`` does not), ``sasha`` is of the staff; ``pia`` is a mother, ``gil``
    acts for a group, ``mo`` is of age and has signed.
    """

    lab: WebLab
    people: dict[str, PersonView]
    workshop: str
    running: str
    """Runs now, on printer-a and printer-b, with five people and one place without a name."""
    full: str
    """Tomorrow; its one place is taken."""
    coming: str
    """In a week, six places, for 10 to 99 years."""
    child: str = ""
    """Pia's, born in 2013; nobody has signed for her."""
    group: str = ""
    minor: str = ""
    """Élise's id, born in 2009: she has a place in the session that runs, and no consent."""
    places: dict[str, str] = field(default_factory=dict)
    """Places in the session that runs, by name; without a name: empty."""

    def id(self, login: str) -> str:
        """Return a person's id."""
        return self.people[login].id


@kept
def workshop_scene(lab: WebLab) -> Scene:
    """Fill the lab."""
    people = {
        "ana": lab.person("ana", role=Role.ANIMATOR, pin="112233"),
        "eve": lab.person("eve", role=Role.ANIMATOR),
        "sasha": lab.person("sasha", role=Role.STAFF),
        "pia": lab.person("pia", birth_year=1980, pin="223344"),
        "gil": lab.person("gil", birth_year=1985),
        "mo": lab.person("mo", birth_year=2000),
    }
    lab.certify(people["ana"], "printer-a", "printer-b")
    with lab.db.transaction() as db:
        scene = _planned(lab, db, people)
        scene.child = add(scene, db, "Lina", 2013, by="pia", guardian=True)
        scene.group = _group(scene, db)
        for login in ("mo", "gil"):
            sign(scene, db, login)
        _take(scene, db)
    return scene


def add(
    scene: Scene, db: Session, first_name: str, year: int, *, by: str, guardian: bool = False
) -> str:
    """Add somebody with a first name and a year of birth; return their id."""
    return participants.add_participant(
        db,
        scene.lab.clock,
        scene.lab.config.time_zone,
        first_name=first_name,
        birth_year=year,
        by=scene.id(by),
        guardian_id=scene.id(by) if guardian else None,
    )


def sign(scene: Scene, db: Session, login: str) -> None:
    """Let somebody sign for themselves."""
    person = scene.id(login)
    zone = scene.lab.config.time_zone
    participants.sign_consent(db, scene.lab.clock, zone, person_id=person, form=SELF, by=person)


def enrol(scene: Scene, db: Session, session: str, person: str, *, by: str) -> str:
    """Give somebody a place; return its id."""
    zone = scene.lab.config.time_zone
    made = enrolments.enrol(
        db, scene.lab.clock, zone, session_id=session, person_ids=[person], by=scene.id(by)
    )
    return made[0].id


def _planned(lab: WebLab, db: Session, people: dict[str, PersonView]) -> Scene:
    staff, now = people["sasha"].id, lab.clock.now()
    workshop = workshops.create_workshop(
        db,
        lab.clock,
        title="Initiation à l’impression 3D et à la découpe laser pour toutes et tous",
        places=6,
        by=staff,
        description="On dessine un porte-clés.\nOn l’imprime.",
        bring="Une idée et des vêtements qui ne craignent rien.",
        price_cents=1250,
        age_least=10,
        age_most=99,
    ).id

    def plan(starts_in: timedelta, places: int, *machines: str) -> str:
        start = now + starts_in
        return sessions.schedule(
            db,
            lab.clock,
            workshop_id=workshop,
            slot=Slot(start, start + 2 * HOUR),
            resource_ids=machines,
            animators=[people["ana"].id],
            places=places,
            by=staff,
        ).id

    return Scene(
        lab,
        people,
        workshop,
        running=plan(HOUR, 8, "printer-a", "printer-b"),
        full=plan(24 * HOUR, 1),
        coming=plan(7 * 24 * HOUR, 6, "printer-a"),
    )


def _group(scene: Scene, db: Session) -> str:
    clock, staff = scene.lab.clock, scene.id("sasha")
    kind = GroupKind.PARTNER
    group = accounts.add_group(db, clock, name="Mission locale du bassin", kind=kind, by=staff).id
    accounts.set_member(
        db, clock, account_id=group, person_id=scene.id("gil"), may_act=True, by=staff
    )
    return group


def _take(scene: Scene, db: Session) -> None:
    for number, name in enumerate(NAMES):
        person = add(scene, db, name, 2005 + number, by="ana")
        scene.places[name] = enrol(scene, db, scene.running, person, by="ana")
        scene.minor = person  # the last one
    scene.places["Mo"] = enrol(scene, db, scene.full, scene.id("mo"), by="mo")
    for session in (scene.running, scene.coming):
        made = enrolments.hold_places(
            db,
            scene.lab.clock,
            session_id=session,
            partner_id=scene.group,
            count=1,
            by=scene.id("sasha"),
            override="Convention",
        )
        if session == scene.running:
            scene.places[""] = made[0].id
    start = scene.lab.clock.now() - HOUR / 4  # a group holds places beforehand only
    slot = Slot(start, start + 2 * HOUR)
    by = scene.id("sasha")
    session_changes.change(db, scene.lab.clock, session_id=scene.running, slot=slot, by=by)


# -- at a browser


def signed(scene: Scene, login: str, address: str | None = None) -> Browser:
    """Return a browser at which somebody is signed in."""
    browser = scene.lab.browser(address) if address else scene.lab.browser()
    browser.sign_in(login)
    return browser


def text(browser: Browser, path: str) -> str:
    """Return a page that must be there."""
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def send(browser: Browser, path: str, page: str, **fields: object) -> None:
    """Send a form that must be accepted."""
    answer = browser.post(path, fields, page=page)
    assert answer.status_code == 303, answer.get_data(as_text=True)
