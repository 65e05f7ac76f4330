"""Words of ``fabctl terminal`` that begin with a slash: asked of the driver, not said as a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from fabctl.errors import InputError, LocalError
from fabctl.ports import Driver, HandControl, JogCancel, Override, Overrides
from fabctl.units import MmPerMin

JOG_FEED = MmPerMin(1000.0)
_JOG_WORD = re.compile(r"([xyzf])([-+]?\d+(?:\.\d+)?)", re.IGNORECASE)


class Word(NamedTuple):
    """One word: what it asks for and how it is used."""

    obey: Callable[[Driver, list[str]], None]
    usage: str
    at_once: bool
    """It acts while the machine is at work; others wait until it is idle."""


def obey(driver: Driver, line: str) -> None:
    """Do what a line that begins with a slash asks for; not for /help and /quit.

    :raises LocalError: this machine cannot do that, or not now.
    :raises InputError: there is no such word, or what follows it makes no sense.
    """
    name, *rest = line[1:].split() or [""]
    word = WORDS.get(name)
    if word is None:
        raise InputError(f"there is no /{name}", next_step=f"one of: {', '.join(names())}")
    word.obey(driver, rest)


def acts_at_once(line: str) -> bool:
    """Return whether a line is to be obeyed while the machine is still at work."""
    if line.strip() in ("?", "!", "~"):  # Grbl's characters in real time
        return True
    name = line[1:].split()[:1] if line.startswith("/") else []
    word = WORDS.get(name[0]) if name else None
    return word is not None and word.at_once


def stops(line: str) -> bool:
    """Return whether what was typed before a line is not to be obeyed any more."""
    return line.strip().split()[:1] == ["/stop"]


def moves(line: str) -> bool:
    """Return whether what comes after a line has to wait until a move by hand has ended."""
    return line[1:].split()[:1] in (["home"], ["jog"])


def names() -> list[str]:
    """Return every word that there is."""
    return [f"/{name}" for name in WORDS] + ["/help", "/quit"]


def usages() -> list[str]:
    """Return a line of help for each word."""
    rows = [word.usage for word in WORDS.values()]
    return [*rows, "/help                    this list", "/quit                    leave (Ctrl-D)"]


def _home(driver: Driver, rest: list[str]) -> None:
    if not isinstance(driver, HandControl):
        raise LocalError("this machine cannot be homed from here")
    driver.home("".join(rest).upper())


def _jog(driver: Driver, rest: list[str]) -> None:
    if not isinstance(driver, HandControl):
        raise LocalError("this machine cannot be jogged from here")
    found = [(word, _JOG_WORD.fullmatch(word)) for word in rest]
    values = {match[1].upper(): float(match[2]) for _, match in found if match}
    wrong = next((word for word, match in found if match is None), None)
    if wrong is not None or len(values) != len(rest) or not values.keys() - {"F"}:
        raise InputError(f"/jog {' '.join(rest)}".rstrip(), limit=WORDS["jog"].usage)
    feed = MmPerMin(values.pop("F", JOG_FEED))
    driver.jog(values, feed)


def _cancel(driver: Driver, _rest: list[str]) -> None:
    if not isinstance(driver, JogCancel):
        raise LocalError("this machine cannot end a jog early", next_step="/stop ends everything")
    driver.cancel_jog()


def _override(which: Override) -> Callable[[Driver, list[str]], None]:
    def change(driver: Driver, rest: list[str]) -> None:
        if not isinstance(driver, Overrides):
            raise LocalError(f"this machine's {which.value} cannot be changed from here")
        percent = " ".join(rest).removesuffix("%")
        if not percent.isdecimal():
            raise InputError(f"/{which.value} {percent}".rstrip(), limit=WORDS[which.value].usage)
        driver.override(which, int(percent))

    return change


def _stop(driver: Driver, _rest: list[str]) -> None:
    driver.stop()


def _clear(driver: Driver, _rest: list[str]) -> None:
    driver.clear()


WORDS: Mapping[str, Word] = {
    "home": Word(_home, "/home [xyz]              home all axes, or these", at_once=False),
    "jog": Word(_jog, "/jog x10 y-5 [f1000]     move by mm, at mm/min", at_once=False),
    "cancel": Word(_cancel, "/cancel                  end the jogs", at_once=True),
    "feed": Word(_override(Override.FEED), "/feed 120                feed in %", at_once=True),
    "rapid": Word(
        _override(Override.RAPID), "/rapid 50                rapids in %: 25, 50, 100", at_once=True
    ),
    "spindle": Word(
        _override(Override.SPINDLE), "/spindle 90              spindle or laser in %", at_once=True
    ),
    "stop": Word(
        _stop, "/stop                    end it all, heaters and spindle off", at_once=True
    ),
    "clear": Word(
        _clear, "/clear                   you looked at it: it may be used again", at_once=True
    ),
}
"""Every word but /help and /quit, which ask nothing of a machine."""
