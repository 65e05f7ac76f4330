"""What is done to the three computers, and what has to hold of it."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from itertools import groupby

import requests

from fabctl.clock import SystemClock
from fabctl.services import using
from tests.brokers import wait_until
from tests.three_hosts import FRONT, PATIENCE_S, WEBS
from tests.three_hosts_files import (
    LAB,
    LASER,
    MILL,
    NAME,
    PI_B,
    PRINTER,
    make_expired,
)
from tests.three_hosts_lab import ZONE, WholeLab, hears_all, moves, start_proxy

BEGAN, ENDED = "job-started", "job-finished"
ROUNDS = 5


# -- jobs ------------------------------------------------------------------------------------------


def ran(lab: WholeLab, before: int = 0) -> int:
    """Return how many moves of jobs the printer made, after so many."""
    return sum(line.startswith(("G1 ", "G28")) for line in lab.printed()) - before


def milled(lab: WholeLab, before: int = 0) -> int:
    """Return how many moves of jobs the mill made, after so many."""
    return sum(line.startswith(("G1 ", "G28")) for line in lab.milled()) - before


def begin(lab: WholeLab, machine: str, count: int, *, at: str = FRONT, sent: str = FRONT) -> str:
    """Send a job to one web process, start it at another; it is at work, or done, then."""
    job = lab.upload(machine, moves(count), at=sent)
    lab.start_job(machine, job, at=at)
    wait_until(lambda: BEGAN in lab.recorded(machine, job), f"{machine} began", PATIENCE_S)
    return job


def ends_well(lab: WholeLab, machine: str, job: str) -> None:
    """Wait until a job is on record from its beginning to its end."""
    lab.wait_recorded(machine, job, BEGAN, ENDED)
    lab.wait_state(machine, "idle")


def everything_is_on_record_once(lab: WholeLab) -> None:
    """Hold that the record has what was said, each once, and in the order of each process."""

    def on_record() -> list[tuple[object, ...]]:
        tables = ("machine_event", "interlock_event")
        query = "SELECT machine, boot, seq FROM {} ORDER BY id"
        return [row for table in tables for row in lab.hosts.rows(query.format(table))]

    wait_until(
        lambda: not set(lab.events) - set(on_record()), "all that was said is on record", PATIENCE_S
    )
    rows = on_record()
    assert len(rows) == len(set(rows))
    query = "SELECT boot, seq FROM machine_event WHERE machine = %s ORDER BY id"
    boots = []
    for machine in {machine for machine, *_ in rows}:
        for boot, those in groupby(lab.hosts.rows(query, machine), lambda row: row[0]):
            order = [int(str(seq)) for _, seq in those]
            assert order == sorted(order), machine
            boots.append((machine, boot))
    assert len(boots) == len(set(boots)), "what one process said lies between what another did"
    machines = {machine for machine, _ in boots}
    assert len(boots) <= len(machines) + lab.started_again, "a machine's process died"
    done = "SELECT coalesce(sum(lines), 0) FROM job WHERE resource_id = %s AND state = 'finished'"
    for machine, made in ((PRINTER, ran(lab)), (MILL, milled(lab))):
        assert lab.hosts.rows(done, machine) == [(made,)], machine


# -- the laser -------------------------------------------------------------------------------------


def begin_with_the_laser(lab: WholeLab) -> None:
    """Have the laser work: its person says that they begin, and arms it at the machine.

    Nothing is done where it works already. Where its computer stood still and it was cut off, its
    person arms it once more.
    """
    if not lab.laser_in_use:
        with lab.database.transaction() as session:
            who = lab.hosts.rows("SELECT person_id FROM credential WHERE login = 'karim'")[0][0]
            using.begin_use(
                session, SystemClock(), ZONE, person_id=str(who), resource_id=LASER,
                machine_state="idle",
            )  # fmt: skip
        lab.laser_in_use = True
    for _ in range(ROUNDS):
        if lab.laser.state()["state"] == "running":
            break
        _arm_and_run(lab)
    assert laser_goes_on(lab)
    lab.armed = closings(lab)


def _arm_and_run(lab: WholeLab) -> None:
    laser = lab.laser
    laser.cabinet.ask("idle")
    lab.hitches = laser.hitches()
    laser.wait("a permit came", lambda words: words["advice"] == "press-reset", PATIENCE_S)
    laser.arm_again()
    laser.cabinet.ask("run")
    laser.wait("at work", lambda words: words["state"] in {"running", "tripped"}, PATIENCE_S)


def laser_goes_on(lab: WholeLab) -> bool:
    """Say whether the laser works on, or was cut off because its computer stood still.

    The interlock's own record, or the simulated cabinet, tells whether it did.
    """
    return bool(lab.laser.state()["state"] == "running" or lab.laser.hitches() > lab.hitches)


def closings(lab: WholeLab) -> int:
    """Return how often the laser's main contact has closed."""
    return len(lab.laser.moves("K1", closed=True))


def nothing_is_armed(lab: WholeLab) -> None:
    """Hold that the laser has no power, and had none since somebody armed it at the machine."""
    assert lab.laser.state()["outputs_on"] is False
    assert not lab.laser.powered()
    assert closings(lab) == lab.armed


def the_laser_gets_no_permit(lab: WholeLab) -> None:
    """Wait until it gives up by itself: it ends what it does, and then its button does nothing."""
    laser = lab.laser
    now = laser.wait(
        "no permit", lambda words: words["state"] != "running" and not words["permit"], PATIENCE_S
    )
    assert now["state"] == "drain" or laser.hitches() > lab.hitches, now
    laser.cabinet.ask("idle")
    laser.wait("off", lambda words: words["state"] in {"locked", "tripped"}, PATIENCE_S)
    wait_until(lambda: not laser.powered(), "the laser is off", PATIENCE_S)
    laser.press()


# -- the broker and the other cables ---------------------------------------------------------------


def the_broker_dies_and_its_certificate_is_over(lab: WholeLab) -> None:
    """Kill the broker with -9; the next one has a certificate that is over; then a good one.

    The mill begins before and ends while nobody hears it; no cable of its computer is cut.
    """
    hosts, tls = lab.hosts, lab.hosts.computers[LAB].folder / "tls"
    good = (tls / f"{NAME}.pem").read_bytes()
    over = make_expired(hosts.folder / "tls").read_bytes()
    made = milled(lab)
    job = begin(lab, MILL, 100)
    _killed_and_started(lab, over)
    wait_until(lambda: "certificate has expired" in hosts.log_of(PI_B, MILL), "why", PATIENCE_S)
    wait_until(lambda: milled(lab, made) == 100, "the mill has ended", PATIENCE_S)
    assert not lab.link.connected
    _killed_and_started(lab, good)
    wait_until(lambda: lab.link.connected, "everybody comes again", PATIENCE_S)
    ends_well(lab, MILL, job)


def _killed_and_started(lab: WholeLab, certificate: bytes) -> None:
    assert lab.hosts.end("broker", signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: not lab.link.connected, "the broker is gone", PATIENCE_S)
    (lab.hosts.computers[LAB].folder / "tls" / f"{NAME}.pem").write_bytes(certificate)
    lab.hosts.start_broker()


def pi_b_is_cut_off_and_comes_again(lab: WholeLab) -> None:
    """The mill ends its job, then its process dies; what it had to tell is on its disk.

    Visitors are served by the lab's web process meanwhile.
    """
    made, job = milled(lab), begin(lab, MILL, 40)
    lab.hosts.network.cut(PI_B)
    for _ in WEBS:  # each is asked in turn
        assert lab.api("GET", "/machines").status_code == 200
    wait_until(lambda: milled(lab, made) == 40, "the mill's job runs on to its end", PATIENCE_S)
    wait_until(  # a slow computer cuts the cable when the lab has heard it already
        lambda: ENDED in (*kept(lab, job), *lab.recorded(MILL, job)),
        "its end is on the Pi's disk", PATIENCE_S,
    )  # fmt: skip
    own = lab.hosts.computers[PI_B].config.paths.machine(MILL)
    wait_until(lambda: not (own / "running.json").exists(), "nothing is at work", PATIENCE_S)
    lab.hosts.end(MILL, signal.SIGKILL)
    lab.hosts.fabctl(PI_B, MILL, "machine", MILL)
    lab.started_again += 1
    lab.hosts.network.mend(PI_B)
    ends_well(lab, MILL, job)


def kept(lab: WholeLab, job: str) -> list[str]:
    """Return what the mill's computer keeps on its disk about a job, for the lab to hear."""
    file = lab.hosts.computers[PI_B].config.paths.machine(MILL) / "journal.db"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        query = "SELECT type FROM event WHERE job = ? ORDER BY n"
        return [str(kind) for (kind,) in database.execute(query, (job,))]


def the_lab_is_cut_off_and_comes_again(lab: WholeLab) -> None:
    """Both jobs run to their ends, and both web processes serve afterwards."""
    before = ran(lab), milled(lab)
    jobs = {PRINTER: begin(lab, PRINTER, 25), MILL: begin(lab, MILL, 40)}
    lab.hosts.network.cut(LAB)
    wait_until(lambda: milled(lab, before[1]) == 40, "the mill's job runs on", PATIENCE_S)
    wait_until(lambda: ran(lab, before[0]) == 25, "the printer's, too", PATIENCE_S)
    lab.hosts.network.mend(LAB)
    for machine, job in jobs.items():
        ends_well(lab, machine, job)


def the_pages_certificate_is_over(lab: WholeLab) -> None:
    """Nobody gets a page, no Pi the file of a job: it ends before it began. Then a good one."""
    hosts, file = lab.hosts, lab.hosts.folder / "tls" / f"{NAME}.pem"
    good = file.read_bytes()
    job, made = lab.upload(MILL, moves(4), at=WEBS[LAB]), milled(lab)
    file.write_bytes(make_expired(hosts.folder / "tls").read_bytes())
    _proxy_begins_again(lab, "certificate has expired")
    lab.start_job(MILL, job, at=WEBS[PI_B])
    said = "SELECT reason FROM job WHERE id = %s AND state = 'failed'"
    wait_until(lambda: hosts.rows(said, job), "the job fails", PATIENCE_S)
    assert "certificate has expired" in str(hosts.rows(said, job))
    lab.wait_recorded(MILL, job, "job-failed")
    lab.wait_state(MILL, "idle")
    assert milled(lab, made) == 0
    file.write_bytes(good)
    _proxy_begins_again(lab, "")
    ends_well(lab, MILL, begin(lab, MILL, 4, sent=WEBS[LAB], at=WEBS[PI_B]))


def _proxy_begins_again(lab: WholeLab, trouble: str) -> None:
    """Start the lab's proxy again, and wait until visitors have this trouble."""

    def holds() -> bool:
        try:
            lab.hosts.ask("GET", f"{FRONT}/health")
        except requests.RequestException as error:
            return bool(trouble) and trouble in str(error)
        return not trouble

    lab.hosts.end(f"nginx-{LAB}")
    start_proxy(lab.hosts, LAB)
    wait_until(holds, f"visitors see: {trouble or 'the page'}", PATIENCE_S)


def both_webs_hear_everything(lab: WholeLab) -> None:
    """Wait until each serves its pages and hears every machine."""
    for url in (*WEBS.values(), FRONT):
        wait_until(lambda url=url: hears_all(lab, url), f"{url} hears the machines", PATIENCE_S)  # type: ignore[misc]  # bound now
