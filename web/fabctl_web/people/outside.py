"""Signing in elsewhere: OpenID Connect, with a code, PKCE, a state and a nonce.

OpenID Connect Core 1.0, sections 3.1.2 and 3.1.3.7; RFC 7636. Only on devices of one's own: on a
shared screen the next person would still be signed in at the provider.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, flash, redirect, request, session, url_for
from werkzeug.wrappers import Response

from fabctl.config import OidcConfig
from fabctl.config_oidc import LOOPBACK
from fabctl.errors import LocalError
from fabctl.services.outside_people import find_outside
from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.people.provider_said import TIMEOUT_S, Document, ProviderError, ProviderSaid
from fabctl_web.people.signed_in import close_session, go, is_kiosk, open_session, safe_next

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]  # it has no types
    from joserfc.jwt import Token

area = Blueprint("outside", __name__)
FLOW = "oidc"
"""The place of what was asked in the session cookie, until the answer comes."""
NEEDED = ("authlib", "requests")
SAID = "fabctl-oidc"
"""Where the app keeps what the provider said."""
OK = 200
LEEWAY_S = 60
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures by the provider's own key; nothing that a client's secret could make."""


@dataclass(frozen=True)
class Provider:
    """What the provider says of itself."""

    config: OidcConfig
    about: Mapping[str, Any]

    def endpoint(self, name: str) -> str:
        """Return one of its addresses, which must be as safe as the issuer's own.

        :raises ProviderError: it names none, or a plain one elsewhere.
        """
        address = self.about.get(name)
        parts = urlsplit(address if isinstance(address, str) else "")
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ProviderError(f"the provider's {name} is no safe address")
        return parts.geturl()


def require_parts(config: OidcConfig | None) -> None:
    """Do nothing unless lab.toml names a provider and what it takes is not installed.

    :raises LocalError: it is not.
    """
    if config is not None and (missing := [one for one in NEEDED if find_spec(one) is None]):
        raise LocalError(
            f"[web.oidc] needs {' and '.join(missing)}",
            next_step="install fabctl[oidc], or take [web.oidc] out of lab.toml",
        )


def offered() -> str | None:
    """Return what the button says; None where there is none."""
    config = current_lab().config.web.oidc
    return config.label if config is not None and not is_kiosk() else None


@area.get("/in/elsewhere")
def leave() -> Response:
    """Send the browser to the provider."""
    config = _config()
    flow = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
    try:
        provider, client = _ask(config)
        address, _ = client.create_authorization_url(
            provider.endpoint("authorization_endpoint"),
            state=flow["state"],
            nonce=flow["nonce"],
            code_verifier=flow["verifier"],
        )
    except ProviderError as error:
        return _failed(error)
    session[FLOW] = flow | {"next": safe_next(request.args.get("next"))}
    return redirect(address, 303)


@area.get("/in/elsewhere/back")
def back() -> Response:
    """Sign in whom the provider has signed in. What was asked counts once."""
    config, lab = _config(), current_lab()
    flow = session.pop(FLOW, None)
    code, state = request.args.get("code", ""), request.args.get("state", "")
    if not isinstance(flow, dict) or not code or not _same(state, flow["state"]):
        return _failed(ProviderError("the answer does not belong to a question of this browser"))
    try:
        claims = _claims(lab, config, code, flow)
    except ProviderError as error:
        return _failed(error)
    with lab.db.reading() as db:
        person = find_outside(db, config.link, claims)
    if person is None:
        flash(speech()("Nobody here is known by this account. Ask the staff."), "bad")
        return go(url_for("people.enter"))
    close_session()
    open_session(person)
    return go(safe_next(flow["next"]))


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(), other.encode())


def _config() -> OidcConfig:
    config = current_lab().config.web.oidc
    if config is None or is_kiosk():
        abort(404)
    return config


def _ask(config: OidcConfig) -> tuple[Provider, OAuth2Session]:
    """Return what the provider says of itself, and a client that talks to it.

    :raises ProviderError: it does not answer, or is another one.
    """
    from authlib.integrations.requests_client import OAuth2Session  # noqa: PLC0415  # only where used

    secret = config.client_secret_file
    client = OAuth2Session(
        config.client_id,
        secret.read_text().strip() if secret else None,
        scope="openid email profile",
        redirect_uri=_here(),
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic" if secret else "none",
        default_timeout=TIMEOUT_S,
    )
    where = f"{config.issuer.rstrip('/')}/.well-known/openid-configuration"
    about = _said().document(where, lambda address: _read(client, address))
    if about.get("issuer") != config.issuer:
        raise ProviderError(f"this provider is another one than {config.issuer}")
    return Provider(config, about), client


def _said() -> ProviderSaid:
    found = current_app.extensions.setdefault(SAID, ProviderSaid(current_lab().clock))
    assert isinstance(found, ProviderSaid)  # noqa: S101  # nobody else uses this name
    return found


def _read(client: OAuth2Session, address: str) -> Document:
    """Return a JSON object of the provider's. It leads nowhere else.

    :raises ProviderError: it does not answer, or with something else.
    """
    from requests import RequestException  # noqa: PLC0415  # only where used

    try:
        answer = client.get(address, withhold_token=True, allow_redirects=False)
        found = answer.json() if answer.status_code == OK else None
    except (RequestException, ValueError) as error:
        raise ProviderError(f"the provider does not answer at {address}: {error}") from error
    if not isinstance(found, dict):
        raise ProviderError(f"the provider has no object at {address}: {answer.status_code}")
    return found


def _here() -> str:
    """Return where the provider sends the browser back to."""
    public = current_lab().config.web.public_url
    path = url_for("outside.back")
    return f"{public}{path}" if public else url_for("outside.back", _external=True)


def _claims(lab: Lab, config: OidcConfig, code: str, flow: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what the provider says of the person, once all of it was checked.

    :raises ProviderError: it cannot be believed.
    """
    from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]  # noqa: PLC0415
    from joserfc.errors import JoseError  # noqa: PLC0415  # only where used
    from joserfc.jwt import JWTClaimsRegistry  # noqa: PLC0415  # the same
    from requests import RequestException  # noqa: PLC0415  # the same

    provider, client = _ask(config)
    try:
        token = client.fetch_token(
            provider.endpoint("token_endpoint"),
            code=code,
            code_verifier=flow["verifier"],
            allow_redirects=False,
        )
        found = _signed(provider, client, token["id_token"])
        JWTClaimsRegistry(
            now=int(lab.clock.now().timestamp()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": config.issuer},
            aud={"essential": True, "value": config.client_id},
            azp={"value": config.client_id},
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": flow["nonce"]},
        ).validate(found.claims)
    except (AuthlibBaseError, JoseError, RequestException, KeyError, ValueError) as error:
        raise ProviderError(f"the provider's answer cannot be believed: {error!r}") from error
    return found.claims


def _signed(provider: Provider, client: OAuth2Session, token: str) -> Token:
    """Return what the provider signed. Where its keys do not fit, they may have changed: once more.

    :raises JoseError: it did not sign this; ValueError: it has no such key.
    """
    from joserfc.errors import JoseError  # noqa: PLC0415  # only where used
    from joserfc.jwk import KeySet  # noqa: PLC0415  # the same
    from joserfc.jwt import decode  # noqa: PLC0415  # the same

    def decoded(*, anew: bool) -> Token:
        keys = _said().document(address, lambda where: _read(client, where), anew=anew)
        return decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]  # a dict that was read

    address = provider.endpoint("jwks_uri")
    try:
        return decoded(anew=False)
    except (JoseError, ValueError):
        return decoded(anew=True)


def _failed(error: ProviderError) -> Response:
    current_app.logger.warning("signing in elsewhere: %s", error)
    flash(speech()("Signing in there did not work. Use your password, or try again."), "bad")
    return go(url_for("people.enter"))
