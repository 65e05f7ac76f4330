"""When this version was made: no clock that is right shows an earlier moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

RELEASED_AT: Final = datetime(2026, 11, 23, tzinfo=UTC)
"""Raised by hand, and a test says when it is due: a file's own date says when it was unpacked."""
