"""Jobs on the machines, as the API describes them."""

from __future__ import annotations

from fabctl.model.job import JobState
from fabctl_web.api.described.machines import MACHINE
from fabctl_web.api.operations import NOT_FOUND, REFUSED, answer, operation, path_id, refusal
from fabctl_web.api.schemas import (
    BOX,
    COUNT,
    INSTANT,
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

JOB = path_id("job", "The job's id.")


def _control(verb: str, summary: str) -> Json:
    return {
        "parameters": [JOB],
        "post": operation(
            f"{verb}Job",
            summary,
            {
                "202": answer(
                    "The machine accepted. The job as it is now; for somebody else's job only "
                    "its id and machine.",
                    ref("JobOrReference"),
                ),
                "404": NOT_FOUND,
                "409": REFUSED,
            },
        ),
    }


FILE_BODY: Json = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {
                        "type": "string",
                        "contentMediaType": "application/octet-stream",
                        "description": "The G-code file. Its name is shown to its owner.",
                    }
                },
            }
        }
    },
}
PATHS: Json = {
    "/machines/{machine}/jobs": {
        "parameters": [MACHINE],
        "post": operation(
            "prepareJob",
            "Check a file for this machine and keep it, ready to start. Nothing is sent.",
            {
                "201": answer("The job, with its preflight report.", ref("Job")),
                "404": NOT_FOUND,
                "409": refusal("No file came with the request."),
                "413": refusal("The file is larger than the lab allows."),
                "422": answer(
                    "The file must not run on this machine; nothing was kept.",
                    ref("RefusedFile"),
                ),
            },
            requestBody=FILE_BODY,
        ),
    },
    "/jobs/{job}": {
        "parameters": [JOB],
        "get": operation(
            "getJob",
            "One of your jobs, with its progress while it is on the machine.",
            {"200": answer("The job.", ref("Job")), "404": NOT_FOUND},
        ),
    },
    "/jobs/{job}/start": _control("start", "Start a prepared job. Its owner, with a reservation."),
    "/jobs/{job}/pause": _control("pause", "Pause a running job. Anyone may."),
    "/jobs/{job}/resume": _control("resume", "Go on with a paused job. Its owner and the staff."),
    "/jobs/{job}/stop": _control("stop", "Stop a job, heaters off. Anyone may."),
}
SCHEMAS: Json = {
    "Problem": record(
        {
            "line": MAYBE_COUNT | {"description": "In the file, from 1."},
            "code": TEXT,
            "severity": {"enum": ["error", "warning"]},
            "message": TEXT,
        }
    ),
    "Report": record(
        {
            "ok": {"type": "boolean"},
            "problem_count": COUNT,
            "problems": list_of("Problem") | {"maxItems": 50},
            "slicer_estimate_s": MAYBE_NUMBER,
            "nozzle_max_c": MAYBE_NUMBER,
            "bed_max_c": MAYBE_NUMBER,
            "feed_max_mm_per_min": MAYBE_NUMBER,
            "filament_mm": {"type": "number"},
            "layers": MAYBE_COUNT,
            "bounds": record({"travel": BOX, "work": BOX}),
        }
    ),
    "RefusedFile": record({"refusals": list_of("Refusal"), "report": ref("Report")}),
    "Job": record(
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
    "JobReference": record({"id": TEXT, "machine": TEXT}),
    "JobOrReference": {"anyOf": [ref("Job"), ref("JobReference")]},
}
