"""What logins, passwords and PINs must look like."""

from __future__ import annotations

import pytest

from fabctl.model.people import (
    Role,
    clean_login,
    login_refusals,
    login_taken,
    password_refusals,
    pin_not_possible,
    pin_refusals,
)


@pytest.mark.parametrize("login", ["a", "léa".replace("é", "e"), "l.ea_2@lab+x-y", "x" * 64])
def test_logins_that_are_fine(login: str) -> None:
    assert login_refusals(login) == []


@pytest.mark.parametrize("login", ["", "Léa", "LEA", " lea", ".lea", "lea m", "x" * 65, "a\n"])
def test_logins_that_are_not(login: str) -> None:
    assert [refusal.code for refusal in login_refusals(login)] == ["login-malformed"]


def test_a_login_is_compared_without_case_and_blanks_around_it() -> None:
    assert clean_login("  LEA ") == "lea"


@pytest.mark.parametrize(
    ("length", "refused"), [(0, True), (7, True), (8, False), (200, False), (201, True)]
)
def test_a_password_has_8_to_200_characters(length: int, refused: bool) -> None:
    assert bool(password_refusals("é" * length)) is refused


@pytest.mark.parametrize(
    ("pin", "code"),
    [
        ("402817", None),
        ("112233", None),
        ("40281", "pin-malformed"),
        ("4028177", "pin-malformed"),
        ("40281x", "pin-malformed"),
        ("٤٠٢٨١٧", "pin-malformed"),
        ("000000", "pin-not-possible"),
        ("123456", "pin-not-possible"),
        ("890123", "pin-not-possible"),
        ("654321", "pin-not-possible"),
    ],
)
def test_pins(pin: str, code: str | None) -> None:
    assert [refusal.code for refusal in pin_refusals(pin)] == ([code] if code else [])


def test_a_taken_pin_sounds_like_a_plain_one() -> None:
    assert pin_refusals("000000") == [pin_not_possible()]
    assert pin_not_possible() != login_taken()


def test_who_acts_for_others() -> None:
    assert {role for role in Role if role.acts_for_others} == {"animator", "staff", "admin"}
