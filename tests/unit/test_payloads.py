"""Payloads: what is said is read back the same; what is malformed raises one kind of error."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.messaging.payloads import (
    MAX_BYTES,
    Answer,
    EventPayload,
    Fields,
    JobPayload,
    MachineState,
    PayloadError,
    PresencePayload,
    Stamp,
    StartOrder,
    StatePayload,
    decode,
    encode,
    instant,
    read_stamp,
    read_telemetry,
)

PARIS = timezone(timedelta(hours=1))
STAMP = Stamp(datetime(2026, 11, 23, 10, 0, 0, 123000, PARIS), True, "b00t", 7)

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60)
ids = st.text("abcdef-0123456789", min_size=1, max_size=20)
maybe_ids = st.none() | ids
counts = st.integers(0, 10**9)
stamps = st.builds(
    Stamp,
    st.integers(0, 10**11).map(
        lambda ms: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    ),
    st.booleans(),
    ids,
    counts,
)
states = st.builds(
    StatePayload,
    st.sampled_from([state for state in MachineState if state is not MachineState.UNKNOWN]),
    st.none() | texts,
    maybe_ids,
    maybe_ids,
    st.none() | texts,
    counts,
    st.integers(1, 60),
)
jobs = st.builds(
    JobPayload,
    ids,
    st.integers(0, 10_000).map(lambda share: share / 10_000),
    counts,
    counts,
    st.none() | counts,
)
events = st.builds(
    EventPayload,
    ids,
    stamps,
    maybe_ids,
    st.none() | counts,
    st.none() | counts,
    st.none() | counts,
    st.none() | st.floats(0, 1e9),
    maybe_ids,
    st.none() | texts,
    maybe_ids,
    st.none() | counts,
)


def test_every_message_has_the_common_fields() -> None:
    said = json.loads(StatePayload(MachineState.IDLE).encode(STAMP))
    assert {key: said[key] for key in ("v", "ts", "synced", "boot", "seq")} == {
        "v": 1,
        "ts": "2026-11-23T09:00:00.123Z",
        "synced": True,
        "boot": "b00t",
        "seq": 7,
    }


@given(states, stamps)
def test_a_state_is_read_back(state: StatePayload, stamp: Stamp) -> None:
    payload = state.encode(stamp)
    assert StatePayload.decode(payload) == state
    assert read_stamp(decode(payload)) == stamp


@given(jobs, stamps)
def test_a_job_is_read_back(job: JobPayload, stamp: Stamp) -> None:
    assert JobPayload.decode(job.encode(stamp)) == job


def test_no_job_is_said_and_read() -> None:
    payload = JobPayload(None).encode(STAMP)
    assert json.loads(payload)["state"] == "none"
    assert JobPayload.decode(payload) == JobPayload(None)


@given(events)
def test_an_event_is_read_back(event: EventPayload) -> None:
    assert EventPayload.decode(event.encode()) == event


@given(st.booleans(), ids, st.none() | texts)
def test_an_answer_is_read_back(accepted: bool, code: str, reason: str | None) -> None:
    answer = Answer(accepted, code, reason)
    assert Answer.decode(answer.encode()) == answer


@given(st.booleans(), st.dictionaries(ids.map(lambda key: f"x{key}"), counts | texts, max_size=4))
def test_presence_is_read_back(online: bool, figures: dict[str, Any]) -> None:
    presence = PresencePayload(online, figures)
    assert PresencePayload.decode(presence.encode(STAMP)) == presence


READERS: dict[str, Callable[[bytes], object]] = {
    "decode": decode,
    "state": StatePayload.decode,
    "job": JobPayload.decode,
    "event": EventPayload.decode,
    "answer": Answer.decode,
    "presence": PresencePayload.decode,
    "telemetry": read_telemetry,
    "order": lambda payload: StartOrder.read(decode(payload)),
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
known_keys = st.sampled_from(
    ["v", "ts", "synced", "boot", "seq", "state", "reason", "job", "progress", "line", "lines",
     "eta_s", "type", "accepted", "code", "sha256", "size", "name", "commands", "max_age_s"]
)  # fmt: skip
near_misses = st.dictionaries(known_keys, json_values).map(lambda found: {"v": 1} | found)


def read_with_every_reader(payload: bytes) -> None:
    """Read a payload as each kind of message; only a PayloadError may come of it."""
    for reader in READERS.values():
        try:
            reader(payload)
        except PayloadError:
            continue


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    read_with_every_reader(payload)


@given(near_misses)
def test_any_object_is_read_or_refused(value: dict[str, Any]) -> None:
    read_with_every_reader(json.dumps(value).encode())


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "'v' is None"),
        (b'{"v":2}', "version 2"),
        (b'{"v":1,"x":NaN}', "not JSON"),
        (b'{"v":1,"x":1e999}', "not JSON"),
        (b'{"v":1,"x":"\\ud800"}', "not JSON"),
        (b'{"v":1,"x":' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"v":1,"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "not JSON"),
        (b'{"v":1,"x":"' + b"y" * MAX_BYTES + b'"}', "bytes"),
        (b'{"v":1,"x":"\xff"}', "not JSON"),
    ],
)
def test_what_is_malformed_is_refused_with_what_is_wrong(payload: bytes, why: str) -> None:
    with pytest.raises(PayloadError, match=why.replace("(", r"\(")):
        decode(payload)


@pytest.mark.parametrize(
    ("take", "value"),
    [
        (lambda f: f.text("k"), ""),
        (lambda f: f.text("k"), "a\0b"),
        (lambda f: f.text("k"), "x" * 501),
        (lambda f: f.whole("k"), True),
        (lambda f: f.whole("k"), 1.0),
        (lambda f: f.whole("k"), -1),
        (lambda f: f.whole("k"), 2**53 + 1),
        (lambda f: f.number("k"), "1"),
        (lambda f: f.number("k"), True),
        (lambda f: f.number("k"), 10**400),
        (lambda f: f.flag("k"), 1),
        (lambda f: f.moment("k"), "2026-11-23T10:00:00"),
        (lambda f: f.moment("k"), "today"),
        (lambda f: f.inner("k"), []),
    ],
)
def test_values_of_the_wrong_kind_are_refused(take: Callable[[Fields], Any], value: Any) -> None:
    with pytest.raises(PayloadError, match="'k'"):
        take(Fields({"k": value}))


def test_unknown_fields_and_event_types_are_no_mistake() -> None:
    payload = encode({"type": "tripped", "colour": "red"}, STAMP)
    assert EventPayload.decode(payload).type == "tripped"


def test_an_instant_is_utc_in_milliseconds() -> None:
    assert instant(datetime(2026, 3, 29, 3, 0, 0, 999_900, PARIS)) == "2026-03-29T02:00:00.999Z"


def test_half_a_character_cannot_be_said() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        encode({"reason": "\ud800"})
