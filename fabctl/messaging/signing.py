"""The signed envelope: who may ask a machine to act. Pure.

``{"v":1, "signed": "<exact JSON text>", "mac": "<hex HMAC-SHA256>"}``; the MAC covers
``fabctl-v1``, the topic and the signed text, so that an envelope fits one machine and one verb.
The text holds the machine's boot and a challenge that the machine gave out: no clock is compared.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fabctl.errors import NotAuthenticError
from fabctl.messaging.payloads import MAX_BYTES, Fields, decode, encode

OPEN_VERBS = frozenset({"identify", "pause", "stop", "drop-permit"})
"""Asked by anyone whom the broker lets write them: they only take permission away."""
FRESH_VERBS = frozenset({"start", "resume", "clear"})
"""Signed, for this boot, with a challenge: they work once."""
CARRIED_VERBS = frozenset({"permit"})
"""Signed for the interlock's daemon, with a key that the machine's process has not: it hands them
on unread."""
TIMELESS_VERBS = frozenset({"recorded"})
"""Signed only: they name exactly what they are about, and doing it again changes nothing."""
SIGNED_VERBS = FRESH_VERBS | TIMELESS_VERBS


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What an envelope holds."""

    machine: str
    verb: str
    id: str
    """The request's own id, for logs."""
    body: Mapping[str, Any]
    boot: str = ""
    """The boot of the machine process that is meant; empty for a timeless verb."""
    challenge: str = ""
    """Likewise."""


def seal(key: bytes, topic: str, request: SignedRequest) -> bytes:
    """Return the message that carries a request to this topic.

    :param key: the machine's key, 32 bytes.
    """
    signed = encode(
        {
            "machine": request.machine, "verb": request.verb, "boot": request.boot,
            "id": request.id, "challenge": request.challenge, "body": dict(request.body),
        }
    ).decode()  # fmt: skip
    return encode({"signed": signed, "mac": _mac(key, topic, signed)})


def unseal(key: bytes, topic: str, payload: bytes) -> SignedRequest:
    """Return what an envelope holds, once its MAC has been found right for this topic.

    Whether machine, verb, boot and challenge are the expected ones: the caller checks.

    :raises PayloadError: it is no envelope, or its text is malformed.
    :raises NotAuthenticError: the MAC is wrong.
    """
    envelope = decode(payload)
    signed = envelope.text("signed", limit=MAX_BYTES)
    mac = envelope.text("mac", limit=64)
    if not hmac.compare_digest(mac.encode(), _mac(key, topic, signed).encode()):
        raise NotAuthenticError("the signature is not this machine's")
    fields = decode(signed.encode())
    return SignedRequest(
        machine=fields.text("machine", limit=64),
        verb=fields.text("verb", limit=64),
        id=fields.text("id", limit=64),
        body=fields.inner("body").values,
        boot=fields.text("boot", limit=64) if fields.values.get("boot") else "",
        challenge=fields.text("challenge", limit=64) if fields.values.get("challenge") else "",
    )


def check_addressee(request: SignedRequest, *, machine: str, verb: str, boot: str) -> None:
    """Check that a request is meant for this machine and verb and, unless timeless, this boot.

    :raises NotAuthenticError: it is meant for another.
    """
    meant = {"machine": request.machine, "verb": request.verb, "boot": request.boot}
    expected = {"machine": machine, "verb": verb}
    if verb not in TIMELESS_VERBS:
        expected["boot"] = boot
    for what, here in expected.items():
        if meant[what] != here:
            raise NotAuthenticError(f"the request was signed for another {what}")


def body_of(request: SignedRequest) -> Fields:
    """Return a request's body, ready to be read field by field."""
    return Fields(request.body)


def _mac(key: bytes, topic: str, signed: str) -> str:
    covered = b"\n".join((b"fabctl-v1", topic.encode(), signed.encode()))
    return hmac.new(key, covered, hashlib.sha256).hexdigest()
