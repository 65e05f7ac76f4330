"""The contract: every check, in the order in which they are tried."""

from __future__ import annotations

from fabctl.driver_contract import asking, faults, jobs, opening
from fabctl.driver_contract.results import Check
from fabctl.driver_contract.witness import ENDS_ONCE, EVENTS, IN_TIME, RAISES, REFUSALS

WATCHED = (
    Check(
        ENDS_ONCE,
        "Each job has one end, in whatever way it came.",
        "Driver.start: its end comes as one JobEnded",
        None,
    ),
    Check(
        IN_TIME,
        "No call blocks: pump keeps its timeout, requests only note what is wanted.",
        "Driver.pump, docs/decisions/0243",
        None,
    ),
    Check(
        RAISES,
        "A call raises only what its docstring names; pump, stop and close raise nothing.",
        "Driver: each method's “raises”",
        None,
    ),
    Check(
        EVENTS,
        "Progress stays inside the file and never goes back; readings are numbers or None.",
        "JobProgress, Telemetry, PhaseChanged",
        None,
    ),
    Check(
        REFUSALS,
        "Every refusal says in words what is wrong.",
        "fabctl.errors.FabError",
        None,
    ),
)
"""Watched during all others."""

CHECKS: tuple[Check, ...] = (
    *opening.CHECKS,
    *asking.CHECKS,
    *jobs.CHECKS,
    *faults.CHECKS,
    *WATCHED,
)
