"""The API's document: valid, served, and whole in both directions."""

from __future__ import annotations

import json
from pathlib import Path

from openapi_spec_validator import validate

from fabctl_web.api.openapi import document
from tests.web_caller import API, Caller
from tests.web_lab import web_lab


def test_the_document_is_valid_openapi(tmp_path: Path) -> None:
    with web_lab(tmp_path) as lab:
        served = Caller(lab, None).ask("GET", "/openapi.json").get_json()
    validate(served)
    assert served == json.loads(json.dumps(document()))


def test_every_route_is_described_and_every_description_has_a_route(tmp_path: Path) -> None:
    with web_lab(tmp_path) as lab:
        rules = list(lab.app.url_map.iter_rules())
    routes = {
        (method.lower(), rule.rule.removeprefix(API).replace("<", "{").replace(">", "}"))
        for rule in rules
        if rule.rule.startswith(API)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (method, path)
        for path, found in document()["paths"].items()
        for method in found
        if method != "parameters"
    }
    assert routes == described
