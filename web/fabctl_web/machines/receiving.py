"""From an uploaded file to a prepared job: checked for its machine, stored under its hash."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fabctl.errors import FabError
from fabctl.gcode.machine import inspect_for
from fabctl.gcode.preview import draw
from fabctl.gcode.report import Report
from fabctl.gcode.sketch import Sketch
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl.services import jobs, pictures
from fabctl.services.files import drop_stray
from fabctl.services.jobs import JobView
from fabctl.services.people import PersonView
from fabctl_web.lab import Lab
from fabctl_web.machines.unpacking import plain
from fabctl_web.uploads import Upload

NO_FILE = Refusal(
    "no-file", text("No file came with this request."), text("Choose a G-code file, then send it.")
)
SLICE_AGAIN = text("Slice it again for this machine, then send it once more.")


class FileProblemsError(Exception):
    """The file must not run on this machine; ``report`` holds every problem."""

    def __init__(self, report: Report) -> None:
        super().__init__(f"{report.problem_count} problems")
        self.report = report


def prepare(
    lab: Lab, machine: str, person: PersonView, received: tuple[Upload, str] | None
) -> JobView:
    """Check a file, store it, and make a job of it. Without a job, nothing stays on disk.

    :raises RefusedError: no file came, or binary G-code that cannot be unpacked.
    :raises FileProblemsError: what is wrong with it, with line numbers.
    """
    if received is None:
        raise RefusedError([NO_FILE])
    upload, name = plain(*received)
    profile = lab.config.machines[machine]
    sketch = Sketch(profile.kind)
    report = inspect_for(upload.opened(), profile, watch=sketch)
    if not report.ok:
        raise FileProblemsError(report)
    drawn = draw(sketch, report.lines)
    upload.settle()
    # One at a time: two uploads of the same file share one place on disk.
    with lab.storing, _whole(lab, upload), lab.db.transaction() as db, _kept(lab, upload) as path:
        job = jobs.prepare(
            db,
            lab.clock,
            person_id=person.id,
            resource_id=machine,
            name=name,
            path=path,
            sha256=upload.sha256,
            size=upload.size,
            report=report,
        )
    pictures.keep(lab.config.paths.previews, upload.sha256, profile.kind, report.thumbnail, drawn)
    lab.tidying.after_a_file(lab)
    return job


@contextmanager
def _whole(lab: Lab, upload: Upload) -> Iterator[None]:
    """Take a file back when the database could not keep its job at the very end: a full disk."""
    try:
        yield
    except FabError:
        with lab.db.transaction() as db:
            drop_stray(db, lab.config.paths.job_file(upload.sha256), upload.sha256)
        raise


@contextmanager
def _kept(lab: Lab, upload: Upload) -> Iterator[Path]:
    """Give a file its lasting place for a block that makes a job of it; if that fails, take it
    back, unless it was there before.
    """
    target = lab.config.paths.job_file(upload.sha256)
    was_there = target.exists()
    upload.keep(target)
    try:
        yield target
    except BaseException:
        if not was_there:
            target.unlink(missing_ok=True)
        raise
