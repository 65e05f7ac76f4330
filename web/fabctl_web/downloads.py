"""Answers that a browser saves as a file."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Response


def download(content: str | bytes | Iterable[bytes], kind: str, name: str) -> Response:
    """Answer with a file of that name.

    :param kind: its media type, with the charset where it is text.
    """
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, content_type=kind, headers=headers)
