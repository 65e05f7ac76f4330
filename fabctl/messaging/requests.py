"""Asking a machine for something and waiting for its answer: the web and the steward do."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fabctl.clock import Clock, SystemClock
from fabctl.config import DataPaths
from fabctl.errors import InputError, LocalError
from fabctl.keyfile import KeyFile
from fabctl.messaging.link import MqttLink, Received
from fabctl.messaging.payloads import Answer, Fields, PayloadError, decode, encode
from fabctl.messaging.signing import (
    OPEN_VERBS,
    SIGNED_VERBS,
    TIMELESS_VERBS,
    SignedRequest,
    seal,
)
from fabctl.messaging.topics import LabTopics
from fabctl.units import Seconds

DEFAULT_TIMEOUT = Seconds(5.0)
NO_BROKER = Answer(False, "no-broker", "There is no connection to the broker.")
NO_ANSWER = Answer(False, "no-answer", "The machine did not answer in time.")


@dataclass
class _Waiting:
    done: threading.Event = field(default_factory=threading.Event)
    payload: bytes | None = None


class MachineRequests:
    """Sends requests over a link and matches the answers. Safe from many threads.

    :param key_of: returns the signing key of a machine; see :func:`keys_in`.
    """

    def __init__(
        self,
        link: MqttLink,
        lab: str,
        key_of: Callable[[str], bytes],
        clock: Clock | None = None,
    ) -> None:
        self._link = link
        self._topics = LabTopics(lab)
        self._key_of = key_of
        self._clock = clock or SystemClock()
        self._answers = self._topics.answer(link.client_id)
        self._waiting: dict[bytes, _Waiting] = {}
        self._guard = threading.Lock()
        link.subscribe(self._answers, self._heard)

    def send(
        self,
        machine: str,
        verb: str,
        body: Mapping[str, Any],
        timeout: Seconds = DEFAULT_TIMEOUT,
    ) -> Answer:
        """Ask, and wait for the answer for at most ``timeout`` s in all.

        A verb that must be fresh takes two round trips: the machine's challenge, then the request.

        :returns: ``no-broker`` or ``no-answer`` when nothing came; the machine may then have
            heard the request or not: its events tell.
        :raises InputError: no such verb.
        :raises LocalError: the machine's key cannot be read, or the caller is the link's thread.
        """
        if self._link.in_own_thread:
            raise LocalError(f"{verb} was asked from the link's own thread, which cannot wait")
        if verb not in OPEN_VERBS | SIGNED_VERBS:
            raise InputError(f"{verb!r} cannot be asked of a machine", device=machine)
        deadline = Seconds(self._clock.monotonic() + timeout)
        if not self._link.wait_connected(timeout):
            return NO_BROKER
        payload = encode(body) if verb in OPEN_VERBS else None
        try:
            if payload is None:
                payload = self._signed(machine, verb, body, deadline)
            answer = self._ask(machine, verb, payload, deadline) if payload else None
            return Answer.decode(answer) if answer else NO_ANSWER
        except PayloadError as error:
            return Answer(False, "malformed-answer", f"The machine's answer is malformed: {error}.")

    def _signed(
        self, machine: str, verb: str, body: Mapping[str, Any], deadline: Seconds
    ) -> bytes | None:
        key = self._key_of(machine)
        topic = self._topics.command(machine, verb)
        name = secrets.token_hex(8)
        if verb in TIMELESS_VERBS:
            return seal(key, topic, SignedRequest(machine, verb, name, body))
        identity = self._ask(machine, "identify", encode({}), deadline)
        if identity is None:
            return None
        fields = _identity(identity, machine)
        boot, challenge = fields.text("boot", limit=64), fields.text("challenge", limit=64)
        return seal(key, topic, SignedRequest(machine, verb, name, body, boot, challenge))

    def _ask(self, machine: str, verb: str, payload: bytes, deadline: Seconds) -> bytes | None:
        correlation = secrets.token_bytes(12)
        waiting = _Waiting()
        with self._guard:
            self._waiting[correlation] = waiting
        left = deadline - self._clock.monotonic()
        try:
            self._link.publish(
                self._topics.command(machine, verb),
                payload,
                expiry_s=max(1, round(left)),
                response_topic=self._answers,
                correlation=correlation,
            )
            waiting.done.wait(max(0.0, left))
        finally:
            with self._guard:
                del self._waiting[correlation]
        return waiting.payload

    def _heard(self, message: Received) -> None:
        with self._guard:
            waiting = self._waiting.get(message.correlation or b"")
        if waiting is not None:
            waiting.payload = message.payload
            waiting.done.set()


def _identity(payload: bytes, machine: str) -> Fields:
    fields = decode(payload)
    if fields.text("machine", limit=64) != machine:
        raise PayloadError("another machine answered")
    return fields


def keys_in(paths: DataPaths) -> Callable[[str], bytes]:
    """Return a reader of keys from the data directory; a rotated key counts at once."""
    known: dict[str, KeyFile] = {}

    def key_of(machine: str) -> bytes:
        return known.setdefault(machine, KeyFile(paths.machine_key(machine))).key()

    return key_of
