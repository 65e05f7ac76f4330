"""Workshops, sessions, enrolments and attendance as JSON."""

from __future__ import annotations

from fabctl.services.attendance import MarkAnswer, SheetRow
from fabctl.services.certificates import AwardReport, CertificateView
from fabctl.services.enrolment_lists import EnrolmentView
from fabctl.services.needs import NeedsView
from fabctl.services.participants import ChildView, ConsentView
from fabctl.services.sessions import SeriesReport
from fabctl.services.workshops import SessionView, WorkshopView
from fabctl_web.api.schemas import Json
from fabctl_web.api.shape import instant, refusal_json


def workshop_key(found: WorkshopView) -> tuple[str, ...]:
    """Return what orders workshops: their title."""
    return (found.title, found.id)


def workshop_json(found: WorkshopView) -> Json:
    """Return a workshop as its poster says it."""
    return {
        "id": found.id,
        "title": found.title,
        "description": found.description,
        "bring": found.bring,
        "places": found.places,
        "price_cents": found.price_cents,
        "age_least": found.age_least,
        "age_most": found.age_most,
        "accept_hours": found.accept_hours,
        "consent_needed": found.consent_needed,
        "course": found.course_id,
        "retired_at": instant(found.retired_at),
    }


def session_key(found: SessionView) -> tuple[str, ...]:
    """Return what orders sessions: their begin."""
    return (found.start.isoformat(), found.id)


def session_json(found: SessionView, *, staff: bool) -> Json:
    """Return a session; who leads it is shown to staff and animators only."""
    return {
        "id": found.id,
        "workshop": found.workshop_id,
        "title": found.title,
        "start": instant(found.start),
        "end": instant(found.end),
        "places": found.places,
        "free": found.free,
        "waiting": found.waiting,
        "resources": list(found.resource_ids),
        "animators": list(found.animators) if staff else None,
        "series": found.series_id,
        "cancelled_at": instant(found.cancelled_at),
    }


def series_json(report: SeriesReport) -> Json:
    """Return what became of a series."""
    return {
        "sessions": [session_json(one, staff=True) for one in report.made],
        "refused": [
            {
                "day": one.day.isoformat(),
                "refusals": [refusal_json(refusal) for refusal in one.refusals],
            }
            for one in report.refused
        ],
    }


def enrolment_json(found: EnrolmentView) -> Json:
    """Return a place, held or waited for."""
    return {
        "id": found.id,
        "session": found.session_id,
        "person": found.person_id,
        "partner": found.partner_id,
        "party": found.party_id,
        "via": found.via.value,
        "state": found.state.value,
        "accept_by": instant(found.accept_by),
        "made_at": instant(found.made_at),
        "passed": found.passed,
    }


def child_json(found: ChildView) -> Json:
    """Return somebody for whom the caller signs."""
    return {"id": found.id, "first_name": found.first_name, "birth_year": found.birth_year}


def consent_json(found: ConsentView) -> Json:
    """Return the last form on file."""
    return {
        "person": found.person_id,
        "signed_by": found.form.signed_by.value,
        "takes_part": found.form.takes_part,
        "image_rights": found.form.image_rights,
        "guardian_name": found.form.guardian_name,
        "guardian_phone": found.form.guardian_phone,
        "given_at": instant(found.given_at),
    }


def needs_json(found: NeedsView) -> Json:
    """Return what a participant needs; for the staff of the session only."""
    return {"enrolment": found.enrolment_id, "person": found.person_id, "needs": found.needs}


def sheet_json(row: SheetRow) -> Json:
    """Return one line of the sheet; for those who lead the session only."""
    return {
        "enrolment": row.enrolment_id,
        "person": row.person_id,
        "name": row.name,
        "partner": row.partner,
        "birth_year": row.birth_year,
        "presence": row.presence.value if row.presence else None,
        "consent": row.consent,
        "image_rights": row.image_rights,
        "guardian_name": row.guardian_name,
        "guardian_phone": row.guardian_phone,
        "passed": row.passed,
    }


def mark_json(answer: MarkAnswer) -> Json:
    """Return what became of one mark."""
    return {
        "id": answer.mark_id,
        "new": answer.new,
        "refusals": [refusal_json(one) for one in answer.refusals],
    }


def certificate_json(found: CertificateView) -> Json:
    """Return what stands on a certificate."""
    return {
        "id": found.id,
        "person": found.person_id,
        "name": found.name,
        "title": found.title,
        "held_on": found.held_on.isoformat(),
        "hours": found.hours,
        "issued_at": instant(found.issued_at),
    }


def award_json(report: AwardReport) -> Json:
    """Return what one gesture did."""
    return {
        "certificates": [certificate_json(one) for one in report.certificates],
        "certified": list(report.certified),
        "refused": [
            {"person": person, "refusals": [refusal_json(one) for one in found]}
            for person, found in report.refused.items()
        ],
    }
