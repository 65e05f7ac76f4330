"""Shared screens: their settings, and the code that pairs one with the browser on the wall."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fabctl.clock import Clock
from fabctl.errors import UnknownIdError
from fabctl.model import screens as rules
from fabctl.model.refusal import RefusedError
from fabctl.model.screens import ScreenSettings
from fabctl.model.tries import network_of
from fabctl.services import people, wrong_tries
from fabctl.services.audit import audit
from fabctl.services.passwords import hash_pairing_code, hash_token, new_token
from fabctl.services.rights import require_staff
from fabctl.services.wrong_tries import BY_PAIRING_ADDRESS
from fabctl.store.tables_screens import SharedScreen


@dataclass(frozen=True, slots=True)
class ScreenView:
    """A shared screen as the rest of the program sees it."""

    id: str
    settings: ScreenSettings
    paired_at: datetime | None
    code_until: datetime | None
    """Until when a code pairs it; None: there is no code."""

    @property
    def device(self) -> str:
        """How it is named where wrong PINs are counted; no IP address looks like this."""
        return f"screen:{self.id}"


def list_screens(session: Session, *, by: str) -> list[ScreenView]:
    """Return every screen, by name. :raises RefusedError: staff-only."""
    require_staff(session, by)
    rows = session.scalars(select(SharedScreen).order_by(SharedScreen.name, SharedScreen.id))
    return [_view(row) for row in rows]


def get_screen(session: Session, screen_id: str) -> ScreenView:
    """Return one screen. :raises UnknownIdError: there is none."""
    return _view(_row(session, screen_id))


def add_screen(
    session: Session, clock: Clock, *, screen_id: str, wanted: ScreenSettings, by: str
) -> ScreenView:
    """Add a screen; a code pairs it afterwards.

    :raises RefusedError: staff-only, screen-id, screen-taken, what is wrong with the settings.
    """
    require_staff(session, by)
    refusals = [*rules.id_refusals(screen_id), *rules.settings_refusals(wanted)]
    if session.get(SharedScreen, screen_id) is not None:
        refusals.append(rules.id_taken())
    if refusals:
        raise RefusedError(refusals)
    row = SharedScreen(id=screen_id)
    _put(row, wanted)
    session.add(row)
    session.flush()
    audit(session, clock, by, "screen.added", f"screen:{screen_id}")
    return _view(row)


def change_screen(
    session: Session, clock: Clock, *, screen_id: str, wanted: ScreenSettings, by: str
) -> ScreenView:
    """Change a screen's settings; it follows at its next page.

    :raises RefusedError: staff-only, what is wrong with the settings.
    :raises UnknownIdError: there is none.
    """
    require_staff(session, by)
    row = _row(session, screen_id)
    if refusals := rules.settings_refusals(wanted):
        raise RefusedError(refusals)
    _put(row, wanted)
    session.flush()
    audit(session, clock, by, "screen.changed", f"screen:{screen_id}")
    return _view(row)


def new_code(session: Session, clock: Clock, secret: bytes, *, screen_id: str, by: str) -> str:
    """Return a code of six digits that pairs the screen once, within ten minutes.

    :raises RefusedError: staff-only.
    :raises UnknownIdError: there is none.
    """
    require_staff(session, by)
    row = _row(session, screen_id)
    code = f"{secrets.randbelow(10**rules.CODE_DIGITS):0{rules.CODE_DIGITS}}"
    row.code_hash = hash_pairing_code(secret, screen_id, code)
    row.code_until = clock.now() + rules.CODE_LASTS
    wrong_tries.reset(session, _view(row).device, "pairing")  # of a code that is none any more
    audit(session, clock, by, "screen.code-made", f"screen:{screen_id}")
    session.flush()
    return code


def pair(  # the code, and where it comes from
    session: Session,
    clock: Clock,
    secret: bytes,
    *,
    screen_id: str,
    code: str,
    address: str,
) -> str | None:
    """Return the token for the browser's cookie; None when the code is wrong or too old.

    A code counts once. The browser that was paired before is a screen no more. Wrong codes are
    counted by the browser's address and, far more of them, by screen; and only while there is a
    code that could be guessed, so that nobody locks a screen before the staff come to pair it.

    :param address: the browser's, IPv4 or IPv6.
    :raises UnknownIdError: there is no such screen.
    :raises TooManyTriesError: too many codes were wrong; nothing was tried.
    """
    row = session.get(SharedScreen, screen_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise UnknownIdError(f"there is no screen {screen_id!r}")
    if not _is_code_out(row, clock):
        return None
    tried = {BY_PAIRING_ADDRESS: network_of(address), "pairing": _view(row).device}
    for kind, subject in tried.items():
        people.refuse_while_locked(session, clock, kind, subject)
    hashed = hash_pairing_code(secret, screen_id, code)
    if not secrets.compare_digest(row.code_hash or "", hashed):
        for kind, subject in tried.items():
            wrong_tries.count_wrong(session, clock, kind, subject)
        return None
    for kind, subject in tried.items():
        wrong_tries.reset(session, subject, kind)
    token = new_token()
    row.code_hash = row.code_until = None
    row.token_hash, row.paired_at = hash_token(token), clock.now()
    audit(session, clock, None, "screen.paired", f"screen:{screen_id}")
    session.flush()
    return token


def _is_code_out(row: SharedScreen, clock: Clock) -> bool:
    """A code that would last longer than any was made by a clock that was ahead: it is none."""
    now, until = clock.now(), row.code_until
    return until is not None and now < until <= now + rules.CODE_LASTS


def find_paired(session: Session, token: str) -> ScreenView | None:
    """Return the screen that a browser with this token is; None when it is none (any more)."""
    query = select(SharedScreen).where(SharedScreen.token_hash == hash_token(token))
    row = session.scalars(query).first()
    return _view(row) if row else None


def unpair(session: Session, clock: Clock, *, screen_id: str, by: str) -> None:
    """Let the browser on the wall be no shared screen any more, and forget its code.

    :raises RefusedError: staff-only.
    :raises UnknownIdError: there is no such screen.
    """
    require_staff(session, by)
    row = _row(session, screen_id)
    row.token_hash = row.paired_at = row.code_hash = row.code_until = None
    audit(session, clock, by, "screen.unpaired", f"screen:{screen_id}")
    session.flush()


def remove_screen(session: Session, clock: Clock, *, screen_id: str, by: str) -> None:
    """Delete a screen and its settings.

    :raises RefusedError: staff-only.
    :raises UnknownIdError: there is no such screen.
    """
    require_staff(session, by)
    session.delete(_row(session, screen_id))
    audit(session, clock, by, "screen.removed", f"screen:{screen_id}")
    session.flush()


def _row(session: Session, screen_id: str) -> SharedScreen:
    row = session.get(SharedScreen, screen_id)
    if row is None:
        raise UnknownIdError(f"there is no screen {screen_id!r}")
    return row


def _put(row: SharedScreen, wanted: ScreenSettings) -> None:
    row.name, row.home = wanted.name.strip(), wanted.home
    row.idle_s, row.brightness = wanted.idle_s, wanted.brightness
    row.night_from, row.night_until = wanted.night or (None, None)


def _view(row: SharedScreen) -> ScreenView:
    night = None
    if row.night_from is not None and row.night_until is not None:
        night = row.night_from, row.night_until
    settings = ScreenSettings(row.name, row.idle_s, row.brightness, night, row.home)
    return ScreenView(row.id, settings, row.paired_at, row.code_until)
