"""What every answer says to the browser, and the compression of pages."""

from __future__ import annotations

import gzip

from flask import Flask, Response, request

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing inline, nothing from elsewhere: the lab may have no network beyond itself."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
FILE_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""For pictures that people sent, or that were made of what they sent: nothing in them may act."""
PACKED_TYPES = ("text/html", "application/json")
WORTH_PACKING = 1000
"""Bytes; below, gzip costs more time than it saves."""


def init_app(app: Flask) -> None:
    """Put the headers on every answer and compress what is worth it."""
    app.after_request(_pack)
    app.after_request(_guard)


def _guard(answer: Response) -> Response:
    for name, value in HEADERS.items():
        answer.headers[name] = value
    if (answer.mimetype or "").startswith("image/") and request.endpoint != "static_files.serve":
        answer.headers["Content-Security-Policy"] = FILE_POLICY
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer


def _pack(answer: Response) -> Response:
    """Compress a page.

    Only without a query string: a page that holds a secret (the form token) beside text that a
    stranger chose must not be compressed, its length would tell about the secret (BREACH).
    """
    if (
        answer.mimetype not in PACKED_TYPES
        or answer.is_streamed
        or answer.direct_passthrough
        or answer.content_encoding
        or request.method != "GET"
        or request.query_string
        or request.accept_encodings.quality("gzip") <= 0
    ):
        return answer
    plain = answer.get_data()
    if len(plain) < WORTH_PACKING:
        return answer
    answer.set_data(gzip.compress(plain, 6, mtime=0))
    answer.content_encoding = "gzip"
    answer.vary.add("Accept-Encoding")
    return answer
