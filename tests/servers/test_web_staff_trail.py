"""The audit trail and the processes' health, as the staff read them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from fabctl.clock import ManualClock
from fabctl.messaging.link import Received
from fabctl.messaging.payloads import PresencePayload
from tests.staff_hand import at_desk, table, text
from tests.staff_scene import Morning, morning
from tests.web_lab import STAMP, Browser, WebLab, web_lab


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    """It is Monday, 10:00 in Paris; nothing here changes it but the clock."""
    with web_lab(tmp_path_factory.mktemp("still")) as lab:
        yield morning(lab)


def test_the_trail_is_leafed_through_and_narrowed(scene: Morning) -> None:
    staff, lou = at_desk(scene), scene.people["lou"]
    first = text(staff, "/staff/audit")
    numbers = [int(one) for one in re.findall(r'data-number="(\d+)"', first)]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 50
    later = re.search(r'href="(/staff/audit\?cursor=[^"]+)"', first)
    assert later
    older = re.findall(r'data-number="(\d+)"', text(staff, later[1]))
    assert int(older[0]) < numbers[-1]
    about = text(staff, f"/staff/audit?subject=person:{lou}")
    assert "About Lou" in about
    assert len(re.findall("data-number", about)) == 4  # added, guardian, consent twice
    assert "Nothing found." in text(staff, "/staff/audit?until=2020-01-01")
    assert "Consent form read" in text(staff, "/staff/audit?what=consent.read")
    found = text(staff, "/staff/audit?words=mia")
    assert f"/staff/audit?who={scene.people['mia']}" in found
    for nonsense in ("cursor=x", "since=yesterday", "until=9999-12-31", "what=%00", "who=%00"):
        assert staff.get(f"/staff/audit?{nonsense}").status_code == 200, nonsense


def test_the_trail_is_saved_whole(scene: Morning) -> None:
    rows = table(at_desk(scene), "/staff/audit.csv?what=person.added")
    assert rows[0][:3] == ["When", "Who", "What"]
    assert {row[3] for row in rows[1:]} == {"person.added"}
    assert all(row[2] == "Person added" for row in rows[1:])


# -- health ------------------------------------------------------------------------------------


def say(lab: WebLab, topic: str, *, online: bool, **figures: int | str) -> None:
    payload = PresencePayload(online, figures).encode(STAMP)
    lab.workshop.view.take(Received(topic, payload, qos=1, retain=False))


def states(browser: Browser) -> dict[str, list[str]]:
    return {row[1]: row[2:] for row in table(browser, "/staff/health.csv")[1:]}


def test_health_shows_the_last_words_and_their_age(scene: Morning) -> None:
    staff, topics = at_desk(scene), scene.lab.workshop.topics
    found = states(staff)
    assert found["Message broker (MQTT)"][0] == "Not known"
    assert found["Steward (records and reminds)"][0] == "No news yet"
    assert found["Pi"][:2] == ["No news yet", "Imprimante 3D A, Imprimante 3D B"]
    assert found["Database"][0] == "Reachable"
    assert found["Database"][1].startswith("SQLite")
    say(scene.lab, topics.steward_status, online=True, recorded=7, failures=0)
    say(scene.lab, topics.host_status("pi1"), online=True)
    found = states(staff)
    assert found["Steward (records and reminds)"][0] == "Works"
    assert "Recorded: 7" in found["Steward (records and reminds)"][1]
    assert found["Pi"][0] == "There"
    assert isinstance(scene.lab.clock, ManualClock)
    scene.lab.clock.advance(40)
    steward = states(staff)["Steward (records and reminds)"]
    assert (steward[0], steward[2]) == ("Silent", "40 s ago")
    say(scene.lab, topics.steward_status, online=False)
    say(scene.lab, topics.host_status("pi1"), online=False)
    found = states(staff)
    assert found["Steward (records and reminds)"][0] == "Stopped"
    assert found["Pi"][0] == "Offline"
    assert found["Imprimante 3D A"][0] == "Offline"


def test_the_page_asks_for_its_lists_again(scene: Morning) -> None:
    staff = at_desk(scene)
    page = text(staff, "/staff/health")
    assert 'hx-get="/staff/health/now' in page
    assert 'hx-trigger="every 5s' in page
    assert "Reachable" in text(staff, "/staff/health/now")
