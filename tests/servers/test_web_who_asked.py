"""Who asked a machine for something is on record by the desk's own word, never by the machine's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from fabctl.model.event import MachineEvent
from fabctl.model.people import Role
from fabctl.services.audit import lines_about
from fabctl.services.recording import record_event
from tests.web_lab import Browser, WebLab, web_lab

PAGE = "/m/printer-a"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        yield found


def at_desk(lab: WebLab, login: str, language: str = "en") -> Browser:
    browser = lab.browser(language=language)
    browser.sign_in(login)
    return browser


def told(lab: WebLab) -> list[tuple[str | None, str, str | None]]:
    with lab.db.reading() as db:
        lines = lines_about(db, "machine:printer-a")
    return [(line.who, line.what, line.details.get("answer")) for line in lines]


def test_who_asked_is_on_record_and_a_stranger_is_nobody(lab: WebLab) -> None:
    awa = lab.person("awa", role=Role.STAFF).id
    browser = at_desk(lab, "awa")
    browser.post(f"{PAGE}/pause", page=PAGE)
    lab.browser().post(f"{PAGE}/stop", {"held": "1"}, page=PAGE)
    browser.post(f"{PAGE}/stop", {"held": "1"}, page=PAGE)
    browser.post(f"{PAGE}/clear", page=PAGE)
    assert told(lab) == [
        (awa, "pause.asked", "ok"), (awa, "stop.asked", "ok"), (awa, "clear.asked", None),
    ]  # fmt: skip


def test_what_a_person_may_not_is_not_told_as_asked(lab: WebLab) -> None:
    lab.person("noe")
    at_desk(lab, "noe").post(f"{PAGE}/clear", page=PAGE)
    assert (told(lab), lab.workshop.asked) == ([], [])


def test_a_stop_waits_for_no_database(lab: WebLab) -> None:
    lab.certified("lea")
    browser = at_desk(lab, "lea")
    with lab.db.transaction() as db:
        db.execute(text("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN"
                        " SELECT RAISE(ABORT, 'no room'); END"))  # fmt: skip
    answer = browser.post(f"{PAGE}/stop", {"held": "1"}, page=PAGE)
    assert answer.status_code == 303
    assert [verb for _, verb, _ in lab.workshop.asked] == ["stop"]
    assert "The machine stops." in browser.get(PAGE).get_data(as_text=True)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Lea, as the machine says"), ("fr", "Lea, d’après la machine")]
)
def test_the_trail_says_whose_word_it_is(lab: WebLab, language: str, words: str) -> None:
    lea = lab.certified("lea").id
    with lab.db.transaction() as db:
        said = MachineEvent("printer-a", "boot", 1, "machine-cleared", by=lea)
        record_event(db, lab.clock, said)
    lab.person("awa", role=Role.STAFF)
    browser = at_desk(lab, "awa", language)
    assert words in browser.get("/staff/audit").get_data(as_text=True)
    assert words in browser.get("/staff/audit.csv").get_data(as_text=True)
    assert "machine-cleared" not in browser.get(f"/staff/audit?who={lea}").get_data(as_text=True)
