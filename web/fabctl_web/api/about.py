"""The API's own description."""

from __future__ import annotations

from flask import jsonify
from werkzeug.wrappers import Response

from fabctl_web.api import openapi as document
from fabctl_web.api.auth import api_area

area = api_area("about")


@area.get("/openapi.json")
def openapi() -> Response:
    """Describe this API (OpenAPI 3.1)."""
    return jsonify(document.document())
