"""What a certification's history amounts to, at the edges."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fabctl.model.certification import (
    CertificationChange,
    Change,
    Level,
    Standing,
    refusal_for,
    standing,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
DAY = timedelta(days=1)


def granted(
    expires: datetime | None = None, level: Level = Level.AUTONOMOUS
) -> CertificationChange:
    return CertificationChange(Change.GRANTED, NOW - 9 * DAY, level, expires)


SUSPENDED = CertificationChange(Change.SUSPENDED, NOW - 5 * DAY)
REINSTATED = CertificationChange(Change.REINSTATED, NOW - DAY)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([], Standing.NONE),
        ([granted()], Standing.VALID),
        ([granted(level=Level.TRAINER)], Standing.VALID),
        ([granted(level=Level.SUPERVISED)], Standing.SUPERVISED),
        ([granted(NOW)], Standing.VALID),
        ([granted(NOW - MOMENT)], Standing.EXPIRED),
        ([granted(), SUSPENDED], Standing.SUSPENDED),
        ([granted(NOW - DAY), SUSPENDED], Standing.SUSPENDED),
        ([granted(), SUSPENDED, REINSTATED], Standing.VALID),
        ([granted(NOW - DAY), SUSPENDED, REINSTATED], Standing.EXPIRED),
        ([granted(level=Level.SUPERVISED), SUSPENDED, REINSTATED], Standing.SUPERVISED),
        ([granted(), SUSPENDED, granted()], Standing.VALID),
        ([granted(NOW - DAY), granted(NOW + DAY)], Standing.VALID),
        ([granted(), granted(NOW - DAY)], Standing.EXPIRED),
        ([SUSPENDED], Standing.NONE),
        ([REINSTATED], Standing.NONE),
        ([granted(), SUSPENDED, SUSPENDED, REINSTATED], Standing.VALID),
    ],
)
def test_standing(history: list[CertificationChange], expected: Standing) -> None:
    assert standing(history, NOW) is expected


def test_only_valid_permits_and_every_other_standing_says_what_to_do() -> None:
    refusals = {found: refusal_for(found) for found in Standing}
    assert refusals.pop(Standing.VALID) is None
    assert [refusal.code for refusal in refusals.values() if refusal] == [
        "supervision-missing",
        "not-certified",
        "certification-expired",
        "certification-suspended",
    ]
    not_certified = refusals[Standing.NONE]
    assert not_certified is not None
    assert "training" in str(not_certified.next_step)
