"""A workshop to try things on: a session tomorrow, an animator, people of several ages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fabctl.model.booking import Slot
from fabctl.model.consent import Consent, Signer
from fabctl.services import enrolments, participants, people, sessions, workshops
from fabctl.services.enrolment_lists import EnrolmentView, enrolments_of
from tests.servers.store.conftest import Lab

PARIS = ZoneInfo("Europe/Paris")
HOUR = timedelta(hours=1)
SIGNED = Consent(Signer.SELF, takes_part=True, image_rights=True)
PARENT = Consent(
    Signer.GUARDIAN, takes_part=True, guardian_name="Fatou N.", guardian_phone="06 12 34 56 78"
)


@dataclass
class Scene:
    """One workshop with one session; ``ali`` leads it, Awa is of the staff."""

    lab: Lab
    workshop: str
    meeting: str
    slot: Slot
    ali: str

    def adult(self, name: str = "Zoé") -> str:
        """Add somebody of age who has signed."""
        with self.lab.database.transaction() as session:
            person = people.add_person(
                session, self.lab.clock, display_name=name, birth_year=1990
            ).id
            participants.sign_consent(
                session, self.lab.clock, PARIS, person_id=person, form=SIGNED, by=person
            )
        return person

    def child(self, guardian: str, name: str = "Tom", *, signed: bool = True) -> str:
        """Add a child of ten with a guardian."""
        with self.lab.database.transaction() as session:
            person = participants.add_participant(
                session,
                self.lab.clock,
                PARIS,
                first_name=name,
                birth_year=2016,
                by=guardian,
                guardian_id=guardian,
            )
            if signed:
                participants.sign_consent(
                    session, self.lab.clock, PARIS, person_id=person, form=PARENT, by=guardian
                )
        return person

    def enrol(self, *people_ids: str, by: str | None = None, **how: Any) -> list[EnrolmentView]:
        """Enrol people, by the first of them unless said otherwise."""
        with self.lab.database.transaction() as session:
            return enrolments.enrol(
                session,
                self.lab.clock,
                PARIS,
                session_id=self.meeting,
                person_ids=people_ids,
                by=by or people_ids[0],
                **how,
            )

    def states(self) -> list[str]:
        """Return the states of all live enrolments, in the order in which they came."""
        with self.lab.database.reading() as session:
            found = enrolments_of(session, session_id=self.meeting)
        return [one.state.value for one in found]


def put_on(lab: Lab, *, places: int = 2, resources: tuple[str, ...] = (), **poster: Any) -> Scene:
    """Put on a workshop with one session, tomorrow from 10 to 12 in Paris."""
    start = lab.clock.now() + 24 * HOUR
    slot = Slot(start, start + 2 * HOUR)
    with lab.database.transaction() as session:
        ali = people.add_person(session, lab.clock, display_name="Ali", role="animator").id
        workshop = workshops.create_workshop(
            session, lab.clock, title="Atelier découpe", places=places, by=lab.awa, **poster
        ).id
        meeting = sessions.schedule(
            session,
            lab.clock,
            workshop_id=workshop,
            slot=slot,
            resource_ids=resources,
            animators=[ali],
            by=lab.awa,
        ).id
    return Scene(lab, workshop, meeting, slot, ali)


BORN = date(2008, 11, 24)
"""18 on the day of the session."""
