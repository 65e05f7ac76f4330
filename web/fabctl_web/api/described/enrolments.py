"""Places in sessions, and those who take them, as the API describes them."""

from __future__ import annotations

from fabctl.model.consent import Signer
from fabctl.model.workshops import EnrolmentState, Via
from fabctl.services.needs import LONGEST_NEEDS
from fabctl_web.api.described.workshops import FLAG, PLACES, REFUSABLE, SESSION
from fabctl_web.api.operations import (
    MALFORMED,
    NOT_FOUND,
    PAGING,
    REFUSED,
    answer,
    operation,
    page_of,
    path_id,
    query,
    sent,
)
from fabctl_web.api.schemas import (
    INSTANT,
    MAYBE_INSTANT,
    MAYBE_TEXT,
    TEXT,
    Json,
    list_of,
    record,
    ref,
)

ENROLMENT = path_id("enrolment", "The enrolment's id.")
PERSON = path_id("person", "The person's id.")
OVERRIDE: Json = TEXT | {
    "description": "The staff's reason to let them in against age range or prerequisites, or for "
    "a suspended group."
}
YEAR: Json = {"type": "integer", "minimum": 1, "maximum": 9999}

PATHS: Json = {
    "/enrolments": {
        "get": operation(
            "listEnrolments",
            "Your places in sessions that are not over, with those of your children and of the "
            "partners you act for.",
            {"200": answer("A page of enrolments.", ref("Enrolments")), "422": MALFORMED},
            parameters=PAGING,
        )
    },
    "/sessions/{session}/enrolments": {
        "parameters": [SESSION],
        "get": operation(
            "listSessionEnrolments",
            "A session's places, in the order in which they came. Those who lead it, and staff.",
            {
                "200": answer("A page of enrolments.", ref("Enrolments")),
                "404": NOT_FOUND,
                "422": MALFORMED,
            },
            parameters=PAGING,
        ),
        "post": operation(
            "enrol",
            "Take places: your own, your children's; staff and animators anybody's. All together "
            "or none. Where the session is full, they wait.",
            {"201": answer("Confirmed, or waiting.", ref("Party"))} | REFUSABLE,
            requestBody=sent("EnrolmentRequest"),
        ),
    },
    "/sessions/{session}/held-places": {
        "parameters": [SESSION],
        "post": operation(
            "holdPlaces",
            "Hold places for a partner, without names. Whoever acts for it, and staff.",
            {"201": answer("Confirmed, or waiting.", ref("Party"))} | REFUSABLE,
            requestBody=sent("HoldRequest"),
        ),
    },
    "/enrolments/{enrolment}": {
        "parameters": [ENROLMENT],
        "get": operation(
            "getEnrolment",
            "One place: for those who decide about it and those who lead the session.",
            {"200": answer("The enrolment.", ref("Enrolment")), "404": NOT_FOUND},
        ),
        "delete": operation(
            "cancelEnrolment",
            "Give a place back, decline one, or leave the waiting list. The next is offered it.",
            {"200": answer("Cancelled.", ref("Enrolment"))} | REFUSABLE,
            parameters=[query("whole_party", "For all who are placed together.", FLAG)],
        ),
    },
    "/enrolments/{enrolment}/accept": {
        "parameters": [ENROLMENT],
        "post": operation(
            "acceptPlace",
            "Accept a place that became free, for the whole party, until its deadline.",
            {
                "200": answer("Confirmed.", ref("Party")),
                "404": NOT_FOUND,
                "409": REFUSED,
            },
        ),
    },
    "/enrolments/{enrolment}/person": {
        "parameters": [ENROLMENT],
        "put": operation(
            "namePlace",
            "Give a partner's place its name, or another one until the session begins.",
            {"200": answer("Named.", ref("Enrolment"))} | REFUSABLE,
            requestBody=sent("NameRequest"),
        ),
    },
    "/enrolments/{enrolment}/needs": {
        "parameters": [ENROLMENT],
        "put": operation(
            "writeNeeds",
            "Note allergies or needs for this session; an empty text takes them back. Only the "
            "staff of the session reads them; they are deleted after it.",
            {
                "200": answer("Kept.", ref("NeedsNoted")),
                "404": NOT_FOUND,
                "422": MALFORMED,
            },
            requestBody=sent("NeedsRequest"),
        ),
    },
    "/sessions/{session}/needs": {
        "parameters": [SESSION],
        "get": operation(
            "readNeeds",
            "What participants need, until the session ends. Those who lead it, and staff; it is "
            "kept who looked.",
            {
                "200": answer("A page of needs.", ref("NeedsList")),
                "404": NOT_FOUND,
                "422": MALFORMED,
            },
            parameters=PAGING,
        ),
    },
    "/participants": {
        "post": operation(
            "addParticipant",
            "Add somebody with a first name and a year of birth: a parent their child, a partner "
            "and the staff anybody.",
            {
                "201": answer("Added.", ref("ParticipantAdded")),
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("ParticipantRequest"),
        )
    },
    "/children": {
        "get": operation(
            "listChildren",
            "Those for whom you enrol and sign.",
            {"200": answer("A page of children.", ref("Children")), "422": MALFORMED},
            parameters=PAGING,
        )
    },
    "/people/{person}/consent": {
        "parameters": [PERSON],
        "get": operation(
            "getConsent",
            "The last form on file: for the person, their guardians, staff and animators; it is "
            "kept which of the staff looked.",
            {"200": answer("The form.", ref("Consent")), "404": NOT_FOUND},
        ),
        "put": operation(
            "signConsent",
            "Put a signed form on record, or take consent back. Under 18 a guardian signs.",
            {"200": answer("On record.", ref("Consent"))} | REFUSABLE,
            requestBody=sent("ConsentRequest"),
        ),
    },
}
_FORM: Json = {
    "signed_by": {"enum": [signer.value for signer in Signer]},
    "takes_part": FLAG | {"description": "False takes consent back."},
    "image_rights": FLAG,
    "guardian_name": TEXT,
    "guardian_phone": TEXT,
}
SCHEMAS: Json = {
    "Enrolment": record(
        {
            "id": TEXT,
            "session": TEXT,
            "person": MAYBE_TEXT | {"description": "Null: a partner gives the name later."},
            "partner": MAYBE_TEXT,
            "party": TEXT | {"description": "The same for all who are placed together."},
            "via": {"enum": [via.value for via in Via]},
            "state": {"enum": [state.value for state in EnrolmentState]},
            "accept_by": MAYBE_INSTANT | {"description": "Until when an offer stands."},
            "made_at": INSTANT,
            "passed": FLAG,
        }
    ),
    "Enrolments": page_of("enrolments", "Enrolment"),
    "Party": record({"enrolments": list_of("Enrolment")}),
    "EnrolmentRequest": record(
        {
            "people": {
                "type": "array",
                "items": TEXT,
                "minItems": 1,
                "description": "Ids; you when not said.",
            },
            "override": OVERRIDE,
        },
        optional=("people", "override"),
    ),
    "HoldRequest": record(
        {
            "partner": TEXT | {"description": "The partner's account."},
            "count": PLACES,
            "override": OVERRIDE,
        },
        optional=("override",),
    ),
    "NameRequest": record({"person": TEXT, "override": OVERRIDE}, optional=("override",)),
    "NeedsRequest": record({"needs": TEXT | {"maxLength": LONGEST_NEEDS}}),
    "NeedsNoted": record({"enrolment": TEXT, "noted": FLAG}),
    "Needs": record({"enrolment": TEXT, "person": MAYBE_TEXT, "needs": TEXT}),
    "NeedsList": page_of("needs", "Needs"),
    "ParticipantRequest": record(
        {
            "first_name": TEXT,
            "birth_year": YEAR,
            "my_child": FLAG | {"description": "You become their guardian."},
        },
        optional=("my_child",),
    ),
    "ParticipantAdded": record({"id": TEXT | {"description": "The person's id."}}),
    "Child": record({"id": TEXT, "first_name": TEXT, "birth_year": {"type": ["integer", "null"]}}),
    "Children": page_of("children", "Child"),
    "ConsentRequest": record(_FORM, optional=("image_rights", "guardian_name", "guardian_phone")),
    "Consent": record({"person": TEXT, **_FORM, "given_at": INSTANT}),
}
