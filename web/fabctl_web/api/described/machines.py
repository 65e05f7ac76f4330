"""The machines and their interlocks, as the API describes them."""

from __future__ import annotations

from fabctl.interlock import InputCondition, InputRole, InterlockState, ProfileKind
from fabctl.messaging.interlocks import UNKNOWN
from fabctl.messaging.payloads import MachineState
from fabctl.ports import MachineKind
from fabctl_web.api.operations import NOT_FOUND, OPEN, answer, operation, path_id
from fabctl_web.api.schemas import (
    BOX,
    COUNT,
    MAYBE_COUNT,
    MAYBE_INSTANT,
    MAYBE_NUMBER,
    MAYBE_TEXT,
    SHARE,
    TEXT,
    Json,
    list_of,
    record,
    ref,
)

MACHINE = path_id("machine", "The machine's id, as lab.toml has it.")

PATHS: Json = {
    "/machines": {
        "get": operation(
            "listMachines",
            "The lab's machines, in the order of lab.toml.",
            {"200": answer("All machines.", ref("Machines"))},
            security=OPEN,
        )
    },
    "/machines/{machine}": {
        "parameters": [MACHINE],
        "get": operation(
            "getMachine",
            "One machine: its state, its job, its bookings.",
            {"200": answer("The machine.", ref("Machine")), "404": NOT_FOUND},
            security=OPEN,
        ),
    },
    "/machines/{machine}/interlock": {
        "parameters": [MACHINE],
        "get": operation(
            "getInterlock",
            "One machine's interlock. It can only be read: arming, resetting and clearing a "
            "fault are done at the machine.",
            {"200": answer("The interlock.", ref("Interlock")), "404": NOT_FOUND},
            security=OPEN,
        ),
    },
}
SCHEMAS: Json = {
    "Machine": record(
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
    "InterlockInput": record(
        {
            "role": {"enum": [role.value for role in InputRole]},
            "condition": {"enum": [condition.value for condition in InputCondition]},
            "age_s": MAYBE_NUMBER | {"description": "Since when it is so, s."},
        }
    ),
    "Interlock": record(
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
            "inputs": list_of("InterlockInput"),
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
    "Machines": record({"machines": list_of("Machine")}),
}
