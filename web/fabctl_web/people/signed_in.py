"""Who is signed in on this browser. The cookie holds a random token, the database its hash."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from fabctl.model.people import Role
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.services import sign_ins
from fabctl.services.people import PersonView
from fabctl.services.sign_ins import SignInKind, SignInView
from fabctl_web import uploads
from fabctl_web.kiosks.paired import own_address, paired_screen
from fabctl_web.lab import current_lab
from fabctl_web.pages import is_page

KEY = "sign_in"
"""The token's place in the session cookie."""
NOT_ON_A_SHARED_SCREEN = Refusal(
    "not-on-a-shared-screen",
    text("This page does not open on a shared screen."),
    text("Open it at a desk or on your phone."),
)
DEVICE, DESK, WALL = "fabctl-device", "desk", "wall"
"""A cookie of simulated labs, where one computer shows both: the wall's screen and a desk."""
FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
"""What forms are sent as; scripts of ours send JSON, or nothing."""
KIOSK_WARN_S = 20
"""From how many seconds before its end a shared screen's session counts down."""
KIOSK_LONGEST_S = 300
"""So long a shared screen keeps the session of somebody who waits for an answer, s."""


def init_app(app: Flask) -> None:
    """Refuse a stranger's file before it is read; register this before the form tokens' check."""
    app.before_request(_no_file_from_strangers)
    app.after_request(_remember_device)
    app.jinja_env.globals["session_left_s"] = seconds_left


def _no_file_from_strangers() -> Response | None:
    if request.endpoint not in uploads.PAGE_UPLOADS or signed_in() is not None:
        return None
    uploads.drain()
    return go(url_for("people.enter", next=back_address(request.referrer)))


def is_kiosk() -> bool:
    """Say whether this is a shared screen: paired by the staff, or by its address (lab.toml).

    By address never behind a proxy: there, every browser would have the proxy's own.
    """
    if paired_screen() is not None:
        return True
    if looks_like_a_desk():
        return False
    return own_address() in current_lab().config.web.kiosk_addresses


def not_on_a_shared_screen() -> None:
    """Do nothing, but at a shared screen end the request: a file would stay there.

    :raises RefusedError: not-on-a-shared-screen.
    """
    if is_kiosk():
        raise RefusedError([NOT_ON_A_SHARED_SCREEN])


def looks_like_a_desk() -> bool:
    """Say whether somebody who tries a simulated lab wants this browser to be no shared screen.

    Never in a real lab: a shared screen stays one, whatever a browser sends.
    """
    wanted = request.args.get("device") or request.cookies.get(DEVICE)
    return current_lab().config.simulated and wanted == DESK


def _remember_device(answer: Response) -> Response:
    wanted = request.args.get("device")
    if wanted in {DESK, WALL} and current_lab().config.simulated:
        answer.set_cookie(DEVICE, wanted, httponly=True, samesite="Lax", secure=request.is_secure)
    return answer


def may_change_device() -> bool:
    """Say whether this browser is a shared screen by its address alone, of a simulated lab."""
    lab = current_lab()
    by_address = own_address() in lab.config.web.kiosk_addresses and paired_screen() is None
    return lab.config.simulated and by_address


def signed_in() -> PersonView | None:
    """Return the person at this browser, None when nobody is signed in."""
    if "person" not in g:
        g.person = _find()
    found = g.person
    assert found is None or isinstance(found, PersonView)  # noqa: S101  # set above
    return found


def _find() -> PersonView | None:
    token = session.get(KEY)
    if not isinstance(token, str):
        return None
    lab = current_lab()
    with lab.db.reading() as db:
        found = sign_ins.find_sign_in(db, lab.clock, token)
    if found is None:
        session.clear()  # it has ended: nothing of it is left on a shared screen
        return None
    g.sign_in_ends = found.expires_at
    if _shows_somebody(found):
        extend_session()
    return found.person


def _shows_somebody(found: SignInView) -> bool:
    """Say whether this request shows that the person is there, and is worth writing down.

    A page that is opened does so elsewhere, once a day. Never on a shared screen: pages load
    themselves again there, also when everybody has left. What does is a form that is sent; of
    every other touch the page's script tells us (``/in/extend``).
    """
    if found.kind is SignInKind.KIOSK:
        return request.method == "POST" and request.mimetype in FORM_TYPES
    left = found.expires_at - current_lab().clock.now()
    long_ago = left < sign_ins.LASTS[SignInKind.DESK] - timedelta(days=1)
    return long_ago and request.method == "GET" and is_page(request.endpoint)


def seconds_left() -> float:
    """Return how long the session of a shared screen lasts from now without a touch, s."""
    whole = sign_ins.LASTS[SignInKind.KIOSK]
    ends = g.get("sign_in_ends", current_lab().clock.now() + whole)
    return float(round((ends - current_lab().clock.now()) / timedelta(seconds=1), 1))


def person_needed() -> PersonView:
    """Return the person, or send the browser to the sign-in page and back here afterwards."""
    person = signed_in()
    if person is not None:
        return person
    back = request.path if request.method == "GET" else back_address(request.referrer)
    return abort(redirect(url_for("people.enter", next=back), 303))


def staff_needed(*roles: Role) -> PersonView:
    """Return the person, if they are of the staff; else end the request (sign-in, or 403).

    What the staff administer never opens on a shared screen: whoever comes next would see it.

    :param roles: who else may: animators, for what they lead.
    """
    person = person_needed()
    not_on_a_shared_screen()
    if person.role not in {Role.STAFF, Role.ADMIN, *roles}:
        abort(403)
    return person


def open_session(person: PersonView) -> None:
    """Sign ``person`` in here: a new token and an otherwise empty session.

    On a shared screen every session ends after a minute, however it was opened.
    """
    lab = current_lab()
    language = session.get("language")
    with lab.db.transaction() as db:
        kind = SignInKind.KIOSK if is_kiosk() else SignInKind.DESK
        token = sign_ins.open_sign_in(db, lab.clock, person.id, kind=kind)
    session.clear()
    session[KEY] = token
    if language and not is_kiosk():
        session["language"] = language
    session.permanent = not is_kiosk()
    g.person = person


def extend_session(idle_s: int = 0) -> bool:
    """Begin the idle minute of a shared screen anew; say whether the session still lives.

    :param idle_s: how long ago somebody touched it, s.
    """
    token = session.get(KEY)
    if not isinstance(token, str):
        return False
    lab = current_lab()
    with lab.db.transaction() as db:
        ends = sign_ins.extend(db, lab.clock, token, idle=timedelta(seconds=idle_s))
    if ends is not None:
        g.sign_in_ends = ends
    return ends is not None


def close_session() -> None:
    """Sign out: the token is worthless from now on."""
    token = session.get(KEY)
    lab = current_lab()
    if isinstance(token, str):
        with lab.db.transaction() as db:
            sign_ins.close_sign_in(db, token)
    session.clear()
    g.person = None


def safe_next(wanted: str | None) -> str:
    """Return a page of ours to go to: ``wanted`` if it is one, else the board.

    Only the path of a page that exists is kept: a link can never lead to another host.
    """
    board = url_for("board.board")
    if not wanted:
        return board
    path = urlsplit(wanted.replace("\\", "/")).path
    try:
        endpoint, _ = current_app.url_map.bind("", script_name="").match(path, method="GET")
    except HTTPException:
        return board
    return path if is_page(endpoint) else board


def back_address(referrer: str | None) -> str:
    """Return the page a form was sent from, as a path of ours."""
    return safe_next(urlsplit(referrer).path if referrer else None)


def go(address: str) -> Response:
    """Answer a form: the browser loads ``address`` with GET."""
    return redirect(address, 303)
