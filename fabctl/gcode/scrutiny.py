"""Bytes that must not reach a controller."""

from __future__ import annotations

import re

from fabctl.gcode.problems import Problems
from fabctl.model.texts import text

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_STRAY = re.compile(r"[?!~]")
_REALTIME = re.compile(r"[\x80-\xff]")
"""Grbl acts on these wherever they stand (``doc/markdown/interface.md``, real-time commands)."""
_MESSAGE = re.compile(r"[Mm]\s*0*(?:0|1|117|118)(?![\d.])")


def without_stray(problems: Problems, line: int, sent: str) -> str:
    """Return a line for Grbl as its driver sends it: without ``?``, ``!`` and ``~``; note them."""
    if _STRAY.search(sent) is None:
        return sent
    message = text(
        "Line {line}: it holds ?, ! or ~, which the controller obeys at once; they are left out.",
        line=line,
    )
    problems.warning(line, "realtime-character", message)
    return _STRAY.sub("", sent).strip()


def strange_bytes(problems: Problems, line: int, sent: str, *, printer: bool) -> bool:
    """Note bytes of a line (as latin-1) that are no G-code; return whether it is unreadable."""
    if _CONTROL.search(sent):
        message = text("Line {line}: it holds a control character, not only text.", line=line)
        problems.error(line, "control-character", message)
        return True
    if not printer and _REALTIME.search(sent):
        message = text(
            "Line {line}: it holds an accent or another byte that the controller obeys at once.",
            line=line,
        )
        problems.error(line, "realtime-character", message)
        return True
    if sent.isascii() or _message_in_utf8(sent):
        return False
    if _MESSAGE.match(sent):
        message = text(
            "Line {line}: its message is no UTF-8; the printer may show other letters.", line=line
        )
        problems.warning(line, "strange-bytes", message)
        return False
    message = text("Line {line}: it holds bytes that are no G-code.", line=line)
    problems.error(line, "strange-bytes", message)
    return True


def _message_in_utf8(sent: str) -> bool:
    """Whether these are an M command's letters beyond ASCII (a message on the printer's screen)."""
    try:
        sent.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return sent[:1] in ("M", "m")
