"""The house's rules through the API: each code, one minute either side, in both languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.web_caller import Caller, caller, codes
from tests.web_lab import WebLab, web_lab

DAY = 24 * 60
THEN = 2 * DAY
Span = tuple[float, float]
"""Minutes from now, Monday at 10:00 in Paris, to the start and to the end."""

CASES: dict[str, tuple[dict[str, Any], Sequence[Span], Span, Span]] = {
    # code: policy, what is booked before, what is just allowed, what is refused
    "beyond-horizon": ({"horizon_days": 2}, [], (THEN, THEN + 60), (THEN + 1, THEN + 61)),
    "off-grid": ({"step_min": 30}, [], (30, 90), (30, 91)),
    "too-short-notice": ({"notice_min": 60}, [], (60, 120), (59, 119)),
    "too-short": ({"shortest_min": 30}, [], (60, 90), (60, 89)),
    "too-long": ({"longest_min": 120}, [], (60, 180), (60, 181)),
    "quota-day": ({"per_day_min": 120}, [(60, 120)], (200, 260), (200, 261)),
    "quota-week": ({"per_week_min": 120}, [(60, 120)], (THEN, THEN + 60), (THEN, THEN + 61)),
    "too-many-ahead": ({"coming_most": 1}, [(60, 120)], (0, 30), (1, 31)),
    "too-much-ahead": ({"coming_min": 120}, [(60, 120)], (DAY, DAY + 60), (DAY, DAY + 61)),
    "gap-too-small": ({"gap_min": 30}, [(60, 120)], (150, 210), (149, 209)),
    "in-the-past": ({}, [], (-1, 60), (-2, 60)),
}  # fmt: skip


def ask(who: Caller, span: Span) -> Any:
    now = who.lab.clock.now()
    start, end = (now + timedelta(minutes=minutes) for minutes in span)
    body = {"resource": "printer-a", "start": start.isoformat(), "end": end.isoformat()}
    return who.ask("POST", "/reservations", json=body)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebLab]:
    with web_lab(tmp_path_factory.mktemp("lab")) as found:
        found.certified("camille")
        found.certified("iris", role="staff")
        yield found


@pytest.fixture
def nothing_booked(lab: WebLab) -> Iterator[None]:
    yield
    camille = caller(lab, "camille")
    for one in camille.ask("GET", "/reservations").get_json()["reservations"]:
        if one["cancelled_at"] is None:
            assert camille.ask("DELETE", f"/reservations/{one['id']}").status_code == 200


@pytest.mark.usefixtures("nothing_booked")
@pytest.mark.parametrize("code", CASES)
def test_each_code_is_said_in_both_languages_with_a_next_step(lab: WebLab, code: str) -> None:
    numbers, before, allowed, refused = CASES[code]
    policy = {"reach": "lab", "numbers": numbers}
    assert caller(lab, "iris").ask("PUT", "/policies", json=policy).status_code == 200
    english, french = (caller(lab, "camille", language) for language in ("en", "fr"))
    for span in before:
        assert ask(english, span).status_code == 201
    answers = [ask(who, refused) for who in (english, french)]
    assert [(one.status_code, codes(one)) for one in answers] == [(409, [code])] * 2
    said = [one.get_json()["refusals"][0] for one in answers]
    for part in ("message", "next_step"):
        words = [one[part] for one in said]
        assert all(words)
        assert len(set(words)) == 2, "one of them is not translated"
        assert not any("{" in one for one in words), "a number is missing"
    assert ask(english, allowed).status_code == 201


def test_a_date_whose_time_the_clocks_skip_is_said(lab: WebLab) -> None:
    """In the night of 28 March 2027 there is no half past two."""
    iris = caller(lab, "iris")
    policy = {"reach": "lab", "numbers": {"horizon_days": 365}}
    assert iris.ask("PUT", "/policies", json=policy).status_code == 200
    first = {"start": "2027-03-21T02:30:00+01:00", "end": "2027-03-21T03:30:00+01:00"}
    wanted = {"resource": "printer-a", "weeks": 2, **first}
    (refused,) = iris.ask("POST", "/series/proposals", json=wanted).get_json()["refused"]
    assert refused["date"] == "2027-03-28"
    assert [one["code"] for one in refused["refusals"]] == ["clocks-change"]
