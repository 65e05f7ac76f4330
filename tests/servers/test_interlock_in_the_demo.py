"""The demo's laser from end to end: a browser's forms, MQTT, the daemon, a simulated cabinet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import requests

from fabctl_sim.control import SimControl
from tests.fair_time import FairWatch
from tests.guarded import PRESSES
from tests.lab import RunningLab, running_lab, wait_for
from tests.steady import WATCH, in_rounds

pytestmark = pytest.mark.timeout(400)  # a whole lab starts, on a busy computer

PAGE = "/m/laser"
RED_WITHIN_S = 2.0
UNKNOWN_WITHIN_S = 10.0


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """One demo lab for this file: what a test leaves behind, the next one finds."""
    with running_lab(tmp_path_factory.mktemp("demo")) as found:
        record = DaemonsRecord(found)
        WATCH.begin(record)
        yield found
        WATCH.end(record)


@dataclass
class DaemonsRecord:
    """What the laser's daemon has on its own disk."""

    lab: RunningLab

    def hitches(self) -> int:
        """Return how often it tripped because the computer stood still."""
        return stalls(self.lab)


@dataclass
class Person:
    """Somebody at a desk's browser."""

    lab: RunningLab
    session: requests.Session

    def read(self, path: str) -> str:
        """Load a page."""
        answer = self.session.get(self.lab.url + path, timeout=60)
        assert answer.ok, f"{path}: {answer.status_code}"
        return answer.text

    def send(self, path: str, page: str, **fields: str) -> requests.Response:
        """Send a form of a page."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.read(page))
        assert token
        data = {"csrf_token": token[1], **fields}
        return self.session.post(self.lab.url + path, data=data, timeout=60)


def signed_in(lab: RunningLab, login: str) -> Person:
    person = Person(lab, requests.Session())
    secret = lab.account(login)["password"]
    person.send("/in/password", "/in?with=password", login=login, password=secret)
    person.read("/?lang=en")  # this computer is a shared screen: it speaks French by itself
    return person


def interlock(lab: RunningLab) -> dict[str, Any]:
    return dict(requests.get(f"{lab.url}/api/v1/machines/laser/interlock", timeout=60).json())


def is_now(lab: RunningLab, state: str, timeout: float = 40.0) -> None:
    seen: list[str] = []

    def look() -> bool:
        now = interlock(lab)
        seen.append(f"{now['state']} {now['advice']} {now['cause']} {now['fault']}")
        return bool(now["state"] == state)

    try:
        wait_for(f"the interlock is {state}", look, timeout)
    except AssertionError as error:
        raise AssertionError(f"{error}; it was {dict.fromkeys(seen)}") from None


def cabinet(lab: RunningLab) -> SimControl:
    return lab.sim("laser-cabinet")


def stalls(lab: RunningLab) -> int:
    """Return how often the daemon has tripped because the computer kept it from its scan."""
    return lab.interlock_record("laser").read_text().count("scan-stalled")


def armed_or_stalled_more_than(lab: RunningLab, times: int) -> bool:
    return bool(interlock(lab)["state"] == "armed" or stalls(lab) > times)


def green_button(lab: RunningLab, box: SimControl) -> None:
    """Press it; again, as a person does who sees that the computer stood still meanwhile."""
    for _ in range(PRESSES):
        wait_for("it asks for the button", lambda: interlock(lab)["advice"] == "press-reset")
        done = partial(armed_or_stalled_more_than, lab, stalls(lab))
        box.ask("reset-press")
        wait_for("armed, or tripped", done)
        if interlock(lab)["state"] == "armed":
            return
    raise AssertionError(f"not armed by {PRESSES} presses: {interlock(lab)}")


def arm(lab: RunningLab, person: Person) -> None:
    """Do what a maker does: try the lid, book, say that one begins, press the green button."""
    proved = ("selftest", "locked", "ready")
    wait_for("the self-test", lambda: interlock(lab)["state"] in proved)
    with cabinet(lab) as box:
        if interlock(lab)["state"] == "ready":  # in another round: the use is open
            green_button(lab, box)
            return
        if interlock(lab)["state"] == "selftest":
            box.ask("open-lid")
            wait_for("the lid was seen open", lambda: interlock(lab)["advice"] == "lid-not-closed")
        box.ask("close-lid")
        is_now(lab, "locked")
        if 'action="/m/laser/begin"' not in person.read(PAGE):
            person.send("/m/laser/book", PAGE, start="now", minutes="60")
        person.send("/m/laser/begin", PAGE)
        is_now(lab, "ready")
        green_button(lab, box)


def history(lab: RunningLab) -> list[dict[str, str]]:
    saved = signed_in(lab, "awa").read("/interlocks.csv?machine=laser")
    return list(csv.DictReader(io.StringIO(saved, newline="")))


def test_a_cut_is_stopped_by_its_lid_seen_on_the_screen_and_kept_for_the_staff(
    lab: RunningLab,
) -> None:
    tom = signed_in(lab, "tom")
    in_rounds(partial(cut_until_the_lid_opens, lab, tom), partial(put_right, lab))
    with cabinet(lab) as box:
        box.ask("idle")
        box.ask("close-lid")
        is_now(lab, "ready")  # never armed again without the green button
        green_button(lab, box)
    tom.send("/m/laser/done", PAGE)
    is_now(lab, "locked")
    wait_for("the trip is on record", lambda: "lid-open" in {row["code"] for row in history(lab)})
    page = signed_in(lab, "awa").read("/interlocks?machine=laser")
    assert "Tom D." in page


def cut_until_the_lid_opens(lab: RunningLab, person: Person) -> None:
    """Arm, run, open the lid; the screen says so in time."""
    arm(lab, person)
    with cabinet(lab) as box:
        box.ask("run")
        is_now(lab, "running")
        assert "Stay beside it." in person.read(f"{PAGE}/interlock")
        watch = FairWatch(lambda: [child.pid for child in lab.children()])
        box.ask("open-lid")
        is_now(lab, "tripped")
        assert watch.elapsed_s() < RED_WITHIN_S
        panel = person.read(f"{PAGE}/interlock")
        assert "What came first: The lid or door is open." in panel
        assert panel.index("Close the lid.") < panel.index("Press the green button")


def put_right(lab: RunningLab) -> None:
    """Come back to where a cut begins, with the use that is open."""
    with cabinet(lab) as box:
        for act in ("idle", "close-lid"):
            box.ask(act)
        is_now(lab, "ready")


def test_a_killed_daemon_is_never_shown_as_armed_and_comes_back_off(lab: RunningLab) -> None:
    tom = signed_in(lab, "tom")
    arm(lab, tom)
    lab.kill("interlock", "laser")
    wait_for("not armed", lambda: interlock(lab)["state"] != "armed")
    is_now(lab, "selftest")
    assert interlock(lab)["outputs_on"] is False
    wait_for("the inputs settle", lambda: interlock(lab)["advice"] == "lid-not-seen-open")
    assert "Open the lid or door once" in tom.read(f"{PAGE}/interlock")
    tom.send("/m/laser/done", PAGE)
    wait_for(
        "the restart is on record",
        lambda: any(row["kind"] == "interlock-boot" for row in history(lab)),
    )


def test_a_silent_machine_process_makes_the_interlock_unknown_within_ten_seconds(
    lab: RunningLab,
) -> None:
    child = lab.child("machine", "laser")
    child.suspend()
    try:
        watch = FairWatch(lambda: [one.pid for one in lab.children()])
        is_now(lab, "unknown")
        assert watch.elapsed_s() < UNKNOWN_WITHIN_S
        shown = interlock(lab)
        assert {entry["condition"] for entry in shown["inputs"]} == {"unknown"}
    finally:
        child.resume()
    wait_for("it is known again", lambda: interlock(lab)["state"] != "unknown")
