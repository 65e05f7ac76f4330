"""Any call that the API's document allows, and many that it does not: no 5xx, no answer that is
not described. schemathesis makes the calls; most of them name what is really in the lab.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import jsonify
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.wrappers import Response

from fabctl.errors import FabError
from fabctl.services import feeds, resources, tokens
from fabctl_web.api.openapi import document
from tests.web_caller import API, caller
from tests.web_lab import WebLab, web_lab

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = {GenerationMode.POSITIVE: 6, GenerationMode.NEGATIVE: 2}
"""Calls of each operation by each caller."""
KEPT = 6
"""How many ids of a kind are called again, beside those that were there first."""
PLAIN = {"Accept-Encoding": "identity"}
METHODS = {"get", "put", "post", "patch", "delete"}
PATHS: dict[str, Any] = document()["paths"]
OPERATIONS = [
    (method, path) for path, found in PATHS.items() for method in found if method in METHODS
]


@dataclass
class Callers:
    """A lab with something in it, and who calls."""

    lab: WebLab
    tokens: dict[str, str]
    own: dict[str, str]
    """Ids of the callers. No staff's call names them: a member stays one, and stays."""
    real: dict[str, list[Any]]
    """What is in the lab, by the names of parameters and fields. It grows with the answers."""
    schema: Any
    """As schemathesis reads the document."""
    wrong: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callers]:
    with web_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield scene(lab)


def scene(lab: WebLab) -> Callers:
    """Put people and something to name into a lab."""
    lab.certified("camille")
    lab.certified("iris", role="staff")
    logins = {"member": "camille", "staff": "iris"}
    keys = {role: token(lab, login) for role, login in logins.items()}
    own = {role: lab.id_of(login) for role, login in logins.items()}
    schema = schemathesis.openapi.from_wsgi(f"{API}/openapi.json", lab.app)
    return Callers(lab, keys, own, real(lab), schema)


def token(lab: WebLab, login: str) -> str:
    with lab.db.transaction() as db:
        return tokens.create_token(db, lab.clock, person_id=lab.id_of(login), name="any")[1]


def real(lab: WebLab) -> dict[str, list[Any]]:
    """Put something into the lab that no call makes, and return what can be named."""
    sam, iris = lab.certified("sam"), lab.id_of("iris")
    camille = caller(lab, "camille")
    reservations = [
        lab.book(sam, "printer-a", after_min=600),
        camille.reserve(minutes_ahead=0).get_json()["id"],
        camille.reserve(minutes_ahead=300).get_json()["id"],
    ]
    page = camille.ask("GET", "/reservations?limit=1").get_json()
    with lab.db.transaction() as db:
        members = ["printer-a", "printer-b"]
        resources.set_pool(
            db, lab.clock, pool_id="printers", name="Printers", members=members, by=iris
        )
        _, secret = feeds.create(db, lab.clock, kind="person", subject=sam.id, by=sam.id)
    times = [lab.clock.now() + timedelta(minutes=m) for m in (0, 60, 120, 600, 660, 3000)]
    return {
        "machine": members,
        "resource": members,
        "reservation": reservations,
        "job": [camille.upload().get_json()["id"]],
        "person": [sam.id, lab.certified("alex").id],
        "pool": ["printers"],
        "secret": [secret],
        "start": [time.isoformat() for time in times],
        "end": [time.isoformat() for time in times],
        "weeks": [2, 3],
        "cursor": [page["next"], "WyJwcmludGVyLWEiXQ"],
    }


def call(callers: Callers, method: str, path: str, role: str, mode: GenerationMode) -> None:
    """Make some calls of one operation, and note every answer that is not as described."""
    described = callers.schema[path][method.upper()]
    real = dict(callers.real)
    if role == "member":
        real["person"] = [*real["person"], callers.own[role]]
    if mode is GenerationMode.NEGATIVE and not (described.body or described.query):
        return  # nothing to get wrong but the path, and any text may be one

    @settings(
        max_examples=EXAMPLES[mode],
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described.as_strategy(generation_mode=mode), data=st.data())
    def ask(case: schemathesis.Case[Any], data: st.DataObject) -> None:
        case.path_parameters = mixed(case.path_parameters, real, data)
        if mode is GenerationMode.POSITIVE:
            case.query = mixed(case.query, real, data)
            if isinstance(case.body, dict):
                case.body = mixed(case.body, real, data)
        answer = case.call(headers={**PLAIN, "Authorization": f"Bearer {callers.tokens[role]}"})
        callers.answers.append(answer.status_code)
        try:
            case.validate_response(answer, checks=CHECKS)
        except (FailureGroup, Failure) as error:  # by hand: another try may have another answer
            told = "\n".join(str(one) for one in getattr(error, "exceptions", [error]))
            callers.wrong.append(f"{role}: {case.as_curl_command()}\n{told}")
        learn(callers, path, answer)

    ask()


def mixed(sent: Any, real: dict[str, list[Any]], data: st.DataObject) -> dict[str, Any]:
    """Put real things in the place of made-up ones, three times of four."""
    whole = dict(sent or {})
    for name in sorted(whole.keys() & real.keys()):
        if data.draw(st.integers(0, 3)):
            whole[name] = data.draw(st.sampled_from(real[name]))
    return whole


def learn(callers: Callers, path: str, answer: Any) -> None:
    """Keep the ids that an answer of ``/things`` holds, where there is ``/things/{thing}``."""
    below = [one.removeprefix(f"{path}/") for one in PATHS if one.startswith(f"{path}/{{")]
    if not below or answer.status_code not in {200, 201}:
        return
    body = answer.json()
    items = [body, *(one for found in body.values() if isinstance(found, list) for one in found)]
    ids = [one["id"] for one in items if isinstance(one, dict) and "id" in one]
    name = below[0].partition("}")[0].removeprefix("{")
    there = callers.real.get(name, [])
    new = [one for one in ids if one not in there and one not in callers.own.values()]
    if new:
        callers.real[name] = there + new[: max(0, KEPT - len(there))]


@pytest.mark.parametrize("role", ["member", "staff"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_described(callers: Callers, method: str, path: str, role: str) -> None:
    callers.wrong.clear()
    callers.answers.clear()
    for mode in EXAMPLES:
        call(callers, method, path, role, mode)
    assert callers.wrong == []
    assert set(callers.answers) != {401}, "the token is worthless: nothing was tried"


def test_a_wrong_answer_is_found(tmp_path: Path) -> None:
    """The control: answers that are not described, and a failure, are noted."""

    def broken(machine: str) -> Response:
        raise FabError(f"{machine} went wrong")

    with web_lab(tmp_path) as lab:
        callers = scene(lab)
        views = lab.app.view_functions
        misbehaving = {
            "Undocumented status code": lambda machine: (jsonify({"id": machine}), 418),
            "Response violates schema": lambda machine: jsonify({"id": machine}),
            "Undocumented Content-Type": lambda machine: f"this is {machine}",
            "Server error": broken,
        }
        for what, view in misbehaving.items():
            callers.wrong.clear()
            views["api_machines.machine"] = view  # type: ignore[assignment]  # a lambda has no types
            call(callers, "get", "/machines/{machine}", "member", GenerationMode.POSITIVE)
            assert what in "\n".join(callers.wrong)
