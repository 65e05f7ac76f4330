"""What a preflight found: problems, figures, a picture. Data that goes to disk and back as JSON."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, fields
from typing import Any, Literal

from fabctl.gcode.boxes import Bounds, Box, Span
from fabctl.model.texts import Text

MOST_PROBLEMS = 50
"""So many problems are kept; :attr:`Report.problem_count` counts all."""
FORMAT = 1
"""The JSON form's version."""
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing about a file that a person should know before it runs."""

    line: int | None
    """In the file, 1-based; None where it is about the whole file."""
    code: str
    """Part of the API: never changes its meaning."""
    message: Text
    """One sentence with what was found and the limit, each with its unit; it names the line."""
    severity: Severity


@dataclass(frozen=True, slots=True)
class Report:
    """What a file holds and what is wrong with it."""

    problems: tuple[Problem, ...]
    """The first 50, errors before warnings where there are more; in the order of lines."""
    problem_count: int
    lines: int
    """Comments and blanks included. Where reading stopped early (codes ``not-text``, ``not-gcode``,
    ``reading-stopped``), the figures are those of the part that was read; ``size`` is whole."""
    commands: int
    """Lines that hold something to send."""
    size: int
    """Bytes."""
    bounds: Bounds
    nozzle_max_c: float | None
    """Highest nozzle temperature asked for, °C; None where none is."""
    bed_max_c: float | None
    feed_max_mm_per_min: float | None
    """Highest F word on a move."""
    filament_mm: float
    """Length pushed out, retractions taken back, mm ≥ 0."""
    power: Span | None
    """Lowest and highest S above 0 while the spindle or laser is on, the controller's unit."""
    tools: tuple[int, ...]
    """Tools chosen by T, in order of number."""
    waits: int
    """Commands that wait for somebody at the machine (M0, M600, ...)."""
    estimate_s: float | None
    """Our estimate of the moves and dwells, s, without heating and homing; None without moves."""
    slicer_estimate_s: float | None
    """The slicer's own estimate, s, where a comment gives it."""
    time_table: tuple[float, ...]
    """201 fractions of the estimate at equal steps of the commands; empty without an estimate.
    :func:`fabctl.gcode.timeline.time_fraction` reads it."""
    layers: int | None
    thumbnail: bytes | None
    """A PNG or a JPEG, at most 640 px wide and high."""

    @property
    def ok(self) -> bool:
        """Whether the file may run: no error; warnings do not count."""
        return not self.errors

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The errors among the problems kept."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings among the problems kept."""
        return tuple(problem for problem in self.problems if problem.severity == "warning")

    def to_json(self) -> str:
        """Return the report as one line of JSON; the picture in base64."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain |= {
            "v": FORMAT,
            "problems": [_problem_out(problem) for problem in self.problems],
            "bounds": {"travel": _box_out(self.bounds.travel), "work": _box_out(self.bounds.work)},
            "thumbnail": base64.b64encode(self.thumbnail).decode() if self.thumbnail else None,
        }
        return json.dumps(plain, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, written: str) -> Report:
        """Return the report that :meth:`to_json` wrote.

        :raises ValueError: it is not such JSON, or of another version.
        """
        plain = json.loads(written)
        if not isinstance(plain, dict) or plain.pop("v", None) != FORMAT:
            raise ValueError(f"a preflight report of version {FORMAT} was expected")
        try:
            picture, bounds, power = plain["thumbnail"], plain["bounds"], plain["power"]
            plain |= {
                "problems": tuple(_problem_in(problem) for problem in plain["problems"]),
                "bounds": Bounds(travel=_box_in(bounds["travel"]), work=_box_in(bounds["work"])),
                "thumbnail": base64.b64decode(picture) if picture else None,
                "power": _span_in(power),
                "tools": tuple(plain["tools"]),
                "time_table": tuple(plain["time_table"]),
            }
            return cls(**plain)
        except (KeyError, TypeError) as error:
            raise ValueError(f"a preflight report cannot be read: {error!r}") from error


def _problem_out(problem: Problem) -> dict[str, object]:
    return {
        "line": problem.line,
        "code": problem.code,
        "severity": problem.severity,
        "template": problem.message.template,
        "values": dict(problem.message.values),
    }


def _problem_in(plain: Any) -> Problem:
    return Problem(
        line=plain["line"],
        code=plain["code"],
        message=Text(plain["template"], plain["values"]),
        severity=plain["severity"],
    )


def _box_out(box: Box | None) -> dict[str, Span | None] | None:
    return {"x": box.x, "y": box.y, "z": box.z} if box else None


def _box_in(plain: Any) -> Box | None:
    if plain is None:
        return None
    return Box(x=_span_in(plain["x"]), y=_span_in(plain["y"]), z=_span_in(plain["z"]))


def _span_in(plain: Any) -> Span | None:
    return None if plain is None else (plain[0], plain[1])
