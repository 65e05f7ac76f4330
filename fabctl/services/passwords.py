"""Hashes of what people type and carry. Slow where it must be, and never too many at once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

MEMORY_KIB = 7 * 1024
PASSES = 5
LANES = 1
"""argon2id with 7 MiB, 5 passes, 1 lane: of the settings that OWASP's password storage sheet
counts as equally strong, the one with the least memory, which the C library keeps afterwards."""

_HASHER = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
AT_ONCE = threading.BoundedSemaphore(2)
"""Two hashes at once take 14 MiB; the web's other threads wait for their turn."""

TOKEN_BYTES = 32


def hash_password(password: str) -> str:
    """Return the argon2id hash, with its own salt and parameters in it."""
    with AT_ONCE:
        return _HASHER.hash(password)


def password_fits(password: str, hashed: str | None) -> bool:
    """Say whether the password is the one that was hashed.

    None (nobody has this login) takes as long as a wrong password and says False.
    """
    with AT_ONCE:
        try:
            _HASHER.verify(hashed or _nobody(), password)
        except (Argon2Error, InvalidHashError):
            return False
    return hashed is not None


@cache
def _nobody() -> str:
    """Return a hash that no password fits."""
    return _HASHER.hash(secrets.token_urlsafe(TOKEN_BYTES))


def hash_pin(secret: bytes, pin: str) -> str:
    """Return HMAC-SHA256 of the PIN under the lab's secret, in hex.

    A keyed hash, equal for equal PINs: a PIN alone must find its person, and a copy of the
    database without the secret gives no PIN away.
    """
    return hmac.new(secret, b"fabctl-pin-v1\n" + pin.encode(), hashlib.sha256).hexdigest()


def hash_badge(secret: bytes, number: str) -> str:
    """Return HMAC-SHA256 of a badge's number under the lab's secret, in hex; as of a PIN."""
    return hmac.new(secret, b"fabctl-badge-v1\n" + number.encode(), hashlib.sha256).hexdigest()


def hash_pairing_code(secret: bytes, screen: str, code: str) -> str:
    """Return HMAC-SHA256 of the code that pairs a screen, in hex; good for it only."""
    said = f"{screen}\n{code}".encode()
    return hmac.new(secret, b"fabctl-pairing-v1\n" + said, hashlib.sha256).hexdigest()


def hash_host_code(secret: bytes, code: str) -> str:
    """Return HMAC-SHA256 of the code with which a computer joins the lab, in hex."""
    return hmac.new(secret, b"fabctl-host-v1\n" + code.encode(), hashlib.sha256).hexdigest()


def new_token(prefix: str = "") -> str:
    """Return a random token (256 bits), to be shown once."""
    return prefix + secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> str:
    """Return the SHA-256 of a token, in hex: all that the database keeps."""
    return hashlib.sha256(token.encode()).hexdigest()
