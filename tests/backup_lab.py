"""A lab with everything that a backup must bring back, and what tells whether it came back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from hashlib import sha256
from pathlib import Path

from fabctl.clock import ManualClock
from fabctl.config import LabConfig
from fabctl.config_file import load
from fabctl.messaging.keys import make_keys
from fabctl.services.machines import sync_resources
from fabctl.services.seed_year import Plan, seed_year
from fabctl.store.copying import TableDigest, digest
from fabctl.store.engine import open_database
from fabctl.store.metadata import METADATA
from fabctl.store.tables import JobFile

GCODES = [b"G28\nG1 X%d Y10 F1200\n" % number * 50 for number in range(3)]
SMALL = Plan(date(2026, 11, 23), people=60, reservations=120, sessions=12)
LAB = """
[lab]
id = "test"
name = "Fab Lab La Casemate"
[database]
url = "{url}"
[mail]
host = "localhost"
security = "none"
from = "lab@example.org"
user = "lab"
password_file = "mail.password"
[hosts.pi]
[machines.printer-a]
kind = "printer"
driver = "opaque"
[machines.mill]
kind = "mill"
driver = "opaque"
[backup]
directory = "{copies}"
{more}
"""


def written_lab(folder: Path, url: str, more: str = "", *, seeded: bool = True) -> LabConfig:
    """Write a lab over a migrated database: people, reservations, job files, keys, a journal."""
    folder.mkdir(exist_ok=True)
    (folder / "mail.password").write_text("secret")
    file = folder / "lab.toml"
    copies = folder.parent / "copies"
    file.write_text(LAB.format(url=url, copies=copies, more=more))
    config = load(file)
    _fill_database(config, seeded=seeded)
    _fill_folders(config)
    return config


def _fill_database(config: LabConfig, *, seeded: bool) -> None:
    clock = ManualClock()
    database = open_database(config.database_url, zone=config.time_zone)
    with database.transaction() as session:
        sync_resources(session, clock, config.machines.values())
        if seeded:
            seed_year(session, config.time_zone, SMALL, by="shell:tests")
        for gcode in GCODES:
            name = sha256(gcode).hexdigest()
            session.add(
                JobFile(
                    sha256=name, size=len(gcode), lines=100, commands=100, stored_at=clock.now()
                )
            )
    database.close()


def _fill_folders(config: LabConfig) -> None:
    paths = config.paths
    for folder in (paths.files, paths.previews, paths.tmp, paths.machine("mill"), paths.broker):
        folder.mkdir(parents=True)
    make_keys(paths, config.machines)
    for gcode in GCODES:
        paths.job_file(sha256(gcode).hexdigest()).write_bytes(gcode)
    (paths.previews / f"{sha256(GCODES[0]).hexdigest()}.svg").write_text("<svg/>")
    (paths.tmp / "upload").write_text("half of a file")
    (paths.broker / "mosquitto.db").write_text("what the broker keeps")
    (paths.broker / "desk.password").write_text("password")
    with closing(sqlite3.connect(paths.machine("mill") / "journal.db")) as journal, journal:
        journal.execute("PRAGMA journal_mode = WAL")
        journal.execute("CREATE TABLE event (seq)")
        journal.execute("INSERT INTO event VALUES (7)")


def digests(url: str) -> dict[str, TableDigest]:
    """Return what each table of a database holds."""
    database = open_database(url)
    with database.reading() as session:
        found = {
            table.name: digest(session.connection(), table) for table in METADATA.sorted_tables
        }
    database.close()
    return found


def kept_files(config: LabConfig) -> dict[str, bytes]:
    """Return the files of a lab that a backup brings back, databases left out."""
    data = config.data_directory
    found = {
        str(path.relative_to(data)): path.read_bytes()
        for folder in ("files", "previews", "keys", "broker")
        for path in (data / folder).rglob("*")
    }
    found.pop("broker/mosquitto.db", None)
    found["secret.key"] = config.paths.secret.read_bytes()
    return found
