"""Lists on pages: what is searched for, the next page of it, and the same as a table to save."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from flask import request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from fabctl.services.cells import harmless
from fabctl_web.downloads import download

MOST_WORDS = 80
SHOWN = 50
"""Lines on one page."""


def words() -> str:
    """Return what is searched for, at most 80 characters; empty: everything."""
    return request.args.get("words", "")[:MOST_WORDS].replace("\0", "").strip()


def after() -> tuple[str, ...] | None:
    """Return the key of the last line that was shown; None: from the start.

    A cursor that cannot be read is none: the list begins again.
    """
    cursor = request.args.get("cursor", "")
    if not cursor:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        return None
    return tuple(found)


def next_address(key: Sequence[str] | None) -> str | None:
    """Return the address of the same search after ``key``; None where nothing follows."""
    if key is None or request.endpoint is None:
        return None
    cursor = base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode().rstrip("=")
    args = MultiDict(request.args)
    args["cursor"] = cursor
    values = {**(request.view_args or {}), **args.to_dict(flat=False)}
    return url_for(request.endpoint, **values)


def saved(name: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Answer with a table for a spreadsheet: semicolons, a byte order mark, UTF-8.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    return download(_lines(heads, rows), "text/csv; charset=utf-8", f"{name}.csv")


def _lines(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    yield "\N{ZERO WIDTH NO-BREAK SPACE}".encode()
    for row in chain([heads], rows):
        line = io.StringIO()
        csv.writer(line, delimiter=";", lineterminator="\r\n").writerow([_cell(c) for c in row])
        yield line.getvalue().encode()


def _cell(value: object) -> str:
    if not isinstance(value, str):
        return "" if value is None else str(value)
    return harmless(value)
