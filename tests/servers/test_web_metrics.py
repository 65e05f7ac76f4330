"""Figures for Prometheus: read by its own library, for those who may, about nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from fabctl.model.people import Role
from fabctl.services import tokens
from tests.web_lab import OUTSIDE, WebLab, web_lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebLab]:
    """Return one lab for all tests: what is counted only grows."""
    with web_lab(tmp_path_factory.mktemp("lab")) as made:
        yield made


def samples(lab: WebLab) -> dict[str, list[Sample]]:
    """Return every sample that this computer is told, by its name."""
    answer = lab.app.test_client().get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"})
    assert answer.status_code == 200
    found: dict[str, list[Sample]] = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def only(found: dict[str, list[Sample]], name: str, **labels: str) -> float:
    values = [one.value for one in found[name] if labels.items() <= one.labels.items()]
    assert len(values) == 1, (name, labels)
    return float(values[0])


def test_what_the_lab_does_is_told(lab: WebLab) -> None:
    lab.workshop.say("printer-a", "running", job="j")
    lab.app.test_client().get("/health")
    found = samples(lab)
    assert only(found, "fabctl_machine_state", machine="printer-a", state="running") == 1
    assert only(found, "fabctl_machine_state", machine="printer-a", state="idle") == 0
    assert only(found, "fabctl_machine_age_seconds", machine="printer-a") == 0
    assert only(found, "fabctl_http_requests_total", route="health.health", status="2xx") == 1
    assert only(found, "fabctl_database_up") == 1
    assert only(found, "fabctl_jobs", state="finished") == 0
    assert only(found, "fabctl_sse_streams") == 0
    assert found["process_resident_memory_bytes"][0].value > 1e6
    assert sum(one.value for one in found["fabctl_findings"]) > 0


def test_what_is_not_known_is_no_number(lab: WebLab) -> None:
    found = samples(lab)
    assert str(only(found, "fabctl_broker_connected")) == "nan"
    assert str(only(found, "fabctl_steward_up")) == "nan"
    assert "fabctl_backup_age_seconds" not in found
    assert "fabctl_event_lag_seconds" not in found


def test_a_database_that_is_gone_is_told(tmp_path: Path) -> None:
    with web_lab(tmp_path) as lab:
        lab.db.close()
        (tmp_path / "lab.db").write_bytes(b"no database at all" * 100)
        for more in tmp_path.glob("lab.db-*"):
            more.unlink()
        assert only(samples(lab), "fabctl_database_up") == 0


def test_addresses_and_names_are_no_labels(lab: WebLab) -> None:
    person = lab.person("zoe-the-secret")
    client = lab.app.test_client()
    for number in range(30):
        client.get(f"/staff/people/{person.id}?words=zoe-{number}")
        client.get(f"/nowhere/{number}")
    text = client.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).text
    for private in (person.id, "zoe", "/nowhere", "/staff/people"):
        assert private not in text
    found = samples(lab)
    assert only(found, "fabctl_http_requests_total", route="none", status="4xx") == 30
    assert len(found["fabctl_http_requests_total"]) < 10
    assert len(text.splitlines()) < 500


@pytest.mark.parametrize(
    ("role", "expected"),
    [(Role.STAFF, 200), (Role.ADMIN, 200), (Role.TRAINER, 403), (Role.MEMBER, 403)],
)
def test_from_elsewhere_a_token_of_the_staff_is_needed(
    lab: WebLab, role: Role, expected: int
) -> None:
    person = lab.person(f"pat-{role}", role=role)
    with lab.db.transaction() as session:
        _, token = tokens.create_token(session, lab.clock, person_id=person.id, name="prometheus")
    client = lab.app.test_client()
    outside = {"REMOTE_ADDR": OUTSIDE}
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/metrics", environ_base=outside).status_code == 403
    assert client.get("/metrics", environ_base=outside, headers=headers).status_code == expected


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_what_came_through_a_proxy_is_not_from_here(lab: WebLab, header: str) -> None:
    client = lab.app.test_client()
    answer = client.get(
        "/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}, headers={header: "203.0.113.9"}
    )
    assert answer.status_code == 403
