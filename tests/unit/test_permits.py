"""Permits: what is right comes through, and nothing else does, whatever it is."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabctl.errors import InputError, NotAuthenticError
from fabctl.permits import MAX_BYTES, Permit, seal, unseal

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
PERMIT = Permit("laser", "p7", "u1", "boot-1", 1, 10.0, "c" * 32)
EXAMPLES = 1500
"""Four fuzz tests of so many inputs: 12,000 in all."""


def signed(text: str, key: bytes = KEY) -> bytes:
    """Return any text as a permit with a right signature, made here without the code tested."""
    covered = b"fabctl-permit-v1\n" + text.encode(errors="surrogatepass")
    mac = hmac.new(key, covered, hashlib.sha256).hexdigest()
    return json.dumps({"v": 1, "permit": text, "mac": mac}).encode()


def refused(message: bytes, key: bytes = KEY) -> bool:
    """Say whether it is refused as documented; anything but the two errors fails the test."""
    try:
        unseal(key, message)
    except (InputError, NotAuthenticError):
        return True
    return False


# -- by hand -------------------------------------------------------------------------------------


def test_what_is_sealed_comes_out() -> None:
    assert unseal(KEY, seal(KEY, PERMIT)) == PERMIT


def test_the_form_is_the_documented_one() -> None:
    text = json.dumps(asdict(PERMIT), sort_keys=True)
    assert json.loads(signed(text)) == json.loads(seal(KEY, PERMIT))


def test_a_foreign_key_is_not_authentic() -> None:
    with pytest.raises(NotAuthenticError, match="signature"):
        unseal(KEY, seal(OTHER_KEY, PERMIT))


@pytest.mark.parametrize("value", [0, -1, -0.0, 60.1, 1e300, 10**400, "10", None, True, [10]])
def test_seconds_that_make_no_sense(value: object) -> None:
    assert refused(signed(json.dumps(asdict(PERMIT) | {"seconds": value})))


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_seconds_that_are_no_number(word: str) -> None:
    text = json.dumps(asdict(PERMIT)).replace("10.0", word)
    assert word in text
    assert refused(signed(text))


@pytest.mark.parametrize("value", [0, -1, 2**53, 10**400, 1.0, 1.5, "1", None, True, False])
def test_serials_that_make_no_sense(value: object) -> None:
    assert refused(signed(json.dumps(asdict(PERMIT) | {"serial": value})))


@pytest.mark.parametrize("name", ["machine", "person", "use", "boot", "challenge"])
@pytest.mark.parametrize("value", ["", "x" * 65, 7, None, True, "a\0b", "a\nb", "\ud800", "é"])
def test_names_that_make_no_sense(name: str, value: object) -> None:
    assert refused(signed(json.dumps(asdict(PERMIT) | {name: value})))


@pytest.mark.parametrize("name", [*asdict(PERMIT)])
def test_nothing_may_be_left_out(name: str) -> None:
    values = asdict(PERMIT)
    del values[name]
    assert refused(signed(json.dumps(values)))


@pytest.mark.parametrize("version", [True, 1.0, "1", 0, 2, None])
def test_another_version_is_refused(version: object) -> None:
    envelope = json.loads(seal(KEY, PERMIT)) | {"v": version}
    assert refused(json.dumps(envelope).encode())


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"1",
        b'"permit"',
        b"{",
        b"[" * MAX_BYTES,
        b'{"a":' * (MAX_BYTES // 5),
        b'{"v":1,"permit":"\\ud800","mac":"\\udfff"}',
        b'{"v":1,"permit":"{}","mac":"\xc3\xa9"}',
        '{"v":1}'.encode("utf-16"),
        "é".encode("latin-1"),
    ],
)
def test_what_is_no_permit_at_all(message: bytes) -> None:
    assert refused(message)


def test_surrogates_under_a_right_signature_are_refused() -> None:
    assert refused(signed("\ud800"))
    assert refused(signed('"\ud800"'))


def test_what_is_too_long_is_not_read() -> None:
    message = seal(KEY, PERMIT)
    padded = message + b" " * (MAX_BYTES - len(message))
    assert unseal(KEY, padded) == PERMIT
    with pytest.raises(InputError, match="shorter"):
        unseal(KEY, padded + b" ")


# -- fuzz ----------------------------------------------------------------------------------------

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
NUMBERS = st.one_of(
    st.sampled_from([float("nan"), float("inf"), float("-inf"), -0.0, 1e308, 2**53, -1, True]),
    st.integers(),
    st.floats(),
    st.booleans(),
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=1100) | JSON_VALUES.map(lambda found: json.dumps(found).encode()))
def test_anything_is_refused(message: bytes) -> None:
    assert refused(message)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_a_changed_permit_is_refused_or_the_same(data: st.DataObject) -> None:
    """Bits flipped, bytes cut out, put in, doubled: only blanks of the envelope may differ."""
    whole = bytearray(seal(KEY, PERMIT))
    change = data.draw(st.sampled_from(sorted(CHANGES)))
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = CHANGES[change](whole, place, data.draw(st.integers(0, 255)))
    assert refused(changed) or unseal(KEY, changed) == PERMIT


CHANGES: dict[str, Callable[[bytearray, int, int], bytes]] = {
    "flip a bit": lambda whole, at, by: bytes(
        byte ^ (1 << by % 8) if n == at else byte for n, byte in enumerate(whole)
    ),
    "cut": lambda whole, at, _by: bytes(whole[:at]),
    "leave out": lambda whole, at, by: bytes(whole[:at] + whole[at + by % 9 + 1 :]),
    "put in": lambda whole, at, by: bytes(whole[:at] + bytes([by]) + whole[at:]),
    "double": lambda whole, at, _by: bytes(whole + whole[at:]),
}


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*asdict(PERMIT), "more"]),
        NUMBERS | JSON_VALUES,
        min_size=1,
    )
)
def test_whatever_is_signed_makes_sense_or_is_refused(changes: dict[str, Any]) -> None:
    """The key does not excuse nonsense: what comes out is inside its documented range."""
    message = signed(json.dumps(asdict(PERMIT) | changes))
    if refused(message):
        return
    found = unseal(KEY, message)
    assert type(found.serial) is int
    assert 1 <= found.serial < 2**53
    assert type(found.seconds) is float
    assert 0 < found.seconds <= 60
    for name in (found.machine, found.person, found.use, found.boot, found.challenge):
        assert 0 < len(name) <= 64
        assert name.isprintable()


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(1, 2**53 - 1))
def test_no_other_key_opens_it(key: bytes, serial: int) -> None:
    permit = replace(PERMIT, serial=serial)
    message = seal(key, permit)
    assert unseal(key, message) == permit
    assert key == KEY or refused(message)
