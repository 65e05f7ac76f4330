"""Checks of what a lab stands on: ports, broker, certificates, database, backups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fabctl.model.doctor import Finding, Severity, bad, fine, unknown, warn, whole_days
from fabctl.model.texts import Text, text

CERTIFICATE_SOON = timedelta(days=21)
CERTIFICATE_VERY_SOON = timedelta(days=7)
CERTIFICATE_LATE, CERTIFICATE_VERY_LATE = 1 / 4, 1 / 12
"""What is left of one that should have been renewed by itself: Caddy's own last 12 h."""
BACKUP_LATE, BACKUP_VERY_LATE = timedelta(hours=26), timedelta(days=8)
"""One is made every night: a week without one is a danger."""
CLOCKS_DIFFER = timedelta(seconds=60)
"""A backup so far in the future is only another computer's clock."""


def check_file(sentences: Iterable[str]) -> list[Finding]:
    """Say every mistake in lab.toml; no sentence: it can be used."""
    step = text("Correct lab.toml; fabctl check-config reads it again.")
    found = [bad("config", text("lab.toml: {what}", what=one), step) for one in sentences]
    return found or [fine("config", text("lab.toml can be used."))]


@dataclass(frozen=True, slots=True)
class PortFacts:
    """A machine's port on this computer."""

    machine: str
    path: str
    found: bool | None
    permitted: bool | None = None
    group: str = ""
    """Whose members may open it."""
    user: str = "fabctl"
    """As whom the machine's process opens it."""


def check_host(*, known: bool, name: str, notes: str) -> list[Finding]:
    """Say when nobody knows which machines are wired to this computer; nothing when one does.

    :param notes: the file in which it can be said.
    """
    if known:
        return []
    said = text(
        "No host in lab.toml is called {name}: no port was looked at here. Which host this"
        " computer is can be said in {file}: host=…",
        name=name,
        file=notes,
    )
    return [unknown("host", said)]


def check_port(facts: PortFacts) -> Finding:
    """Say whether a machine's port is there and may be opened."""
    values = {"machine": facts.machine, "path": facts.path}
    if facts.found is None or (facts.found and facts.permitted is None):
        return unknown(
            "port",
            text("The port of {machine} cannot be seen from here: {path}.", **values),
            facts.machine,
        )
    if not facts.found:
        return bad(
            "port",
            text("The port of {machine} is missing: {path}.", **values),
            text("Switch the machine on, look at its cable, then at /dev/serial/by-id."),
            facts.machine,
        )
    if not facts.permitted:
        return bad(
            "port",
            text("The port of {machine} may not be opened: {path}.", **values),
            text(
                "Add the user of fabctl to the group: sudo adduser {user} {group}",
                user=facts.user,
                group=facts.group or "dialout",
            ),
            facts.machine,
        )
    return fine(
        "port", text("The port of {machine} is there.", machine=facts.machine), facts.machine
    )


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """What came of calling the message broker."""

    address: str
    connected: bool | None
    refused: bool = False
    """It answered, and said no."""
    why: str = ""
    own: bool = False
    """It is the private one of ``fabctl run``."""


def check_broker(facts: BrokerFacts) -> Finding:
    """Say whether the broker takes us."""
    if facts.connected is None:
        return unknown("broker", text("The message broker was not asked."))
    if facts.connected:
        return fine(
            "broker", text("The message broker answers at {address}.", address=facts.address)
        )
    if facts.refused:
        return bad(
            "broker",
            text("The message broker refuses us: {why}", why=facts.why),
            text("Compare user and password under [broker] with those of the broker."),
        )
    if facts.own:
        return bad(
            "broker",
            text("The message broker does not answer: {why}", why=facts.why),
            text("It is the lab's own one: start fabctl run, or look why it ended."),
        )
    return bad(
        "broker",
        text("The message broker cannot be reached: {why}", why=facts.why),
        text(
            "Start it: sudo systemctl restart mosquitto, or fabctl run. Then look at the network."
        ),
    )


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A server's certificate, as seen from here."""

    server: str
    ends_at: datetime | None
    why: str = ""
    """Why it was not accepted, in the library's words; empty: it was, or nobody asked."""
    lasts: timedelta | None = None
    """None: not known, taken as long."""


def check_certificate(facts: CertificateFacts, now: datetime) -> Finding:
    """Say whether a certificate is accepted, and for how long still."""
    server = facts.server
    step = text("Renew it: “When a certificate ends” in deploy/README.md has the commands.")
    if facts.why:
        return bad(
            "certificate",
            text(
                "The certificate of {server} is not accepted: {why}", server=server, why=facts.why
            ),
            step,
            server,
        )
    if facts.ends_at is None:
        return unknown(
            "certificate",
            text("The certificate of {server} cannot be seen from here.", server=server),
            server,
        )
    left = facts.ends_at - now
    if left <= timedelta(0):
        return bad(
            "certificate",
            text(
                "The certificate of {server} ended on {day}.",
                server=server,
                day=f"{facts.ends_at:%Y-%m-%d}",
            ),
            step,
            server,
        )
    said = _ends_in(server, left)
    lasts = facts.lasts or timedelta.max
    if left > min(CERTIFICATE_SOON, lasts * CERTIFICATE_LATE):
        return fine("certificate", said, server)
    is_near = left <= min(CERTIFICATE_VERY_SOON, lasts * CERTIFICATE_VERY_LATE)
    return (bad if is_near else warn)("certificate", said, step, server)


def _ends_in(server: str, left: timedelta) -> Text:
    if left >= timedelta(days=2):
        return text(
            "The certificate of {server} ends in {days} days.", server=server, days=whole_days(left)
        )
    hours = int(left / timedelta(hours=1))
    return text("The certificate of {server} ends in {hours} h.", server=server, hours=hours)


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What the database says of itself."""

    reached: bool | None
    why: str = ""
    revision: str | None = None
    """The migration it stands at; None: it is empty."""
    needed: str = ""
    integrity: str | None = None
    """``ok``, or what SQLite found; None: it was not looked at."""


def check_database(facts: DatabaseFacts) -> Finding:
    """Say whether the database answers, fits this version, and is whole."""
    if facts.reached is None:
        return unknown("database", text("The database was not asked."))
    if not facts.reached:
        return bad(
            "database",
            text("The database does not answer: {why}", why=facts.why),
            text("Look at [database] in lab.toml, and whether its server runs."),
        )
    return _version(facts) or _wholeness(facts)


def _version(facts: DatabaseFacts) -> Finding | None:
    if facts.revision is None or facts.revision < facts.needed:
        return bad(
            "database",
            text(
                "The database is older than this version: {found}, not {needed}.",
                found=facts.revision or "0",
                needed=facts.needed,
            ),
            text("Bring it up, after a backup: fabctl migrate."),
        )
    if facts.revision > facts.needed:
        return bad(
            "database",
            text(
                "The database is newer than this version: {found}, not {needed}.",
                found=facts.revision,
                needed=facts.needed,
            ),
            text("Install the newer fabctl again, or restore an older backup."),
        )
    return None


def _wholeness(facts: DatabaseFacts) -> Finding:
    if facts.integrity not in {None, "ok"}:
        return bad(
            "database",
            text("The database file is damaged: {why}", why=str(facts.integrity)[:200]),
            text("Stop fabctl, keep the file aside, and restore the newest backup."),
        )
    if facts.integrity is None:
        return fine("database", text("The database answers; its file was not searched for damage."))
    return fine("database", text("The database answers and is whole."))


@dataclass(frozen=True, slots=True)
class BackupFacts:
    """The newest backup."""

    folder: str
    readable: bool | None
    """None: the folder is not there."""
    newest_at: datetime | None = None
    late: timedelta = BACKUP_LATE
    """From which age on it is too old."""
    named: bool = False
    """Whether lab.toml names the folder; else it is made with the first backup."""
    beside_data: bool | None = None
    """Whether it lies on the disk of the lab's data; None: that cannot be seen."""


def check_backup(facts: BackupFacts, now: datetime) -> Finding:
    """Say whether there is a backup that is young enough."""
    step = text("Make one now: fabctl backup. Then look at the timer fabctl-backup.")
    if facts.readable is False:
        return unknown(
            "backup", text("The folder of backups may not be looked at: {path}.", path=facts.folder)
        )
    if facts.readable is None and facts.named:
        there = text("Is its stick or disk in, and mounted? Else make it for the user of fabctl.")
        said = text("The folder of backups is not there: {path}.", path=facts.folder)
        return bad("backup", said, there)
    if facts.newest_at is None:
        return bad(
            "backup", text("No backup was ever made, not in {path}.", path=facts.folder), step
        )
    age = now - facts.newest_at
    if age < -CLOCKS_DIFFER:
        return unknown("backup", text("The newest backup is from the future: one clock is wrong."))
    said = text("The newest backup is {hours} h old.", hours=int(age.total_seconds() // 3600))
    if age <= facts.late:
        return fine("backup", said)
    return Finding("backup", Severity.BAD if age > BACKUP_VERY_LATE else Severity.WARN, said, step)


def check_backup_place(facts: BackupFacts) -> list[Finding]:
    """Say when backups would die with the data; nothing where there are none, or nobody knows."""
    if not facts.beside_data or facts.newest_at is None:
        return []
    said = text("The backups lie on the same disk as the data: {path}.", path=facts.folder)
    step = text("A dead card takes both: name a stick or another disk under [backup] directory.")
    return [warn("backup-place", said, step)]
