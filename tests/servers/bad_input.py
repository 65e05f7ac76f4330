"""Calls of the API that take times, numbers or words, and a lab to send them to."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from werkzeug.test import TestResponse

from fabctl.services import resources
from tests.web_caller import Caller, caller
from tests.web_lab import WebLab

TOMORROW = "2026-11-24"
START, END = f"{TOMORROW}T10:00:00Z", f"{TOMORROW}T11:00:00Z"
LATER = {"start": "2026-12-02T10:00:00Z", "end": "2026-12-02T12:00:00Z"}
OILING = {"resource": "printer-a", "title": "oil", "every_hours": 10}


@dataclass(frozen=True)
class Route:
    """A call that is understood as it stands, and which of its fields are times or numbers."""

    method: str
    path: str
    good: Mapping[str, Any]
    span: tuple[str, str] | None = None
    instants: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    """Of these, null says that it is left out."""
    in_query: bool = False
    shown: str = ""
    """Where what was sent can be read, where the answer does not say it."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Scene:
    """A lab with one of everything that takes a time or words, and an admin who calls."""

    def __init__(self, lab: WebLab, watch: sqlite3.Connection) -> None:
        self.lab, self._watch = lab, watch
        self._seen: tuple[int, str] = (-1, "")
        self.admin: Caller = _admin(lab)
        self.ids = _ids(lab, self.admin)

    def send(self, method: str, path: str, body: Mapping[str, Any], query: bool) -> TestResponse:
        """Call a route; names in braces stand for the ids of what is in the lab."""
        whole = {name: self._named(value) for name, value in body.items()}
        at = path.format_map(self.ids)
        if not query:
            return self.admin.ask(method, at, json=whole)
        given = {name: value for name, value in whole.items() if value is not None}
        return self.admin.ask(method, f"{at}?{urlencode(given, errors='surrogatepass')}")

    def _named(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._named(one) for one in value]
        if isinstance(value, dict):
            return {name: self._named(one) for name, one in value.items()}
        known = isinstance(value, str) and value.startswith("{")
        return value.format_map(self.ids) if known else value

    def kept(self) -> str:
        """Return what tells whether anything in the database is not as it was.

        SQLite counts the changes that others commit; after one, all rows are read again.
        """
        (commits,) = self._watch.execute("PRAGMA data_version").fetchone()
        if commits != self._seen[0]:
            rows = "\n".join(self._watch.iterdump())
            self._seen = (commits, hashlib.sha256(rows.encode()).hexdigest())
        return self._seen[1]

    def wrong(self, route: Route, body: Mapping[str, Any], refused: bool | None) -> str | None:
        """Send a body; return what is wrong with what follows.

        :param refused: whether it must be; None: that is for the rules.
        """
        before = self.kept()
        answer = self.send(route.method, route.path, {**route.good, **body}, route.in_query)
        what = f"{body!r}: {answer.status_code} {answer.get_data(as_text=True)[:200]}"
        if answer.status_code >= 500:
            return what
        if answer.status_code < 400:
            return what if refused else None
        spoken = answer.get_json()["refusals"]
        if not spoken or not all(one["message"] and one["next_step"] for one in spoken):
            return what
        changed = "" if self.kept() == before else "something was kept: "
        return f"{changed}{what}" if changed or refused is False else None


def _admin(lab: WebLab) -> Caller:
    lab.certified("iris", role="admin")
    lab.certified("camille")
    members = ["printer-a", "printer-b"]
    with lab.db.transaction() as db:
        resources.set_pool(
            db, lab.clock, pool_id="printers", name="Printers", members=members,
            by=lab.id_of("iris"),
        )  # fmt: skip
    return caller(lab, "iris")


def _ids(lab: WebLab, admin: Caller) -> dict[str, str]:
    ids = {"admin": lab.id_of("iris"), "person": lab.id_of("camille")}
    wanted: list[tuple[str, str, dict[str, Any]]] = [
        ("space", "/resources", {"id": "space", "name": "Espace", "kind": "space"}),
        ("reservation", "/reservations", {"resource": "printer-a", **LATER}),
        ("workshop", "/workshops", {"title": "Lampes", "places": 3}),
        ("session", "/sessions", {"workshop": "workshop", **LATER}),
        ("plan", "/maintenance", {**OILING, "owner": "admin"}),
        ("child", "/participants", {"first_name": "Noé", "birth_year": 2013}),
    ]
    for name, path, body in wanted:
        whole = {field: ids.get(str(value), value) for field, value in body.items()}
        answer = admin.ask("POST", path, json=whole)
        assert answer.status_code == 201, answer.get_json()
        ids[name] = answer.get_json()["id"]
    enrol = {"people": [ids["child"]], "override": "for a test"}
    answer = admin.ask("POST", f"/sessions/{ids['session']}/enrolments", json=enrol)
    ids["enrolment"] = answer.get_json()["enrolments"][0]["id"]
    return ids


SPAN: Mapping[str, Any] = {"span": ("start", "end"), "instants": ("start", "end")}
SLOT = {"start": START, "end": END}
PRINTER = {"resource": "printer-a", **SLOT}
ROUTES = (
    Route("POST", "/reservations", PRINTER, **SPAN),
    Route("PATCH", "/reservations/{reservation}", SLOT, **SPAN),
    Route("POST", "/pools/printers/reservations", SLOT, **SPAN),
    Route("POST", "/series", {**PRINTER, "weeks": 2}, numbers=("weeks",), **SPAN),
    Route("POST", "/series/proposals", {**PRINTER, "weeks": 2}, numbers=("weeks",), **SPAN),
    Route("POST", "/waiting", PRINTER, **SPAN),
    Route("POST", "/closures", {**PRINTER, "note": "cleaning"}, **SPAN),
    Route("POST", "/sessions", {"workshop": "{workshop}", **SLOT}, **SPAN),
    Route("PATCH", "/sessions/{session}", SLOT, **SPAN),
    Route("GET", "/availability", SLOT, in_query=True, **SPAN),
    Route(
        "GET", "/sessions", {"from": START, "until": END}, span=("from", "until"),
        instants=("from", "until"), optional=("from", "until"), in_query=True,
    ),
    Route(
        "GET", "/reservations", {}, instants=("since",), optional=("since",), in_query=True,
    ),
    Route(
        "POST", "/sessions/weekly",
        {"workshop": "{workshop}", "first": TOMORROW, "until": "2026-12-08", "starts": "18:00",
         "ends": "20:00"},
        days=("first", "until"), times=("starts", "ends"),
    ),
    Route(
        "PUT", "/opening-hours/exceptions",
        {"first": TOMORROW, "last": TOMORROW, "periods": [], "reason": "fête"},
        days=("first", "last"), optional=("last",),
    ),
    Route(
        "DELETE", "/opening-hours/exceptions", {"date": TOMORROW}, days=("date",), in_query=True,
    ),
    Route(
        "GET", "/opening-hours", {"first": TOMORROW, "last": TOMORROW}, days=("first", "last"),
        optional=("first", "last"), in_query=True,
    ),
    Route(
        "POST", "/tasks", {"title": "oil", "owner": "{admin}"},
        instants=("due_at",), optional=("due_at",),
    ),
    Route(
        "POST", "/maintenance/{plan}/done", {"times": 0, "done_at": "2026-11-23T08:00:00Z"},
        instants=("done_at",), optional=("done_at",), numbers=("times",),
    ),
    Route(
        "POST", "/maintenance",
        {**OILING, "owner": "{admin}"},
        numbers=("every_hours",),
    ),
    Route(
        "PUT", "/people/{person}/rights", {"right": "walk-up", "until": "2027-01-01T00:00:00Z"},
        instants=("until",), optional=("until",),
    ),
    Route(
        "PUT", "/people/{person}/certifications/printer-a",
        {"reason": "shown", "expires_at": "2027-01-01T00:00:00Z"},
        instants=("expires_at",), optional=("expires_at",),
    ),
    Route("POST", "/resources/printer-b/use-now", {}, numbers=("minutes",)),
    Route("GET", "/resources/printer-a/slots", {}, numbers=("minutes",), in_query=True),
    Route("GET", "/statistics", {"year": 2026}, numbers=("year",), in_query=True),
    Route("GET", "/statistics/csv", {"year": 2026}, numbers=("year",), in_query=True),
    Route("GET", "/statistics/pdf", {"year": 2026}, numbers=("year",), in_query=True),
    Route(
        "POST", "/courses",
        {"wordings": [{"language": "fr", "title": "Scie"}], "machines": ["printer-a"],
         "expires_on": "2027-01-01"},
        days=("expires_on",), numbers=("expires_after_months",),
        optional=("expires_on",),
    ),
    Route(
        "POST", "/participants", {"first_name": "Noé", "birth_year": 2013},
        numbers=("birth_year",),
    ),
    Route("POST", "/people", {"name": "Ana", "birth_year": 1990}, numbers=("birth_year",)),
)  # fmt: skip
