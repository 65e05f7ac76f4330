"""Permits and an interlock's words on their whole way, every process real.

Steward and machine process meet on mosquitto; the daemon scans a cabinet that is a process too.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from fabctl.__main__ import cli
from fabctl.clock import SystemClock
from fabctl.messaging.interlocks import InterlockPayload, InterlockView
from fabctl.messaging.keys import make_keys
from fabctl.messaging.link import Received
from fabctl.messaging.payloads import Stamp, encode
from fabctl.messaging.topics import LabTopics
from fabctl.model.booking_facts import PARIS
from fabctl.permits import Permit, seal
from fabctl.services import bookings, people, uses, using
from fabctl.services.certifications import certify
from fabctl.services.machines import set_out_of_order
from fabctl.services.uses import UseView
from fabctl.store.engine import Database, open_database
from fabctl.store.tables import InterlockEventRow
from tests.brokers import wait_until
from tests.guarded import LASER, Guarded, guarded, own_key
from tests.machine_lab import MachineLab, lab_of, listen
from tests.steady import steady

pytestmark = pytest.mark.timeout(400)  # rounds that are made again: tests/steady.py

TOPICS = LabTopics("lab")
CLOCK = SystemClock()
QUICK = """\
[interlocks.laser.timings]
clear_s = 0.5
flow_start_s = 1.0
idle_running_s = 1.0
"""
STAMP = Stamp(datetime(2026, 1, 1, tzinfo=UTC), True, "liar", 1)
PERMIT_S = 5.0
RENEW_S = 0.75
"""Half of what a lab's steward gives, and more often: nobody waits for long for a permit's end, and
nobody loses a permit because a process stood still for two seconds."""
LONGEST_S = PERMIT_S + 20.0
"""How long a permit lasts at most that nobody renews: one renewal more may be on its way."""
QUICK_STEWARD = (
    "import sys; from pathlib import Path; from fabctl.config_file import load; "
    "from fabctl.hosting.steward_process import run_steward; "
    f"run_steward(load(Path(sys.argv[2])), permit_s={PERMIT_S}, renew_every={RENEW_S})"
)


@dataclass
class InterlockLab:
    """A laser with its interlock, and all of a lab around it but the web."""

    laser: Guarded
    lab: MachineLab
    database: Database
    person: str
    heard: list[tuple[str, bytes]]
    """What the laser told: (topic, payload) of its events."""

    # -- people ------------------------------------------------------------------------------------

    def begin(self) -> UseView:
        """Tap “I begin”."""
        with self.database.transaction() as session:
            return using.begin_use(
                session,
                CLOCK,
                PARIS,
                person_id=self.person,
                resource_id="laser",
                machine_state=self.lab.seen("laser").state,
            )

    def finish(self, use: UseView) -> None:
        """Tap “I'm done”, on a page that says nothing else."""
        with self.database.transaction() as session:
            using.finish_use(session, CLOCK, use_id=use.id, by=self.person)

    def arm(self) -> UseView:
        """Begin, and press the green button."""
        use = self.begin()
        self.laser.arm_again()
        return use

    def working(self) -> UseView:
        """Let the laser work."""
        use = self.arm()
        self.laser.run()
        self.lab.wait_state("running", "laser")
        return use

    # -- what there is to see ----------------------------------------------------------------------

    @property
    def shown(self) -> InterlockView:
        """Return what a page would show of the interlock."""
        return self.lab.view.interlock("laser")

    def wait_shown(self, state: str, within_s: float = 20.0) -> InterlockView:
        """Wait until a page shows a state."""
        wait_until(lambda: self.shown.state == state, f"{state} is shown; {self.shown}", within_s)
        return self.shown

    def on_record(self) -> UseView:
        """Return the latest use."""
        with self.database.reading() as session:
            return uses.uses_of_resource(session, resource_id="laser", limit=1)[0]

    def kinds(self) -> list[str]:
        """Return the kinds of what is on record about the laser."""
        return [kind for kind, *_ in self.lab.recorded("laser")]

    def refusals_on_record(self) -> set[str | None]:
        """Return the codes of the refused permits in the interlock's history."""
        with self.database.reading() as session:
            query = select(InterlockEventRow).where(
                InterlockEventRow.kind == "interlock-permit-refused"
            )
            return {row.code for row in session.scalars(query)}

    def refused(self, code: str) -> int:
        """Return how many permits the daemon has refused for a reason."""
        return int(self.laser.state()["permits_refused"].get(code, 0))

    def cannot_be_armed(self) -> None:
        """Press the green button: nothing comes of it."""
        wait_until(lambda: not self.laser.powered(), "the contacts have opened")
        self.laser.press()
        self.laser.stays_off(1.0)

    # -- another round -----------------------------------------------------------------------------

    def is_armed(self) -> bool:
        """Say whether the interlock is ARMED."""
        return self.laser.is_armed()

    def begin_anew(self, *, armed: bool = False) -> None:
        """Have every process back, and nobody at the laser."""
        if "laser" not in self.lab.processes:
            self.lab.start("machine", "laser")
        if "steward" not in self.lab.processes:
            self.lab.start_steward()
        self.laser.cabinet.ask("idle")
        with self.database.reading() as session:
            use = uses.open_use_on(session, resource_id="laser")
        if use is not None:
            self.finish(use)
        self.laser.begin_anew()
        self.wait_shown("locked")
        self.lab.wait_state("idle", "laser")
        if armed:
            self.arm()

    def send(self, verb: str, payload: bytes, *, retain: bool = False) -> None:
        """Say something to the laser with the desk's rights, without a thought."""
        assert self.lab.link.publish(TOPICS.command("laser", verb), payload, retain=retain)


@contextmanager
def interlock_lab(text: str = LASER + QUICK) -> Iterator[InterlockLab]:
    """Run it all; the self-test is done, the laser's process is idle, the steward is there."""
    with guarded(text) as laser:
        make_keys(laser.config.paths, laser.config.machines)
        with lab_of(laser.config) as lab:
            heard = listen(lab.link, TOPICS.every("event"))
            lab.steward = ("-c", QUICK_STEWARD)
            lab.start("machine", "laser")
            lab.start_steward()
            database = open_database(laser.config.database_url)
            laser.prove()
            lab.wait_state("idle", "laser")
            yield InterlockLab(laser, lab, database, somebody(database), heard)
            database.close()


def somebody(database: Database) -> str:
    """Return a person who is certified, and has reserved the laser from now on."""
    with database.transaction() as session:
        person = people.add_person(session, CLOCK, display_name="Léa").id
        certify(session, CLOCK, person_id=person, resource_id="laser")
        now = CLOCK.now()
        bookings.book(
            session,
            CLOCK,
            ZoneInfo("Europe/Paris"),
            person_id=person,
            resource_id="laser",
            start=now,
            end=now + timedelta(hours=2),
            by=person,
        )
    return person


@pytest.fixture(scope="module")
def lasting() -> Iterator[InterlockLab]:
    with interlock_lab() as found:
        yield found


@pytest.fixture
def same(lasting: InterlockLab) -> InterlockLab:
    """One lab for the tests that put every process back: nobody uses the laser."""
    lasting.begin_anew()
    return lasting


# -- the usual way ---------------------------------------------------------------------------------


@steady
def test_from_i_begin_to_im_done(same: InterlockLab) -> None:
    """Permits arm nothing by themselves; the run signal is what the record counts."""
    use = same.begin()
    same.wait_shown("ready")
    same.laser.stays_off(0.5)
    same.laser.arm_again()
    same.wait_shown("armed")
    assert same.lab.seen("laser").state == "idle"
    began = time.monotonic()
    same.laser.run()
    same.lab.wait_state("running", "laser")
    known = time.monotonic()
    wait_until(lambda: time.monotonic() - known > 3.5, "it worked for a while; permits went on")
    assert same.laser.state()["state"] == "running"
    same.laser.cabinet.ask("idle")
    same.laser.wait_for("armed")
    same.lab.wait_state("idle", "laser")
    worked = time.monotonic() - began
    same.finish(use)
    same.wait_shown("locked")
    wait_until(lambda: same.on_record().ran_s, "the working time is on record", 30.0)
    assert 3.5 <= (same.on_record().ran_s or 0.0) <= worked + 0.2
    assert same.on_record().outcome == "finished"
    changes = [line for line in same.laser.record() if line.get("was") != line.get("state")]
    assert [one["state"] for one in changes][-4:] == ["armed", "running", "armed", "locked"]
    assert changes[-1]["use"] == use.id


@steady
def test_a_permission_that_ends_is_not_renewed() -> None:
    with interlock_lab() as it:
        it.working()
        with it.database.transaction() as session:
            set_out_of_order(session, CLOCK, resource_id="laser", reason="smoke", by=None)
        it.wait_shown("drain", LONGEST_S)
        assert it.laser.powered()
        assert it.on_record().outcome == "permission-ended"
        it.laser.cabinet.ask("idle")
        it.wait_shown("locked")
        it.cannot_be_armed()


# -- what is lost ----------------------------------------------------------------------------------


@steady
def test_without_a_steward_what_runs_drains_and_nothing_new_is_armed(same: InterlockLab) -> None:
    use = same.working()
    same.lab.kill("steward")
    same.wait_shown("drain", LONGEST_S)
    assert same.laser.powered()
    same.laser.cabinet.ask("idle")
    same.wait_shown("locked")
    same.cannot_be_armed()
    same.lab.start_steward()
    same.wait_shown("ready")
    same.laser.stays_off(0.5)
    same.laser.arm_again()
    assert same.on_record().id == use.id


@steady
def test_without_a_broker_the_same() -> None:
    with interlock_lab() as it:
        it.working()
        it.lab.broker.kill()
        it.laser.wait_for("drain", LONGEST_S)
        assert it.laser.powered()
        it.laser.cabinet.ask("idle")
        it.laser.wait_for("locked")
        it.cannot_be_armed()
        it.lab.broker.start()
        it.wait_shown("ready", 30.0)


@steady
def test_a_permit_that_ends_in_ready_locks(same: InterlockLab) -> None:
    same.begin()
    same.wait_shown("ready")
    same.lab.kill("steward")
    same.wait_shown("locked", LONGEST_S)
    same.cannot_be_armed()


@steady
def test_a_page_that_died_is_no_reason_to_leave_a_permit(same: InterlockLab) -> None:
    use = same.arm()
    before = len(same.laser.record())
    same.finish(use)
    same.wait_shown("locked")
    lines = same.laser.record()[before:]
    ends = [line["why"] for line in lines if line.get("event") == "permit_ended"]
    assert ends[0].startswith("dropped: "), "by the steward; it did not run out"


@steady
def test_a_daemon_that_dies_shows_as_unknown_and_comes_back_off(same: InterlockLab) -> None:
    same.arm()
    same.laser.end(signal.SIGKILL)
    same.wait_shown("unknown")
    same.lab.wait_state("blocked", "laser")
    same.laser.start()
    same.wait_shown("selftest")
    same.lab.wait_state("idle", "laser")
    same.laser.prove()
    same.wait_shown("ready")  # a permit for the new boot, and no further one for the old
    before = same.refused("other-boot")
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 3 * RENEW_S, "three permits more")
    assert same.refused("other-boot") == before


@steady
def test_a_machine_process_that_dies_costs_the_permission_only(same: InterlockLab) -> None:
    same.arm()
    same.lab.kill("laser")
    same.laser.wait_for("locked", LONGEST_S)
    same.lab.start("machine", "laser")
    same.wait_shown("ready", 30.0)


# -- what is hostile -------------------------------------------------------------------------------


@steady
def test_permits_that_are_not_right_are_refused_counted_and_told() -> None:
    with interlock_lab() as it:
        boot = it.laser.state()["boot"]
        cases: dict[str, Callable[[], bytes]] = {
            "wrong-signature": lambda: it.laser.sealed(own_key(), boot=boot).encode(),
            "other-machine": lambda: it.laser.sealed(machine="mill", boot=boot).encode(),
            "other-boot": lambda: it.laser.sealed(boot="0" * 16).encode(),
            "expired": lambda: it.laser.sealed(boot=boot, challenge="0" * 32).encode(),
            "malformed": lambda: b'{"v": 1, "permit": "{}"}',
        }
        for make in cases.values():
            it.send("permit", make())
        for code in cases:
            wait_until(lambda code=code: it.refused(code) == 1, f"{code} is counted")  # type: ignore[misc]
        wait_until(
            lambda: set(cases) <= set(it.shown.said.permits_refused), "the counts are shown", 20.0
        )
        assert it.laser.state()["state"] == "locked"
        # every 10 s all that came meanwhile: tests/unit/test_interlock_machine.py
        wait_until(it.refusals_on_record, "the first are on record")
        assert it.refusals_on_record() <= set(cases)
        it.cannot_be_armed()


@steady
def test_a_permit_that_was_listened_to_is_worth_nothing(same: InterlockLab) -> None:
    heard: list[bytes] = []
    eve = same.lab.broker.link("desk", "eve")
    eve.subscribe(TOPICS.command("laser", "permit"), lambda message: heard.append(message.payload))
    use = same.begin()
    same.wait_shown("ready")
    wait_until(lambda: heard, "a permit was listened to")
    same.finish(use)
    same.wait_shown("locked")
    before = same.refused("replayed")
    same.send("permit", heard[-1])
    wait_until(lambda: same.refused("replayed") == before + 1, "the replay is refused")
    assert same.laser.state()["state"] == "locked"


@steady
def test_a_permit_that_was_held_back_is_worth_nothing() -> None:
    """Right in every respect, and nobody has seen it before."""
    with interlock_lab() as it:
        permits = [it.laser.sealed().encode() for _ in range(3)]
        first = it.laser.state()["challenge"]
        told = {first}
        began = time.monotonic()
        while time.monotonic() - began < 6.5:
            it.laser.wait("a new challenge", lambda words: words["challenge"] not in told)
            told.add(it.laser.state()["challenge"])
            wait_until(lambda: it.shown.said.challenge != first, "the steward hears of it")
        for permit in permits:
            it.send("permit", permit)
        wait_until(lambda: it.refused("expired") == 3, "all are refused")
        assert it.laser.state()["state"] == "locked"
        it.begin()
        it.wait_shown("ready")


@steady
def test_a_kept_permit_is_not_even_handed_on() -> None:
    """It is right in every respect, and the broker hands it to a machine that just starts."""
    with interlock_lab() as it:
        it.lab.kill("laser")
        it.send("permit", it.laser.sealed().encode(), retain=True)
        assert it.lab.link.flush(20.0)
        it.lab.start("machine", "laser")
        it.lab.wait_state("idle", "laser")
        refused = it.lab.seen("laser")
        assert refused.state == "idle"
        wait_until(lambda: "request-refused" in it.kinds(), "it was refused", 30.0)
        assert it.laser.state()["state"] == "locked"
        it.send("permit", b"", retain=True)


@steady
def test_garbage_of_any_size_harms_nobody(same: InterlockLab) -> None:
    same.working()
    for size in (0, 1, 1025, 60_000):
        for payload in (b"\xff" * size, b"{" * size, b'"' + b"\\ud800" * (size // 6)):
            for verb in ("permit", "reset", "arm", "clear-fault"):
                same.send(verb, payload)
    assert same.lab.link.flush(20.0)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 2.0, "the words of the daemon go on")
    assert same.shown.state == "running"
    assert same.laser.powered()


@steady
def test_a_flood_of_permits_does_not_cut_the_line(same: InterlockLab) -> None:
    same.arm()
    wrong = same.laser.sealed(own_key(), boot=same.laser.state()["boot"]).encode()
    for _ in range(500):
        same.send("permit", wrong)
    assert same.lab.link.flush(20.0)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > PERMIT_S + 2.0, "right permits still come", 40.0)
    assert same.shown.state == "armed"
    assert same.refused("wrong-signature") < 100


@steady
def test_anybody_who_may_write_it_can_end_the_permission(same: InterlockLab) -> None:
    same.working()
    before = len(same.laser.record())
    same.send("drop-permit", b"a button that knows nothing of JSON")
    wait_until(
        lambda: "drain" in {one.get("state") for one in same.laser.record()[before:]},
        "it drains, however shortly",
    )
    # the steward goes on: its person did nothing wrong
    same.wait_shown("running")


@steady
def test_the_interlocks_words_are_the_hosts_alone(same: InterlockLab) -> None:
    """Neither the desk nor a dashboard can say that the laser is armed."""
    armed = InterlockPayload("armed", boot="b", outputs_on=True).encode(STAMP)
    heard: list[Received] = []
    same.lab.link.subscribe(TOPICS.interlock("laser"), heard.append)
    same.send("identify", encode({}))
    assert same.lab.link.flush(20.0)  # the broker answers in order: it has the subscription
    for user in ("desk", "dashboard"):
        liar = same.lab.broker.link(user, f"liar-{user}")
        liar.publish(TOPICS.interlock("laser"), armed, retain=True)
        liar.publish(TOPICS.command("laser", "identify"), encode({}))
        liar.flush(20.0)
    count = len(heard)
    wait_until(lambda: len(heard) >= count + 2, "its host has spoken twice", 30.0)
    assert not [one for one in heard if b'"armed"' in one.payload]


# -- keys ------------------------------------------------------------------------------------------


@steady
def test_rotated_keys_are_taken_while_everything_runs() -> None:
    with interlock_lab() as it:
        it.working()
        old = seal(bytes(range(32)), _any_permit(it))
        words = ["key", "rotate", "laser", "--yes", "--config", str(it.lab.config.file)]
        assert CliRunner().invoke(cli, words).exit_code == 0
        began = time.monotonic()
        wait_until(lambda: time.monotonic() - began > PERMIT_S, "an old permit is over", 40.0)
        refused = it.refused("wrong-signature")
        wait_until(lambda: time.monotonic() - began > PERMIT_S + 3.0, "new ones came", 40.0)
        state = it.laser.state()
        assert state["state"] == "running", "permits signed with the new key came and were taken"
        before = it.refused("wrong-signature")
        assert before == refused, "none that came later was refused"
        it.send("permit", old)
        wait_until(
            lambda: it.refused("wrong-signature") == before + 1, "the old key is worth nothing"
        )
        answer = it.lab.requests.send("laser", "clear", {"by": it.person})
        assert answer.code == "not-broken", "the machine's process has the new key too"


def _any_permit(it: InterlockLab) -> Permit:
    state = it.laser.state()
    return Permit("laser", "p", "u", state["boot"], 2**52, 10.0, state["challenge"])
