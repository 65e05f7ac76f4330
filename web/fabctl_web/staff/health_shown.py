"""What the page of the processes' health shows: facts, their age, and what to do about them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from flask import url_for
from sqlalchemy.exc import SQLAlchemyError

from fabctl import __version__
from fabctl.errors import FabError
from fabctl.messaging.lab_view import PresenceView
from fabctl.services import people_records
from fabctl.services.people import PersonView
from fabctl.store.engine import parse_url
from fabctl_web.board.faces import LOOKS, face, look_key
from fabctl_web.interlocks.words import LOOKS as LOCK_LOOKS
from fabctl_web.interlocks.words import UNKNOWN_LOOK
from fabctl_web.lab import Lab
from fabctl_web.language import speech
from fabctl_web.live.hub import MOST_OF_ONE_ADDRESS, MOST_STREAMS
from fabctl_web.staff.health_findings import to_do
from fabctl_web.staff.lines import Line, Section

STEWARD_LATE_S = 30.0
"""It says a word every 10 s: three missed are no accident."""
DISK_LOW = 0.10
"""Share of the disk that should stay free."""
GOOD, BAD, UNSURE = (
    ("free", "check"),
    ("broken", "triangle-alert"),
    ("silent", "circle-question-mark"),
)


def sections(lab: Lab, me: PersonView) -> list[Section]:
    """Return every list of the page."""
    _ = speech()
    server = (
        _broker(lab),
        _steward(lab),
        _database(lab, me),
        _disk(lab),
        _streams(lab),
        _version(),
    )
    hosts = tuple(_host(lab, one) for one in lab.view.hosts())
    machines = tuple(_machine(lab, one) for one in lab.config.machines)
    locks = tuple(_lock(lab, one) for one in lab.config.interlocks)
    found = [
        to_do(lab),
        Section("server", _("The lab's computer"), "monitor", "", server, always=True),
        Section("hosts", _("Computers at the machines"), "monitor", _("None"), hosts, always=True),
        Section("machines", _("Machines"), "layout-grid", _("None"), machines, always=True),
    ]
    if locks:
        found.append(Section("locks", _("Interlocks"), "shield-check", "", locks, always=True))
    return found


def _broker(lab: Lab) -> Line:
    _ = speech()
    there = lab.view.connected
    title = _("Message broker (MQTT)")
    if there is None:
        return _line("broker", title, UNSURE, _("Not known"))
    if there:
        return _line("broker", title, GOOD, _("Connected"))
    wrong = _line("broker", title, BAD, _("Not connected"))
    return replace(wrong, first=_("Look whether the broker runs; nothing is live until it does."))


def _steward(lab: Lab) -> Line:
    _ = speech()
    said, title = lab.view.steward(), _("Steward (records and reminds)")
    if said.online is None:
        return _line("steward", title, UNSURE, _("No news yet"))
    if said.online and said.age_s is None:  # the broker had kept it: it may be days old
        kept = _line("steward", title, UNSURE, _("Not known"))
        return replace(kept, first=_("Only a kept word so far. It speaks every 10 s."))
    late = said.age_s is not None and said.age_s > STEWARD_LATE_S
    if not said.online or late:
        wrong = _line("steward", title, BAD, _("Stopped") if not said.online else _("Silent"))
        return replace(wrong, first=_("Start it again: fabctl steward."), second=_age(said.age_s))
    failures = said.figures.get("failures") or 0
    look = GOOD if not failures else ("blocked", "triangle-alert")
    recorded = _("Recorded: {count}", count=str(said.figures.get("recorded") or 0))
    failed = _("Failures: {count}", count=str(failures))
    last = str(said.figures.get("last_failure") or "")
    first = " · ".join(part for part in (recorded, failed, last) if part)
    line = _line("steward", title, look, _("Works"))
    return replace(line, first=first, second=_age(said.age_s))


def _database(lab: Lab, me: PersonView) -> Line:
    _ = speech()
    title = _("Database")
    try:
        with lab.db.reading() as db:
            people_records.record(db, person_id=me.id, by=me.id)
    except (FabError, SQLAlchemyError) as error:
        return replace(_line("database", title, BAD, _("Not reachable")), first=str(error))
    name = parse_url(lab.config.database_url)
    file = Path(name.database) if name.database and name.get_backend_name() == "sqlite" else None
    size = _megabytes(file.stat().st_size) if file is not None and file.exists() else ""
    kind = "SQLite" if file is not None else "PostgreSQL"
    line = _line("database", title, GOOD, _("Reachable"))
    return replace(line, first=" · ".join(part for part in (kind, size) if part))


def _disk(lab: Lab) -> Line:
    _ = speech()
    folder = lab.config.data_directory
    there = next(one for one in (folder, *folder.parents) if one.exists())
    disk = shutil.disk_usage(there)
    share = disk.free / disk.total
    line = _line(
        "disk",
        _("Disk"),
        GOOD if share >= DISK_LOW else BAD,
        _("{share} free", share=speech().percent(share)),
    )
    first = _("{free} of {total}", free=_megabytes(disk.free), total=_megabytes(disk.total))
    return replace(line, first=first if share >= DISK_LOW else f"{first}. {_('Make room soon.')}")


def _streams(lab: Lab) -> Line:
    _ = speech()
    open_now = lab.hub.streams
    full = open_now >= MOST_STREAMS
    look = ("blocked", "triangle-alert") if full else GOOD
    line = _line("streams", _("Live pages"), look, _("Open: {count}", count=open_now))
    most = _(
        "{most} at most, {one} of one address. Above that, pages ask every 10 s.",
        most=MOST_STREAMS,
        one=MOST_OF_ONE_ADDRESS,
    )
    return replace(line, first=most)


def _version() -> Line:
    return _line("version", speech()("Version"), ("reserved", "info"), __version__)


def _host(lab: Lab, said: PresenceView) -> Line:
    _ = speech()
    known = lab.config.hosts.get(said.id)
    title = known.name if known else said.id
    if said.online is None:
        line = _line(said.id, title, UNSURE, _("No news yet"))
    elif said.online:
        line = _line(said.id, title, GOOD, _("There"))
    else:
        line = _line(said.id, title, BAD, _("Offline"))
    here = [one.name for one in lab.config.machines.values() if one.host == said.id]
    return replace(
        line, first=", ".join(here), second=_age(said.age_s) if said.online is not None else ""
    )


def _machine(lab: Lab, name: str) -> Line:
    view, booked, lock = lab.machine(name), lab.bookings.of(name), lab.interlock(name)
    now = lab.clock.now()
    shown = face(lab.config.machines[name].name, view, booked, now, speech(), lock)
    look = LOOKS[look_key(view, booked, now, lock)]
    line = _line(name, shown.name, (look.css, look.icon), shown.word)
    told = (lab.config.machines[name].driver, shown.detail if look.css != "silent" else "")
    first = " · ".join(part for part in told if part)
    address = url_for("machines.page", machine=name)
    return replace(line, first=first, second=_age(view.age_s), address=address)


def _lock(lab: Lab, name: str) -> Line:
    view, profile = lab.view.interlock(name), lab.config.machines.get(name)
    look = {one.value: found for one, found in LOCK_LOOKS.items()}.get(view.state, UNKNOWN_LOOK)
    title = profile.name if profile else name
    line = _line(f"lock-{name}", title, (look.css, look.icon), speech()(look.word))
    return replace(line, second=_age(view.age_s))


def _line(id_: str, title: str, look: tuple[str, str], word: str) -> Line:
    return Line(id=id_, title=title, css=look[0], icon=look[1], state=word)


def _age(seconds: float | None) -> str:
    _ = speech()
    if seconds is None:
        return _("when is not known")
    if seconds < 60:
        return _("{seconds} s ago", seconds=int(seconds))
    return _("{time} ago", time=speech().lasting(seconds))


def _megabytes(count: int) -> str:
    _ = speech()
    if count < 1_000_000_000:
        return _("{count} MB", count=_tenths(count / 1_000_000))
    return _("{count} GB", count=_tenths(count / 1_000_000_000))


def _tenths(value: float) -> str:
    written = f"{value:.1f}"
    return written.replace(".", ",") if speech().language == "fr" else written
