"""Which shared screen this browser is, where the staff paired it: a token in its own cookie."""

from __future__ import annotations

from flask import Response, g, request

from fabctl.services import screens
from fabctl.services.screens import ScreenView
from fabctl_web.lab import current_lab

COOKIE = "fabctl-screen"
LASTS_S = 400 * 86400
"""The longest that browsers keep a cookie (RFC 6265bis, section 5.5); renewed at its page."""


def paired_screen() -> ScreenView | None:
    """Return the screen that this browser is; None for every browser that is not paired."""
    if "screen" not in g:
        g.screen = _find()
    found = g.screen
    assert found is None or isinstance(found, ScreenView)  # noqa: S101  # set above
    return found


def _find() -> ScreenView | None:
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    with current_lab().db.reading() as db:
        return screens.find_paired(db, token)


def keep(answer: Response, token: str) -> Response:
    """Let the browser keep its token: no script reads it, and no other site sends it."""
    answer.set_cookie(
        COOKIE, token, max_age=LASTS_S, httponly=True, samesite="Lax", secure=request.is_secure
    )
    return answer


def own_address() -> str | None:
    """Return the browser's IP address; None behind a proxy, where it would be the proxy's."""
    if any(name in request.headers for name in ("Forwarded", "X-Forwarded-For")):
        return None
    return request.remote_addr


def device() -> str:
    """Return what names this browser where wrong PINs and badges are counted."""
    found = paired_screen()
    return found.device if found else request.remote_addr or ""
