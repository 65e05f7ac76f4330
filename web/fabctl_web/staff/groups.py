"""Groups: their accounts, who belongs to them, who acts for them."""

from __future__ import annotations

from flask import Blueprint, abort, flash, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from fabctl.model.accounts import GroupKind
from fabctl.model.people import search_name
from fabctl.services import accounts, people_records
from fabctl.services.accounts import AccountView
from fabctl_web import tables
from fabctl_web.forms import form
from fabctl_web.lab import current_lab
from fabctl_web.language import speech
from fabctl_web.pages import page
from fabctl_web.people.signed_in import go, staff_needed
from fabctl_web.staff.tabs import tabs
from fabctl_web.staff.words import GROUPS, choices

area = Blueprint("staff_groups", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a word for the catalogue; it is translated where it is shown."""
    return template


HEADS = (_("Name"), _("Kind"), _("Suspended"), _("Since"))
MEMBER_HEADS = (_("Name"), _("Acts for the group"), _("Since"))
AT_ONCE = 500
FOUND = 8


@page(area, "/staff/groups")
def groups() -> str:
    """List the groups by name, with a form for one more."""
    me, lab, words = staff_needed(), current_lab(), tables.words()
    last = tables.after()
    with lab.db.reading() as db:
        found = [one for one in _found(db, me.id, words) if last is None or _key(one) > last]
    shown = found[: tables.SHOWN]
    return render_template(
        "staff/groups.html",
        groups=shown,
        next=tables.next_address(_key(shown[-1]) if len(found) > len(shown) else None),
        words=words,
        kinds=choices(GROUPS),
        kind_words=GROUPS,
        tabs=tabs(),
    )


@area.get("/staff/groups.csv")
def export() -> Response:
    """Return the groups as a table."""
    me, lab, say = staff_needed(), current_lab(), speech()
    with lab.db.reading() as db:
        found = _found(db, me.id, tables.words())
    rows = [
        (
            one.name,
            say(GROUPS[one.kind]) if one.kind else "",
            say("Yes") if one.suspended_at else say("No"),
            f"{one.created_at.astimezone(lab.config.time_zone):%Y-%m-%d}",
        )
        for one in found
    ]
    return tables.saved("groups", [say(one) for one in HEADS], rows)


@area.post("/staff/groups")
def add() -> Response:
    """Open a group's account."""
    me, lab = staff_needed(), current_lab()
    with form() as sent:
        name = sent.text("name")
        kind = sent.choice("kind", GroupKind, GroupKind.COLLECTIVE)
    with lab.db.transaction() as db:
        made = accounts.add_group(db, lab.clock, name=name, kind=kind, by=me.id)
    return _back(made.id, speech()("The group is there. Add its members now."))


@page(area, "/staff/groups/<group>")
def group(group: str) -> str:
    """Show one group: its members, and who acts for it."""
    me, lab = staff_needed(), current_lab()
    words = request.args.get("words", "")[: tables.MOST_WORDS].strip()
    with lab.db.reading() as db:
        found = accounts.get_account(db, account_id=group, by=me.id)
        if found.kind is None:
            abort(404)  # a person's own account is no group
        members = accounts.members_of(db, account_id=group, by=me.id)
        others = people_records.find_people(db, by=me.id, words=words, limit=FOUND) if words else []
    inside = {one.person_id for one in members}
    return render_template(
        "staff/group.html",
        group=found,
        kind=GROUPS[found.kind] if found.kind else "",
        members=members,
        others=[one for one in others if one.id not in inside],
        words=words,
        tabs=tabs(),
    )


@area.get("/staff/groups/<group>/members.csv")
def export_members(group: str) -> Response:
    """Return a group's members as a table."""
    me, lab, say = staff_needed(), current_lab(), speech()
    with lab.db.reading() as db:
        members = accounts.members_of(db, account_id=group, by=me.id)
    zone = lab.config.time_zone
    rows = [
        (
            one.display_name,
            say("Yes") if one.may_act else say("No"),
            f"{one.since.astimezone(zone):%Y-%m-%d}",
        )
        for one in members
    ]
    return tables.saved("members", [say(one) for one in MEMBER_HEADS], rows)


@area.post("/staff/groups/<group>/members")
def set_member(group: str) -> Response:
    """Make somebody a member, or change whether they act for the group."""
    me, lab = staff_needed(), current_lab()
    with form() as sent:
        person, may_act = sent.text("person"), sent.ticked("may_act")
    with lab.db.transaction() as db:
        accounts.set_member(
            db, lab.clock, account_id=group, person_id=person, may_act=may_act, by=me.id
        )
    return _back(group, speech()("Kept."))


@area.post("/staff/groups/<group>/members/remove")
def remove_member(group: str) -> Response:
    """End a membership."""
    me, lab = staff_needed(), current_lab()
    with form() as sent:
        person = sent.text("person")
    with lab.db.transaction() as db:
        accounts.remove_member(db, lab.clock, account_id=group, person_id=person, by=me.id)
    return _back(group, speech()("No member any more. What was booked stays booked."))


@area.post("/staff/groups/<group>/suspend")
def suspend(group: str) -> Response:
    """Suspend a group's account."""
    me, lab = staff_needed(), current_lab()
    with form() as sent:
        reason = sent.text("reason")
    with lab.db.transaction() as db:
        accounts.suspend_group(db, lab.clock, account_id=group, reason=reason, by=me.id)
    return _back(group, speech()("Suspended: nothing can be booked or started."))


@area.post("/staff/groups/<group>/reinstate")
def reinstate(group: str) -> Response:
    """Put a group's account in order again."""
    me, lab = staff_needed(), current_lab()
    with lab.db.transaction() as db:
        accounts.restore_group(db, lab.clock, account_id=group, by=me.id)
    return _back(group, speech()("In order again."))


def _found(db: Session, by: str, words: str) -> list[AccountView]:
    """Return the groups in whose names every word stands, in the order of their names."""
    every: list[AccountView] = []
    last: str | None = None
    while True:
        part = accounts.groups(db, by=by, limit=AT_ONCE, after=last)
        every += part
        if len(part) < AT_ONCE:
            break
        last = part[-1].id
    wanted = search_name(words).split()
    fitting = [one for one in every if all(word in search_name(one.name) for word in wanted)]
    return sorted(fitting, key=_key)


def _key(found: AccountView) -> tuple[str, ...]:
    return search_name(found.name), found.id


def _back(group: str, said: str) -> Response:
    flash(said, "good")
    return go(url_for("staff_groups.group", group=group))
