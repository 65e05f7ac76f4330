"""Joining: codes, addresses, parcels, TOML, and files that are put into place or not at all."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.commands.as_owner import as_owner
from fabctl.errors import InputError, LocalError
from fabctl.joining.calling import Server, fingerprint, parse_server, shown
from fabctl.joining.parcel import Parcel, decode
from fabctl.joining.placing import PLAN, Place, finish, put
from fabctl.joining.toml_text import toml_text
from fabctl.model.hosts import CODE_LASTS, MOST_WRONG, clean_code, is_code_out, new_code, shown_code

NOW = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
PARCEL = Parcel(
    host="pi-b",
    tables={
        "lab": {"id": "lab", "name": "Lab"},
        "hosts": {"pi-b": {}},
        "machines": {"mill": {"kind": "mill", "driver": "grbl", "host": "pi-b"}},
        "interlocks": {},
    },
    broker_url="mqtts://broker.example:8883",
    broker_password="a-word",
    broker_ca="-----BEGIN CERTIFICATE-----\nx\n",
    server_ca=None,
    token="fabhost_x",
    keys={"mill": "ab" * 32},
    permit_keys={"mill": "cd" * 32},
)


def test_a_code_is_eight_digits_and_read_however_it_is_grouped() -> None:
    assert new_code(lambda most: most - 1) == "99999999"
    assert new_code(lambda _most: 42) == "00000042"
    assert shown_code("48219377") == "4821 9377"
    assert clean_code(" 4821-9377\n") == "48219377"
    assert clean_code("٤٨٢١") == ""


@pytest.mark.parametrize(
    ("until", "wrong", "out"),
    [
        (NOW + CODE_LASTS, 0, True),
        (NOW + timedelta(seconds=1), MOST_WRONG - 1, True),
        (NOW + timedelta(seconds=1), MOST_WRONG, False),
        (NOW, 0, False),
        (NOW + CODE_LASTS + timedelta(seconds=1), 0, False),  # by a clock that was ahead
        (None, 0, False),
    ],
)
def test_how_long_a_code_is_out(until: datetime | None, wrong: int, out: bool) -> None:
    assert is_code_out(NOW, until, wrong) is out


def test_only_https_leaves_this_computer() -> None:
    assert parse_server("https://lab.example/") == Server("lab.example", 443, tls=True)
    assert parse_server("https://lab.example:8443").url == "https://lab.example:8443"
    assert parse_server("http://127.0.0.1:8080") == Server("127.0.0.1", 8080, tls=False)
    assert parse_server("http://[::1]:8080").url == "http://[::1]:8080"
    for url in ("http://lab.example", "http://10.0.0.1", "http://localhost.example"):
        with pytest.raises(InputError, match="not encrypted"):
            parse_server(url)
    for url in ("lab.example", "ftp://lab.example", "https://", "https://a@b", "https://x:99999"):
        with pytest.raises(InputError, match="no address"):
            parse_server(url)


def test_a_fingerprint_is_read_however_it_is_written() -> None:
    plain = "ab" * 32
    assert fingerprint(shown(plain)) == fingerprint(plain.upper()) == plain
    with pytest.raises(InputError):
        fingerprint("ab" * 31)


def test_a_parcel_comes_back_and_nothing_in_it_leads_out_of_a_folder() -> None:
    assert decode(PARCEL.encode()) == PARCEL
    for spoilt in (
        replace(PARCEL, host="../pi"),
        replace(PARCEL, keys={"../../etc/passwd": "ab" * 32}),
        replace(PARCEL, keys={"mill": "ab"}),
        replace(PARCEL, permit_keys={"a/b": "ab" * 32}),
        replace(PARCEL, broker_password="two\nlines"),
        replace(PARCEL, broker_url="mqtt://broker.example"),
        replace(PARCEL, broker_url="mqtts://broker.example/\nx"),
        replace(PARCEL, broker_url="mqtts://thief@broker.example"),
        replace(PARCEL, broker_ca="\ud800"),
        replace(PARCEL, tables={}),
        replace(PARCEL, tables={**PARCEL.tables, "lab": {"id": None}}),
        replace(PARCEL, tables={**PARCEL.tables, "lab": {"id": "\ud800"}}),
    ):
        with pytest.raises(InputError):
            decode(spoilt.encode())
    deep = b"[" * 30_000
    assert PARCEL.encode().count(b'"server_ca": null') == 1
    number = PARCEL.encode().replace(b'"server_ca": null', b'"server_ca": 1')
    for raw in (
        b"",
        b"[]",
        b"{}",
        deep,
        number,
        b'{"v":1}',
        PARCEL.encode().replace(b'"v": 1', b'"v": 2'),
    ):
        with pytest.raises(InputError):
            decode(raw)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PLAIN = TEXTS | st.integers(-(2**53), 2**53) | st.booleans() | st.floats(allow_nan=False)
VALUES = PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(TEXTS, PLAIN, max_size=3)
TABLES = st.dictionaries(TEXTS, st.dictionaries(TEXTS, VALUES, max_size=4), max_size=4)


@given(TABLES)
def test_what_is_written_as_toml_is_read_as_the_same(tables: dict[str, object]) -> None:
    assert tomllib.loads(toml_text(tables)) == tables


def everything_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def place_in(folder: Path) -> Place:
    return Place(folder / "etc" / "lab.toml", folder / "data")


def test_everything_is_put_into_its_place_and_secrets_are_their_owners_alone(
    tmp_path: Path,
) -> None:
    put(place_in(tmp_path), PARCEL, "https://lab.example", None)
    assert everything_below(tmp_path) == {
        "etc/lab.toml", "data/keys/mill.key", "data/keys/mill.permit.key",
        "data/broker/pi-b.password", "data/joined/token", "data/joined/broker-ca.pem",
    }  # fmt: skip
    for name in ("keys/mill.key", "keys/mill.permit.key", "broker/pi-b.password", "joined/token"):
        assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "etc" / "lab.toml").stat().st_mode) == 0o640
    assert not finish(place_in(tmp_path))


def test_what_cannot_be_written_whole_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "etc").touch()  # where a folder should be
    with pytest.raises(LocalError, match="nothing was changed"):
        put(place_in(tmp_path), PARCEL, "https://lab.example", None)
    assert everything_below(tmp_path) == {"etc"}


def test_a_join_that_was_killed_before_it_was_whole_is_forgotten(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    place.staging.mkdir(parents=True)
    (place.staging / "0").write_text("a key")
    assert not finish(place)
    assert everything_below(tmp_path) == set()


def test_a_join_that_was_cut_off_between_two_files_is_finished(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    obstacle = tmp_path / "data" / "broker" / "pi-b.password"
    (obstacle / "x").mkdir(parents=True)
    with pytest.raises(LocalError, match="--finish"):
        put(place, PARCEL, "https://lab.example", None)
    assert not place.config_file.exists(), "lab.toml comes last: no unit starts with half of it"
    assert (place.staging / PLAN).exists()
    (obstacle / "x").rmdir()
    obstacle.rmdir()
    assert finish(place)
    assert obstacle.read_text() == "a-word\n"
    assert place.config_file.exists()
    assert not place.staging.exists()


def test_what_somebody_else_planned_is_not_done(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    planned = tmp_path / "planned"
    planned.mkdir()
    (planned / "0").write_text("theirs")
    plan = [(str(planned / "0"), str(tmp_path / "taken"))]
    (planned / PLAN).write_text(json.dumps(plan))
    place.data.mkdir()
    place.staging.symlink_to(planned)
    for do in (finish, lambda one: put(one, PARCEL, "https://lab.example", None)):
        with pytest.raises(LocalError):
            do(place)
    assert everything_below(tmp_path) == {"planned/0", f"planned/{PLAN}"}
    if os.geteuid() == 0:
        place.staging.unlink()
        planned.rename(place.staging)
        os.chown(place.staging, 12345, 12345)
        with pytest.raises(LocalError, match="not of a join by this user"):
            finish(place)
        assert not (tmp_path / "taken").exists()


def test_what_is_not_made_yet_belongs_to_whom_the_folder_above_does(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(tmp_path, 12345, 12345)
    owner = tmp_path.stat().st_uid
    with as_owner(tmp_path / "data" / "broker"):
        assert os.geteuid() == owner
