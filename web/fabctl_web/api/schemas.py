"""The API's data, as JSON Schema: what :mod:`fabctl_web.api.shape` returns."""

from __future__ import annotations

from typing import Any

from fabctl.interlock import InputCondition, InputRole, InterlockState, ProfileKind
from fabctl.messaging.interlocks import UNKNOWN
from fabctl.messaging.payloads import MachineState
from fabctl.model.job import JobState
from fabctl.ports import MachineKind

Json = dict[str, Any]

INSTANT: Json = {"type": "string", "format": "date-time"}
MAYBE_INSTANT: Json = {"type": ["string", "null"], "format": "date-time"}
TEXT: Json = {"type": "string"}
MAYBE_TEXT: Json = {"type": ["string", "null"]}
MAYBE_NUMBER: Json = {"type": ["number", "null"]}
MAYBE_COUNT: Json = {"type": ["integer", "null"], "minimum": 0}
COUNT: Json = {"type": "integer", "minimum": 0}
SHARE: Json = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
SPAN: Json = {
    "type": ["array", "null"],
    "items": {"type": "number"},
    "minItems": 2,
    "maxItems": 2,
    "description": "Lowest and highest, mm.",
}
BOX: Json = {"type": ["object", "null"], "properties": {"x": SPAN, "y": SPAN, "z": SPAN}}


def ref(name: str) -> Json:
    """Return a reference to a schema below."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Json, optional: tuple[str, ...] = (), **more: Any) -> Json:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, **more}


def _list(of: str) -> Json:
    return {"type": "array", "items": ref(of)}


SCHEMAS: Json = {
    "Refusal": _object(
        {
            "code": TEXT | {"description": "Never changes its meaning."},
            "message": TEXT | {"description": "What is in the way, for people."},
            "next_step": TEXT | {"description": "What to do about it, for people."},
        }
    ),
    "Refusals": _object({"refusals": _list("Refusal") | {"minItems": 1}}),
    "Machine": _object(
        {
            "id": TEXT,
            "name": TEXT,
            "kind": {"enum": [kind.value for kind in MachineKind]},
            "state": {
                "enum": [state.value for state in MachineState],
                "description": "unknown: the machine's last word is too old. Never safe.",
            },
            "reason": MAYBE_TEXT | {"description": "Why it is so; English, for technicians."},
            "trouble": MAYBE_TEXT | {"description": "A code, while it is broken."},
            "waiting": MAYBE_TEXT | {"description": "What the firmware wants from a person."},
            "age_s": MAYBE_NUMBER | {"description": "Age of the state, s."},
            "job": MAYBE_TEXT,
            "progress": SHARE | {"description": "By commands that the firmware confirmed."},
            "line": MAYBE_COUNT,
            "lines": MAYBE_COUNT,
            "eta_s": MAYBE_COUNT | {"description": "Seconds to the job's end, estimated."},
            "temperatures": {
                "type": "object",
                "additionalProperties": MAYBE_NUMBER,
                "description": "nozzle_c, nozzle_target_c, bed_c, bed_target_c; °C.",
            },
            "work_area": BOX,
            "busy_until": MAYBE_INSTANT | {"description": "Until when it is booked now."},
            "next_start": MAYBE_INSTANT | {"description": "When the next booking starts."},
        }
    ),
    "InterlockInput": _object(
        {
            "role": {"enum": [role.value for role in InputRole]},
            "condition": {"enum": [condition.value for condition in InputCondition]},
            "age_s": MAYBE_NUMBER | {"description": "Since when it is so, s."},
        }
    ),
    "Interlock": _object(
        {
            "machine": TEXT,
            "kind": {"enum": [kind.value for kind in ProfileKind]},
            "state": {
                "enum": [*(state.value for state in InterlockState), UNKNOWN],
                "description": "unknown: its last word is too old. Never safe.",
            },
            "age_s": MAYBE_NUMBER | {"description": "Age of this word, s."},
            "since_s": MAYBE_NUMBER | {"description": "How long it has been in this state, s."},
            "cause": MAYBE_TEXT | {"description": "A code: what trips it, or did last."},
            "first_cause": MAYBE_TEXT
            | {"description": "What tripped it first since it was last armed."},
            "fault": MAYBE_TEXT | {"description": "A code; cleared only at the machine."},
            "advice": MAYBE_TEXT | {"description": "A code: what it waits for."},
            "inputs": _list("InterlockInput"),
            "permit_left_s": MAYBE_NUMBER | {"description": "Null: no permit holds."},
            "permits_refused": {
                "type": "object",
                "additionalProperties": COUNT,
                "description": "Since its start, by code.",
            },
            "outputs_on": {"type": ["boolean", "null"]},
            "active": {
                "type": ["boolean", "null"],
                "description": "The machine's run signal.",
            },
            "trips": MAYBE_COUNT | {"description": "Since its start."},
        }
    ),
    "Machines": _object({"machines": _list("Machine")}),
    "ReservationRequest": _object(
        {
            "resource": TEXT | {"description": "A machine's id."},
            "start": INSTANT,
            "end": INSTANT,
        },
        examples=[
            {
                "resource": "printer-a",
                "start": "2026-11-24T14:00:00+01:00",
                "end": "2026-11-24T15:30:00+01:00",
            }
        ],
    ),
    "Reservation": _object(
        {
            "id": TEXT,
            "resource": TEXT,
            "person": TEXT,
            "start": INSTANT,
            "end": INSTANT,
            "cancelled_at": MAYBE_INSTANT,
        }
    ),
    "Problem": _object(
        {
            "line": MAYBE_COUNT | {"description": "In the file, from 1."},
            "code": TEXT,
            "severity": {"enum": ["error", "warning"]},
            "message": TEXT,
        }
    ),
    "Report": _object(
        {
            "ok": {"type": "boolean"},
            "problem_count": COUNT,
            "problems": _list("Problem") | {"maxItems": 50},
            "slicer_estimate_s": MAYBE_NUMBER,
            "nozzle_max_c": MAYBE_NUMBER,
            "bed_max_c": MAYBE_NUMBER,
            "feed_max_mm_per_min": MAYBE_NUMBER,
            "filament_mm": {"type": "number"},
            "layers": MAYBE_COUNT,
            "bounds": _object({"travel": BOX, "work": BOX}),
        }
    ),
    "RefusedFile": _object({"refusals": _list("Refusal"), "report": ref("Report")}),
    "Job": _object(
        {
            "id": TEXT,
            "machine": TEXT,
            "person": TEXT,
            "name": TEXT,
            "state": {
                "enum": [state.value for state in JobState if state is not JobState.UNANSWERED]
            },
            "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "size": COUNT | {"description": "Bytes."},
            "lines": COUNT,
            "commands": COUNT | {"description": "Lines that hold something to send."},
            "estimate_s": MAYBE_NUMBER,
            "progress": SHARE,
            "line": MAYBE_COUNT | {"description": "Last line that the firmware confirmed."},
            "eta_s": MAYBE_COUNT,
            "trouble": MAYBE_TEXT,
            "reason": MAYBE_TEXT,
            "created_at": INSTANT,
            "started_at": MAYBE_INSTANT,
            "ended_at": MAYBE_INSTANT,
            "report": ref("Report"),
        }
    ),
    "JobReference": _object({"id": TEXT, "machine": TEXT}),
    "JobOrReference": {"anyOf": [ref("Job"), ref("JobReference")]},
}
