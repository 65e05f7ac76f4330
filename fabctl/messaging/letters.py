"""What goes over a link, apart from the link: addresses, messages, wills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and as whom we speak to it."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: Path | None = None
    """The authority that signed the broker's certificate; None: the system's."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a will: what the broker says when the link breaks."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True
    delay_s: int = 0
    """The broker waits so long for the link to come back before it says so."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message that came in."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    """Kept by the broker from before (see also ``as_published``)."""
    response_topic: str | None = None
    correlation: bytes | None = None
    expiry_s: int | None = None
    """Seconds left before it expires, as the broker counted."""


Handler = Callable[[Received], None]
