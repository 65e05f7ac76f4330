"""Badges and shared screens in the database: who may, how long, and what is kept of a number."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from fabctl.errors import UnknownIdError
from fabctl.model.refusal import RefusedError
from fabctl.model.screens import ScreenSettings
from fabctl.model.tries import OF_A_PAIRING
from fabctl.services import badges, people, screens, unlocking
from fabctl.services.audit import lines_about
from fabctl.services.people import TooManyTriesError
from tests.servers.store.conftest import Lab

SECRET = b"the lab's secret, 32 bytes long."
NUMBER = "04A2B9C1"
WALL = ScreenSettings(
    "Entrée", idle_s=120, brightness=60, night=(22 * 60, 7 * 60), home="/planning"
)


def give(lab: Lab, person: str, number: str = NUMBER, by: str | None = None) -> str:
    with lab.database.transaction() as session:
        return badges.add_badge(
            session, lab.clock, SECRET, person_id=person, number=number, by=by or lab.awa
        ).id


def held(lab: Lab, number: str = NUMBER, device: str = "wall") -> str | None:
    with lab.database.transaction() as session:
        found = badges.check_badge(session, lab.clock, SECRET, number, device)
    return found.id if found else None


def test_a_badge_finds_its_person_however_the_reader_writes_it(lab: Lab) -> None:
    first = give(lab, lab.lea)
    assert give(lab, lab.lea, " 04-a2-b9-c1 ") == first
    give(lab, lab.lea, "0012345678")
    assert {held(lab, one) for one in (NUMBER, "04a2b9c1", "04:A2:B9:C1", "0012345678")} == {
        lab.lea
    }
    assert held(lab, "04A2B9C2") is None


def test_nothing_in_the_database_gives_a_number_away(lab: Lab) -> None:
    give(lab, lab.lea, "0012345678")
    with lab.database.engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM badge")).all()
        trail = connection.execute(text("SELECT details FROM audit")).all()
    assert "12345678" not in f"{rows} {trail}"
    assert len(rows) == 1
    with lab.database.transaction() as session:
        assert badges.check_badge(session, lab.clock, b"x" * 32, "0012345678", "wall") is None


def test_who_may_give_badges(lab: Lab) -> None:
    with lab.database.transaction() as session:
        boss = people.add_person(session, lab.clock, display_name="B", role="admin").id
    refused = {"staff-only": (lab.lea, lab.lea), "admin-only": (boss, lab.awa)}
    for code, (whose, by) in refused.items():
        with pytest.raises(RefusedError) as error:
            give(lab, whose, by=by)
        assert error.value.codes == {code}
    give(lab, lab.awa, "1111111111", by=lab.awa)
    give(lab, lab.awa, "2222222222", by=boss)


def test_what_is_no_badge_and_what_is_somebody_elses(lab: Lab) -> None:
    give(lab, lab.lea)
    for number, code in (
        ("123456", "badge-unreadable"),
        ("7" * 65, "badge-unreadable"),
        (NUMBER, "badge-taken"),
    ):
        with pytest.raises(RefusedError) as error:
            give(lab, lab.awa, number)
        assert error.value.codes == {code}


def test_a_badge_taken_away_opens_nothing(lab: Lab) -> None:
    badge = give(lab, lab.lea)
    with lab.database.transaction() as session:
        with pytest.raises(UnknownIdError):
            badges.remove_badge(session, lab.clock, person_id=lab.awa, badge_id=badge, by=lab.awa)
        badges.remove_badge(session, lab.clock, person_id=lab.lea, badge_id=badge, by=lab.awa)
    assert held(lab) is None
    with lab.database.reading() as session:
        assert badges.list_badges(session, person_id=lab.lea, by=lab.awa) == []
        said = [line.what for line in lines_about(session, f"person:{lab.lea}")]
    assert said[-2:] == ["badge.added", "badge.removed"]


def test_wrong_badges_lock_badges_on_that_screen_only_and_pins_go_on(lab: Lab) -> None:
    give(lab, lab.lea)
    for _ in range(5):
        assert held(lab, "99999999") is None
    with pytest.raises(TooManyTriesError):
        held(lab)
    assert held(lab, device="door") == lab.lea
    with lab.database.transaction() as session:
        assert people.check_pin(session, lab.clock, SECRET, "000001", "wall") is None
        assert unlocking.locked_devices(session, lab.clock) == ["wall"]
        unlocking.unlock_device(session, lab.clock, device="wall", by=lab.awa)
    assert held(lab) == lab.lea


def add(lab: Lab, screen: str = "entree", wanted: ScreenSettings = WALL) -> None:
    with lab.database.transaction() as session:
        screens.add_screen(session, lab.clock, screen_id=screen, wanted=wanted, by=lab.awa)


def code(lab: Lab, screen: str = "entree") -> str:
    with lab.database.transaction() as session:
        return screens.new_code(session, lab.clock, SECRET, screen_id=screen, by=lab.awa)


def pair(lab: Lab, said: str, screen: str = "entree", address: str = "192.0.2.1") -> str | None:
    with lab.database.transaction() as session:
        return screens.pair(
            session, lab.clock, SECRET, screen_id=screen, code=said, address=address
        )


def paired(lab: Lab, token: str | None) -> str | None:
    with lab.database.reading() as session:
        found = screens.find_paired(session, token or "")
    return found.id if found else None


def test_a_code_pairs_once_and_for_its_screen_only(lab: Lab) -> None:
    add(lab)
    add(lab, "atelier")
    said = code(lab)
    assert pair(lab, said, "atelier") is None
    token = pair(lab, said)
    assert paired(lab, token) == "entree"
    assert pair(lab, said) is None
    with lab.database.reading() as session:
        assert screens.get_screen(session, "entree").settings == WALL


def test_a_code_lasts_ten_minutes_and_a_new_one_ends_it(lab: Lab) -> None:
    add(lab)
    first = code(lab)
    lab.clock.advance(600)
    assert pair(lab, first) is None
    old, new = code(lab), code(lab)
    assert old == new or pair(lab, old) is None
    lab.clock.wall -= timedelta(days=1)
    assert pair(lab, new) is None
    lab.clock.wall += timedelta(days=1)
    assert pair(lab, new) is not None


def other(said: str) -> str:
    return f"{(int(said) + 1) % 10**6:06}"


def test_five_wrong_codes_lock_pairing_for_the_address_they_came_from(lab: Lab) -> None:
    add(lab)
    said = code(lab)
    for _ in range(5):
        assert pair(lab, other(said), address="192.0.2.66") is None
    with pytest.raises(TooManyTriesError):
        pair(lab, said, address="192.0.2.66")
    with lab.database.transaction() as session:
        assert unlocking.locked_devices(session, lab.clock) == []
    assert pair(lab, said) is not None


def test_many_wrong_codes_from_everywhere_lock_the_screen_until_a_new_code(lab: Lab) -> None:
    add(lab)
    said = code(lab)
    for number in range(OF_A_PAIRING.in_a_row):
        assert pair(lab, other(said), address=f"192.0.2.{number}") is None
    with pytest.raises(TooManyTriesError):
        pair(lab, said, address="198.51.100.1")
    with lab.database.transaction() as session:
        assert unlocking.locked_devices(session, lab.clock) == ["screen:entree"]
    assert pair(lab, code(lab), address="198.51.100.1") is not None


def test_wrong_codes_count_only_while_there_is_one(lab: Lab) -> None:
    add(lab)
    for _ in range(60):
        assert pair(lab, "123456") is None
    assert pair(lab, code(lab)) is not None


def test_a_second_browser_takes_the_place_of_the_first_and_none_is_left_unpaired(lab: Lab) -> None:
    add(lab)
    first = pair(lab, code(lab))
    second = pair(lab, code(lab))
    assert [paired(lab, first), paired(lab, second)] == [None, "entree"]
    with lab.database.transaction() as session:
        screens.unpair(session, lab.clock, screen_id="entree", by=lab.awa)
    assert paired(lab, second) is None


ALL_WRONG = ScreenSettings(" ", idle_s=5, brightness=50, night=(60, 60))
FIVE = {"screen-id", "screen-name", "screen-idle", "screen-brightness", "screen-night"}


@pytest.mark.parametrize(
    ("screen", "wanted", "codes"),
    [
        ("entree", WALL, {"screen-taken"}),
        ("../x", ALL_WRONG, FIVE),
        ("a" * 31, WALL, {"screen-id"}),
    ],
)
def test_what_is_wrong_with_a_screen_is_all_said(
    lab: Lab, screen: str, wanted: ScreenSettings, codes: set[str]
) -> None:
    add(lab)
    with pytest.raises(RefusedError) as error:
        add(lab, screen, wanted)
    assert error.value.codes == codes


def test_screens_are_the_staffs(lab: Lab) -> None:
    add(lab)
    with lab.database.transaction() as session:
        for act in (
            lambda: screens.list_screens(session, by=lab.lea),
            lambda: screens.add_screen(session, lab.clock, screen_id="x", wanted=WALL, by=lab.lea),
            lambda: screens.change_screen(
                session, lab.clock, screen_id="entree", wanted=WALL, by=lab.lea
            ),
            lambda: screens.new_code(session, lab.clock, SECRET, screen_id="entree", by=lab.lea),
            lambda: screens.unpair(session, lab.clock, screen_id="entree", by=lab.lea),
            lambda: screens.remove_screen(session, lab.clock, screen_id="entree", by=lab.lea),
        ):
            with pytest.raises(RefusedError) as error:
                act()
            assert error.value.codes == {"staff-only"}
