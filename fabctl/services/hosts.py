"""Computers with machines that join the lab by a code, and those that are put out again."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model import hosts as rules
from fabctl.model.job import ON_MACHINE, JobState
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.model.tries import network_of
from fabctl.services import people, wrong_tries
from fabctl.services.audit import audit, lines_about
from fabctl.services.passwords import hash_host_code, hash_token, new_token
from fabctl.services.rights import require_staff
from fabctl.services.wrong_tries import BY_HOST_ADDRESS
from fabctl.store.tables import Job
from fabctl.store.tables_hosts import JoinedHost

PREFIX = "fabhost_"
INVITED, JOINED, REVOKED = "host.invited", "host.joined", "host.revoked"
_GETS_FILES = frozenset({*(state.value for state in ON_MACHINE), JobState.UNANSWERED.value})
_REVOKED = Refusal(
    "host-revoked",
    text("This computer was put out of the lab."),
    text("Give it a new account on the lab's computer: fabctl host invite."),
)


@dataclass(frozen=True, slots=True)
class HostView:
    """A host that was invited once."""

    id: str
    joined_at: datetime | None
    joined_by: str | None
    """Who made the code that it joined with: a person's id, or ``shell:`` and a Unix user."""
    revoked_at: datetime | None
    code_until: datetime | None
    """Until when a code is out; None: there is none."""
    heard_at: datetime | None
    """When the steward heard one of its machines last, to the hour while they are there."""


def invite(
    session: Session, clock: Clock, secret: bytes, *, host: str, by: str, anew: bool = False
) -> str:
    """Return a code with which a computer becomes this host, once, within ten minutes.

    The code before it counts no more. A computer that joined earlier goes on; its token counts no
    more once the next has joined, its account on the broker does until it is revoked.

    :param host: one of lab.toml's.
    :param anew: a revoked host has a new account on the broker, and may come again.
    :raises RefusedError: staff-only, host-revoked.
    """
    require_staff(session, by)
    row = session.get(JoinedHost, host, with_for_update=True, populate_existing=True)
    if row is None:
        row = JoinedHost(id=host)
        session.add(row)
    elif row.revoked_at is not None and not anew:
        raise RefusedError([_REVOKED])
    code = rules.new_code(secrets.randbelow)
    row.code_hash = hash_host_code(secret, code)
    row.code_until, row.wrong, row.revoked_at = clock.now() + rules.CODE_LASTS, 0, None
    audit(session, clock, by, INVITED, f"host:{host}")
    session.flush()
    return code


def join(
    session: Session, clock: Clock, secret: bytes, *, code: str, address: str
) -> tuple[str, str] | None:
    """Spend a code; return which host the computer is now, and its token.

    None when the code is wrong or too old. Wrong codes are counted by the computer's address, and
    against every code that is out: after 20 of them it counts no more. Nothing is counted while no
    code is out: there is nothing to guess.

    :param address: the computer's, IPv4 or IPv6.
    :raises TooManyTriesError: too many codes from there were wrong; nothing was tried.
    """
    out = _codes_out(session, clock)
    if not out:
        return None
    subject = network_of(address)
    people.refuse_while_locked(session, clock, BY_HOST_ADDRESS, subject)
    hashed = hash_host_code(secret, rules.clean_code(code))
    row = next((one for one in out if secrets.compare_digest(one.code_hash or "", hashed)), None)
    if row is None:
        wrong_tries.count_wrong(session, clock, BY_HOST_ADDRESS, subject)
        query = update(JoinedHost).where(JoinedHost.id.in_([one.id for one in out]))
        session.execute(query.values(wrong=JoinedHost.wrong + 1))
        return None
    wrong_tries.reset(session, subject, BY_HOST_ADDRESS)
    token = new_token(PREFIX)
    row.code_hash = row.code_until = None
    row.token_hash, row.joined_at = hash_token(token), clock.now()
    audit(session, clock, _last(session, row.id, INVITED), JOINED, f"host:{row.id}")
    session.flush()
    return row.id, token


def revoke(session: Session, clock: Clock, *, host: str, by: str) -> None:
    """Let a host's token and code count no more.

    Its account on the broker and its machines' keys: :mod:`fabctl.hosting.broker_accounts`.

    :raises RefusedError: staff-only.
    """
    require_staff(session, by)
    row = session.get(JoinedHost, host, with_for_update=True, populate_existing=True)
    if row is None:
        row = JoinedHost(id=host, wrong=0)
        session.add(row)
    row.token_hash = row.code_hash = row.code_until = None
    row.revoked_at = clock.now()
    audit(session, clock, by, REVOKED, f"host:{host}")
    session.flush()


def list_hosts(session: Session, clock: Clock, *, by: str) -> list[HostView]:
    """Return every host that was invited once, by id. :raises RefusedError: staff-only."""
    require_staff(session, by)
    return [
        HostView(
            row.id,
            row.joined_at,
            _last(session, row.id, JOINED),
            row.revoked_at,
            row.code_until if _is_out(row, clock) else None,
            row.heard_at,
        )
        for row in session.scalars(select(JoinedHost).order_by(JoinedHost.id))
    ]


def find_token(session: Session, token: str) -> str:
    """Return whose token this is. :raises UnknownIdError: it is no host's (any more)."""
    query = select(JoinedHost).where(JoinedHost.token_hash == hash_token(token))
    row = session.scalars(query).first()
    if row is None or row.revoked_at is not None:
        raise UnknownIdError("this is no computer of the lab")
    return row.id


def needs_file(session: Session, machines: Iterable[str], sha256: str) -> bool:
    """Say whether one of these machines was asked to run the file and has not ended it."""
    query = select(Job.id).where(
        Job.sha256 == sha256, Job.resource_id.in_(list(machines)), Job.state.in_(_GETS_FILES)
    )
    return session.scalars(query).first() is not None


def note_heard(session: Session, host: str, at: datetime) -> None:
    """Note when a host that joined was heard; others have no row, and nothing is noted."""
    session.execute(update(JoinedHost).where(JoinedHost.id == host).values(heard_at=at))


def _codes_out(session: Session, clock: Clock) -> list[JoinedHost]:
    query = select(JoinedHost).where(JoinedHost.code_hash.is_not(None)).order_by(JoinedHost.id)
    found = session.scalars(query.with_for_update().execution_options(populate_existing=True))
    return [row for row in found if _is_out(row, clock)]


def _is_out(row: JoinedHost, clock: Clock) -> bool:
    return rules.is_code_out(clock.now(), row.code_until, row.wrong)


def _last(session: Session, host: str, what: str) -> str | None:
    """Return who did this to a host last."""
    lines = [line for line in lines_about(session, f"host:{host}") if line.what == what]
    return lines[-1].who if lines else None
