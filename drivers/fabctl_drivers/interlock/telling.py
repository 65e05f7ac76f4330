"""What the daemon says on its socket, and what it puts on record. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fabctl_drivers.interlock.view import ChainEvent, ChainView

MOST_WHY = 200


def words(view: ChainView, seq: int, more: Mapping[str, object]) -> bytes:
    """Return the state as one line of JSON, without its newline; never the person's id.

    :param seq: grows with every line of this boot.
    :param more: what the daemon knows besides: ``overruns``, ``trouble``, ``refused``.
    """
    fault, permit = view.fault, view.permit
    return json.dumps(
        {
            "v": 1,
            "boot": view.boot,
            "seq": seq,
            "state": view.state,
            "since_s": round(view.since_s, 2),
            "cause": view.cause,
            "first_cause": view.first_cause,
            "fault": None if fault is None else fault.code,
            "fault_why": None if fault is None else fault.why[:MOST_WHY],
            "advice": view.advice,
            "inputs": {
                one.role: {
                    "condition": one.condition,
                    "age_s": round(one.age_s, 2),
                    "say": one.say,
                }
                for one in view.inputs
            },
            "permit": None
            if permit is None
            else {"use": permit.use, "left_s": round(permit.left_s, 2)},
            "permits_refused": view.permits_refused,
            "outputs_on": view.outputs_on,
            "active": view.active,
            "trips": view.trips,
            "uptime_s": round(view.uptime_s, 2),
            "challenge": view.challenge,
            **more,
        }
    ).encode()


def gist(view: ChainView) -> tuple[object, ...]:
    """Return what readers want to hear of at once when it changes; ages and counters are not."""
    return (
        view.state,
        view.cause,
        view.fault,
        view.advice,
        tuple((one.condition, one.say) for one in view.inputs),
        None if view.permit is None else view.permit.use,
        view.active,
        sum(view.permits_refused.values()),
        view.challenge,
    )


def own_entry(what: str, why: str, boot: str, now: float, wall: datetime) -> dict[str, Any]:
    """Return what the daemon itself puts on record: that it started, why it ended."""
    return {
        "boot": boot,
        "mono_s": round(now, 3),
        "wall": wall.isoformat(timespec="milliseconds"),
        "event": what,
        "why": why[:MOST_WHY],
    }


def entry(event: ChainEvent, boot: str, wall: datetime) -> dict[str, Any]:
    """Return an event as the record keeps it.

    :param wall: the wall clock, for people only; ``mono_s`` orders what happened.
    """
    return {
        "boot": boot,
        "mono_s": round(event.at, 3),
        "wall": wall.isoformat(timespec="milliseconds"),
        "event": event.event.name.lower(),
        "was": event.was,
        "state": event.state,
        "cause": event.cause,
        "fault": event.fault,
        "why": event.why[:MOST_WHY],
        "use": event.use,
    }
