"""A small OpenID Connect provider on this computer, which can also be made to lie."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT, SECRET = "fabctl-of-the-lab", "a client's secret, kept in a file"


@dataclass
class Provider:
    """What it says, whom it has signed in, and how it lies."""

    now: int
    """Its clock, in seconds since 1970."""
    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    """By code: what the browser was sent with."""
    person: dict[str, Any] = field(default_factory=dict)
    lies: dict[str, Any] = field(default_factory=dict)
    """Claims that the id token gets instead of the right ones; None leaves one out."""
    about: dict[str, Any] = field(default_factory=dict)
    """What it says of itself instead."""
    algorithm: str = "RS256"
    signing: RSAKey | OctKey | None = None
    """Another key than the one that it shows."""
    requests: list[str] = field(default_factory=list)

    broken: bool = False
    """It answers nothing that can be read."""
    moved: dict[str, str] = field(default_factory=dict)
    """Paths that lead to others."""

    def sign_in(self, address: str) -> tuple[str, str]:
        """Sign its person in where the browser was sent; return the code and the state."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = secrets.token_urlsafe(16)
        self.asked[code] = query
        return code, query["state"]

    def discovery(self) -> dict[str, Any]:
        """Say where everything is."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        } | self.about

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Give an id token for a code: once, to our client, with the right verifier."""
        query = self.asked.pop(form.get("code", ""), None)
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if query is None or authorization != f"Basic {expected}":
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (query["code_challenge"], query["code_challenge_method"]) != (challenge, "S256"):
            return None
        claims = {
            "iss": self.url, "aud": CLIENT, "sub": "17", "nonce": query["nonce"],
            "iat": self.now, "exp": self.now + 300, **self.person, **self.lies,
        }  # fmt: skip
        told = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": "one"}
        signed = jwt.encode(header, told, self.signing or self.key, algorithms=[self.algorithm])
        return {"access_token": "x", "token_type": "Bearer", "id_token": signed}


@contextmanager
def oidc_provider(now: int) -> Iterator[Provider]:
    """Serve one on a free port of this computer."""
    provider = Provider(now)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.requests.append(self.path)
            known: dict[str, Callable[[], dict[str, Any]]] = {
                "/.well-known/openid-configuration": provider.discovery,
                "/keys": lambda: {"keys": [provider.key.as_dict(private=False)]},
            }
            self._answer(known[self.path]() if self.path in known else None)

        def do_POST(self) -> None:
            provider.requests.append(self.path)
            length = int(self.headers["Content-Length"])
            form = {k: v[0] for k, v in parse_qs(self.rfile.read(length).decode()).items()}
            self._answer(provider.token(form, self.headers.get("Authorization", "")))

        def _answer(self, body: dict[str, Any] | None) -> None:
            content = json.dumps(body or {"error": "invalid_grant"}).encode()
            content = b"a page" if provider.broken or self.path in provider.moved else content
            if self.path in provider.moved:
                self.send_response(302)
                self.send_header("Location", provider.url + provider.moved[self.path])
            else:
                self.send_response(200 if body else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
