"""A lab in which every text that people can write is a script, and every address has something."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import cast

from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from fabctl.model.accounts import GroupKind
from fabctl.model.booking import Slot
from fabctl.model.booking_facts import ClaimKind
from fabctl.model.certification import Level
from fabctl.model.consent import Consent, Signer
from fabctl.model.people import Role
from fabctl.model.screens import ScreenSettings
from fabctl.services import (
    accounts,
    badges,
    bookings,
    certifications,
    closures,
    enrolments,
    feeds,
    jobs,
    needs,
    participants,
    people,
    problems,
    resource_desk,
    screens,
    session_notes,
    sessions,
    tokens,
    upkeep_tasks,
    workshops,
)
from fabctl.services.people import PersonView
from fabctl_web.pages import is_page
from tests.web_lab import GOOD_FILE, OUTSIDE, SECRET, Browser, WebLab
from tests.workshop_scene import Scene, workshop_scene
from tests.written_scene import write_more, write_on_a_machine

KIOSK = "127.0.0.1"
HOUR = timedelta(hours=1)
_ARGUMENT = re.compile(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>")


def script(tag: str) -> str:
    """Return a script that says which text it was."""
    return f"\"'><img src=x onerror=alert({tag})>"


def shown(tag: str) -> str:
    """Return how a page must show it."""
    return f"&lt;img src=x onerror=alert({tag})&gt;"


@dataclass
class SecurityScene:
    """``camille`` has everything; ``sam`` nothing; ``awa`` is an admin, ``ana`` leads sessions,
    ``karim`` trains on printer-a."""

    workshops: Scene
    camille: PersonView
    names: dict[str, str] = field(default_factory=dict)
    """What stands for the arguments of addresses; Camille's, where it is somebody's."""
    paths: dict[str, str] = field(default_factory=dict)
    """The addresses of rules whose arguments do not go with those of others."""
    more: list[str] = field(default_factory=list)
    """Pages that show what those of :attr:`names` do not have."""
    tags: set[str] = field(default_factory=set)

    @property
    def lab(self) -> WebLab:
        """The lab."""
        return self.workshops.lab

    def script(self, tag: str) -> str:
        """Return a script, and remember that pages must show it as text."""
        self.tags.add(tag)
        return script(tag)

    def browser(self, login: str, address: str = OUTSIDE) -> Browser:
        """Return a browser, at a desk unless said otherwise; an empty login is nobody."""
        browser = self.lab.browser(address)
        if login:
            assert browser.sign_in(login).location == "/", f"{login} is nobody"
        return browser

    def addresses(self, method: str) -> list[str]:
        """Return every address of the pages (not of the API) that takes a method."""
        rules = self.lab.app.url_map.iter_rules()
        found = {
            self._address(rule)
            for rule in rules
            if method in (rule.methods or set()) and not rule.rule.startswith("/api/")
        }
        return sorted(found - {"/events"})  # a stream, without an end

    def pages(self) -> list[str]:
        """Return the address of every registered page."""
        rules = self.lab.app.url_map.iter_rules()
        return sorted({self._address(rule) for rule in rules if is_page(rule.endpoint)})

    def _address(self, rule: Rule) -> str:
        if rule.rule in self.paths:
            return self.paths[rule.rule]
        return _ARGUMENT.sub(lambda one: self.names.get(one[1], "x"), rule.rule)


def security_scene(lab: WebLab) -> SecurityScene:
    """Fill the lab."""
    inner = workshop_scene(lab)
    lab.person("sam", birth_year=1990)
    lab.person("awa", role="admin")
    scene = SecurityScene(inner, lab.certified("camille", birth_year=1990, pin="482915"))
    karim = lab.person("karim", role=Role.TRAINER)
    with lab.db.transaction() as db:
        certifications.certify(
            db, lab.clock, person_id=karim.id, resource_id="printer-a", level=Level.TRAINER
        )
        _people(scene, db)
        _machines(scene, db)
        _workshops(scene, db)
        _screens(scene, db)
        write_more(scene, db)
    failed = _sent(scene, "0")
    with lab.db.transaction() as db:
        write_on_a_machine(scene, db, failed)
    scene.names |= {"machine": "printer-a", "resource": "printer-b", "job": _sent(scene, "1")}
    consent = f"/workshops/{inner.running}/consent/{inner.minor}"
    scene.paths["/workshops/<session>/consent/<person>"] = consent
    _stick(scene)
    scene.more = [f"/workshops/{inner.running}/console", "/staff/resources/printer-a"]
    scene.names |= {"reach": "resource", "subject": "printer-a", "day": "2026-11-24"}
    scene.names |= {"time": "10:00", "version": "0", "name": "app.css"}
    lab.workshop.say("printer-a", "paused", job="j", waiting=scene.script("2"))
    return scene


def _stick(scene: SecurityScene) -> None:
    """Plug a stick in beside the shared screen."""
    folder = scene.lab.config.data_directory.parent / "stick"
    folder.mkdir()
    (folder / f"{scene.script('45')}.gcode").write_bytes(GOOD_FILE)
    cast("dict[str, Path]", scene.lab.config.web.stick_folders)[KIOSK] = folder


def _sent(scene: SecurityScene, tag: str) -> str:
    """Let Camille send a file with a script as its name; return the job's id."""
    camille = scene.browser("camille")
    name = scene.script(tag).replace('"', "")  # of a header, it would end the name
    camille.upload(GOOD_FILE, f"{name}.gcode", page="/m/printer-a")
    with scene.lab.db.reading() as db:
        return jobs.jobs_of_person(db, person_id=scene.camille.id)[0].id


def _people(scene: SecurityScene, db: Session) -> None:
    lab, person, staff = scene.lab, scene.camille.id, scene.workshops.id("sasha")
    row = people.add_person(db, lab.clock, display_name=scene.script("3"))
    reason = scene.script("4")
    people.set_suspended(db, lab.clock, person_id=row.id, reason=reason, by=staff)
    start = lab.clock.now() + 24 * HOUR
    made = bookings.book(
        db, lab.clock, lab.config.time_zone, person_id=person, resource_id="printer-b",
        start=start, end=start + HOUR, by=person,
    )  # fmt: skip
    token, _ = tokens.create_token(db, lab.clock, person_id=person, name=scene.script("5"))
    feeds.create(db, lab.clock, kind=feeds.PERSON, subject=person, by=person)
    kind = GroupKind.PARTNER
    group = accounts.add_group(db, lab.clock, name=scene.script("6"), kind=kind, by=staff)
    accounts.set_member(
        db, lab.clock, account_id=group.id, person_id=person, may_act=True, by=staff
    )
    scene.names |= {"person": row.id, "reservation": made.id, "token": token.id, "group": group.id}


def _machines(scene: SecurityScene, db: Session) -> None:
    lab, staff = scene.lab, scene.workshops.id("sasha")
    report = problems.report_problem(
        db, lab.clock, resource_id="printer-a", summary=scene.script("7"),
        details=scene.script("8"), by=scene.camille.id,
    )  # fmt: skip
    resource_desk.put_out_of_order(
        db, lab.clock, resource_id="printer-b", reason=scene.script("9"),
        next_step=scene.script("10"), by=staff,
    )  # fmt: skip
    task = upkeep_tasks.add_task(
        db, lab.clock, title=scene.script("11"), details=scene.script("12"), owner_id=staff,
        resource_id="printer-b", by=staff,
    )  # fmt: skip
    start = lab.clock.now() + 72 * HOUR
    closed = closures.close(
        db, lab.clock, lab.config.time_zone, resource_id="printer-b", kind=ClaimKind.CLOSURE,
        slot=Slot(start, start + HOUR), note=scene.script("13"), by=staff,
    )  # fmt: skip
    scene.names |= {"problem": report.id, "task": task.id, "closure": closed.id}


def _workshops(scene: SecurityScene, db: Session) -> None:
    lab, inner = scene.lab, scene.workshops
    made = workshops.create_workshop(
        db, lab.clock, title=scene.script("14"), places=4, by=inner.id("sasha"),
        description=scene.script("15"), bring=scene.script("16"),
    )  # fmt: skip
    scene.names["workshop"] = made.id
    start = lab.clock.now() + 5 * 24 * HOUR
    own = sessions.schedule(
        db, lab.clock, workshop_id=made.id, slot=Slot(start, start + HOUR), resource_ids=(),
        animators=[inner.id("ana")], places=3, by=inner.id("sasha"),
    )  # fmt: skip
    person, zone = scene.camille.id, lab.config.time_zone
    form = Consent(Signer.SELF, takes_part=True, image_rights=False)
    participants.sign_consent(db, lab.clock, zone, person_id=person, form=form, by=person)
    (place,) = enrolments.enrol(
        db, lab.clock, zone, session_id=own.id, person_ids=[person], by=person
    )
    needs.write_needs(db, lab.clock, enrolment_id=place.id, needs=scene.script("17"), by=person)
    session_notes.write(
        db, lab.clock, session_id=own.id, words=scene.script("18"), by=inner.id("ana")
    )
    scene.names |= {"session": own.id, "enrolment": place.id}


def _screens(scene: SecurityScene, db: Session) -> None:
    lab, staff = scene.lab, scene.workshops.id("sasha")
    wanted = ScreenSettings(scene.script("19"), home=f"/{scene.script('29')}")
    screens.add_screen(db, lab.clock, screen_id="entree", wanted=wanted, by=staff)
    badge = badges.add_badge(
        db, lab.clock, SECRET, person_id=scene.camille.id, number="0012345678", by=staff
    )
    scene.names |= {"screen": "entree", "badge": badge.id}
