"""Signed requests and challenges: only what was signed for us, once, just now."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.clock import ManualClock
from fabctl.errors import NotAuthenticError
from fabctl.messaging.challenges import LIFE, MOST, ChallengeBook
from fabctl.messaging.payloads import PayloadError
from fabctl.messaging.signing import SignedRequest, check_addressee, seal, unseal

KEY = bytes(range(32))
TOPIC = "fab/v1/lab/m/printer-a/cmd/start"
REQUEST = SignedRequest("printer-a", "start", "id-1", {"job": "j", "é": 1.5}, "boot", "challenge")


def test_a_sealed_request_is_read_back() -> None:
    assert unseal(KEY, TOPIC, seal(KEY, TOPIC, REQUEST)) == REQUEST


def test_the_envelope_is_the_one_that_is_written_down() -> None:
    """Somebody who writes another client needs nothing but this."""
    envelope = json.loads(seal(KEY, TOPIC, REQUEST))
    covered = f"fabctl-v1\n{TOPIC}\n{envelope['signed']}".encode()
    assert envelope["mac"] == hmac.new(KEY, covered, hashlib.sha256).hexdigest()
    assert json.loads(envelope["signed"]) == {
        "v": 1,
        "machine": "printer-a",
        "verb": "start",
        "boot": "boot",
        "id": "id-1",
        "challenge": "challenge",
        "body": {"job": "j", "é": 1.5},
    }


def test_another_key_or_topic_does_not_fit() -> None:
    sealed = seal(KEY, TOPIC, REQUEST)
    with pytest.raises(NotAuthenticError):
        unseal(bytes(32), TOPIC, sealed)
    with pytest.raises(NotAuthenticError):
        unseal(KEY, TOPIC.replace("start", "resume"), sealed)


@given(st.data())
def test_no_changed_byte_goes_unnoticed(data: st.DataObject) -> None:
    sealed = bytearray(seal(KEY, TOPIC, REQUEST))
    place = data.draw(st.integers(0, len(sealed) - 1))
    new = data.draw(st.integers(0, 255).filter(lambda byte: byte != sealed[place]))
    sealed[place] = new
    try:
        found = unseal(KEY, TOPIC, bytes(sealed))
    except (NotAuthenticError, PayloadError):
        return
    assert found == REQUEST  # an upper-case hex digit or the like: the same request


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(payload: bytes) -> None:
    with pytest.raises((NotAuthenticError, PayloadError)):
        unseal(KEY, TOPIC, payload)


@given(st.text(max_size=20), st.text(max_size=70))
def test_any_envelope_is_refused(signed: str, mac: str) -> None:
    payload = json.dumps({"v": 1, "signed": signed, "mac": mac}).encode()
    with pytest.raises((NotAuthenticError, PayloadError)):
        unseal(KEY, TOPIC, payload)


@pytest.mark.parametrize(
    ("machine", "verb", "boot", "wrong"),
    [
        ("printer-b", "start", "boot", "machine"),
        ("printer-a", "resume", "boot", "verb"),
        ("printer-a", "start", "boot-2", "boot"),
    ],
)
def test_a_request_for_another_is_refused(machine: str, verb: str, boot: str, wrong: str) -> None:
    with pytest.raises(NotAuthenticError, match=f"another {wrong}"):
        check_addressee(REQUEST, machine=machine, verb=verb, boot=boot)


def test_what_is_on_record_is_true_in_every_boot() -> None:
    request = SignedRequest("printer-a", "recorded", "id-1", {"events": []})
    check_addressee(request, machine="printer-a", verb="recorded", boot="any")


def book(clock: ManualClock) -> ChallengeBook:
    """Return a book whose challenges are c0, c1, ..."""
    names = (f"c{n}" for n in range(1000))
    return ChallengeBook(clock, lambda: next(names))


def test_a_challenge_works_once() -> None:
    challenges = book(ManualClock())
    challenges.spend(challenges.issue())
    with pytest.raises(NotAuthenticError, match="used already"):
        challenges.spend("c0")


def test_a_challenge_lives_5_s_by_the_monotonic_clock() -> None:
    clock = ManualClock()
    challenges = book(clock)
    first, second = challenges.issue(), challenges.issue()
    clock.wall = clock.wall.replace(year=2027)  # a stepped wall clock changes nothing
    clock.advance(LIFE)
    challenges.spend(first)
    clock.advance(0.001)
    with pytest.raises(NotAuthenticError, match=r"5\.0 s old"):
        challenges.spend(second)
    with pytest.raises(NotAuthenticError, match="used already"):
        challenges.spend(second)


def test_at_most_32_challenges_are_out_and_the_oldest_goes() -> None:
    challenges = book(ManualClock())
    issued = [challenges.issue() for _ in range(MOST + 1)]
    assert len(challenges) == MOST
    with pytest.raises(NotAuthenticError):
        challenges.spend(issued[0])
    challenges.spend(issued[1])
