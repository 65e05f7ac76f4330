"""When a person may clear a machine, and what to say when not. Pure."""

from __future__ import annotations

from fabctl.errors import LocalError
from fabctl.ports import Trouble
from fabctl_drivers.grbl.report import Report
from fabctl_drivers.grbl.standing import why_held


def require_ready(report: Report | None, *, is_alive: bool) -> None:
    """:raises LocalError: the controller does not answer, or is not Idle."""
    if not is_alive:
        raise LocalError(
            "the controller does not answer, so the machine stays broken",
            next_step="switch the machine off and on, wait ten seconds, then clear it again",
        )
    if report is None or report.state != "Idle":
        raise LocalError(
            unexplained(report.state if report else "unknown")[1],
            next_step="close the door, free the limit switches, then clear it again",
        )


def unexplained(state: str) -> tuple[Trouble, str]:
    """Return why a machine in this state needs a person before it can be used."""
    if state == "Alarm":
        reason = (
            "the machine is locked, because it does not know where it is: "
            "a person homes it ($H) or unlocks it where it stands ($X)"
        )
    else:
        reason = why_held(state) or f"the controller's state is {state}"
    return Trouble.FIRMWARE_HALTED, reason
