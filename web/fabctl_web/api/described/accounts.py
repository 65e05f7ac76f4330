"""Accounts and rights, as the API describes them."""

from __future__ import annotations

from fabctl.model.accounts import NAME_MOST, GroupKind
from fabctl.model.person_rights import PersonRight
from fabctl_web.api.described.people import PERSON
from fabctl_web.api.described.policies import REACH
from fabctl_web.api.operations import (
    MALFORMED,
    NOT_FOUND,
    PAGING,
    REFUSED,
    answer,
    nothing,
    operation,
    page_of,
    path_id,
    query,
    sent,
)
from fabctl_web.api.schemas import (
    FILLED,
    INSTANT,
    MAYBE_INSTANT,
    MAYBE_TEXT,
    TEXT,
    Json,
    record,
    ref,
)

ACCOUNT = path_id("account", "The account's id.")
KIND: Json = {"enum": [kind.value for kind in GroupKind]}
RIGHT: Json = {"enum": [right.value for right in PersonRight]}
_SUBJECT = "A category's name or a resource's id; nothing for the lab."
_ONE = answer("The account as it is now.", ref("Account"))
_PAGE = answer("A page of accounts.", page_of("accounts", "Account"))

PATHS: Json = {
    "/me/accounts": {
        "get": operation(
            "listMyAccounts",
            "Your own account, and those of your groups.",
            {"200": _PAGE, "422": MALFORMED},
            parameters=PAGING,
        )
    },
    "/accounts": {
        "get": operation(
            "listGroups",
            "The accounts of groups. The staff and animators.",
            {"200": _PAGE, "422": MALFORMED},
            parameters=PAGING,
        ),
        "post": operation(
            "addGroup",
            "Open an account for a collective, a partner or an association. The staff, animators.",
            {"201": answer("Opened.", ref("Account")), "409": REFUSED, "422": MALFORMED},
            requestBody=sent("GroupWanted"),
        ),
    },
    "/accounts/{account}": {
        "parameters": [ACCOUNT],
        "get": operation(
            "getAccount",
            "One account: your own, or one of a group that you belong to; the staff any.",
            {"200": _ONE, "404": NOT_FOUND},
        ),
    },
    "/accounts/{account}/members": {
        "parameters": [ACCOUNT],
        "get": operation(
            "listMembers",
            "Who belongs to a group, and who acts for it. Its members and the staff.",
            {
                "200": answer("A page of members.", page_of("members", "Member")),
                "404": NOT_FOUND,
                "422": MALFORMED,
            },
            parameters=PAGING,
        ),
    },
    "/accounts/{account}/members/{person}": {
        "parameters": [ACCOUNT, PERSON],
        "put": operation(
            "setMember",
            "Make a person a member, and say whether they act for the group. Staff, animators.",
            {
                "200": answer("The member as they are now.", ref("Member")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": MALFORMED,
            },
            requestBody=sent("MemberWanted"),
        ),
        "delete": operation(
            "removeMember",
            "End a membership. The staff and animators; members leave themselves.",
            {"204": nothing("They do not belong to it."), "404": NOT_FOUND, "409": REFUSED},
        ),
    },
    "/accounts/{account}/suspend": {
        "parameters": [ACCOUNT],
        "post": operation(
            "suspendGroup",
            "Suspend a group's account: nothing is charged to it, its slots cannot be used.",
            {"200": _ONE, "404": NOT_FOUND, "409": REFUSED, "422": MALFORMED},
            requestBody=sent("ReasonGiven"),
        ),
    },
    "/accounts/{account}/reinstate": {
        "parameters": [ACCOUNT],
        "post": operation(
            "reinstateGroup",
            "Put a group's account in order again.",
            {"200": _ONE, "404": NOT_FOUND, "409": REFUSED},
        ),
    },
    "/people/{person}/rights": {
        "parameters": [PERSON],
        "get": operation(
            "listRights",
            "What a person may do beyond the policies: after hours, without a reservation.",
            {
                "200": answer("A page of rights.", page_of("rights", "Right")),
                "404": NOT_FOUND,
                "422": MALFORMED,
            },
            parameters=PAGING,
        ),
        "put": operation(
            "giveRight",
            "Give a person a right for the lab, a category or a resource. The staff.",
            {"200": answer("Given.", ref("Right")), "404": NOT_FOUND, "422": MALFORMED},
            requestBody=sent("RightWanted"),
        ),
        "delete": operation(
            "takeRight",
            "Take a right back. The staff.",
            {"204": nothing("They do not hold it."), "404": NOT_FOUND, "422": MALFORMED},
            parameters=[
                query("right", "Which.", RIGHT, required=True),
                query("reach", "Where it counts; the lab when not said.", REACH),
                query("subject", _SUBJECT, FILLED),
            ],
        ),
    },
}

SCHEMAS: Json = {
    "Account": record(
        {
            "id": TEXT,
            "name": TEXT,
            "kind": {"enum": [*KIND["enum"], None], "description": "Null: a person's own."},
            "person": MAYBE_TEXT | {"description": "Whose own it is; null for a group's."},
            "created_at": INSTANT,
            "suspended_at": MAYBE_INSTANT,
            "suspended_reason": MAYBE_TEXT,
        }
    ),
    "GroupWanted": record({"name": FILLED | {"maxLength": NAME_MOST}, "kind": KIND}),
    "Member": record(
        {"person": TEXT, "name": TEXT, "may_act": {"type": "boolean"}, "since": INSTANT}
    ),
    "MemberWanted": record(
        {
            "may_act": {
                "type": "boolean",
                "description": "Whether reservations they make may be charged to the group.",
            }
        }
    ),
    "Right": record(
        {"right": RIGHT, "reach": REACH, "subject": MAYBE_TEXT, "until": MAYBE_INSTANT}
    ),
    "RightWanted": record(
        {
            "right": RIGHT,
            "reach": REACH,
            "subject": MAYBE_TEXT | {"description": _SUBJECT},
            "until": MAYBE_INSTANT | {"description": "The first moment without it; null: no end."},
        },
        optional=("reach", "subject", "until"),
    ),
}
