"""Codes of refusals are part of the API: the rules have theirs, and each is named by a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fabctl
import fabctl_web
from fabctl.model.booking import OVERRIDABLE

TESTS = Path(__file__).parents[1]
SOURCES = [Path(str(one.__file__)).parent for one in (fabctl, fabctl_web)]
CODE = re.compile(r'\bRefusal\(\s*"([a-z]+(?:-[a-z]+)*)"')
HOUSE_RULES = {
    "overlap", "closed", "in-the-past", "too-short-notice", "beyond-horizon", "off-grid",
    "too-short", "too-long", "quota-day", "quota-week", "too-many-ahead", "too-much-ahead",
    "gap-too-small", "own-overlap", "not-certified", "certification-expired",
    "certification-suspended", "supervision-missing", "under-age", "consent-missing",
    "out-of-order", "account-suspended", "past-cancellation-deadline", "not-in-age-range",
}  # fmt: skip
"""All codes that the house rules name. They never change their meaning, and never go."""
STAFF_SET_ASIDE = {
    "closed", "in-the-past", "too-short-notice", "beyond-horizon", "off-grid", "too-short",
    "too-long", "quota-day", "quota-week", "too-many-ahead", "too-much-ahead", "gap-too-small",
    "own-overlap",
}  # fmt: skip
"""Those of reservations that are marked (o) there."""


def codes_in(source: str) -> set[str]:
    """Return the codes of the refusals that a source makes."""
    return set(CODE.findall(source))


@pytest.fixture(scope="module")
def codes() -> set[str]:
    files = [file for folder in SOURCES for file in folder.rglob("*.py")]
    return set().union(*(codes_in(file.read_text(encoding="utf-8")) for file in files))


def unnamed(codes: set[str], tests: Path) -> set[str]:
    """Return the codes that stand as such in no test; this file's own lists do not count."""
    left = set(codes)
    for file in tests.rglob("*.py"):
        if file.name != Path(__file__).name:
            source = file.read_text(encoding="utf-8")
            left = {code for code in left if f'"{code}"' not in source}
    return left


def test_the_house_rules_have_their_codes(codes: set[str]) -> None:
    assert HOUSE_RULES - codes == set()
    assert len(codes) > 100


def test_the_staff_set_aside_what_the_house_rules_say() -> None:
    assert OVERRIDABLE == STAFF_SET_ASIDE


def test_every_code_is_named_by_a_test(codes: set[str]) -> None:
    assert unnamed(codes, TESTS) == set()


def test_a_code_without_a_test_is_found(codes: set[str], tmp_path: Path) -> None:
    """The control: a test that names one code leaves all others."""
    (tmp_path / "test_it.py").write_text('assert refused == ["overlap"]', encoding="utf-8")
    assert unnamed(codes, tmp_path) == codes - {"overlap"}
    assert codes_in('Refusal(\n    "made-up",\n)') == {"made-up"}
