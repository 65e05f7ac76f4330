"""Statistics and one's own data through the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fabctl.services.audit import lines_about
from tests.web_caller import caller, codes
from tests.web_lab import WebLab, web_lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path) as found:
        found.person("awa", role="staff")
        found.person("lea", birth_year=2012)
        found.person("tom")
        yield found


def test_statistics_of_a_year_are_for_the_staff(lab: WebLab) -> None:
    found = caller(lab, "awa").ask("GET", "/statistics", query_string={"year": 2026})
    assert found.get_json()["year"] == 2026
    assert [one["by"] for one in found.get_json()["reservations"]] == ["month", "what", "age"]
    refused = caller(lab, "lea").ask("GET", "/statistics", query_string={"year": 2026})
    assert (refused.status_code, codes(refused)) == (403, ["staff-only"])


def test_statistics_come_as_papers_too(lab: WebLab) -> None:
    awa = caller(lab, "awa")
    table, paper = (
        awa.ask("GET", f"/statistics/{form}", query_string={"year": 2026})
        for form in ("csv", "pdf")
    )
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert table.headers["Content-Disposition"] == 'attachment; filename="statistics-2026.csv"'
    assert table.data.startswith("\ufeff;".encode())
    assert paper.headers["Content-Type"] == "application/pdf"
    assert paper.data.startswith(b"%PDF-")


@pytest.mark.parametrize("year", ["", "1999", "next", "2026.5", "99999999999999999999"])
def test_a_year_is_a_year(lab: WebLab, year: str) -> None:
    answer = caller(lab, "awa").ask("GET", "/statistics", query_string={"year": year})
    assert answer.status_code == 422


def test_everybody_gets_their_own_data_and_sees_who_looked(lab: WebLab) -> None:
    awa, lea = caller(lab, "awa"), caller(lab, "lea")
    lea.reserve()
    whose = {"person": lab.id_of("lea")}
    assert awa.ask("GET", "/export", query_string=whose).status_code == 200
    found = lea.ask("GET", "/export").get_json()
    assert found["person"][0]["display_name"] == "Lea"
    assert [one["who"] for one in found["readings"]] == [lab.id_of("awa")]
    assert "password_hash" not in found["credential"][0]
    refused = caller(lab, "tom").ask("GET", "/export", query_string=whose)
    assert (refused.status_code, codes(refused)) == (403, ["not-yours"])
    nobody = awa.ask("GET", "/export", query_string={"person": "nobody"})
    assert nobody.status_code == 404


def test_an_admin_erases_others_with_a_reason_and_never_themselves(lab: WebLab) -> None:
    lab.person("ada", role="admin")
    ada, lea = caller(lab, "ada"), lab.id_of("lea")
    why = {"reason": "asked for it"}
    refused = ada.ask("DELETE", f"/people/{lab.id_of('ada')}", query_string=why)
    assert (refused.status_code, codes(refused)) == (409, ["own-role"])
    refused = caller(lab, "awa").ask("DELETE", f"/people/{lea}", query_string=why)
    assert (refused.status_code, codes(refused)) == (403, ["admin-only"])
    assert ada.ask("DELETE", f"/people/{lea}").status_code == 422
    assert ada.ask("DELETE", f"/people/{lea}", query_string=why).status_code == 204
    assert ada.ask("GET", f"/people/{lea}").get_json()["name"] == "–"
    with lab.db.reading() as db:
        (line,) = (one for one in lines_about(db, f"person:{lea}") if one.what == "person.erased")
    assert (line.who, line.details) == (lab.id_of("ada"), why)
    assert ada.ask("DELETE", "/people/nobody", query_string=why).status_code == 404
