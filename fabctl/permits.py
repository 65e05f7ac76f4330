"""Permits: this machine, this person, this boot of the interlock, these seconds. Pure.

The service that answers "may this person use this machine now" issues a permit; the interlock's
daemon verifies it. What carries it between them (the broker, the machine's process) has not the
key and cannot make one. A permit can be used once: ``serial`` grows with every permit for one
boot. It answers a challenge of the daemon, so it can neither be stored up nor held back for long.

``{"v": 1, "permit": "<exact JSON text>", "mac": "<hex>"}``; the MAC (HMAC-SHA256 with the machine's
key, RFC 2104) covers ``fabctl-permit-v1``, a newline and the text.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass

from fabctl.errors import InputError, NotAuthenticError
from fabctl.units import Seconds

LONGEST_S = Seconds(60.0)
"""A permit that says more is malformed."""
USUAL_S = Seconds(10.0)
"""What is issued; the daemon holds none for longer, whatever it says."""
MAX_BYTES = 1024
"""An envelope that is longer is not read."""
_LABEL = b"fabctl-permit-v1\n"


@dataclass(frozen=True, slots=True)
class Permit:
    """Somebody may use a machine for some seconds from now on, as the daemon counts them."""

    machine: str
    person: str
    """The opaque id of a person; never a name."""
    use: str
    """The id of the use that this is for."""
    boot: str
    """The boot of the interlock's daemon that this is for."""
    serial: int
    """≥ 1, greater than that of every permit before it for this boot."""
    seconds: float
    """How long it holds after it was taken in, 0 < seconds ≤ 60."""
    challenge: str
    """The newest challenge of the daemon that the issuer had heard; the daemon forgets it soon."""


def seal(key: bytes, permit: Permit) -> bytes:
    """Return the message that carries a permit.

    :param key: the machine's key, 32 bytes.
    """
    text = json.dumps(asdict(permit), ensure_ascii=True, allow_nan=False, sort_keys=True)
    return json.dumps({"v": 1, "permit": text, "mac": _mac(key, text)}).encode()


def unseal(key: bytes, message: bytes) -> Permit:
    """Return the permit that a message carries, once its MAC has been found right.

    Whether machine, boot and serial are the expected ones: the daemon checks, it alone knows.

    :raises InputError: it is no permit, or one of its values makes no sense.
    :raises NotAuthenticError: the MAC is wrong.
    """
    if len(message) > MAX_BYTES:
        raise InputError("a permit is shorter", limit=f"{MAX_BYTES} bytes")
    envelope = _object(message)
    version, text, mac = (envelope.get(name) for name in ("v", "permit", "mac"))
    if not (_is_whole(version) and version == 1):
        raise InputError("this is no permit of version 1")
    if not isinstance(text, str) or not isinstance(mac, str) or not mac.isascii():
        raise InputError("this is no permit")
    if not hmac.compare_digest(_mac(key, text), mac):
        raise NotAuthenticError("the permit's signature is not this machine's")
    return _permit(_object(text.encode(errors="surrogatepass")))


def _permit(values: dict[str, object]) -> Permit:
    names = [values.get(name) for name in ("machine", "person", "use", "boot", "challenge")]
    serial, seconds = values.get("serial"), values.get("seconds")
    if not all(isinstance(name, str) and _is_name(name) for name in names):
        raise InputError("a permit names a machine, a person, a use, a boot and a challenge")
    if not isinstance(serial, int) or not _is_whole(serial) or not 1 <= serial < 2**53:
        raise InputError("a permit's serial is a whole number from 1")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise InputError("a permit holds for a number of seconds")
    if not 0 < seconds <= LONGEST_S:  # false for NaN; an int of any size can be compared
        raise InputError("a permit holds for a while", limit=f"more than 0, {LONGEST_S:.0f} s")
    machine, person, use, boot, challenge = (str(name) for name in names)
    return Permit(machine, person, use, boot, serial, float(seconds), challenge)


def _is_name(text: str) -> bool:
    return 0 < len(text) <= 64 and text.isascii() and text.isprintable()


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _object(text: bytes) -> dict[str, object]:
    try:
        values = json.loads(text.decode())
    except (ValueError, RecursionError):
        raise InputError("this is no JSON text") from None
    if not isinstance(values, dict):
        raise InputError("this is no JSON object")
    return values


def _mac(key: bytes, text: str) -> str:
    return hmac.new(key, _LABEL + text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()
