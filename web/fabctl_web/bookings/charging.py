"""For whom somebody books: themselves, or a group that they act for."""

from __future__ import annotations

from flask import request

from fabctl.services import accounts
from fabctl.services.accounts import AccountView
from fabctl.services.people import PersonView
from fabctl_web.forms import form
from fabctl_web.lab import Lab


def groups_of(lab: Lab, person: PersonView | None) -> list[AccountView]:
    """Return the groups that somebody acts for; nobody acts for any."""
    if person is None:
        return []
    with lab.db.reading() as db:
        return [
            one
            for one in accounts.accounts_of(db, person_id=person.id)
            if one.kind is not None and accounts.acts_for(db, one.id, person.id)
        ]


def chosen_group(groups: list[AccountView]) -> str:
    """Return which of them the query names; empty: none, their own account."""
    wanted = request.args.get("account", "")
    return wanted if wanted in {one.id for one in groups} else ""


def charged_to() -> str | None:
    """Return the account that a form names; None: one's own. The services ask who may."""
    with form() as sent:
        account = sent.maybe_text("account")
    return account  # noqa: RET504  # the end of the block refuses what is malformed
