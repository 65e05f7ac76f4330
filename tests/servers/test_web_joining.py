"""What the web hands to computers: over TLS, for a right code, and the files of their own jobs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from fabctl.config import BrokerConfig
from fabctl.hosting.mosquitto import plain_passwords
from fabctl.joining.parcel import decode
from fabctl.messaging.keys import make_keys
from fabctl.model.job import JobState
from fabctl.services import hosts
from fabctl.store.tables import Job
from tests.web_lab import OUTSIDE, SECRET, WebLab, lab_config, web_lab

SHA = "ab" * 32


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    config = lab_config(tmp_path)
    rows = "\n".join(
        f'[machines.{one}]\nkind = "printer"\ndriver = "marlin"' for one in config.machines
    )
    config.file.write_text(f'[lab]\nid = "{config.id}"\nname = "Lab"\n[hosts.pi1]\n{rows}\n')
    tomllib.loads(config.file.read_text())
    make_keys(config.paths, config.machines)
    config.paths.broker.mkdir(parents=True)
    plain_passwords(config, ["pi1"])
    broker = BrokerConfig(url="mqtts://broker.example:8883")
    with web_lab(tmp_path, config=replace(config, broker=broker)) as found:
        yield found


def invite(lab: WebLab) -> str:
    with lab.db.transaction() as session:
        return hosts.invite(session, lab.clock, SECRET, host="pi1", by="shell:root")


def ask(lab: WebLab, code: object, *, tls: bool = True, address: str = OUTSIDE) -> TestResponse:
    return lab.app.test_client().post(
        "/api/hosts/join",
        json={"code": code},
        base_url="https://localhost" if tls else "http://localhost",
        environ_base={"REMOTE_ADDR": address},
    )


def codes(answer: TestResponse) -> list[str]:
    return [one["code"] for one in answer.get_json()["refusals"]]


def test_a_parcel_holds_this_hosts_own_and_is_handed_over_once(lab: WebLab) -> None:
    code = invite(lab)
    answer = ask(lab, code)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    parcel = decode(answer.get_data())
    assert parcel.host == "pi1"
    assert set(parcel.keys) == set(lab.config.machines)
    assert parcel.broker_url == "mqtts://broker.example:8883"
    answer = ask(lab, code)
    assert (answer.status_code, answer.get_json()["refusals"][0]["code"]) == (404, "host-code")


def test_nothing_is_handed_over_in_the_clear(lab: WebLab) -> None:
    code = invite(lab)
    answer = ask(lab, code, tls=False)
    assert (answer.status_code, codes(answer)) == (403, ["not-encrypted"])
    assert ask(lab, code, tls=False, address="127.0.0.1").status_code == 200


@pytest.mark.parametrize("code", ["", "x", 12345678, None, ["1"], {"a": 1}, "9" * 10_000])
def test_what_is_no_code_is_a_wrong_one(lab: WebLab, code: object) -> None:
    invite(lab)
    answer = ask(lab, code)
    assert (answer.status_code, codes(answer)) == (404, ["host-code"])


def test_what_is_no_json_is_no_code(lab: WebLab) -> None:
    invite(lab)
    for body in (b"", b"[" * 30_000, b"\xff", b'{"code": "\\ud800"}'):
        answer = lab.app.test_client().post(
            "/api/hosts/join",
            data=body,
            content_type="application/json",
            base_url="https://localhost",
            environ_base={"REMOTE_ADDR": OUTSIDE},
        )
        assert (answer.status_code, codes(answer)) == (404, ["host-code"]), body[:20]


def test_whoever_guesses_waits(lab: WebLab) -> None:
    code = invite(lab)
    for _ in range(5):
        assert ask(lab, "x").status_code == 404
    answer = ask(lab, code)
    assert (answer.status_code, codes(answer)) == (429, ["too-many-codes"])


def test_what_cannot_be_handed_over_does_not_spend_the_code(lab: WebLab) -> None:
    code = invite(lab)
    key = next(iter(lab.config.paths.keys.glob("*.key")))
    there = key.read_text()
    key.unlink()
    assert ask(lab, code).status_code >= 500
    key.write_text(there)
    assert ask(lab, code).status_code == 200


def test_a_computer_gets_the_files_of_its_own_jobs_while_they_are_under_way(lab: WebLab) -> None:
    token = decode(ask(lab, invite(lab)).get_data()).token
    person = lab.certified("lea")
    browser = lab.browser()
    browser.sign_in("lea")
    machine = next(iter(lab.config.machines))
    assert browser.upload(b"G28\nG1 X10 F900\n", page=f"/m/{machine}").status_code == 303
    with lab.db.reading() as session:
        job = session.scalars(select(Job).where(Job.person_id == person.id)).one()
        sha256 = job.sha256

    def fetch(said: str, name: str = sha256) -> TestResponse:
        headers = {"Authorization": said} if said else {}
        answer = lab.app.test_client().get(f"/api/hosts/files/{name}", headers=headers)
        answer.get_data()  # the file is read, and closed
        answer.close()
        return answer

    def put(state: JobState) -> None:
        with lab.db.transaction() as session:
            session.execute(update(Job).values(state=state.value))

    assert fetch(f"Bearer {token}").status_code == 404, "it was not started"
    put(JobState.STARTING)
    answer = fetch(f"Bearer {token}")
    assert (answer.status_code, answer.get_data()) == (200, b"G28\nG1 X10 F900\n")
    assert [fetch(said).status_code for said in ("", "Bearer x", "Basic eDp5")] == [401] * 3
    assert fetch(f"Bearer {token}", SHA).status_code == 404
    assert fetch(f"Bearer {token}", "x").status_code == 404
    put(JobState.FINISHED)
    assert fetch(f"Bearer {token}").status_code == 404
    put(JobState.RUNNING)
    with lab.db.transaction() as session:
        hosts.revoke(session, lab.clock, host="pi1", by="shell:root")
    assert fetch(f"Bearer {token}").status_code == 401
