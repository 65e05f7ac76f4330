"""Computers that join, in the database: codes, tries, tokens, files, and being put out."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from fabctl.errors import UnknownIdError
from fabctl.model.hosts import CODE_LASTS, MOST_WRONG
from fabctl.model.refusal import RefusedError
from fabctl.services import hosts
from fabctl.services.audit import lines_about
from fabctl.services.people import TooManyTriesError
from tests.servers.store.conftest import Lab

SECRET = b"the lab's secret, 32 bytes long."
PI = "10.0.0.7"


def invite(lab: Lab, host: str = "pi-b", *, by: str | None = None, anew: bool = False) -> str:
    with lab.database.transaction() as session:
        return hosts.invite(session, lab.clock, SECRET, host=host, by=by or lab.awa, anew=anew)


def join(lab: Lab, code: str, address: str = PI) -> tuple[str, str] | None:
    with lab.database.transaction() as session:
        return hosts.join(session, lab.clock, SECRET, code=code, address=address)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08}"


def owner(lab: Lab, token: str) -> str:
    with lab.database.reading() as session:
        return hosts.find_token(session, token)


def test_a_code_lets_one_computer_in_once(lab: Lab) -> None:
    code = invite(lab)
    joined = join(lab, f"{code[:4]} {code[4:]}")
    assert joined is not None
    assert joined[0] == "pi-b"
    assert owner(lab, joined[1]) == "pi-b"
    assert join(lab, code) is None
    with lab.database.reading() as session:
        (view,) = hosts.list_hosts(session, lab.clock, by=lab.awa)
        trail = [(line.what, line.who) for line in lines_about(session, "host:pi-b")]
    assert (view.joined_at, view.joined_by) == (lab.clock.now(), lab.awa)
    assert (view.revoked_at, view.code_until) == (None, None)
    assert trail == [("host.invited", lab.awa), ("host.joined", lab.awa)]


def test_a_code_is_old_after_ten_minutes_and_a_newer_one_replaces_it(lab: Lab) -> None:
    first, second = invite(lab), invite(lab)
    assert join(lab, first) is None
    lab.clock.advance(CODE_LASTS.total_seconds())
    assert join(lab, second) is None
    assert join(lab, invite(lab)) is not None


def test_the_database_knows_neither_code_nor_token(lab: Lab) -> None:
    code = invite(lab)
    with lab.database.engine.connect() as connection:
        before = connection.execute(text("SELECT * FROM joined_host")).all()
    joined = join(lab, code)
    assert joined is not None
    with lab.database.engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM joined_host")).all()
    assert code not in str(before)
    assert joined[1] not in str(rows)


def test_an_address_that_guesses_waits_and_the_right_code_waits_with_it(lab: Lab) -> None:
    code = invite(lab)
    for _ in range(5):
        assert join(lab, wrong(code)) is None
    with pytest.raises(TooManyTriesError):
        join(lab, code)
    assert join(lab, code, "10.0.0.8") is not None, "another address is not kept out"


def test_twenty_wrong_codes_of_anybody_void_every_code_that_is_out(lab: Lab) -> None:
    codes = [invite(lab, "pi-b"), invite(lab, "pi-c")]
    guess = next(one for one in ("00000000", "11111111", "22222222") if one not in codes)
    for n in range(MOST_WRONG):
        assert join(lab, guess, f"10.0.1.{n}") is None
    assert [join(lab, code) for code in codes] == [None, None]
    assert join(lab, invite(lab)) is not None


def test_nothing_is_counted_while_no_code_is_out(lab: Lab) -> None:
    for _ in range(30):
        assert join(lab, "12345678") is None
    assert join(lab, invite(lab)) is not None


def test_a_computer_that_was_put_out_comes_back_with_a_new_account_only(lab: Lab) -> None:
    joined = join(lab, invite(lab))
    assert joined is not None
    late = invite(lab)
    with lab.database.transaction() as session:
        hosts.revoke(session, lab.clock, host="pi-b", by=lab.awa)
    with pytest.raises(UnknownIdError):
        owner(lab, joined[1])
    assert join(lab, late) is None
    with pytest.raises(RefusedError) as refused:
        invite(lab)
    assert [one.code for one in refused.value.refusals] == ["host-revoked"]
    again = join(lab, invite(lab, anew=True))
    assert again is not None
    with pytest.raises(UnknownIdError):
        owner(lab, joined[1])
    assert owner(lab, again[1]) == "pi-b"


def test_only_the_staff_invite_list_and_put_out(lab: Lab) -> None:
    with lab.database.transaction() as session:
        for act in (
            lambda: hosts.invite(session, lab.clock, SECRET, host="pi-b", by=lab.lea),
            lambda: hosts.list_hosts(session, lab.clock, by=lab.lea),
            lambda: hosts.revoke(session, lab.clock, host="pi-b", by=lab.lea),
        ):
            with pytest.raises(RefusedError) as refused:
                act()
            assert [one.code for one in refused.value.refusals] == ["staff-only"]
