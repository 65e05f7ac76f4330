"""What is wrong with the lab, on the staff's page of the system."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fabctl.clock import ManualClock
from fabctl.config import BrokerConfig
from fabctl.messaging.link import BrokerAddress, MqttLink
from fabctl.model.people import Role
from fabctl_web.kept_findings import KEPT_FOR
from fabctl_web.staff.health_findings import wrong
from fabctl_web.staff.lines import Line, Section
from tests.brokers import wait_until
from tests.interlocked_lab import LASER, interlocked_config, say
from tests.tls_server import certificate_files, server_with
from tests.web_lab import TWELVE, Browser, WebLab, lab_config, web_lab

PAGE = "/staff/health"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as made:
        made.person("sasha", role=Role.STAFF)
        made.config.data_directory.mkdir()
        yield made


def at_desk(lab: WebLab, login: str) -> Browser:
    browser = lab.browser()
    browser.sign_in(login)
    return browser


def text(browser: Browser, language: str = "fr") -> str:
    answer = browser.get(PAGE, headers={"Accept-Language": language})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_findings_with_what_to_do_in_both_languages(lab: WebLab) -> None:
    staff = at_desk(lab, "sasha")
    french = text(staff)
    assert "Aucune sauvegarde n’a été faite" in french
    assert "Fais-en une : fabctl backup." in french
    assert "No backup" not in french
    english = text(staff, "en")
    assert "No backup was ever made" in english
    assert "Whether steward runs is not known." in english, "silence is not yet a proof"


def test_it_is_looked_at_again_every_half_minute(lab: WebLab) -> None:
    assert isinstance(lab.clock, ManualClock)
    staff = at_desk(lab, "sasha")
    assert "Aucune sauvegarde" in text(staff)
    archives = lab.config.backup.directory
    archives.mkdir(parents=True)
    (archives / f"lab-test-{lab.clock.now():%Y%m%dT%H%M%SZ}.tar.gz").write_bytes(b"")
    lab.clock.advance(KEPT_FOR - 1)
    assert "Aucune sauvegarde" in text(staff)
    lab.clock.advance(1)
    assert "Aucune sauvegarde" not in text(staff)


def test_the_page_of_the_day_says_what_is_wrong_with_the_lab_itself(lab: WebLab) -> None:
    assert isinstance(lab.clock, ManualClock)
    staff = at_desk(lab, "sasha")
    said = re.compile(r'id="lab-itself">.*?Le lab lui-même.*?</section>', re.DOTALL)

    def today() -> str:
        answer = staff.get("/staff/today", headers={"Accept-Language": "fr"})
        return answer.get_data(as_text=True)

    section = said.search(page := today())
    assert section
    assert '<a href="/staff/health"><b>Aucune sauvegarde' in section[0]
    assert "À réparer" in section[0]
    count = len(wrong(lab.app.extensions["fabctl"]))
    assert f'Système <b class="count">{count}</b></a>' in page
    assert f'Le lab lui-même <b class="count">{count}</b></a>' in page, "at the top"


def test_of_many_the_worst_three_stand_there_and_all_are_counted() -> None:
    lines = tuple(Line(str(n), str(n)) for n in range(5))
    shown = Section("lab-itself", "", "", "", lines, most=3).shortened(100)
    assert (shown.lines, shown.more, shown.count) == (lines[:3], 2, 5)


def test_only_the_staff_sees_it(lab: WebLab) -> None:
    lab.person("mia")
    assert at_desk(lab, "mia").get(PAGE).status_code in {302, 403, 404}


def test_a_certificate_that_ended_stands_there(tmp_path: Path) -> None:
    certificate, key = certificate_files(tmp_path, days=-1)
    with server_with(certificate, key) as port:
        shown = BrokerConfig(hosts_url=f"mqtts://127.0.0.1:{port}", hosts_ca_file=certificate)
        with web_lab(tmp_path, config=replace(lab_config(tmp_path), broker=shown)) as lab:
            assert isinstance(lab.clock, ManualClock)
            lab.person("sasha", role=Role.STAFF)
            staff, clock = at_desk(lab, "sasha"), lab.clock
            said = f"The certificate of 127.0.0.1:{port} is not accepted: certificate has expired"

            def is_said() -> bool:
                clock.advance(KEPT_FOR)
                return said in text(staff, "en")

            wait_until(is_said, "whoever looks at certificates has looked")


def test_an_interlocks_fault_is_read_from_its_word_and_not_from_its_file(tmp_path: Path) -> None:
    config = interlocked_config(tmp_path, TWELVE[:4])
    with web_lab(tmp_path, config=config) as lab:
        lab.person("sasha", role=Role.STAFF)
        staff = at_desk(lab, "sasha")
        say(lab, LASER, "fault", fault="k1-welded")
        found = text(staff, "en")
    assert f"The interlock of {LASER} is in fault: k1-welded." in found
    assert "cannot be read" not in found
    assert "has kept nothing" not in found


def test_why_the_broker_is_not_there(lab: WebLab) -> None:
    link = MqttLink(BrokerAddress("127.0.0.1", 9), "web", log=lambda _line: None)
    lab.workshop.view.attach(link)
    link.start()
    wait_until(lambda: link.trouble, "the link has tried")
    staff = at_desk(lab, "sasha")
    assert "does not answer: no broker at 127.0.0.1:9: [Errno 111]" in text(staff, "en")
    link.stop()
