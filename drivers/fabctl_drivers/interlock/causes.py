"""Faults as the chain keeps them; the codes and their sentences stand in the core. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from fabctl.interlock_causes import SENTENCES, Advice, Cause, FaultCode, PermitRefusal

__all__ = ["SENTENCES", "Advice", "Cause", "FaultCode", "FaultRecord", "PermitRefusal"]


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """A fault, as it is remembered across restarts."""

    code: FaultCode
    why: str
    """English, for staff: which input, how long, what was expected."""
    first_cause: Cause | None = None
    """The trip that came before it, if any."""
