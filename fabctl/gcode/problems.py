"""Collects problems while a file is read: bounded, errors kept before warnings."""

from __future__ import annotations

from fabctl.gcode.report import MOST_PROBLEMS, Problem, Severity
from fabctl.model.texts import Text

_MOST_DETAILS = 40


class Problems:
    """At most 50 errors and 50 warnings; everything is counted."""

    def __init__(self) -> None:
        self._kept: dict[Severity, list[Problem]] = {"error": [], "warning": []}
        self._said: dict[str, set[str]] = {}
        self.count = 0
        self.errors = 0

    def error(self, line: int | None, code: str, message: Text) -> None:
        """Note what must not run."""
        self._add(Problem(line, code, message, "error"))

    def warning(self, line: int | None, code: str, message: Text) -> None:
        """Note what a person should know."""
        self._add(Problem(line, code, message, "warning"))

    def first(self, code: str, detail: str = "") -> bool:
        """Return whether this comes for the first time: to say a thing once per file.

        After 40 different details of one code the answer is no.
        """
        said = self._said.setdefault(code, set())
        if detail in said or len(said) >= _MOST_DETAILS:
            return False
        said.add(detail)
        return True

    def _add(self, problem: Problem) -> None:
        self.count += 1
        self.errors += problem.severity == "error"
        kept = self._kept[problem.severity]
        if len(kept) < MOST_PROBLEMS:
            kept.append(problem)

    def kept(self) -> tuple[Problem, ...]:
        """Return at most 50 problems, errors first when there are more, in the order of lines."""
        chosen = [*self._kept["error"], *self._kept["warning"]][:MOST_PROBLEMS]
        return tuple(sorted(chosen, key=lambda problem: problem.line or 0))


def figure(value: float) -> float:
    """Return a number as people write it: three decimals at most, none when it is whole."""
    rounded = round(value, 3)
    return int(rounded) if rounded == int(rounded) else rounded
