"""The commissioning checks as the tables of a document, from the one list.

``python -m fabctl.commands.interlock_sheet deploy/interlock-checks.md`` writes them anew between
the document's marks; a test fails when they are stale.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from fabctl.commands.interlock_check import EVERY_KIND, NAMES_IN_GENERAL, Check
from fabctl.commands.interlock_checklist import every_check, numbered
from fabctl.commands.interlock_readings import Figure, Question
from fabctl.errors import InputError

HEAD = "| no. | for | do | the daemon tells | a person sees or measures | ✓ |"
MONTHLY_HEAD = "| no. | for | do | the daemon tells | a person sees |"


def written(document: str) -> str:
    """Return the document with its tables made anew.

    :raises InputError: it has no marks.
    """
    whole = _between(document, "checks", "\n".join(_tables()))
    return _between(whole, "monthly", "\n".join(_monthly()))


def _between(document: str, name: str, text: str) -> str:
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, found, rest = document.partition(begin)
    _, found_too, after = rest.partition(end)
    if not found or not found_too:
        raise InputError(f"there is no {begin.strip()} … {end}")
    return f"{before}{begin}{text}\n{end}{after}"


def _tables() -> Iterator[str]:
    numbers = {check.key: number for number, check in numbered()}
    yield HEAD
    yield "|---" * 6 + "|"
    for title, checks in every_check():
        yield f"| | | **{title}** | | | |"
        for check in checks:
            yield f"| {numbers[check.key]} {_row(check, blanks=True)} | |"


def _monthly() -> Iterator[str]:
    yield MONTHLY_HEAD
    yield "|---" * 5 + "|"
    for number, check in numbered():
        if check.monthly:
            yield f"| {number} {_row(check, blanks=False)} |"


def _row(check: Check, *, blanks: bool) -> str:
    told = "" if check.read is None else check.read.words
    seen = "<br>".join(filter(None, (_asked(one, blanks=blanks) for one in check.ask)))
    return f"| {_whom(check)} | {check.text(NAMES_IN_GENERAL)} | {told} | {seen}"


def _asked(question: Question, *, blanks: bool) -> str:
    """Return a question as the sheet has it; a monthly test is made without an oscilloscope."""
    if not isinstance(question, Figure):
        return question.words
    limits = f"{question.words}: {question.limits}"
    return f"{limits}; read: ______" if blanks else ""


def _whom(check: Check) -> str:
    """Return which interlocks have the check; empty: every one."""
    words: list[str] = [] if check.kinds == EVERY_KIND else sorted(check.kinds)
    words += [f"`{role}`" for role in sorted(check.needs)]
    words += [f"no `{role}`" for role in sorted(check.lacks)]
    return ", ".join(words)


def main() -> None:
    """Write the tables of the document that is named."""
    path = Path(sys.argv[1])
    path.write_text(written(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
