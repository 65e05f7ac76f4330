"""Asking an OctoPrint for an application key, which a person there confirms in the browser.

Source: OctoPrint documentation, "Bundled plugins: Application Keys Plugin", workflow: probe,
request, poll at least every five seconds; the server forgets a request that nobody polls.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from fabctl.errors import DeviceError
from fabctl_drivers.octoprint.exchange import Answer, Exchange

PLUGIN = "/plugin/appkeys"
POLL_S = 1.0


def ask_for_key(
    exchange: Exchange, app: str, tell: Callable[[str], None], wait: Callable[[float], bool]
) -> str:
    """Return the key that a person gave.

    :param app: what the server shows as the asking program.
    :param tell: told the address of the page where a person confirms.
    :param wait: lets seconds pass; returns False to give up.
    :raises DeviceError: the server knows no such keys, does not answer, or nobody confirmed.
    """
    if exchange.ask("GET", f"{PLUGIN}/probe", "for application keys").status != (
        HTTPStatus.NO_CONTENT
    ):
        raise _error(
            exchange, "it has no application keys", "is it an OctoPrint, with its plugin on?"
        )
    token, page = _request(exchange, app)
    tell(page)
    while wait(POLL_S):
        answer = exchange.ask("GET", f"{PLUGIN}/request/{token}", "for the decision")
        if answer.status == HTTPStatus.NOT_FOUND:
            raise _error(exchange, "the person there said no, or the request ran out", "ask again")
        if answer.status != HTTPStatus.ACCEPTED:
            return _text(exchange, answer, "api_key")
    raise _error(exchange, "nobody confirmed in time", "ask again, with somebody at its page")


def _request(exchange: Exchange, app: str) -> tuple[str, str]:
    body = {"app": app}
    answer = exchange.ask("POST", f"{PLUGIN}/request", "for a key", body=body)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise _error(exchange, "it was asked too often", "wait ten minutes, then ask again")
    return _text(exchange, answer, "app_token"), _text(exchange, answer, "auth_dialog")


def _text(exchange: Exchange, answer: Answer, name: str) -> str:
    found = answer.json()
    text = found.get(name) if answer.is_good and isinstance(found, dict) else None
    if not isinstance(text, str) or not text.isascii() or not text.isprintable():
        what = answer.why or f"it answered {answer.status}, without {name}"
        raise _error(exchange, what, "check the server's address")
    return text


def _error(exchange: Exchange, happened: str, next_step: str) -> DeviceError:
    what = f"was asked for a key; {happened}"
    return DeviceError(what, device=exchange.server.url, next_step=next_step)
