"""Counts requests by the name of their route: an address holds ids, and there are too many."""

from __future__ import annotations

import time

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds."""
NO_ROUTE = "none"


def count_requests(app: Flask, registry: CollectorRegistry) -> None:
    """Count every answer of an application; register this before what may refuse requests."""
    answers = Counter(
        "fabctl_http_requests",
        "Answers, by the name of the route and the class of the status.",
        ("route", "status"),
        registry=registry,
    )
    times = Histogram(
        "fabctl_http_request_duration_seconds",
        "Time to an answer's beginning; streams and static files are left out.",
        registry=registry,
        buckets=BUCKETS,
    )

    def begin() -> None:
        g.metrics_begin = time.monotonic()

    def end(answer: Response) -> Response:
        route = request.endpoint or NO_ROUTE
        answers.labels(route, f"{answer.status_code // 100}xx").inc()
        begun = g.get("metrics_begin")
        if begun is not None and route not in {"live.events", "static_files.serve"}:
            times.observe(time.monotonic() - begun)
        return answer

    app.before_request(begin)
    app.after_request(end)
