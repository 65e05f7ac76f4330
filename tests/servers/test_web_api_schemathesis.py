"""Any call that the API's document allows, and many that it does not: no 5xx, no answer that is
not described. schemathesis makes the calls, in the lab of the rights table: it has something of
every kind. Each call begins as one that succeeds there, then parts of it are exchanged for made-up
ones and for other things of the lab. Each is made by everybody, in a lab that is as it was.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from flask import jsonify
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core import NOT_SET
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.wrappers import Response

from fabctl.errors import FabError
from fabctl_web.api.openapi import document
from tests.servers.rights_scene import WHO, RightsScene, rights_scene
from tests.servers.rights_table import ON_MACHINE, SENT, Row, filled, rows
from tests.web_caller import API
from tests.web_lab import GOOD_FILE

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
ROLES = ("owner", "trainer", "lead", "staff", "admin")
"""Who calls: a member, a trainer, an animator, the staff, an admin."""
MIXED, MALFORMED = 2, 2
"""Calls of each operation beside the first, which is as in the table. The table's own test makes
that one as everybody, so one who may makes it here; two make each malformed one."""
FILE = {"json": {"file": GOOD_FILE}}
"""What the table's test sends otherwise: a file, as a browser does."""
PLAIN = {"Accept-Encoding": "identity"}
METHODS = {"get", "put", "post", "patch", "delete"}
PATHS: dict[str, Any] = document()["paths"]
OPERATIONS = [
    (method, path) for path, found in PATHS.items() for method in found if method in METHODS
]
BY_OPERATION: dict[str, list[Row]] = {}
for _row in rows():
    BY_OPERATION.setdefault(_row.operation, []).append(_row)

REAL = {
    "reservation": ["running", "starting", "missed", "booked", "sams"],
    "entry": ["entry", "offer"],
    "person": ["lea", "kid", "sam", "tim", "ana", "awa", "ada"],
    "session": ["session", "empty", "today"],
    "enrolment": ["enrolment", "held", "offered", "present"],
    "course": ["course", "short"],
    "account": ["partner"],
    "closure": ["closure", "planned"],
    "subject": ["lea", "partner", "session"],
    **{
        name: [name]
        for name in (
            "series", "calendar", "secret", "job", "question", "workshop",
            "certificate", "use", "problem", "task", "plan", "notice",
        )
    },
}  # fmt: skip
"""Which of the scene's ids a parameter or a field may name."""
SAME = {
    "owner": "person",
    "who": "person",
    "partner": "account",
    "people": "person",
    "animators": "person",
    "machine": "resource",
    "machines": "resource",
    "resources": "resource",
    "members": "resource",
    "parent": "resource",
    "prerequisites": "course",
    "due_at": "start",
    **dict.fromkeys(("end", "at", "done_at", "from", "until", "since", "expires_at"), "start"),
}


TIMES = ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-02-30", "2027-03-28T02:30")
WRONG_TEXT = st.one_of(
    st.sampled_from(
        ["", " ", "\x00", "0", "-1", "9" * 30, "nan", "true", "🦊", "\u202e", "x" * 5000, *TIMES]
    ),
    st.text(max_size=20),
)
WRONG = st.one_of(
    WRONG_TEXT,
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([-1, 0, 2**31, 2**63, 10**30, [], {}, [[]], [None], [{}], [""], {"": []}]),
    st.integers(),
)


@dataclass
class Callers:
    """A lab with something of every kind in it, and what was wrong with its answers."""

    scene: RightsScene
    real: dict[str, list[Any]]
    schema: Any
    """As schemathesis reads the document."""
    wrong: list[str] = field(default_factory=list)
    answers: dict[str, set[int]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callers]:
    with rights_scene(tmp_path_factory.mktemp("lab")) as scene:
        schema = schemathesis.openapi.from_wsgi(f"{API}/openapi.json", scene.lab.app)
        yield Callers(scene, real(scene), schema)


def real(scene: RightsScene) -> dict[str, list[Any]]:
    """Return what is in the lab, by the names of parameters and fields."""
    minutes = (-60, 0, 5, 60, 120, 600, 24 * 60, 6 * 24 * 60)
    times = [(scene.lab.clock.now() + timedelta(minutes=m)).isoformat() for m in minutes]
    found: dict[str, list[Any]] = {
        name: [scene.ids[one] for one in ids] for name, ids in REAL.items()
    }
    found["resource"] = ["printer-a", "printer-b", "printer-c", "printer-d", "room", "seat"]
    found |= {"pool": ["any"], "start": times, "weeks": [2, 3], "cursor": ["WyJwcmludGVyLWEiXQ"]}
    return found | {name: found[like] for name, like in SAME.items()}


def call(callers: Callers, method: str, path: str) -> None:
    """Make some calls of one operation, and note every answer that is not as described."""
    starts = BY_OPERATION[PATHS[path][method]["operationId"]]
    known = dict(callers.real)
    cases = [as_in_table(callers, method, path, row) for row in starts]
    may = starts[0].statuses[WHO.index("staff")] < 300
    send(callers, cases[0], starts[0], "staff" if may else "owner", known)
    for exchange, calls, roles in (
        (mixed, MIXED, ROLES),
        (malformed, MALFORMED, ("owner", "admin")),
    ):
        exchanged = Exchanged(exchange, calls, roles, tuple(zip(cases, starts, strict=True)))
        make(callers, method, path, exchanged, known)


@dataclass(frozen=True)
class Exchanged:
    """Calls of which something is exchanged."""

    exchange: Callable[[Any, Any, dict[str, list[Any]], st.DataObject], None]
    calls: int
    roles: tuple[str, ...]
    starts: tuple[tuple[Any, Row], ...]


def make(
    callers: Callers, method: str, path: str, kind: Exchanged, known: dict[str, list[Any]]
) -> None:
    """Make the calls of one kind. What is drawn does not depend on any answer."""

    @seed(zlib.crc32(f"{method} {path}".encode()))
    @settings(
        max_examples=kind.calls,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=callers.schema[path][method.upper()].as_strategy(), data=st.data())
    def ask(case: schemathesis.Case[Any], data: st.DataObject) -> None:
        begun, row = data.draw(st.sampled_from(kind.starts))
        kind.exchange(case, begun, known, data)
        for role in kind.roles:
            send(callers, case, row, role, dict(known))

    ask()


def as_in_table(callers: Callers, method: str, path: str, row: Row) -> Any:
    """Return a row of the table as a call."""
    ids = callers.scene.ids
    sent = filled(FILE if row.name == "prepareJob" else SENT.get(row.name, {}), ids)
    pairs = zip(path.split("/"), filled(row.path, ids).split("/"), strict=True)
    place = {part.strip("{}"): word for part, word in pairs if part.startswith("{")}
    kinds = [*PATHS[path][method].get("requestBody", {}).get("content", {}), None]
    paged = "'limit'" in str(
        PATHS[path][method].get("parameters")
    )  # one each: the rest has a cursor
    return callers.schema[path][method.upper()].Case(
        path_parameters=place,
        query=sent.get("query_string", {}) | ({"limit": "1"} if paged else {}),
        body=sent.get("json", {}) if kinds[0] else NOT_SET,
        media_type=kinds[0],
    )


def send(callers: Callers, case: Any, row: Row, role: str, known: dict[str, list[Any]]) -> None:
    """Make one call as somebody, hold the answer against the document, put the lab back."""
    scene = callers.scene
    if row.operation in ON_MACHINE:
        scene.lab.workshop.say("printer-a", ON_MACHINE[row.operation], job=scene.ids["job"])
    answer = case.call(headers={**PLAIN, "Authorization": f"Bearer {scene.programs[role].token}"})
    callers.answers.setdefault(role, set()).add(answer.status_code)
    try:
        case.validate_response(answer, checks=CHECKS)
    except (FailureGroup, Failure) as error:  # by hand: another try may have another answer
        told = "\n".join(str(one) for one in getattr(error, "exceptions", [error]))
        callers.wrong.append(f"{role}: {case.as_curl_command()}\n{told}")
    if case.method == "GET" and row.operation.startswith("list") and answer.status_code == 200:
        found = answer.json().get("next")
        known["cursor"] = [*known["cursor"], found] if found else known["cursor"]
    if (case.method != "GET" and answer.status_code < 300) or row.operation in ON_MACHINE:
        scene.put_back()  # what is refused changes nothing: the rights table sees to that


def mixed(case: Any, begun: Any, known: dict[str, list[Any]], data: st.DataObject) -> None:
    """Exchange parts of a call that succeeds: for what was made up, and for real things."""
    case.path_parameters = exchanged(case.path_parameters, begun.path_parameters, known, data)
    case.query = exchanged(case.query, begun.query, known, data)
    if isinstance(case.body, dict):
        case.body = exchanged(case.body, begun.body, known, data)


def exchanged(
    made: Any, begun: dict[str, Any], known: dict[str, list[Any]], data: st.DataObject
) -> dict[str, Any]:
    """Return a query or a body of which each part is begun's, made up, or a real thing."""
    made, whole = dict(made or {}), {}
    for name in sorted({*made, *begun}):
        choice = data.draw(st.integers(0, 5))
        if choice < 3 and name in begun:
            whole[name] = begun[name]
        elif choice > 0 and name in made:
            whole[name] = named_anew(name, made[name], known, data) if choice > 3 else made[name]
    return whole


def malformed(case: Any, begun: Any, _known: dict[str, list[Any]], data: st.DataObject) -> None:
    """Put something into a call that succeeds that is not of its place: another type, too much."""
    made, body = case.query or {}, begun.body if isinstance(begun.body, dict) else {}
    places = [(False, name) for name in sorted({*begun.query, *made})]
    places += [(True, name) for name in sorted({*body, *(case.body if body else ())})]
    if not places:
        return  # nothing to get wrong but the path: it stays as it was made up
    case.path_parameters, case.query, case.body = begun.path_parameters, begun.query, begun.body
    in_body, name = data.draw(st.sampled_from(places))
    if in_body:
        case.body = {**body, name: data.draw(WRONG)}
    else:
        case.query = {**begun.query, name: data.draw(WRONG_TEXT)}


def named_anew(name: str, made: Any, known: dict[str, list[Any]], data: st.DataObject) -> Any:
    """Return a made-up value with real things in it, however deep they are."""
    if isinstance(made, dict):
        return {one: named_anew(one, value, known, data) for one, value in made.items()}
    if isinstance(made, list):
        return [named_anew(name, value, known, data) for value in made]
    return data.draw(st.sampled_from(known[name])) if name in known else made


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_described(callers: Callers, method: str, path: str) -> None:
    callers.wrong.clear()
    callers.answers.clear()
    call(callers, method, path)
    assert callers.wrong == []
    assert set(callers.answers) == set(ROLES)
    everybody = set().union(*callers.answers.values())
    assert min(everybody) < 300, "no call got as far as the thing itself"
    assert callers.answers["admin"] != {401}, "the token is worthless: nothing was tried"


def test_a_wrong_answer_is_found(callers: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: answers that are not described, and a failure, are noted."""

    def broken(machine: str) -> Response:
        raise FabError(f"{machine} went wrong")

    misbehaving = {
        "Undocumented status code": lambda machine: (jsonify({"id": machine}), 418),
        "Response violates schema": lambda machine: jsonify({"id": machine}),
        "Undocumented Content-Type": lambda machine: f"this is {machine}",
        "Server error": broken,
    }
    for what, view in misbehaving.items():
        callers.wrong.clear()
        monkeypatch.setitem(callers.scene.lab.app.view_functions, "api_machines.machine", view)
        call(callers, "get", "/machines/{machine}")
        assert what in "\n".join(callers.wrong)
