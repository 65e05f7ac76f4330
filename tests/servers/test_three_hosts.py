"""Three computers of a lab: cables cut, a broker killed, clocks off, a certificate over, a thief.

One scene for all of it, in this order. Nothing may be lost (the record is what the stand-ins did,
each event once and in order), and nothing may be armed that nobody armed at the machine.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from fabctl.clock import SystemClock
from fabctl.messaging.link import BrokerAddress, MqttLink
from fabctl.services import using
from tests import three_hosts_webs
from tests.brokers import wait_until
from tests.stepped_clock import DAY_S
from tests.three_hosts import FRONT, PATIENCE_S, WEBS, fabctl_command
from tests.three_hosts_files import (
    ADDRESSES,
    BROKER_PORT,
    LAB,
    LASER,
    MILL,
    NAME,
    PI_A,
    PI_B,
    PRINTER,
    make_expired,
)
from tests.three_hosts_lab import OWNERS, ZONE, WholeLab, moves, whole_lab
from tests.three_hosts_topics import as_markdown, expected, tried

DOCUMENT = Path(__file__).parents[2] / "docs" / "three-hosts.md"
BEGAN, ENDED = "job-started", "job-finished"
pytestmark = [
    pytest.mark.timeout(400),  # for a computer with much else to do
    pytest.mark.filterwarnings(
        # paho drops its socket where TLS fails, and leaves the closing to Python
        "ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning"
    ),
]


@pytest.fixture(scope="module")
def lab() -> Iterator[WholeLab]:
    with whole_lab() as found:
        yield found
        everything_is_on_record_once(found)
        assert len(found.laser.moves("K1", closed=True)) <= 1, "somebody armed the laser"


def everything_is_on_record_once(lab: WholeLab) -> None:
    """Hold that the record has what was said, each once, and in the order of each process."""

    def on_record() -> list[tuple[object, ...]]:
        tables = ("machine_event", "interlock_event")
        query = "SELECT machine, boot, seq FROM {} ORDER BY id"
        return [row for table in tables for row in lab.hosts.rows(query.format(table))]

    def missing() -> bool:
        there = {(machine, seq) for machine, _, seq in on_record()}
        return any(one not in there for one in lab.events)

    wait_until(lambda: not missing(), "all that was said is on record", PATIENCE_S)
    rows = on_record()
    assert len(rows) == len(set(rows))
    query = "SELECT seq FROM machine_event WHERE machine = %s AND boot = %s ORDER BY id"
    for machine, boot in {(machine, boot) for machine, boot, _ in rows}:
        order = [int(str(seq)) for (seq,) in lab.hosts.rows(query, machine, boot)]
        assert order == sorted(order), machine
    boots = {(machine, boot) for machine, boot, _ in rows if machine != LASER}
    assert len(boots) == len({machine for machine, _ in boots}), "a machine's process died"
    done = "SELECT coalesce(sum(lines), 0) FROM job WHERE resource_id = %s AND state = 'finished'"
    for machine, made in ((PRINTER, ran(lab)), (MILL, milled(lab))):
        assert lab.hosts.rows(done, machine) == [(made,)], machine


def ran(lab: WholeLab, before: int = 0) -> int:
    """Return how many moves of jobs the printer made, after so many."""
    return sum(line.startswith(("G1 ", "G28")) for line in lab.printed()) - before


def milled(lab: WholeLab) -> int:
    """Return how many moves of jobs the mill made."""
    return sum(line.startswith(("G1 ", "G28")) for line in lab.milled())


def test_each_credential_tries_each_topic(lab: WholeLab) -> None:
    found = tried(lab.hosts)
    assert {topic: may for topic, may in found.items() if may != expected()[topic]} == {}
    for user, password in ((None, None), ("desk", "guess"), ("stranger", "guess")):
        said: list[str] = []
        address = BrokerAddress(
            ADDRESSES[LAB], BROKER_PORT, user, password, tls=True,
            ca_file=lab.hosts.folder / "tls" / "lab-ca.pem",
        )  # fmt: skip
        link = lab.hosts.begin(MqttLink(address, "stranger", log=said.append))
        wait_until(lambda said=said: said, f"{user} is refused", PATIENCE_S)  # type: ignore[misc]  # bound now
        link.stop(0.0)
        assert not link.connected
        assert "refused" in said[0]
    assert as_markdown(found) in DOCUMENT.read_text()
    assert ran(lab) == 0
    assert milled(lab) == 0
    for machine in OWNERS:
        lab.wait_state(machine, "idle")
    assert not lab.laser.powered()


def test_one_session_at_both_webs(lab: WholeLab) -> None:
    three_hosts_webs.signs_in_here_and_goes_on_there(lab)


def test_one_count_of_wrong_passwords(lab: WholeLab) -> None:
    three_hosts_webs.wrong_passwords_count_together(lab)


def test_one_calendar_at_both_webs(lab: WholeLab) -> None:
    three_hosts_webs.a_booking_made_there_is_seen_here(lab)


def test_a_clock_that_is_a_day_off(lab: WholeLab) -> None:
    """On a Pi, then on the lab's computer, forward and back: jobs run, and are on record today."""
    clocks = {name: one.clock for name, one in lab.hosts.computers.items()}
    for place, ahead in ((PI_A, DAY_S), (LAB, -DAY_S), (LAB, DAY_S)):
        clocks[place].step(ahead)
        job = lab.upload(PRINTER, moves(5))
        lab.start_job(PRINTER, job)
        lab.wait_recorded(PRINTER, job, BEGAN, ENDED)
        lab.wait_state(PRINTER, "idle")
    clocks[PI_A].step(-DAY_S)
    clocks[LAB].step(0)
    wait_until(
        lambda: "is back where it was" in lab.hosts.log_of(LAB, "steward"), "it is", PATIENCE_S
    )
    clocks[PI_A].step(0)
    apart = "max(abs(extract(epoch FROM machine_event.at - recorded_at)))"
    ((worst,),) = lab.hosts.rows(f"SELECT {apart} FROM machine_event")  # noqa: S608  # our own words
    ((now,),) = lab.hosts.rows(
        "SELECT max(abs(extract(epoch FROM recorded_at - now()))) FROM machine_event"
    )
    assert float(str(worst)) < 120.0
    assert float(str(now)) < 600.0
    assert lab.hosts.rows("SELECT 1 FROM reservation WHERE no_show_at IS NOT NULL") == []
    for computer, process in ((PI_A, PRINTER), (LAB, "steward"), (LAB, "web-lab")):
        assert "the wall clock jumped 86400 s" in lab.hosts.log_of(computer, process)


def begin_with_the_laser(lab: WholeLab) -> None:
    """Have the laser's person say that they begin, then arm it at the machine and let it work."""
    with lab.database.transaction() as session:
        who = str(lab.hosts.rows("SELECT person_id FROM credential WHERE login = 'karim'")[0][0])
        using.begin_use(
            session, SystemClock(), ZONE, person_id=who, resource_id=LASER, machine_state="idle"
        )
    laser = lab.laser
    laser.wait("a permit came", lambda words: words["advice"] == "press-reset", PATIENCE_S)
    laser.press()
    laser.wait_for("armed", PATIENCE_S)
    wait_until(laser.powered, "both contacts are closed", PATIENCE_S)
    laser.run()


def test_a_cable_is_cut_while_everything_works_and_the_broker_dies(lab: WholeLab) -> None:
    hosts, laser = lab.hosts, lab.laser
    before = ran(lab)
    job = lab.upload(PRINTER, moves(60), at=WEBS[PI_B])
    later = lab.upload(PRINTER, moves(3), at=WEBS[LAB])
    lab.start_job(PRINTER, job, at=WEBS[LAB])
    lab.wait_state(PRINTER, "running")
    begin_with_the_laser(lab)
    hosts.network.cut(PI_A)
    broker_dies_and_its_certificate_is_over(lab)
    wait_until(lambda: ran(lab, before) == 60, "the job ran to its end without a cable", PATIENCE_S)
    lab.wait_state(PRINTER, "offline", "unknown")
    laser.wait_for("drain", PATIENCE_S)
    laser.cabinet.ask("idle")
    laser.wait_for("locked", PATIENCE_S)
    wait_until(lambda: not laser.powered(), "the laser is off", PATIENCE_S)
    laser.press()
    wait_until(
        lambda: lab.api("POST", f"/jobs/{later}/start", at=WEBS[LAB]).status_code == 409,
        "nothing new is started",
        PATIENCE_S,
    )
    assert BEGAN not in lab.recorded(PRINTER, later)
    assert not laser.powered()

    hosts.network.mend(PI_A)
    lab.wait_recorded(PRINTER, job, BEGAN, ENDED)
    lab.wait_state(PRINTER, "idle")
    laser.wait("a permit came again", lambda words: words["advice"] == "press-reset", PATIENCE_S)
    assert laser.state()["outputs_on"] is False
    assert ran(lab, before) == 60
    assert len(laser.moves("K1", closed=True)) == 1


def broker_dies_and_its_certificate_is_over(lab: WholeLab) -> None:
    """Kill the broker with -9; the next one has a certificate that is over; then a good one."""
    hosts, tls = lab.hosts, lab.hosts.computers[LAB].folder / "tls"
    good = (tls / f"{NAME}.pem").read_bytes()
    over = make_expired(hosts.folder / "tls").read_bytes()
    for certificate, outcome in ((over, False), (good, True)):
        assert hosts.end("broker", signal.SIGKILL) == -signal.SIGKILL
        wait_until(lambda: not lab.link.connected, "the broker is gone", PATIENCE_S)
        (tls / f"{NAME}.pem").write_bytes(certificate)
        lines = len(hosts.said)
        hosts.start_broker()
        if outcome:
            wait_until(lambda: lab.link.connected, "everybody comes again", PATIENCE_S)
            lab.wait_state(MILL, "idle")
        else:
            wait_until(
                lambda: "certificate has expired" in hosts.log_of(PI_B, MILL), "why", PATIENCE_S
            )
            assert not lab.link.connected, hosts.said[lines:]


@pytest.mark.parametrize("computer", [PI_B, LAB])
def test_each_other_cable(lab: WholeLab, computer: str) -> None:
    """Pi B's with a job on it, Pi A at rest; then the lab's own, with a job on each Pi."""
    hosts = lab.hosts
    jobs, made, cut = {}, ran(lab), milled(lab)
    for machine in (MILL,) if computer == PI_B else (MILL, PRINTER):
        jobs[machine] = lab.upload(machine, moves(40, feed=900 if machine == MILL else 6000))
        lab.start_job(machine, jobs[machine])
        lab.wait_state(machine, "running")
    hosts.network.cut(computer)
    wait_until(lambda: milled(lab) == cut + 40, "the mill's job runs on to its end", PATIENCE_S)
    wait_until(lambda: ran(lab) == made + 40 * (PRINTER in jobs), "the printer's too", PATIENCE_S)
    hosts.network.mend(computer)
    for machine, job in jobs.items():
        lab.wait_recorded(machine, job, BEGAN, ENDED)
        lab.wait_state(machine, "idle")


@pytest.mark.skipif("SOAK_MINUTES" not in os.environ, reason="takes SOAK_MINUTES")
@pytest.mark.timeout(24 * 3600)
def test_any_cable_at_any_moment(lab: WholeLab) -> None:
    """Cut one of the cables for 0 to 40 s, again and again, each time with a job on each Pi."""
    chance = Random(int(os.environ.get("SOAK_SEED", "1")))  # noqa: S311  # a story, not a secret
    end = time.monotonic() + float(os.environ["SOAK_MINUTES"]) * 60
    rounds = 0
    while time.monotonic() < end:
        count = chance.randint(5, 60)
        jobs = {machine: lab.upload(machine, moves(count, feed=900)) for machine in (PRINTER, MILL)}
        for machine, job in jobs.items():
            lab.start_job(machine, job)
        computer, rounds = chance.choice([PI_A, PI_B, LAB]), rounds + 1
        let_pass(chance.uniform(0, 3))
        lab.hosts.network.cut(computer)
        let_pass(chance.choice([0.5, 5, 40]) * chance.random())
        lab.hosts.network.mend(computer)
        for machine, job in jobs.items():
            lab.wait_recorded(machine, job, BEGAN, ENDED)
            lab.wait_state(machine, "idle")
    print(f"{rounds} cuts")  # noqa: T201  # what was done


def let_pass(seconds: float) -> None:
    """Let time pass: how long a cable is cut is what is tried here."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end, "time passes", seconds + 1.0)


def test_a_stolen_computer_is_put_out(lab: WholeLab) -> None:
    hosts = lab.hosts
    token = hosts.computers[PI_B].config.data_directory.joinpath("token").read_text()
    words = ("host", "revoke", PI_B, "--yes", "--broker-pid", str(hosts.processes["broker"].pid))
    done = subprocess.run(
        hosts.network.command(
            LAB, *fabctl_command(*words), "--config", hosts.computers[LAB].config.file
        ),
        capture_output=True, text=True, check=False, timeout=PATIENCE_S,
        env=hosts.environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    lab.wait_state(MILL, "offline", "unknown")
    thief = hosts.begin(hosts.link(PI_B, "thief", computer=PI_B))
    wait_until(
        lambda: any("refused pi-b" in one for one in hosts.said), "it is refused", PATIENCE_S
    )
    assert not thief.connected
    wait_until(lambda: "refused pi-b" in hosts.log_of(PI_B, MILL), "its machine too", PATIENCE_S)
    for url in (FRONT, WEBS[LAB]):
        answer = hosts.ask("GET", f"{url}/api/hosts/files/{'0' * 64}", token)
        assert answer.status_code == 401
    job = lab.upload(PRINTER, moves(3))
    lab.start_job(PRINTER, job)
    lab.wait_recorded(PRINTER, job, BEGAN, ENDED)
