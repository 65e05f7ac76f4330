"""Where requests arrive: taken in by the link's thread, checked and answered by the main one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from fabctl.errors import FabError, LocalError, NotAuthenticError
from fabctl.hosting.machine_reports import MachineReports
from fabctl.messaging.challenges import ChallengeBook
from fabctl.messaging.link import Received
from fabctl.messaging.payloads import Answer, Fields, PayloadError, decode, encode
from fabctl.messaging.signing import (
    CARRIED_VERBS,
    FRESH_VERBS,
    OPEN_VERBS,
    SIGNED_VERBS,
    body_of,
    check_addressee,
    unseal,
)
from fabctl.messaging.speaker import SpeakerAndListener
from fabctl.messaging.topics import LabTopics

MOST_WAITING = 64
"""Requests beyond so many are dropped: a flood must not grow our memory."""
MOST_AT_ONCE = 8
"""Between two pumps of the driver: a flood must not starve the machine."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may be considered: open, or signed for us just now."""

    verb: str
    body: Fields
    message: Received

    @property
    def by(self) -> str | None:
        """The opaque id of the person who asks. :raises PayloadError: it is malformed."""
        return self.body.text_or_none("by", limit=64)


class RequestDesk:
    """The requests to one machine.

    :param key_of: returns the machine's signing key; a rotated one counts at once.
    :param wake: ends the main thread's waiting.
    """

    def __init__(
        self,
        machine: str,
        topics: LabTopics,
        key_of: Callable[[], bytes],
        boot: str,
        challenges: ChallengeBook,
        link: SpeakerAndListener,
        reports: MachineReports,
        wake: Callable[[], None],
    ) -> None:
        self._machine = machine
        self._topics = topics
        self._key_of = key_of
        self._boot = boot
        self._challenges = challenges
        self._link = link
        self._reports = reports
        self._wake = wake
        self._waiting: deque[Received] = deque(maxlen=MOST_WAITING)
        link.subscribe(topics.commands(machine), self.receive, as_published=True)

    def receive(self, message: Received) -> None:
        """Take a message in; in the link's thread. A stop (and the end of a permit) comes first, a
        flood is cut off.
        """
        if message.topic.endswith(("/cmd/stop", "/cmd/drop-permit")):
            self._waiting.appendleft(message)
        elif len(self._waiting) < MOST_WAITING:
            self._waiting.append(message)
        self._wake()

    def take(self) -> list[Request]:
        """Return the next requests that may be considered; the others are answered here."""
        requests = []
        for _ in range(min(MOST_AT_ONCE, len(self._waiting))):
            request = self._checked(self._waiting.popleft())
            if request is not None:
                requests.append(request)
        return requests

    @property
    def busy(self) -> bool:
        """Whether more requests wait."""
        return bool(self._waiting)

    def answer(self, request: Request, answer: Answer) -> None:
        """Say yes; or no, with the reason, which is counted too."""
        if not answer.accepted:
            self._reports.refusal(answer.code, f"{request.verb}: {answer.reason}")
        self._reply(request.message, answer.encode())

    def _checked(self, message: Received) -> Request | None:
        place = self._topics.place(message.topic)
        verb = place.name if place is not None and place.kind == "cmd" else ""
        try:
            body = self._body(verb, message)
        except NotAuthenticError as error:
            self._refuse(message, verb, "not-authentic", error)
        except PayloadError as error:
            self._refuse(message, verb, "malformed", error)
        except LocalError as error:  # its key is gone: nothing can be verified
            self._refuse(message, verb, "not-authentic", error)
        else:
            if verb != "identify":
                return Request(verb, body, message)
            self._identify(message)
        return None

    def _body(self, verb: str, message: Received) -> Fields:
        if message.retain:
            raise NotAuthenticError("a request must not be retained")
        if verb in SIGNED_VERBS:
            request = unseal(self._key_of(), message.topic, message.payload)
            check_addressee(request, machine=self._machine, verb=verb, boot=self._boot)
            if verb in FRESH_VERBS:
                self._challenges.spend(request.challenge)
            return body_of(request)
        if verb in {"stop", "drop-permit"}:
            return _who_stops(message.payload)
        if verb in CARRIED_VERBS:
            return Fields({})
        if verb in OPEN_VERBS:
            return decode(message.payload)
        raise PayloadError(f"{verb!r} cannot be asked of a machine")

    def _identify(self, message: Received) -> None:
        fields = {
            "accepted": True,
            "code": "ok",
            "reason": None,
            "machine": self._machine,
            "boot": self._boot,
            "challenge": self._challenges.issue(),
        }
        self._reply(message, encode(fields))

    def _refuse(self, message: Received, verb: str, code: str, error: FabError) -> None:
        self._reports.refusal(code, f"{verb or 'a request'}: {error}")
        self._reply(message, Answer(False, code, f"{error}."[:400]).encode())

    def _reply(self, message: Received, payload: bytes) -> None:
        """Answer where the asker wants it, if that is a place for answers."""
        topic = message.response_topic
        place = self._topics.place(topic) if topic else None
        if topic is not None and place is not None and place.kind == "answer":
            self._link.publish(topic, payload, expiry_s=30, correlation=message.correlation)


def _who_stops(payload: bytes) -> Fields:
    """Return what a stop (or a dropped permit) says of who asks. Whatever it says, it is one: also
    said by a button that knows nothing of our form.
    """
    try:
        body = decode(payload)
        body.text_or_none("by", limit=64)
        body.text_or_none("job", limit=64)
    except PayloadError:
        return Fields({})
    return body
