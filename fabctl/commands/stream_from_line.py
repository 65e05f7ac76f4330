"""``fabctl stream --from-line``: going on from a line, only where a person decided it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from fabctl.errors import InputError
from fabctl.gcode.lines import count
from fabctl.gcode.resume.prelude import Choices, Step, prelude
from fabctl.gcode.resume.resume_at import ResumePoint, find
from fabctl.ports import JobFile, MachineKind
from fabctl.usual import KINDS
from fabctl.whole_files import explaining_full_disk

COPY_BYTES = 1 << 20


@dataclass(frozen=True)
class FromLine:
    """What ``--from-line`` and its companions ask for."""

    line: int | None
    confirmed: str | None = None
    """The line's exact text, where no person sits at a terminal."""
    home: str | None = None
    z_now_mm: float | None = None
    safe_z_mm: float | None = None

    def check(self, driver: str, kind: str | None) -> None:
        """Refuse companions without ``--from-line``, and a machine of which too little is said.

        :raises InputError: there is one, or a mill and a laser cannot be told apart.
        """
        others = (self.confirmed, self.home, self.z_now_mm, self.safe_z_mm)
        if self.line is None and any(other is not None for other in others):
            raise InputError("--confirm-line, --home, --z-now and --safe-z belong to --from-line")
        if self.line is not None and kind is None and driver in KINDS:
            raise InputError(
                "--from-line has to know what the machine is: a laser goes there dark, a mill"
                " with its spindle on",
                next_step="add --kind mill or --kind laser",
            )

    @property
    def choices(self) -> Choices:
        """What the person says about the machine."""
        home = None if self.home is None else self.home == "xy"
        return Choices(home, self.z_now_mm, self.safe_z_mm)


@contextmanager
def resumed(job: JobFile, kind: MachineKind, asked: FromLine, *, sends: bool) -> Iterator[JobFile]:
    """Give the job that goes on from a line, once a person confirmed it; the same job without one.

    Its file lasts as long as the context. The preparing commands stand on the lines right before
    the chosen one, so the file's own line numbers hold.

    :param sends: False where nothing reaches a machine (a dry run): nobody has to confirm.
    :raises InputError: it cannot go on from there, or nobody confirmed.
    """
    if asked.line is None:
        yield job
        return
    with job.path.open("rb") as source:
        point = find(source, asked.line, kind)
    steps = prelude(point, kind, asked.choices)
    if len(steps) >= point.line:
        raise InputError(
            f"line {point.line} is too near the beginning: {len(steps)} commands come before it",
            next_step="send the whole file",
        )
    for sentence in shown(point, kind, steps, asked):
        click.echo(sentence, err=True)
    if sends:
        confirm(point, asked.confirmed)
    with tempfile.NamedTemporaryFile(prefix="fabctl-", suffix=".gcode") as file:
        with explaining_full_disk(Path(file.name)):
            _write(job.path, point, steps, Path(file.name))
        yield _job(job, point, Path(file.name))


def _write(source: Path, point: ResumePoint, steps: list[Step], out: Path) -> None:
    """Write the steps on the lines before the chosen one, then the file from there, unchanged."""
    with source.open("rb") as whole, out.open("wb") as written:
        written.write(b"\n" * (point.line - 1 - len(steps)))
        written.write("".join(f"{step}\n" for step in steps).encode())
        whole.seek(point.offset)
        while piece := whole.read(COPY_BYTES):
            written.write(piece)


def _job(job: JobFile, point: ResumePoint, path: Path) -> JobFile:
    with path.open("rb") as file:
        counted = count(file)
    name = f"{Path(job.name).stem}-from-line-{point.line}{Path(job.name).suffix}"
    return JobFile(job.id, path, name, counted.lines, counted.commands)


def confirm(point: ResumePoint, confirmed: str | None) -> None:
    """Return once a person confirmed the line: by its number on a terminal, else by its text.

    :raises InputError: nobody did, or something else was said.
    """
    if confirmed is not None:
        if confirmed.strip() != point.text:
            raise InputError(f"line {point.line} is not what --confirm-line says", limit=point.text)
        return
    if not sys.stdin.isatty():
        raise InputError(
            f"nobody confirmed line {point.line}",
            next_step=f"stand at the machine and add --confirm-line {point.text!r}",
        )
    click.echo(
        f"Type {point.line} to go on from there, anything else to leave: ", nl=False, err=True
    )
    if sys.stdin.readline().strip() != str(point.line):
        raise InputError("nothing was sent: the line's number was not typed")


def shown(
    point: ResumePoint, kind: MachineKind, steps: list[Step], asked: FromLine
) -> Iterator[str]:
    """Yield what the person has to know before deciding."""
    s = point.standing
    yield f"line {point.line}: {point.text or '(blank)'}"
    yield "place:  " + "  ".join(
        f"{axis} {value:.3f}" for axis, value in s.place.items() if value is not None
    )
    if kind is MachineKind.PRINTER:
        hot = [f"nozzle {target:g} °C" for target in s.nozzles.values() if target]
        hot += [f"bed {s.bed:g} °C"] if s.bed else []
        yield "heat:   " + (", ".join(hot) or "none")
    else:
        yield f"power:  M{s.spindle}" + ("" if s.power is None else f" S{s.power:g}")
    yield "before it, in this order:"
    yield from (f"  {step.command:<28} {step.why}" for step in steps)
    yield from (
        f"beware: {warning}"
        for warning in (*_conditions(s.real("Z"), kind, asked), *point.warnings)
    )


def _conditions(z: float | None, kind: MachineKind, asked: FromLine) -> Iterator[str]:
    """Yield what must be true of the machine, which no program can see."""
    yield "a machine may have done up to 16 moves fewer than it confirmed; look at the work"
    if kind is MachineKind.PRINTER:
        if asked.home == "none":
            yield "X and Y are not homed: the printer must still know where they are"
        elif asked.z_now_mm is None:
            yield f"the nozzle must stand {z:g} mm over the bed now; else say --z-now"
        return
    yield "the file's zero must be where it was when the work began"
    if kind is not MachineKind.LASER:
        yield "the tool goes to its safe height first, even downwards: nothing may be in its way"
