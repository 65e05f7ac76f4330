"""Policies, as the API describes them."""

from __future__ import annotations

from fabctl.model.booking_policy import NUMBERS, Kind, Number, Reach
from fabctl_web.api.operations import (
    MALFORMED,
    NOT_FOUND,
    PAGING,
    REFUSED,
    answer,
    operation,
    page_of,
    query,
    sent,
)
from fabctl_web.api.schemas import COUNT, INSTANT, MAYBE_TEXT, TEXT, Json, record, ref

REACH: Json = {"enum": [reach.value for reach in Reach]}
_SUBJECT = "A category's name or a resource's id; nothing for the lab."


def _number(number: Number) -> Json:
    if number.kind is Kind.YES_NO:
        return {"type": "boolean"}
    kind: Json = {"type": ["integer", "null"] if number.may_be_none else "integer"}
    return kind | {"minimum": number.least, "maximum": number.most}


PATHS: Json = {
    "/policies": {
        "get": operation(
            "listPolicies",
            "The numbers of booking's rules that were set; the most specific wins.",
            {
                "200": answer("A page of policies.", page_of("policies", "Policy")),
                "422": MALFORMED,
            },
            parameters=PAGING,
        ),
        "put": operation(
            "setPolicy",
            "Set all numbers of the lab, a category or a resource; one left out inherits.",
            {
                "200": answer("As it is now.", ref("Policy")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("PolicyWanted"),
        ),
    },
    "/policies/versions": {
        "get": operation(
            "listPolicyVersions",
            "What one policy's numbers were, the newest first. The staff.",
            {
                "200": answer("A page of versions.", page_of("versions", "PolicyVersion")),
                "422": MALFORMED,
            },
            parameters=[
                query("reach", "Of what.", REACH, required=True),
                query("subject", _SUBJECT, TEXT),
                *PAGING,
            ],
        )
    },
}
SCHEMAS: Json = {
    "PolicyNumbers": {
        "type": "object",
        "properties": {name: _number(number) for name, number in NUMBERS.items()},
        "additionalProperties": False,
    },
    "Policy": record(
        {
            "reach": REACH,
            "subject": MAYBE_TEXT,
            "numbers": ref("PolicyNumbers"),
            "version": COUNT,
            "changed_at": INSTANT,
        }
    ),
    "PolicyWanted": record(
        {
            "reach": REACH,
            "subject": MAYBE_TEXT | {"description": _SUBJECT},
            "numbers": ref("PolicyNumbers"),
        },
        optional=("subject",),
    ),
    "PolicyVersion": record(
        {
            "version": COUNT,
            "numbers": {"type": "object"},
            "at": INSTANT,
            "who": MAYBE_TEXT,
        }
    ),
}
