"""The code with which a machine's computer joins the lab: eight digits, read aloud, for once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

CODE_DIGITS = 8
CODE_LASTS = timedelta(minutes=10)
MOST_WRONG = 20
"""Wrong codes, of anybody, after which every code that is out counts no more: 20 guesses at one of
10^8 codes."""


def new_code(below: Callable[[int], int]) -> str:
    """Return a code.

    :param below: returns a random number from 0 to below the one that it is given.
    """
    return f"{below(10**CODE_DIGITS):0{CODE_DIGITS}}"


def clean_code(said: str) -> str:
    """Return a code as it is hashed: its digits, however they were grouped."""
    return "".join(one for one in said if one.isascii() and one.isdigit())


def shown_code(code: str) -> str:
    """Return a code as it is shown and read aloud: ``4821 9377``."""
    return f"{code[:4]} {code[4:]}"


def is_code_out(now: datetime, until: datetime | None, wrong: int) -> bool:
    """Say whether a code counts at this moment.

    One that would last longer than any was made by a clock that was ahead: it is none.
    """
    return until is not None and now < until <= now + CODE_LASTS and wrong < MOST_WRONG
