"""Signing in: passwords, PINs, guessing made slow, sign-ins that end, tokens."""

from __future__ import annotations

import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from fabctl.errors import InputError, LocalError, UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.model.tries import OF_AN_ADDRESS
from fabctl.services import (
    password_sign_in,
    passwords,
    people,
    sign_ins,
    tokens,
    unlocking,
    wrong_tries,
)
from fabctl.services.audit import lines_about
from fabctl.services.password_sign_in import check_password
from fabctl.services.people import PersonView, TooManyFromHereError, TooManyTriesError
from fabctl.services.sign_in_ends import end_sign_ins
from fabctl.services.wrong_tries import BY_LOGIN, BY_NOBODYS_LOGIN
from fabctl.store.tables import WrongTry
from tests.servers.store.conftest import Lab

SECRET = b"the lab's secret"
PASSWORD = "four words in a row"
PIN = "402817"


@pytest.fixture
def tom(lab: Lab) -> PersonView:
    with lab.database.transaction() as session:
        return people.add_person(
            session,
            lab.clock,
            display_name=" Tom D. ",
            login="Tom",
            password=PASSWORD,
            pin=PIN,
            secret=SECRET,
        )


def with_password(lab: Lab, login: str, password: str) -> str | None:
    found = check_password(lab.database, lab.clock, login, password)
    return found.display_name if found else None


def with_pin(lab: Lab, pin: str, device: str = "wall") -> str | None:
    with lab.database.transaction() as session:
        found = people.check_pin(session, lab.clock, SECRET, pin, device)
    return found.display_name if found else None


def test_a_person_signs_in_with_a_password_or_a_pin(lab: Lab, tom: PersonView) -> None:
    assert (tom.display_name, tom.login, tom.role, tom.has_pin) == ("Tom D.", "tom", "member", True)
    assert with_password(lab, " TOM ", PASSWORD) == "Tom D."
    assert with_pin(lab, PIN) == "Tom D."


@pytest.mark.parametrize(
    ("login", "password"),
    [("tom", "four words in a ro"), ("tom", ""), ("tim", PASSWORD), ("", ""), ("tom", "x" * 10**5)],
)
def test_anything_else_does_not(lab: Lab, tom: PersonView, login: str, password: str) -> None:
    assert with_password(lab, login, password) is None


def test_a_pin_under_another_labs_secret_is_nobodys(lab: Lab, tom: PersonView) -> None:
    with lab.database.transaction() as session:
        assert people.check_pin(session, lab.clock, b"another", PIN, "wall") is None


def test_an_unknown_login_takes_as_long_as_a_wrong_password(lab: Lab, tom: PersonView) -> None:
    def seconds(login: str) -> float:
        began = time.process_time()  # what else the computer does must not count
        assert with_password(lab, login, "a wrong password") is None
        return time.process_time() - began

    seconds("tam")  # the first call makes the hash that nobody fits
    known, unknown = [], []
    for _ in range(4):
        known.append(seconds("tom"))
        unknown.append(seconds("tim"))
    assert 0.5 < statistics.median(known) / statistics.median(unknown) < 2


def test_every_reason_against_a_new_person_comes_at_once(lab: Lab) -> None:
    with lab.database.transaction() as session, pytest.raises(RefusedError) as refused:
        people.add_person(
            session, lab.clock, display_name=" ", login="Été", password="short", pin="1"
        )
    assert refused.value.codes == {
        "name-missing",
        "login-malformed",
        "password-length",
        "pin-malformed",
    }


def test_a_login_without_a_password_and_a_pin_without_the_secret_are_bugs(lab: Lab) -> None:
    with lab.database.transaction() as session, pytest.raises(InputError):
        people.add_person(session, lab.clock, display_name="T", login="tom")
    with pytest.raises(LocalError, match="secret"), lab.database.transaction() as session:
        people.add_person(session, lab.clock, display_name="T", pin=PIN)


def test_a_taken_login_or_pin_is_refused_and_the_own_one_is_not(lab: Lab, tom: PersonView) -> None:
    with lab.database.transaction() as session:
        people.set_pin(
            session, lab.clock, person_id=tom.id, pin=PIN, secret=SECRET, by="shell:test"
        )
        people.set_password(
            session, lab.clock, person_id=tom.id, password="another password", by="shell:test"
        )
        with pytest.raises(RefusedError) as refused:
            people.set_pin(
                session, lab.clock, person_id=lab.lea, pin=PIN, secret=SECRET, by="shell:test"
            )
        assert refused.value.codes == {"pin-not-possible"}
        with pytest.raises(RefusedError) as refused:
            people.set_password(
                session,
                lab.clock,
                person_id=lab.lea,
                login="tom",
                password=PASSWORD,
                by="shell:test",
            )
        assert refused.value.codes == {"login-taken"}
        with pytest.raises(RefusedError) as refused:
            people.set_password(
                session, lab.clock, person_id=lab.lea, password=PASSWORD, by="shell:test"
            )
        assert refused.value.codes == {"login-missing"}
    assert with_password(lab, "tom", PASSWORD) is None
    assert with_password(lab, "tom", "another password") == "Tom D."


def test_a_drawn_pin_works(lab: Lab, tom: PersonView) -> None:
    with lab.database.transaction() as session:
        pin = people.draw_pin(session, lab.clock, person_id=lab.lea, secret=SECRET, by="shell:test")
    assert with_pin(lab, pin) == "lea"


def test_five_wrong_pins_lock_the_device_and_only_that_one(lab: Lab, tom: PersonView) -> None:
    assert [with_pin(lab, "111112") for _ in range(5)] == [None] * 5
    with pytest.raises(TooManyTriesError) as locked:
        with_pin(lab, PIN)
    assert locked.value.wait_s in {15, 16}
    assert with_pin(lab, PIN, device="another") == "Tom D."
    lab.clock.advance(15)
    assert with_pin(lab, PIN) == "Tom D."


def test_the_lock_grows_and_outlives_a_restart(lab: Lab, tom: PersonView) -> None:
    for _ in range(5):
        with_pin(lab, "111112")
    lab.clock.advance(15)
    with_pin(lab, "111112")
    lab.database.engine.dispose()
    lab.clock.advance(29)
    with pytest.raises(TooManyTriesError):
        with_pin(lab, PIN)
    lab.clock.advance(1)
    assert with_pin(lab, PIN) == "Tom D."


def test_staff_unlocks_a_device_and_it_is_audited(lab: Lab, tom: PersonView) -> None:
    for _ in range(5):
        with_pin(lab, "111112")
    with lab.database.transaction() as session:
        unlocking.unlock_device(session, lab.clock, device="wall", by=lab.awa)
    assert with_pin(lab, PIN) == "Tom D."
    with lab.database.reading() as session:
        assert [line.who for line in lines_about(session, "device:wall")] == [lab.awa]


def test_the_screens_that_are_locked_now_are_listed(lab: Lab, tom: PersonView) -> None:
    for device, wrong in (("wall", 5), ("door", 4), ("desk", 5)):
        for _ in range(wrong):
            with_pin(lab, "111112", device)
    for _ in range(5):
        with_password(lab, "tom", "wrong password")
    with lab.database.reading() as session:
        assert unlocking.locked_devices(session, lab.clock) == ["desk", "wall"]
    lab.clock.advance(60)
    with lab.database.reading() as session:
        assert unlocking.locked_devices(session, lab.clock) == []


@pytest.mark.parametrize("login", ["tom", "nobody"])
def test_five_wrong_passwords_lock_a_login_known_or_not(
    lab: Lab, tom: PersonView, login: str
) -> None:
    for _ in range(5):
        assert with_password(lab, login, "wrong password") is None
    with pytest.raises(TooManyTriesError):
        with_password(lab, login, PASSWORD)
    with lab.database.transaction() as session:
        unlocking.unlock_login(session, lab.clock, login=login, by=lab.awa)
    assert with_password(lab, login, PASSWORD) == ("Tom D." if login == "tom" else None)


def test_a_new_password_unlocks(lab: Lab, tom: PersonView) -> None:
    for _ in range(5):
        with_password(lab, "tom", "wrong password")
    with lab.database.transaction() as session:
        people.set_password(
            session, lab.clock, person_id=tom.id, password="another password", by="shell:test"
        )
    assert with_password(lab, "tom", "another password") == "Tom D."


@pytest.fixture
def each_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare each password anew: labs of other tests in this process keep what was compared."""
    monkeypatch.setattr(password_sign_in, "password_fits", passwords.password_fits)


@pytest.mark.usefixtures("each_is_compared")
def test_while_a_password_is_hashed_others_write(lab: Lab, tom: PersonView) -> None:
    let_go = threading.Event()
    event.listen(lab.database.engine, "rollback", lambda _: let_go.set())  # the reading ended
    with ThreadPoolExecutor(1) as pool:
        with passwords.AT_ONCE, passwords.AT_ONCE:  # the hash has to wait
            checking = pool.submit(with_password, lab, "tom", PASSWORD)
            assert let_go.wait(20)
            began = time.monotonic()
            with lab.database.transaction() as session:
                people.add_person(session, lab.clock, display_name="Zoé")
            assert time.monotonic() - began < 5  # 10 s, if this thread or that one held it
            assert not checking.done()
        assert checking.result(20) == "Tom D."


def rows(lab: Lab, kind: str) -> int:
    with lab.database.reading() as session:
        return len(session.scalars(select(WrongTry).where(WrongTry.kind == kind)).all())


def test_many_wrong_passwords_from_one_address_lock_it_for_every_login(
    lab: Lab, tom: PersonView
) -> None:
    def tried(number: int, address: str = "192.0.2.7") -> PersonView | None:
        return check_password(lab.database, lab.clock, f"nobody{number}", "x", address)

    for number in range(OF_AN_ADDRESS.in_a_row):
        assert tried(number) is None
    with pytest.raises(TooManyFromHereError):
        check_password(lab.database, lab.clock, "tom", PASSWORD, "192.0.2.7")
    assert check_password(lab.database, lab.clock, "tom", PASSWORD, "192.0.2.8") is not None
    lab.clock.advance(61)
    assert check_password(lab.database, lab.clock, "tom", PASSWORD, "192.0.2.7") is not None
    assert rows(lab, BY_NOBODYS_LOGIN) == OF_AN_ADDRESS.in_a_row
    lab.clock.advance(2 * 86400)
    with lab.database.transaction() as session:
        wrong_tries.forget_old(session, lab.clock)
    assert rows(lab, BY_NOBODYS_LOGIN) == 0


def test_invented_logins_leave_so_many_rows_and_push_no_real_one_out(
    lab: Lab, tom: PersonView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrong_tries, "MOST_OF_STRANGERS", 3)
    for _ in range(5):
        with_password(lab, "tom", "wrong")
    for number in range(5):
        assert with_password(lab, f"nobody{number}", "x") is None
        lab.clock.advance(1)
    assert rows(lab, BY_NOBODYS_LOGIN) == 3
    with pytest.raises(TooManyTriesError):
        with_password(lab, "tom", PASSWORD)


@pytest.mark.usefixtures("each_is_compared")
def test_who_guessed_while_others_locked_the_login_is_not_answered(
    lab: Lab, tom: PersonView
) -> None:
    read = threading.Event()
    with ThreadPoolExecutor(1) as pool, passwords.AT_ONCE:
        with passwords.AT_ONCE:  # the hash has to wait
            event.listen(lab.database.engine, "rollback", lambda _: read.set())
            checking = pool.submit(with_password, lab, "tom", PASSWORD)
            assert read.wait(20)
            with lab.database.transaction() as session:
                for _ in range(5):
                    key = wrong_tries.login_key("tom")
                    wrong_tries.count_wrong(session, lab.clock, BY_LOGIN, key)
        with pytest.raises(TooManyTriesError):
            checking.result(20)


def open_for(lab: Lab, kind: str) -> str:
    with lab.database.transaction() as session:
        return sign_ins.open_sign_in(session, lab.clock, lab.lea, kind=kind)


def signed_in(lab: Lab, token: str) -> str | None:
    with lab.database.reading() as session:
        found = sign_ins.find_sign_in(session, lab.clock, token)
    return found.person.display_name if found else None


@pytest.mark.parametrize(("kind", "lasts"), [("kiosk", 60), ("desk", 30 * 24 * 3600)])
def test_a_sign_in_ends_when_nothing_is_touched(lab: Lab, kind: str, lasts: int) -> None:
    token = open_for(lab, kind)
    lab.clock.advance(lasts - 1)
    assert signed_in(lab, token) == "lea"
    lab.clock.advance(1)
    assert signed_in(lab, token) is None


def test_a_touch_extends_a_sign_in_but_wakes_no_ended_one(lab: Lab) -> None:
    token = open_for(lab, "kiosk")
    began = lab.clock.now()
    for advance, expected in ((1, 60), (2, 63), (50, 113), (60, None)):
        lab.clock.advance(advance)
        with lab.database.transaction() as session:
            until = sign_ins.extend(session, lab.clock, token)
        assert until == (began + timedelta(seconds=expected) if expected else None)
    assert signed_in(lab, token) is None


@pytest.mark.parametrize(("back", "who"), [(4, "lea"), (6, None), (365 * 86400, None)])
def test_a_sign_in_opened_by_a_clock_that_was_ahead_does_not_last_for_ever(
    lab: Lab, back: int, who: str | None
) -> None:
    token = open_for(lab, "kiosk")
    lab.clock.wall -= timedelta(seconds=back)
    assert signed_in(lab, token) == who
    with lab.database.transaction() as session:
        assert (sign_ins.extend(session, lab.clock, token) is None) == (who is None)


def test_signing_out_here_and_everywhere(lab: Lab) -> None:
    here, there = open_for(lab, "desk"), open_for(lab, "kiosk")
    with lab.database.transaction() as session:
        sign_ins.close_sign_in(session, here)
    assert (signed_in(lab, here), signed_in(lab, there)) == (None, "lea")
    with lab.database.transaction() as session:
        end_sign_ins(session, lab.lea)
    assert signed_in(lab, there) is None
    assert signed_in(lab, "nonsense") is None


def test_a_token_is_its_persons_until_it_is_revoked(lab: Lab) -> None:
    with lab.database.transaction() as session:
        made, token = tokens.create_token(session, lab.clock, person_id=lab.lea, name=" print ")
    assert token.startswith("fab_")
    with lab.database.transaction() as session:
        found = tokens.find_token(session, lab.clock, token)
        assert found is not None
        assert found.id == lab.lea
        assert tokens.find_token(session, lab.clock, token + "x") is None
        assert [row.name for row in tokens.list_tokens(session, person_id=lab.lea)] == ["print"]
        for _ in range(2):
            tokens.revoke_token(session, lab.clock, token_id=made.id, by=lab.lea)
        assert tokens.find_token(session, lab.clock, token) is None
        assert [line.what for line in lines_about(session, f"token:{made.id}")] == [
            "token.created",
            "token.revoked",
        ]


def test_tokens_of_nobody_and_without_a_name(lab: Lab) -> None:
    with lab.database.transaction() as session:
        with pytest.raises(UnknownIdError):
            tokens.revoke_token(session, lab.clock, token_id="nonsense", by=lab.awa)
        with pytest.raises(UnknownIdError):
            tokens.create_token(session, lab.clock, person_id="nobody", name="n")
        with pytest.raises(InputError):
            tokens.create_token(session, lab.clock, person_id=lab.lea, name=" ")


def test_a_suspended_person_signs_in_and_is_shown_as_suspended(lab: Lab, tom: PersonView) -> None:
    with lab.database.transaction() as session:
        people.set_suspended(session, lab.clock, person_id=tom.id, reason="unpaid", by=lab.awa)
    found = check_password(lab.database, lab.clock, "tom", PASSWORD)
    assert found is not None
    assert found.suspended
    with lab.database.transaction() as session:
        people.set_suspended(session, lab.clock, person_id=tom.id, reason=None, by=lab.awa)
        assert not people.get_person(session, tom.id).suspended


def test_a_role_that_does_not_exist_is_refused(lab: Lab) -> None:
    with lab.database.transaction() as session, pytest.raises(ValueError, match="king"):
        people.add_person(session, lab.clock, display_name="T", role="king")
