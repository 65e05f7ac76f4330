"""Bad input over the API: times and spans that cannot be, and words in every script.

A call that cannot be understood, or that the rules refuse, gets the one error shape, and nothing
at all is kept of it: the whole database is as it was. Every answer is held against the document.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import Any

import pytest

from tests.servers.bad_input import END, LATER, OILING, ROUTES, START, TOMORROW, Route, Scene
from tests.web_lab import web_lab


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("lab")
    with web_lab(folder) as lab, closing(sqlite3.connect(folder / "lab.db")) as watch:
        yield Scene(lab, watch)


# -- times ------------------------------------------------------------------------------------

NO_INSTANTS: tuple[Any, ...] = (
    "2026-02-30T10:00:00Z", "2026-11-24T25:00:00Z", "2026-11-24T10:60:00Z",
    "2026-11-24T10:00:00", "2026-12-31T23:59:60Z", "2026-11-24T10:00:00+24:00", TOMORROW,
    "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "now", "", " ", "x" * 10_000,
    5, 1.5, True, [], {}, None, "\ud800", "2026-11-24T10:00\0Z",
)  # fmt: skip
NO_DAYS: tuple[Any, ...] = (
    "2026-02-30",
    "2026-13-01",
    "2027-02-29",
    START,
    "now",
    "",
    5,
    True,
    None,
    "\ud800",
)
NO_TIMES: tuple[Any, ...] = (
    "25:00",
    "18:60",
    "23:59:60",
    "18:00Z",
    "18:00+02:00",
    "now",
    "",
    5,
    None,
    "\ud800",
)
NO_NUMBERS: tuple[Any, ...] = (
    "x",
    "",
    "1.5",
    "1_0",
    " 1",
    "+1",
    "١٢",
    "1e9",
    -1,
    10**30,
    1.5,
    True,
    [],
    {},
)
FIRST, LAST = "0001-01-01T00:00:00", "9999-12-31T23:59:59"
EDGES = {f"{FIRST}Z": None, f"{FIRST}+14:00": True, f"{LAST}Z": None, f"{LAST}-12:00": True}
"""The ends of the calendar: two exist, and two are outside of it in UTC."""
SPANS = {
    "end before start": (END, START),
    "end equal to start": (START, START),
    "200 years": ("2026-11-24T10:00:00Z", "2226-11-24T10:00:00Z"),
    "year 1": (f"{FIRST}Z", "0001-01-01T01:00:00Z"),
    "before year 1": (f"{FIRST}+14:00", "0001-01-01T01:00:00+14:00"),
    "year 9999": ("9999-12-31T22:00:00Z", f"{LAST}Z"),
    "after year 9999": ("9999-12-31T22:00:00-12:00", f"{LAST}-12:00"),
    "all there is": (f"{FIRST}Z", f"{LAST}Z"),
}
DAY_SPANS = [
    ("2026-11-25", TOMORROW), (TOMORROW, "2226-11-24"), ("0001-01-01", "9999-12-31"),
    ("9999-12-31", "9999-12-30"),
]  # fmt: skip
"""All impossible: the end before the start, or too long."""


def bad_fields(route: Route) -> Iterator[dict[str, Any]]:
    """Yield bodies of which one field cannot be read."""
    kinds = (
        (route.instants, NO_INSTANTS), (route.days, NO_DAYS), (route.times, NO_TIMES),
        (route.numbers, NO_NUMBERS),
    )  # fmt: skip
    for names, values in kinds:
        for name in names:
            for value in values:
                absent = value is None and (name in route.optional or route.in_query)
                if not absent and not (route.in_query and value == 5 and name in route.numbers):
                    yield {name: value}


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_what_cannot_be_read_is_said(scene: Scene, route: Route) -> None:
    found = [scene.wrong(route, body, True) for body in bad_fields(route)]
    assert len(found) >= len(NO_DAYS) - 1
    assert [one for one in found if one] == []


@pytest.mark.parametrize("route", [one for one in ROUTES if one.instants], ids=str)
def test_the_ends_of_the_calendar(scene: Scene, route: Route) -> None:
    found = [
        scene.wrong(route, {name: at}, refused)
        for name in route.instants
        for at, refused in EDGES.items()
    ]
    assert [one for one in found if one] == []


@pytest.mark.parametrize("what", SPANS)
def test_spans_that_cannot_be(scene: Scene, what: str) -> None:
    found = []
    for route in ROUTES:
        if route.span is None:
            continue
        body = dict(zip(route.span, SPANS[what], strict=True))
        answered = str(route) in {"GET /sessions", "POST /series/proposals"}
        found.append(scene.wrong(route, body, None if answered else True))
    assert [one for one in found if one] == []
    start, end = SPANS[what]
    asked = {"resource": "printer-a", "weeks": 2, "start": start, "end": end}
    proposed = scene.admin.ask("POST", "/series/proposals", json=asked).get_json()
    assert not proposed.get("possible"), "no date of such a series could be booked"


@pytest.mark.parametrize("route", [one for one in ROUTES if len(one.days) == 2], ids=str)
def test_days_that_cannot_be_a_stretch(scene: Scene, route: Route) -> None:
    found = [
        scene.wrong(route, dict(zip(route.days, days, strict=True)), True) for days in DAY_SPANS
    ]
    assert [one for one in found if one] == []


@pytest.mark.parametrize("offset", ["+14:00", "-12:00", "+05:45"])
def test_offsets_from_all_over_the_world(scene: Scene, offset: str) -> None:
    """The same moments, said elsewhere: kept as they are, and free again after it."""
    zone = datetime.fromisoformat(f"2026-01-01T00:00:00{offset}").tzinfo
    times = [datetime.fromisoformat(one).astimezone(zone) for one in LATER.values()]
    slot = {"resource": "space", "start": times[0].isoformat(), "end": times[1].isoformat()}
    assert offset in slot["start"]
    for path, body in (("/reservations", slot), ("/closures", slot | {"note": "fête"})):
        made = scene.admin.ask("POST", path, json=body)
        assert made.status_code == 201, made.get_json()
        found = [datetime.fromisoformat(made.get_json()[name]) for name in ("start", "end")]
        assert found == times
        gone = scene.admin.ask("DELETE", f"{path}/{made.get_json()['id']}")
        assert gone.status_code == 200


# -- words ------------------------------------------------------------------------------------

WORDS = {
    "emoji": "Léa 🦊👩🏽‍🔧🏳️‍🌈",
    "Arabic": "نور الدين",
    "Hebrew with marks of direction": "\u200fשָׁלוֹם\u200f 3D\u200e",
    "combining marks": "E\u0301le\u0300ne Z\u0334\u0321a\u0337l\u0338go",
    "other planes": "𠮷田 𝓐𝓷𝓪 𞤀𞤣",
}
"""All of them are somebody's words: kept to the letter, but that names are composed (NFC)."""
BLANK = ("", " \u2003")
NO_WORDS: tuple[Any, ...] = ("x" * 10_000, "a\0b", "\ud83e", "b\udd8aa", *BLANK, 5, True, [], {})
TURNED = ("\u202eanA", "\u2066Ana\u2069", "Ana\nB", "A\u2028B", "A\x07")
"""In names, which stand within other people's sentences, these are refused."""
CHILD_CONSENT = {"signed_by": "guardian", "takes_part": True, "guardian_phone": "0612345678"}
TEXTS: tuple[tuple[Route, str], ...] = (
    (Route("POST", "/people", {}), "name"),
    (Route("PATCH", "/people/{person}", {}), "name"),
    (Route("PATCH", "/me", {}), "name"),
    (Route("POST", "/participants", {"birth_year": 2013}, shown="/people/{made}"), "first_name"),
    (Route("PUT", "/people/{child}/consent", CHILD_CONSENT), "guardian_name"),
    (
        Route("PUT", "/enrolments/{enrolment}/needs", {}, shown="/sessions/{session}/needs"),
        "needs",
    ),
    (Route("POST", "/people/{person}/suspend", {}), "reason"),
    (Route("POST", "/accounts", {"kind": "collective"}), "name"),
    (Route("POST", "/workshops", {"places": 2}), "title"),
    (Route("POST", "/workshops", {"title": "T", "places": 2}), "description"),
    (Route("POST", "/workshops", {"title": "T", "places": 2}), "bring"),
    (Route("POST", "/problems", {"resource": "printer-b"}), "summary"),
    (Route("POST", "/problems", {"resource": "printer-b", "summary": "s"}), "details"),
    (Route("POST", "/tasks", {"owner": "{admin}"}), "title"),
    (Route("POST", "/tasks", {"owner": "{admin}", "title": "t"}), "details"),
    (Route("POST", "/maintenance", {**OILING, "owner": "{admin}"}), "title"),
    (Route("POST", "/maintenance", {**OILING, "owner": "{admin}"}), "instructions"),
    (Route("POST", "/resources/printer-b/out-of-order", {}), "reason"),
    (Route("POST", "/resources/printer-b/out-of-order", {"reason": "r"}), "next_step"),
    (Route("PUT", "/pools/printers", {"members": ["printer-a", "printer-b"]}), "name"),
    (Route("PUT", "/opening-hours/exceptions", {"first": TOMORROW, "periods": []}), "reason"),
)


def strings(found: Any) -> Iterator[str]:
    """Yield all texts in an answer."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict | list):
        for one in found.values() if isinstance(found, dict) else found:
            yield from strings(one)


@pytest.mark.parametrize(("route", "field"), TEXTS, ids=str)
def test_words_of_every_script_are_kept(scene: Scene, route: Route, field: str) -> None:
    for said in WORDS.values():
        answer = scene.send(route.method, route.path, {**route.good, field: said}, False)
        assert answer.status_code in {200, 201}, answer.get_json()
        if route.shown:
            made = scene.ids | {"made": answer.get_json().get("id", "")}
            answer = scene.admin.ask("GET", route.shown.format_map(made))
        kept = list(strings(answer.get_json()))
        assert {said, unicodedata.normalize("NFC", said)} & set(kept), kept


@pytest.mark.parametrize(("route", "field"), TEXTS, ids=str)
def test_what_no_database_keeps_is_refused(scene: Scene, route: Route, field: str) -> None:
    found = [
        scene.wrong(route, {field: said}, True)
        for said in NO_WORDS
        if field != "needs" or said not in BLANK  # nothing special is needed
    ]
    assert [one for one in found if one] == []


@pytest.mark.parametrize("said", TURNED)
def test_names_do_not_turn_what_follows_them(scene: Scene, said: str) -> None:
    named = [
        (route, field)
        for route, field in TEXTS
        if field in {"name", "first_name"} and "/pools" not in route.path  # the staff's own word
    ]
    assert len(named) == 5
    found = [scene.wrong(route, {field: said}, True) for route, field in named]
    assert [one for one in found if one] == []
