"""Under which names the pages are served: a browser that was sent here by another name is refused.

Without this, a page of a stranger could be given this computer's address under the stranger's own
name (DNS rebinding), and then read and press everything here as if it were one of our pages.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from fabctl.config import WebConfig
from fabctl_web.language import speech

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MISDIRECTED = 421
"""RFC 9110, section 15.5.20."""


def init_app(app: Flask, web: WebConfig) -> None:
    """Refuse other names; register this before anything else looks at a request."""
    if web.proxy_addresses:
        app.wsgi_app = BehindProxy(app.wsgi_app, web.proxy_addresses)  # type: ignore[method-assign]  # as Flask's documents do it
    names = served_names(web)
    app.before_request(lambda: None if is_served(request.host, names) else _refusal(web))


def served_names(web: WebConfig) -> frozenset[str]:
    """Return the names under which pages are served, in lower case.

    This computer's own name is one of them, also with ``.local``: so it is found in a lab.
    """
    own = socket.gethostname().lower()
    public = urlsplit(web.public_url).hostname if web.public_url else None
    names = {"localhost", own, f"{own.partition('.')[0]}.local", *web.names}
    return frozenset(names | ({public} if public else set()))


def is_served(host: str, names: Iterable[str]) -> bool:
    """Say whether a ``Host`` header names us.

    Any IP address does: a stranger's page comes under the stranger's name, never under a number.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.rstrip(".") in names
    return True


def _refusal(web: WebConfig) -> Response:
    where = web.public_url or f"http://localhost:{web.port}"
    sentences = (
        speech()("This lab is not served under this name."),
        speech()("Open {address}, or have the staff add the name to lab.toml.", address=where),
    )
    return Response(" ".join(sentences) + "\n", MISDIRECTED, mimetype="text/plain")


class BehindProxy:
    """Takes the browser's address, scheme and host from the proxy, and from nobody else.

    :param proxies: the addresses of the proxies; each says these things in ``X-Forwarded-…``.
    """

    def __init__(self, app: WSGIApplication, proxies: Iterable[str]) -> None:
        self._plain = app
        self._fixed = ProxyFix(app, x_for=1, x_proto=1, x_host=1)
        self._proxies = frozenset(proxies)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        comes_from: Any = environ.get("REMOTE_ADDR")
        app = self._fixed if comes_from in self._proxies else self._plain
        return app(environ, start_response)
