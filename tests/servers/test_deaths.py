"""Parts of a running lab are killed in the middle of a print. What the issue promises, holds."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from fabctl_sim.process import SimProcess
from tests.fair_time import FairWatch
from tests.lab import RunningLab, fabctl, running_lab, wait_for
from tests.lab_work import (
    TAG,
    ask,
    book_now,
    commands_of,
    executed,
    job_now,
    record,
    send_file,
    start,
    wait_for_job,
)

pytestmark = pytest.mark.timeout(400)  # a whole lab starts, on a busy computer

MACHINE = "printer-b"
SPEED = 40.0
"""So that a print soon moves, and its end is not waited for for long."""
SLOWLY = 12.0
"""Slow enough to be in the middle of a print for more than a minute, whatever starts meanwhile."""
HEATERS_OFF_WITHIN_S = 5.0
SHOWN_WITHIN_S = 5.0
HEATERS_OFF = {"M104 S0", "M140 S0"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    with running_lab(tmp_path_factory.mktemp("deaths"), "--speed", str(SPEED)) as running:
        yield running


@pytest.fixture(scope="module")
def api(lab: RunningLab) -> Iterator[requests.Session]:
    with lab.api("lea") as session:
        book_now(lab, session, MACHINE, minutes=120)
        yield session


@pytest.fixture
def printing(lab: RunningLab, api: requests.Session) -> Iterator[str]:
    """A print that has begun to move; whatever is left of it is stopped afterwards."""
    with lab.sim(MACHINE) as sim:
        sim.clear_received()
    job = start(lab, api, MACHINE)
    wait_for("the print moves", lambda: (lab.machine(MACHINE).get("line") or 0) > 60)
    with lab.sim(MACHINE) as sim:
        sim.ask("factor", factor=SLOWLY)
    yield job
    with lab.sim(MACHINE) as sim:
        sim.ask("factor", factor=SPEED)
    if job_now(lab, api, job).get("state") in {"running", "paused", "starting"}:
        ask(lab, api, job, "stop")
        wait_for(f"{MACHINE} is idle", lambda: lab.state(MACHINE) == "idle")


def finish(lab: RunningLab, api: requests.Session, job: str) -> None:
    """Run a print to its end and hold what the printer did against the file."""
    with lab.sim(MACHINE) as sim:
        sim.ask("factor", factor=1000)
        wait_for_job(lab, api, job, "finished", timeout=180)
        done = [text for text in sim.texts() if text in set(commands_of(TAG))]
    assert _without_host_chatter(done) == commands_of(TAG)


def _without_host_chatter(done: list[str]) -> list[str]:
    """Drop what the driver itself says before and after a job and that files say too (M107)."""
    first = commands_of(TAG)
    extra = len(done) - len(first)
    for begin in range(extra + 1):
        if done[begin : begin + len(first)] == first:
            return first
    return done


def events(lab: RunningLab, job: str) -> list[str]:
    rows = record(lab, "SELECT kind FROM machine_event WHERE job_id = ? ORDER BY id", job)
    return [str(kind) for (kind,) in rows]


def closed_use(lab: RunningLab, job: str) -> str:
    ((outcome, closed_at),) = record(
        lab, "SELECT outcome, closed_at FROM use WHERE job_id = ?", job
    )
    assert closed_at is not None
    return str(outcome)


def test_the_web_killed_the_print_goes_on_and_the_page_is_right_again(
    lab: RunningLab, api: requests.Session, printing: str
) -> None:
    before = lab.machine(MACHINE)["line"]
    killed = lab.kill("web", "-m")
    machine = wait_for(
        "the restarted web shows the print further on",
        lambda: (
            (m := lab.machine(MACHINE)).get("state") == "running"
            and (m["line"] or 0) > before
            and m
        ),
    )
    assert machine["job"] == printing
    assert lab.child("web", "-m").pid != killed
    finish(lab, api, printing)
    assert events(lab, printing) == ["job-started", "job-finished"]


def test_the_steward_killed_nothing_is_missing_from_the_record(
    lab: RunningLab, api: requests.Session, printing: str
) -> None:
    lab.child("steward").send_signal(signal.SIGSTOP)  # first deaf, then dead: nothing gets through
    assert ask(lab, api, printing, "pause").status_code == 202
    wait_for("paused", lambda: lab.state(MACHINE) == "paused")
    lab.kill("steward")
    assert ask(lab, api, printing, "resume").status_code == 202
    wait_for("running", lambda: lab.state(MACHINE) == "running")
    wait_for("told", lambda: events(lab, printing)[-1] == "job-resumed")
    assert ask(lab, api, printing, "stop").status_code == 202
    wait_for_job(lab, api, printing, "stopped")
    assert events(lab, printing) == ["job-started", "job-paused", "job-resumed", "job-stopped"]
    assert closed_use(lab, printing) == "stopped"


def test_the_broker_killed_the_print_goes_on_and_nothing_is_missing(
    lab: RunningLab, api: requests.Session, printing: str
) -> None:
    with lab.sim(MACHINE) as sim:
        lab.kill("mosquitto")
        before = sim.status()["executed"]
        wait_for("the printer goes on", lambda: sim.status()["executed"] > before + 20)
    wait_for("the screens know", lambda: lab.state(MACHINE) == "running")
    finish(lab, api, printing)
    assert events(lab, printing) == ["job-started", "job-finished"]
    assert closed_use(lab, printing) == "finished"


def test_the_machine_process_killed_heaters_off_and_a_person_is_asked(
    lab: RunningLab, api: requests.Session, printing: str
) -> None:
    with lab.sim(MACHINE) as sim:
        hot = sim.status()
        assert hot["nozzle_target_c"] > 0 < hot["bed_target_c"]
    watch, now = FairWatch(lambda: [child.pid for child in lab.children()]), time.time()
    lab.kill("machine", MACHINE)
    restarted = wait_for("it starts again", lambda: lab.child("machine", MACHINE))
    began = restarted.create_time() - now
    with lab.sim(MACHINE) as sim:
        wait_for(
            "heaters commanded off",
            lambda: sim.status()["nozzle_target_c"] == 0 == sim.status()["bed_target_c"],
        )
        assert watch.elapsed_s() - began < HEATERS_OFF_WITHIN_S
        reached = sim.texts()
    job = wait_for_job(lab, api, printing, "interrupted")
    assert job["trouble"] == "interrupted"
    assert _line_was_reached(job["line"], reached)
    assert {"job-started", "job-interrupted", "machine-broken"} == set(events(lab, printing))
    assert closed_use(lab, printing) == "interrupted"

    wait_for("it waits for a person", lambda: lab.state(MACHINE) == "broken")
    again = _start_refused(lab, api)
    assert "machine-broken" in again
    _clear(lab)


def test_the_cable_pulled_is_shown_and_a_person_puts_it_right(
    lab: RunningLab, api: requests.Session, printing: str
) -> None:
    with lab.sim(MACHINE) as sim:
        watch = FairWatch(lambda: [child.pid for child in lab.children()])
        sim.ask("unplug")
        wait_for("shown", lambda: lab.state(MACHINE) == "offline")
        assert watch.elapsed_s() < SHOWN_WITHIN_S
        job = wait_for_job(lab, api, printing, "failed")
        assert job["trouble"] == "cable-lost"
        assert closed_use(lab, printing) == "failed"
        sim.clear_received()
        sim.ask("plug")
    wait_for("it waits for a person", lambda: lab.state(MACHINE) == "broken")
    assert "machine-broken" in _start_refused(lab, api)
    _clear(lab)
    assert set(executed(lab, MACHINE)) >= HEATERS_OFF


def _line_was_reached(line: int, reached: list[str]) -> bool:
    """Say whether the printer ran the command on this line of the file.

    How many it ran after that depends on how long ago the killed process could last note it.
    """
    text = TAG.read_text().splitlines()[line - 1].split(";")[0].strip()
    return bool(text) and text in reached


def _start_refused(lab: RunningLab, api: requests.Session) -> list[str]:

    answer = ask(lab, api, send_file(lab, api, MACHINE), "start")
    assert answer.status_code == 409
    assert all(refusal["next_step"] for refusal in answer.json()["refusals"])
    return [refusal["code"] for refusal in answer.json()["refusals"]]


def _clear(lab: RunningLab) -> None:
    """Tap "I have checked the machine" as Léa."""
    with requests.Session() as page:
        account = lab.account("lea")
        form = page.get(f"{lab.url}/in", timeout=60).text
        page.post(
            f"{lab.url}/in/pin",
            data={"csrf_token": _token(form), "pin": account["pin"], "next": "/"},
            timeout=60,
        ).raise_for_status()
        shown = page.get(f"{lab.url}/m/{MACHINE}", timeout=60).text
        page.post(
            f"{lab.url}/m/{MACHINE}/clear", data={"csrf_token": _token(shown)}, timeout=60
        ).raise_for_status()
    wait_for("idle again", lambda: lab.state(MACHINE) == "idle")


def _token(html: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found, html[:500]
    return found.group(1)


def test_no_event_of_the_day_is_missing(lab: RunningLab) -> None:
    """Every job that began has exactly one end on record, and its use is closed."""
    rows = record(
        lab,
        "SELECT job_id, SUM(kind = 'job-started'), SUM(kind IN ('job-finished', 'job-stopped',"
        " 'job-failed', 'job-interrupted')) FROM machine_event WHERE machine = ?"
        " AND job_id IS NOT NULL GROUP BY job_id",
        MACHINE,
    )
    assert rows
    assert {(began, ended) for _, began, ended in rows} == {(1, 1)}


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    with running_lab(tmp_path) as own:
        code, left = own.stop()
    assert code == 0
    assert left == []
    assert not list((own.data / "sim").iterdir()) or all(
        path.suffix == ".commands" for path in (own.data / "sim").iterdir()
    )


def test_a_damaged_database_does_not_keep_heaters_on(tmp_path: Path) -> None:
    """After a power cut the printer's board may heat on: off comes first, the database later."""
    with running_lab(tmp_path) as own:
        own.stop()
    (own.data / "lab.db").write_bytes(b"this is no database" * 500)
    with SimProcess(own.data / "sim", "--no-reset-on-open", name=MACHINE) as process:
        ended = subprocess.run(
            fabctl("run", "--config", str(own.data / "lab.toml")),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 1, ended.stdout + ended.stderr
        assert "migrate failed" in ended.stdout
        with process.control() as sim:
            assert set(sim.texts(numbered_only=False)) >= HEATERS_OFF
