"""Which archives stay: their names, and the days, weeks and months they stand for. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"lab-(?P<lab>[a-z0-9-]{1,48})-(?P<at>\d{8}T\d{6}Z)\.tar\.gz(?P<age>\.age)?")


@dataclass(frozen=True, slots=True)
class Keep:
    """How many days, weeks and months that have an archive keep one, their newest."""

    daily: int = 7
    weekly: int = 5
    monthly: int = 12


@dataclass(frozen=True, slots=True)
class Named:
    """What an archive's name says."""

    name: str
    lab: str
    at: datetime
    """When it was begun, UTC."""
    encrypted: bool


def archive_name(lab: str, at: datetime, *, encrypted: bool) -> str:
    """Return the name of the archive of a lab begun at an instant."""
    suffix = ".tar.gz.age" if encrypted else ".tar.gz"
    return f"lab-{lab}-{at.astimezone(UTC).strftime(_STAMP)}{suffix}"


def parse_name(name: str) -> Named | None:
    """Return what a file's name says; None: it is no archive of ours."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        at = datetime.strptime(found["at"], _STAMP).replace(tzinfo=UTC)
    except ValueError:  # the 99th of a month
        return None
    return Named(name, found["lab"], at, encrypted=found["age"] is not None)


def archives(names: Iterable[str], lab: str) -> list[Named]:
    """Return a lab's archives among some names, the newest first."""
    found = [one for one in map(parse_name, names) if one is not None and one.lab == lab]
    return sorted(found, key=lambda one: (one.at, one.name), reverse=True)


def to_forget(names: Iterable[str], lab: str, keep: Keep, zone: ZoneInfo) -> list[Named]:
    """Return a lab's archives that no day, week or month needs; the newest never.

    Days are the lab's. A day without an archive uses up none of the count: a lab that was
    switched off for a summer finds what it had before.
    """
    found = archives(names, lab)
    kept = {one.name for one in found[:1]}
    spans: tuple[tuple[int, Callable[[datetime], Hashable]], ...] = (
        (keep.daily, lambda at: at.date()),
        (keep.weekly, lambda at: at.isocalendar()[:2]),
        (keep.monthly, lambda at: (at.year, at.month)),
    )
    for count, span in spans:
        newest: dict[Hashable, str] = {}
        for one in found:
            newest.setdefault(span(one.at.astimezone(zone)), one.name)
        kept |= set(list(newest.values())[:count])
    return [one for one in found if one.name not in kept]
