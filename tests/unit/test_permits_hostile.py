"""Hostile permits at the daemon's desk, and hostile words on its socket: counted, never a crash."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fabctl.hosting.interlock_line import _state
from fabctl.messaging.fields import PayloadError
from fabctl.messaging.interlocks import InterlockPayload
from fabctl.permits import Permit, seal
from fabctl_drivers.interlock.permit_desk import PermitDesk
from tests.unit.test_permits import CHANGES, JSON_VALUES, NUMBERS, signed

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
BOOT, MACHINE, NOW = "boot-1", "laser", 5000.0
EXAMPLES = 1200
FIRST = PermitDesk(MACHINE, KEY, BOOT, NOW).challenge
"""What a desk asks at ``NOW``."""
RIGHT = Permit(MACHINE, "p1", "u1", BOOT, 1, 10.0, FIRST)

permits = st.builds(
    Permit,
    machine=st.sampled_from([MACHINE, MACHINE, MACHINE, "mill", "LASER", "laser "]),
    person=st.just("p1"),
    use=st.sampled_from(["u1", "u2"]),
    boot=st.sampled_from([BOOT, BOOT, BOOT, "boot-2", "boot-1 "]),
    serial=st.integers(1, 40),
    seconds=st.floats(0.001, 60.0),
    challenge=st.sampled_from([*range(12), "0" * 32, FIRST[:-1], FIRST.upper()]).map(str),
)
"""What has the right form; much of it is right."""
sealed = st.tuples(permits, st.sampled_from([KEY, KEY, KEY, OTHER_KEY]))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(sealed | st.binary(max_size=1100), max_size=12), st.integers(0, 1000))
def test_only_what_is_right_in_every_respect_is_taken(
    messages: list[tuple[Permit, bytes] | bytes], scans: int
) -> None:
    """The model is written anew here: signature, machine, boot, serial, challenge, and no more.

    A number for a challenge is the desk's own, that many before the last one.
    """
    desk = PermitDesk(MACHINE, KEY, BOOT, NOW)
    now, asked = NOW, [(FIRST, NOW)]
    for scan in range(scans + 1):
        now = NOW + scan / 50
        desk.tick(now)
        if desk.challenge != asked[-1][0]:
            asked.append((desk.challenge, now))
    recent = {challenge for challenge, since in asked if now - since <= 6.0}
    highest = accepted = 0
    for one in messages:
        if isinstance(one, bytes):
            expected, message = False, one
        else:
            permit, key = one
            before = int(permit.challenge) if len(permit.challenge) < 3 else len(asked)
            if before < len(asked):
                permit = replace(permit, challenge=asked[-1 - before][0])
            message = seal(key, permit)
            on_time = permit.challenge in recent
            expected = key == KEY and on_time and permit.serial > highest
            expected = expected and (permit.machine, permit.boot) == (MACHINE, BOOT)
        answer = desk.take(message, now)
        assert answer.accepted is expected
        assert (answer.code is None) is expected
        if expected and not isinstance(one, bytes):
            highest, accepted = one[0].serial, accepted + 1
    assert desk.accepted == accepted
    assert sum(desk.refused.values()) == len(messages) - accepted
    assert (desk.fresh(now) is not None) == (accepted > 0)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*asdict(RIGHT), "more"]), NUMBERS | JSON_VALUES, min_size=1)
)
def test_nonsense_with_a_right_signature_is_counted(changes: dict[str, Any]) -> None:
    desk = PermitDesk(MACHINE, KEY, BOOT, NOW)
    answer = desk.take(signed(json.dumps(asdict(RIGHT) | changes)), NOW)
    assert answer.accepted is (sum(desk.refused.values()) == 0)
    held = desk.fresh(NOW)
    assert held is None or NOW < held.ends_at <= NOW + 10.0


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_a_bent_permit_arms_no_longer_than_the_right_one(data: st.DataObject) -> None:
    whole = bytearray(seal(KEY, RIGHT))
    change = CHANGES[data.draw(st.sampled_from(sorted(CHANGES)))]
    message = change(
        whole, data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 255))
    )
    desk = PermitDesk(MACHINE, KEY, BOOT, NOW)
    answer = desk.take(message, NOW)
    held = desk.fresh(NOW)
    assert answer.accepted is (held is not None)
    assert held is None or (held.use, held.ends_at) == ("u1", NOW + 10.0)


def test_the_same_permit_twice_is_a_replay() -> None:
    desk = PermitDesk(MACHINE, KEY, BOOT, NOW)
    message = seal(KEY, RIGHT)
    assert desk.take(message, NOW).accepted
    assert not desk.take(message, NOW + 1.0).accepted
    held = desk.fresh(NOW + 1.0)
    assert held is not None
    assert held.ends_at == NOW + 10.0, "a replay makes nothing last longer"


# -- what the daemon says --------------------------------------------------------------------------

WORDS: dict[str, Any] = {
    "v": 1, "boot": "b", "seq": 1, "state": "ready", "since_s": 1.0, "cause": None,
    "first_cause": None, "fault": None, "advice": None,
    "inputs": {"lid_a": {"condition": "passed", "age_s": 1.0, "say": None}},
    "permit": {"use": "u", "left_s": 3.0}, "permits_refused": {"replayed": 1},
    "outputs_on": False, "active": None, "trips": 0, "uptime_s": 5.0,
}  # fmt: skip


def read(line: bytes) -> InterlockPayload | None:
    """Read a line; anything but the documented error fails the test."""
    try:
        return _state(line)
    except PayloadError:
        return None


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda some: b'{"state":' + some))
def test_no_line_harms_the_machines_process(line: bytes) -> None:
    assert read(line) is None


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.dictionaries(st.sampled_from([*WORDS]), NUMBERS | JSON_VALUES, min_size=1, max_size=3))
def test_words_that_make_no_sense_are_silence(changes: dict[str, Any]) -> None:
    found = read(json.dumps(WORDS | changes).encode())
    if found is None:
        return
    assert all(len(code) <= 64 for code in found.permits_refused)
    for number in (found.since_s, found.uptime_s):
        assert number is None or abs(number) <= 1e15


def test_right_words_are_read() -> None:
    found = read(json.dumps(WORDS).encode())
    assert found is not None
    assert (found.state, found.boot, found.uptime_s) == ("ready", "b", 5.0)
    assert read(b'{"permit_answer": {"accepted": true, "code": null}}') is None
