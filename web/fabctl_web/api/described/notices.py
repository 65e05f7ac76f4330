"""Notices and mail, as the API describes them."""

from __future__ import annotations

from fabctl.model.mail import TROUBLES
from fabctl.model.notice import Code
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
    COUNT,
    INSTANT,
    MAYBE_INSTANT,
    MAYBE_TEXT,
    TEXT,
    Json,
    record,
    ref,
)

NOTICE = path_id("notice", "The notice's id.")
PERSON = path_id("person", "The person's id.")
UNREAD = query("unread", "true: only those that you have not read.", {"type": "boolean"})
LEFT = {"200": answer("How many are unread now.", ref("UnreadNotices"))}
WISH = {"200": answer("Where mail goes.", ref("MailWish"))}

PATHS: Json = {
    "/notices": {
        "get": operation(
            "listNotices",
            "What you were told, the newest first, in the language that you ask for.",
            {"200": answer("A page of them.", ref("Notices")), "422": MALFORMED},
            parameters=[*PAGING, UNREAD],
        )
    },
    "/notices/unread": {
        "get": operation("countUnreadNotices", "How many you have not read.", LEFT)
    },
    "/notices/read": {"post": operation("readAllNotices", "Note that you have read all.", LEFT)},
    "/notices/{notice}/read": {
        "parameters": [NOTICE],
        "post": operation("readNotice", "Note that you have read it.", LEFT | {"404": NOT_FOUND}),
    },
    "/me/mail": {
        "get": operation("getOwnMail", "Where your mail goes, and whether you want any.", WISH),
        "put": operation(
            "setOwnMail",
            "Say where your mail goes, and yes or no to it. What you were told before is not sent.",
            WISH | {"409": REFUSED, "422": MALFORMED},
            requestBody=sent("MailWishRequest"),
        ),
    },
    "/people/{person}/mail": {
        "parameters": [PERSON],
        "get": operation(
            "getMail",
            "Where somebody's mail goes: your own; the staff anybody's.",
            WISH | {"404": NOT_FOUND},
        ),
        "put": operation(
            "setMail",
            "The same as /me/mail for somebody who asked: for the staff.",
            WISH | {"404": NOT_FOUND, "409": REFUSED, "422": MALFORMED},
            requestBody=sent("MailWishRequest"),
        ),
    },
    "/mail/undelivered": {
        "get": operation(
            "listUndeliveredMail",
            "The mails that did not arrive, the newest first: for the staff.",
            {"200": answer("A page of them.", ref("UndeliveredMails")), "422": MALFORMED},
            parameters=PAGING,
        )
    },
}
SCHEMAS: Json = {
    "Notices": page_of("notices", "Notice"),
    "Notice": record(
        {
            "id": TEXT,
            "code": TEXT
            | {"enum": [one.value for one in Code], "description": "Never changes its meaning."},
            "heading": TEXT | {"description": "For people, in a few words."},
            "text": TEXT | {"description": "For people."},
            "subject": TEXT | {"description": "What it is about, as noun:id; may be empty."},
            "about": MAYBE_TEXT | {"description": "Whom it is about, where that is a child."},
            "resource": MAYBE_TEXT,
            "session": MAYBE_TEXT,
            "start": MAYBE_INSTANT,
            "end": MAYBE_INSTANT,
            "until": MAYBE_INSTANT | {"description": "A deadline, or when something ends."},
            "at": INSTANT,
            "read_at": MAYBE_INSTANT,
        }
    ),
    "UnreadNotices": record({"unread": COUNT}),
    "MailWish": record(
        {
            "address": MAYBE_TEXT | {"description": "null: none, so no mail is sent."},
            "wanted": {"type": "boolean"},
            "lab_sends_mail": {
                "type": "boolean",
                "description": "Whether the lab has a mail server at all.",
            },
        }
    ),
    "MailWishRequest": record(
        {
            "address": MAYBE_TEXT | {"maxLength": 254},
            "wanted": {"type": "boolean", "default": True},
        },
        optional=("address", "wanted"),
        examples=[{"address": "lea@example.org", "wanted": True}],
    ),
    "UndeliveredMails": page_of("mails", "UndeliveredMail"),
    "UndeliveredMail": record(
        {
            "id": TEXT,
            "person": TEXT | {"description": "For whom it was: somebody to telephone."},
            "name": TEXT,
            "code": TEXT | {"description": "What the notice says; it stands on their page."},
            "outcome": TEXT | {"enum": [one.value for one in TROUBLES]},
            "trouble": MAYBE_TEXT | {"description": "The mail server's code of the last try."},
            "tries": COUNT,
            "queued_at": INSTANT,
            "ended_at": INSTANT,
        }
    ),
}
