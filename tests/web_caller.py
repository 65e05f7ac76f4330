"""A program that calls the API in tests; every answer is held against the API's document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types
from werkzeug.test import TestResponse

from fabctl.services import tokens
from fabctl_web.api.openapi import document
from tests.web_lab import GOOD_FILE, WebLab, multipart

API = "/api/v1"
described = cache(document)
"""The document, made once: it says the same all the time."""


@dataclass
class Caller:
    """A program with somebody's token; every answer is held against the document."""

    lab: WebLab
    token: str | None
    language: str = "en"

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        """Call the API and check the answer's form."""
        headers = {"Accept-Language": self.language, **more.pop("headers", {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        client = self.lab.app.test_client()
        answer = client.open(f"{API}{path}", method=method, headers=headers, **more)
        check(method, path, answer)
        return answer

    def reserve(self, minutes_ahead: float = 60, minutes: float = 60) -> TestResponse:
        """Book printer-a."""
        start = self.lab.clock.now() + timedelta(minutes=minutes_ahead)
        end = start + timedelta(minutes=minutes)
        body = {"resource": "printer-a", "start": start.isoformat(), "end": end.isoformat()}
        return self.ask("POST", "/reservations", json=body)

    def upload(self, content: bytes = GOOD_FILE) -> TestResponse:
        """Send a file for printer-a."""
        data, content_type = multipart(content, "part.gcode")
        return self.ask("POST", "/machines/printer-a/jobs", data=data, content_type=content_type)


def check(method: str, path: str, answer: TestResponse) -> None:
    """Hold an answer against the document: its status is listed, its body has that form."""
    answers = operation(method, path)["responses"]
    assert str(answer.status_code) in answers, f"{method} {path}: {answer.status}"
    content = answers[str(answer.status_code)].get("content", {})
    if "application/json" not in content:
        assert {answer.mimetype} == set(content) or not answer.data, f"{method} {path}"
        return
    schema = content["application/json"]["schema"]
    whole = {**schema, "components": described()["components"]}
    Draft202012Validator(whole).validate(answer.get_json())


def operation(method: str, path: str) -> dict[str, Any]:
    """Return what the document says about a call; what is written out goes before parameters."""
    asked = path.partition("?")[0].split("/")
    matching = [
        (template.count("{"), found[method.lower()])
        for template, found in described()["paths"].items()
        if method.lower() in found and _fits(template.split("/"), asked)
    ]
    assert matching, f"{method} {path} is not described"
    entry: dict[str, Any] = min(matching, key=lambda one: one[0])[1]
    return entry


def _fits(template: list[str], asked: list[str]) -> bool:
    return len(template) == len(asked) and all(
        part == word or part.startswith("{") for part, word in zip(template, asked, strict=True)
    )


def caller(lab: WebLab, login: str, language: str = "en") -> Caller:
    with lab.db.transaction() as db:
        _, token = tokens.create_token(db, lab.clock, person_id=lab.id_of(login), name="test")
    return Caller(lab, token, language)


def codes(answer: TestResponse) -> list[str]:
    return [refusal["code"] for refusal in answer.get_json()["refusals"]]
