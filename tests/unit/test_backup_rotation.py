"""Which archives stay, what names and manifests say, and lab.toml pointed at a new place."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.backup import manifest as form
from fabctl.backup.pointing import database_url, pointed_at
from fabctl.backup.readiness import Facts, must_wait, troubles
from fabctl.backup.rotation import Keep, archive_name, archives, parse_name, to_forget
from fabctl.config_file import ConfigError, read
from fabctl.errors import InputError, LocalError
from fabctl.store.version import HEAD

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone
COUNTS = st.integers(0, 6)
RECIPIENT = "age1gnheh2d4py4fns8kacv7k84kcalxtadxu7a2uexafkwee0df0sjqhm3fvr"


def kept(names: list[str], keep: Keep) -> list[datetime]:
    doomed = {one.name for one in to_forget(names, "lab", keep, PARIS)}
    return [one.at for one in archives(names, "lab") if one.name not in doomed]


def nightly(days: int) -> list[str]:
    return [
        archive_name("lab", NOW - timedelta(days=days_ago), encrypted=False)
        for days_ago in range(days)
    ]


def test_three_years_of_nights_leave_a_week_of_days_five_weeks_and_a_year_of_months() -> None:
    days = [at.date() for at in kept(nightly(1100), Keep())]
    assert days[:7] == [date(2026, 11, 23) - timedelta(days=n) for n in range(7)]
    # the newest of five weeks that ended on Sundays, and of this one
    assert set(days) >= {date(2026, 11, 22), date(2026, 11, 15), date(2026, 11, 8)}
    assert days[-1] == date(2025, 12, 31)
    assert len(days) == 7 + 3 + 11


def test_rotating_every_night_leaves_what_rotating_once_leaves() -> None:
    there: list[str] = []
    for name in reversed(nightly(500)):
        there.append(name)
        doomed = {one.name for one in to_forget(there, "lab", Keep(), PARIS)}
        there = [one for one in there if one not in doomed]
    assert [one.at for one in archives(there, "lab")] == kept(nightly(500), Keep())


@given(st.lists(INSTANTS, unique=True, max_size=40), COUNTS, COUNTS, COUNTS)
def test_the_newest_stays_and_every_count_is_used(
    instants: list[datetime], daily: int, weekly: int, monthly: int
) -> None:
    names = [archive_name("lab", at, encrypted=False) for at in instants]
    left = kept(names, Keep(daily, weekly, monthly))
    everything = [one.at for one in archives(names, "lab")]
    assert left[:1] == everything[:1]
    assert len(left) <= max(1, daily + weekly + monthly)
    days = {at.astimezone(PARIS).date() for at in everything}
    assert len({at.astimezone(PARIS).date() for at in left}) >= min(len(days), daily)


def test_only_this_labs_archives_are_ever_named() -> None:
    others = [
        "lab.db", "lab-20261123T090000Z.db", "lab-lab-20261399T090000Z.tar.gz", "notes.txt",
        archive_name("other", NOW - timedelta(days=900), encrypted=True), ".backup.lock",
        "lab-lab-20261123T090000Z.tar.gz.part",
    ]  # fmt: skip
    assert to_forget(others, "lab", Keep(0, 0, 0), PARIS) == []
    found = parse_name(archive_name("la-b", NOW, encrypted=True))
    assert found is not None
    assert (found.lab, found.at, found.encrypted) == ("la-b", NOW, True)


def test_a_manifest_comes_back_as_it_was() -> None:
    head = form.Head("lab", "Fab Lab", NOW, "0.1.0", "0015")
    rights = form.Rights(0o640, "fabctl", "fabctl-machine")
    entries = {form.SQLITE: form.Entry(3, "ab" * 32, rights), "lab.toml": form.Entry(0, "", rights)}
    folders = {"data/keys": form.Rights(0o2711)}
    whole = form.Manifest(head, entries, folders, ("cd" * 32,), ("data/machines",))
    assert form.decode(form.encode(whole)) == whole
    assert (whole.database, whole.size) == (form.SQLITE, 3)


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b'{"format": 2}', b'{"format": 1}', b'{"format": 1, "files": 3}']
)
def test_what_is_no_manifest_is_refused(raw: bytes) -> None:
    with pytest.raises(InputError):
        form.decode(raw)


@pytest.mark.parametrize(
    "wrong",
    [
        {"database_file": "../authorized_keys"},
        {"database_file": "/etc/passwd"},
        {"folders": {"data/../etc": {"mode": "0755"}}},
        {"folders": {"/etc": {"mode": "0755"}}},
        {"folders": {"data/keys": {"mode": "4755"}}},
        {"files": {"data/../../x": {"mode": "0644"}}},
        {"files": {"data/sh": {"mode": "4755"}}},
    ],
)
def test_a_manifest_that_reaches_outside_or_makes_programs_of_roots_is_refused(
    wrong: dict[str, Any],
) -> None:
    """An archive comes from a stick, and is restored by root."""
    whole = form.Manifest(form.Head("lab", "Fab Lab", NOW, "0.1.0", "0015"), {})
    body = json.loads(form.encode(whole))
    for key, value in wrong.items():
        rest = {"size": 0, "sha256": "", "owner": "", "group": ""}
        is_map = isinstance(value, dict)
        body[key] = {path: {**rest, **one} for path, one in value.items()} if is_map else value
    with pytest.raises(InputError, match="cannot be read"):
        form.decode(json.dumps(body).encode())


@pytest.mark.parametrize(
    "text",
    [
        '[lab]\nid = "x"\n',
        '[data]\ndirectory = "/var/lib/fabctl"  # a disk that lasts\n[lab]\nid = "x"\n',
        '[lab]\nid = "x"\n\n[data]  # where\n# a remark\n\n[web]\nport = 1\n',
        '[database]\nurl = "sqlite:////srv/lab.db"\n[data]\ndirectory = "elsewhere"',
    ],
)
def test_lab_toml_points_at_the_new_place_and_is_else_as_written(text: str) -> None:
    moved = pointed_at(text, Path("/srv/new"), "postgresql+psycopg://fabctl@db/lab")
    said, before = tomllib.loads(moved), tomllib.loads(text)
    assert said.pop("data") == {"directory": "/srv/new"}
    assert said.pop("database") == {"url": "postgresql+psycopg://fabctl@db/lab"}
    assert said == {key: before[key] for key in before if key not in {"data", "database"}}
    beside = tomllib.loads(pointed_at(text, None, None))
    assert beside.get("data", {}).get("directory", "data") == "data"
    assert database_url(pointed_at(text, None, None)) == "sqlite:///lab.db"


def test_a_lab_toml_that_is_already_right_is_not_touched() -> None:
    text = '# mine\n[data]\ndirectory = "data"\n'
    assert pointed_at(text, None, None) is text


def test_a_lab_toml_that_no_line_can_change_is_said() -> None:
    with pytest.raises(LocalError, match="cannot be pointed"):
        pointed_at('data = { directory = "/x" }\n', None, None)


def lab(table: str) -> str:
    return f'[lab]\nid = "x"\nname = "X"\n{table}'


def test_the_backup_table_says_where_for_whom_and_how_many(tmp_path: Path) -> None:
    said = f'[backup]\ndirectory = "../copies"\nrecipients = ["{RECIPIENT}"]\ndaily = 3\n'
    found = read(lab(said), tmp_path / "etc" / "lab.toml", ()).backup
    assert found.directory == tmp_path / "copies"
    assert (found.recipients, found.keep) == ((RECIPIENT,), Keep(3, 5, 12))
    usual = read(lab(""), tmp_path / "lab.toml", ()).backup
    assert (usual.directory, usual.recipients) == (tmp_path / "data" / "backups", ())


@pytest.mark.parametrize(
    "line",
    [
        'recipients = ["me"]',
        "recipients = []",
        f'recipients = "{RECIPIENT}"',
        "daily = -1",
        "x = 1",
    ],
)
def test_a_backup_table_with_a_mistake_is_refused(line: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="1 mistake"):
        read(lab(f"[backup]\n{line}\n"), tmp_path / "lab.toml", ())


def test_when_not_to_upgrade() -> None:
    day = timedelta(hours=26)
    fine = Facts(HEAD, (), NOW - timedelta(hours=25), day, needed_bytes=5, free_bytes=5)
    assert troubles(fine, NOW) == []
    bad = Facts("9999", (), NOW - timedelta(hours=30), day, 300_000_000, 200_000_000)
    newer, old, full = troubles(bad, NOW)
    assert "newer than this fabctl" in newer
    assert "30 h old (limit: 26 h)" in old
    assert "200 MB are free, 300 MB are needed" in full
    (to_come,) = troubles(replace(fine, newest=NOW + timedelta(days=300)), NOW)
    assert "is of 2027-09-19 09:00 UTC, which is to come" in to_come
    assert troubles(Facts(HEAD, (), None, day, 0, 1), NOW) == [
        "there is no backup: `fabctl backup`"
    ]
    assert must_wait(replace(bad, at=HEAD), NOW) is False, "nothing is due"
    assert must_wait(replace(bad, at=HEAD, due=("9998 more",)), NOW) is True
    assert must_wait(bad, NOW) is True, "an older fabctl would not start with it"
    assert must_wait(replace(fine, due=("9998 more",)), NOW) is False
    assert must_wait(Facts(None, ("0001 all",), None, day, 0, 1), NOW) is False, "nothing to lose"
