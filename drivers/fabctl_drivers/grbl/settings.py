"""A Grbl machine's own options in ``lab.toml``, checked. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from fabctl.errors import InputError
from fabctl.ports import MachineKind, MachineProfile, WorkArea

OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "check_run": "true: jobs run in check mode ($C), nothing moves; default false",
        "rx_bytes": "bytes under way at most, where $I says too much or nothing; 1: one line",
        "keep_running": "true: the board is not reset when the port closes (HUPCL); default false",
        "clear_by": "unlock ($X, default) or home ($H): what a person's clear does when locked",
        "when_locked": "wait (default), unlock or home: a machine found locked at its opening",
    }
)


class Key(StrEnum):
    """How a locked machine is opened."""

    WAIT = "wait"
    UNLOCK = "unlock"
    HOME = "home"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the conversation needs to know of its machine."""

    check_run: bool = False
    rx_bytes: int | None = None
    clear_by: Key = Key.UNLOCK
    when_locked: Key = Key.WAIT
    work_area: WorkArea | None = None
    keep_running: bool = False
    is_laser: bool = False
    """The machine's kind: its controller must be in laser mode for a job."""


def settings_of(profile: MachineProfile) -> Settings:
    """Return the settings that a profile asks for.

    :raises InputError: the baud rate is not above 0, or an option is unknown or has a bad value.
    """
    if profile.baud <= 0:
        raise InputError(f"baud is {profile.baud}", device=profile.id, limit="above 0")
    for name in profile.options:
        if name not in OPTIONS:
            raise InputError(_unknown(name), device=profile.id)
    return Settings(
        _flag(profile, "check_run"),
        _bytes(profile, "rx_bytes"),
        _key(profile, "clear_by", Key.UNLOCK, (Key.UNLOCK, Key.HOME)),
        _key(profile, "when_locked", Key.WAIT, tuple(Key)),
        profile.work_area,
        _flag(profile, "keep_running"),
        profile.kind is MachineKind.LASER,
    )


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, OPTIONS, n=1)
    guess = f"did you mean “{near[0]}”?" if near else f"it knows {', '.join(OPTIONS)}"
    return f"the driver grbl has no option “{name}”; {guess}"


def _flag(profile: MachineProfile, name: str) -> bool:
    asked = profile.options.get(name, False)
    if isinstance(asked, bool):
        return asked
    raise _bad(profile, name, "true or false")


def _bytes(profile: MachineProfile, name: str) -> int | None:
    asked = profile.options.get(name)
    if asked is None or (isinstance(asked, int) and asked is not True and 1 <= asked <= 65535):
        return asked
    raise _bad(profile, name, "1 to 65535 bytes")


def _key(profile: MachineProfile, name: str, default: Key, allowed: tuple[Key, ...]) -> Key:
    asked = profile.options.get(name, default.value)
    for key in allowed:
        if asked == key.value:
            return key
    raise _bad(profile, name, " or ".join(allowed))


def _bad(profile: MachineProfile, name: str, limit: str) -> InputError:
    asked = profile.options.get(name)
    return InputError(f"the option {name} is {asked!r}", device=profile.id, limit=limit)
