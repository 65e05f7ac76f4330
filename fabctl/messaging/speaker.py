"""What the parts above need from a link, as Protocols: an :class:`MqttLink` is both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from fabctl.messaging.letters import Received


class Speaker(Protocol):
    """Something that publishes."""

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        expiry_s: int | None = None,
        response_topic: str | None = None,
        correlation: bytes | None = None,
    ) -> bool:
        """Send a message; False when there is no connection and it was dropped."""


class Listener(Protocol):
    """Something that hands on what it hears."""

    def subscribe(
        self,
        topic_filter: str,
        handler: Callable[[Received], None],
        qos: int = 1,
        *,
        as_published: bool = False,
    ) -> None:
        """Have the handler called for each message that fits the filter."""


class SpeakerAndListener(Speaker, Listener, Protocol):
    """Both in one."""
