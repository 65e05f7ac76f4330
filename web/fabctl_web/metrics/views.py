"""``/metrics``: for Prometheus on this computer, or with the token of somebody of the staff.

A visitor from this computer is known by its address: what came through a proxy bears a header that
says so, and then needs a token, whether lab.toml names the proxy or not.
"""

from __future__ import annotations

import ipaddress

from flask import Blueprint, Flask, Response, abort, current_app, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from fabctl.model.people import Role
from fabctl.services import tokens
from fabctl_web.lab import Lab, current_lab
from fabctl_web.metrics.collected import LabCollector
from fabctl_web.metrics.requests import count_requests

REGISTRY = "fabctl-metrics"
PROXIED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
MAY_READ = frozenset({Role.STAFF, Role.ADMIN})

area = Blueprint("metrics", __name__)


def init_app(app: Flask, lab: Lab) -> None:
    """Begin to count; a registry for each application, so that two do not mix."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(LabCollector(lab))
    count_requests(app, registry)
    app.extensions[REGISTRY] = registry


@area.get("/metrics")
def metrics() -> Response:
    """Return every figure, in Prometheus' text format."""
    if not (_from_here() or _token_of_staff()):
        abort(403)
    return Response(
        generate_latest(current_app.extensions[REGISTRY]), content_type=CONTENT_TYPE_LATEST
    )


def _from_here() -> bool:
    if any(name in request.headers for name in PROXIED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _token_of_staff() -> bool:
    credentials = request.authorization
    if credentials is None or credentials.type != "bearer" or not credentials.token:
        return False
    lab = current_lab()
    with lab.db.reading() as db:
        found = tokens.find_token(db, lab.clock, credentials.token)
    return found is not None and found.role in MAY_READ and not found.suspended
