"""Every fault of the design's list, at a real daemon with a real cabinet beside it.

Each test says what is done and what must come of it; what the relays did is read at the cabinet's
contacts. MQTT's own faults stand in test_interlock_messages.py.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest

from fabctl.interlock import OutputRole
from fabctl_drivers.interlock.simulated_pins import CHANGED, EDGES
from tests.guarded import LASER, Guarded, guarded, own_key
from tests.guarded_processes import PATIENCE_S, until
from tests.steady import WATCH, in_rounds, steady

pytestmark = pytest.mark.timeout(400)  # rounds that are made again: tests/steady.py

QUICK = """\
[interlocks.laser.timings]
clear_s = 0.5
exhaust_s = 0.3
flow_start_s = 1.0
idle_running_s = 1.0
"""
GLITCH_S = 0.0065
"""Under the 7 ms that lie between two scans at least."""
REACTION_S = 0.1
"""Sensor to relay contact."""
STALLED_S = 0.25
"""A loop that stands still to K1's contact."""


@pytest.fixture(scope="module")
def cabinet() -> Iterator[Guarded]:
    """One cabinet for all tests of this module; its usual times, some of them shortened."""
    with guarded(LASER + QUICK) as it:
        yield it


@pytest.fixture
def laser(cabinet: Guarded) -> Guarded:
    """A laser whose self-test has passed, LOCKED, with nothing wrong."""
    cabinet.begin_anew()
    return cabinet


@pytest.fixture
def armed(laser: Guarded) -> Guarded:
    laser.arm()
    return laser


def off_within(it: Guarded, began: float, seconds: float = REACTION_S) -> None:
    """Hold that the machine lost its power in time."""
    assert it.off_after(began, "K2") - began <= seconds
    assert not it.powered()


def faulted(it: Guarded, code: str, *, repair: bool = False) -> None:
    """Hold that it is in FAULT for this reason, off, and so again after a restart.

    :param repair: before the restart, which waits 10 s for a chip that cannot be opened.
    """
    state = it.wait("a fault", lambda words: words["fault"])
    assert (state["state"], state["fault"], state["outputs_on"]) == ("fault", code, False)
    until(lambda: not it.powered(), "off")
    until(lambda: code in it.profile.fault_file.read_text(), "remembered")
    it.end(signal.SIGKILL)
    if repair:
        it.cabinet.ask("repair")
    it.start()
    again = it.wait_for("fault")
    assert (again["fault"], again["outputs_on"]) == (code, False)


# -- the lid -------------------------------------------------------------------------------------


@steady
def test_the_lid_opens(armed: Guarded) -> None:
    off_within(armed, armed.act("open-lid"))
    assert armed.wait_for("tripped")["cause"] == "lid-open"
    armed.cabinet.ask("close-lid")
    armed.wait_for("ready")
    armed.stays_off()


@pytest.mark.parametrize("channel", ["a", "b"])
@steady
def test_a_lid_channel_is_stuck_closed(armed: Guarded, channel: str) -> None:
    armed.cabinet.ask(f"channel-{channel}-stuck")
    off_within(armed, armed.act("open-lid"))
    faulted(armed, "lids-differ")


@pytest.mark.parametrize("seconds", [0.15, 0.25])
@steady
def test_the_channels_differ_for_a_while(armed: Guarded, seconds: float) -> None:
    armed.cabinet.ask("lid-late", seconds=seconds)
    off_within(armed, armed.act("open-lid"))
    if seconds > armed.profile.timings.lid_discrepancy_s:
        faulted(armed, "lids-differ")
        return
    time.sleep(2 * seconds)
    state = armed.state()
    assert (state["state"], state["fault"]) == ("tripped", None)


@steady
def test_a_lid_that_was_never_opened_is_not_believed() -> None:
    with guarded() as it:
        it.wait("wants the lid", lambda words: words["advice"] == "lid-not-seen-open")
        it.permit()
        it.press()
        it.stays_off(1.0)
        assert it.state()["state"] == "selftest"


@steady
def test_a_glitch_of_5_ms_is_none(armed: Guarded) -> None:
    """What lasted longer, because the cabinet's process came late, was no glitch: another one.

    Neither is it one for a scan that came late: that one forgives nothing.
    """
    glitches, end = 0, time.monotonic() + 150.0
    while glitches < 20:
        assert time.monotonic() < end, f"only {glitches} glitches were short"
        trips, before = armed.state()["trips"], WATCH.hitches()
        lasted = glitch_of_5_ms(armed)
        state, powered = armed.state(), armed.powered()
        if lasted < GLITCH_S and WATCH.hitches() == before:
            glitches += 1
            assert (state["state"], state["trips"], powered) == ("armed", trips, True)
        elif armed.state()["state"] != "armed":
            armed.arm_again()


def glitch_of_5_ms(it: Guarded) -> float:
    """Have one, and let some scans see that it is over; return how long it lasted, s."""
    start = it.cabinet.status()["events"] + 1
    it.cabinet.ask("glitch", role="lid_a", seconds=0.005)

    def edges() -> list[float]:
        found = [e["t"] for e in it.cabinet.events(start) if e.get("role") == "lid_a"]
        return found if len(found) >= 2 else []

    there, back = until(edges, "there and back")
    time.sleep(0.05)
    return float(back - there)


@steady
def test_chatter_of_50_edges_is_one_trip_and_arms_nothing(armed: Guarded) -> None:
    trips = armed.state()["trips"]
    off_within(armed, armed.act("chatter", role="estop", edges=50, seconds=2.5))
    time.sleep(2.6)
    assert armed.wait_for("ready")["trips"] - trips == 1
    armed.stays_off()


# -- wires ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "outcome"),
    [
        ("lid_a", "lids-differ"),
        ("lid_b", "lids-differ"),
        ("estop", "estop-open"),
        ("key", "key-off"),
        ("exhaust", "exhaust-off"),
        ("flow", "flow-stopped"),
    ],
)
@steady
def test_a_broken_wire_switches_off(armed: Guarded, role: str, outcome: str) -> None:
    began = armed.act("wire-broken", role=role)
    slow = {"exhaust": 0.3, "flow": armed.profile.timings.flow_start_s + 1.0}.get(role, 0.0)
    off_within(armed, began, slow + REACTION_S)
    if outcome == "lids-differ":
        faulted(armed, outcome)
    else:
        assert armed.wait_for("tripped")["cause"] == outcome


@steady
def test_a_broken_wire_of_a_feedback_is_a_relay_that_does_not_let_go(laser: Guarded) -> None:
    laser.cabinet.ask("wire-broken", role="k1_feedback")
    faulted(laser, "k1-welded")


@steady
def test_a_broken_wire_of_reset_presses_nothing(laser: Guarded) -> None:
    laser.ready()
    laser.cabinet.ask("wire-broken", role="reset")
    laser.cabinet.ask("reset-press", seconds=0.3)
    laser.stays_off(1.0)
    assert laser.state()["state"] == "ready"


# -- water and air -------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["flow-stop", "flow-frozen-high", "flow-frozen-low"])
@steady
def test_the_water_stops_or_its_input_is_frozen(armed: Guarded, act: str) -> None:
    time.sleep(1.1)  # the mask after arming is over
    began = armed.act(act)
    off_within(armed, began, armed.profile.timings.flow_gap_s + REACTION_S)
    assert armed.wait_for("tripped")["cause"] == "flow-stopped"


@steady
def test_the_water_runs_too_slowly(armed: Guarded) -> None:
    time.sleep(1.1)
    began = armed.act("flow-start", hz=2.5)
    off_within(armed, began, armed.profile.timings.flow_low_s + 0.5 + REACTION_S)
    assert armed.wait_for("tripped")["cause"] == "flow-low"


@pytest.mark.parametrize("act", ["flow-fast", "flow-noise"])
@steady
def test_pulses_that_no_water_makes(armed: Guarded, act: str) -> None:
    armed.cabinet.ask(act)
    faulted(armed, "flow-too-fast")


@steady
def test_the_exhaust_is_lost_in_the_middle_of_a_job(armed: Guarded) -> None:
    armed.run()
    began = armed.act("exhaust-off")
    off_within(armed, began, armed.profile.timings.exhaust_s + REACTION_S)
    assert armed.wait_for("tripped")["cause"] == "exhaust-off"
    until(lambda: not armed.cabinet.status()["active"], "the machine stands still")


# -- e-stop and reset ----------------------------------------------------------------------------


@steady
def test_the_estop_opens_and_closes(armed: Guarded) -> None:
    off_within(armed, armed.act("estop"))
    assert armed.wait_for("tripped")["cause"] == "estop-open"
    armed.cabinet.ask("estop-release")
    after = armed.wait_for("ready")
    assert (after["first_cause"], after["outputs_on"]) == ("estop-open", False)
    armed.stays_off()


@steady
def test_reset_is_stuck_from_the_start() -> None:
    with guarded(start=False) as it:
        it.cabinet.ask("reset-hold")
        it.start()
        it.cabinet.ask("open-lid")
        it.cabinet.ask("close-lid")
        it.permit()
        faulted(it, "reset-stuck")


@steady
def test_reset_is_held_for_too_long(laser: Guarded) -> None:
    laser.ready()
    laser.cabinet.ask("reset-hold")
    laser.stays_off(2.5)
    faulted(laser, "reset-stuck")


@steady
def test_reset_is_pressed_while_unsafe_then_it_is_safe(laser: Guarded) -> None:
    laser.ready()
    laser.cabinet.ask("open-lid")
    laser.wait("open", lambda words: words["inputs"]["lid_a"]["condition"] == "failed")
    laser.cabinet.ask("reset-press", seconds=0.8)
    time.sleep(0.2)
    laser.cabinet.ask("close-lid")
    laser.wait("ready again", lambda words: words["advice"] == "press-reset")
    laser.stays_off(1.0)


# -- relays --------------------------------------------------------------------------------------


@pytest.mark.parametrize("relay", ["k1", "k2"])
@steady
def test_a_contact_is_welded(armed: Guarded, relay: str) -> None:
    armed.cabinet.ask(f"{relay}-welded")
    armed.cabinet.ask("open-lid")
    faulted(armed, f"{relay}-welded")


@pytest.mark.parametrize("relay", ["k1", "k2"])
@steady
def test_a_relay_does_not_pull_in(laser: Guarded, relay: str) -> None:
    laser.cabinet.ask(f"{relay}-stuck")
    laser.ready()
    laser.press()
    faulted(laser, f"{relay}-no-pull-in")
    assert not laser.moves(relay.upper(), closed=True)


# -- the chip ------------------------------------------------------------------------------------


@steady
def test_reading_a_pin_raises(armed: Guarded) -> None:
    off_within(armed, armed.act("pin-fails", role="estop"))
    faulted(armed, "gpio-read")


@pytest.mark.parametrize("relay", ["k1", "k2"])
@steady
def test_writing_a_pin_raises(armed: Guarded, relay: str) -> None:
    began = armed.act("write-fails", role=relay)
    assert armed.off_after(began, "K1") - began <= STALLED_S
    until(lambda: not armed.powered(), "off")
    faulted(armed, "gpio-write", repair=True)


@steady
def test_the_chip_vanishes(armed: Guarded) -> None:
    began = armed.act("chip-vanish")
    assert armed.off_after(began, "K1") - began <= STALLED_S
    state = armed.wait_for("fault")
    assert (state["fault"], armed.powered()) == ("gpio-read", False)


@steady
def test_the_chip_is_not_there_at_the_start_and_comes() -> None:
    with guarded(start=False) as it:
        it.cabinet.ask("chip-vanish")
        it.start()
        assert it.state()["state"] == "boot"
        it.cabinet.ask("chip-return")
        it.prove()


# -- the process ---------------------------------------------------------------------------------


@steady
def test_the_scan_stalls_for_300_ms(armed: Guarded) -> None:
    began = time.monotonic()
    armed.send(signal.SIGSTOP)
    stopped = time.monotonic()
    time.sleep(0.3)
    armed.send(signal.SIGCONT)
    assert armed.off_after(began, "K1") - stopped <= STALLED_S
    state = armed.wait("tripped", lambda words: words["first_cause"])
    assert (state["first_cause"], state["outputs_on"]) == ("scan-stalled", False)
    assert state["overruns"] >= 20
    assert state["longest_gap_s"] >= 0.29
    armed.stays_off()


@pytest.mark.parametrize("seconds", [0.085, 0.3])
@steady
def test_a_pin_hangs_in_the_middle_of_a_scan(armed: Guarded, seconds: float) -> None:
    """One trip; the outputs go off once, and do not come again by themselves."""
    before, trips = k2_edges(armed), armed.state()["trips"]
    for _ in range(3):
        armed.cabinet.ask("pins-hang", seconds=seconds)
        time.sleep(seconds + 0.1)
    state = armed.wait("tripped", lambda words: words["first_cause"])
    assert (state["first_cause"], state["trips"] - trips) == ("scan-stalled", 1)
    armed.wait_for("ready")
    armed.stays_off(0.3)
    assert k2_edges(armed) - before == 1


def k2_edges(it: Guarded) -> int:
    """Return how often K2's line has changed, as its pin counts."""
    pins = memoryview(it.profile.cabinet.read_bytes())
    return int(pins[EDGES:CHANGED].cast("I")[it.profile.outputs[OutputRole.K2]])


@steady
def test_kill_9_lets_k1_go_though_k2_stays(armed: Guarded) -> None:
    began = time.monotonic()
    armed.send(signal.SIGKILL)
    killed = time.monotonic()
    assert armed.off_after(began, "K1") - killed <= STALLED_S
    status = armed.cabinet.status()
    assert (status["lines"]["k2"], status["powered"]) == (True, False)
    assert armed.process is not None
    armed.process.wait()
    boot = armed.record()[-1]["boot"]
    armed.start()
    state = armed.state()
    assert (state["state"], state["outputs_on"], state["permit"]) == ("selftest", False, None)
    assert state["boot"] != boot
    assert not armed.cabinet.status()["lines"]["k2"]
    armed.press()
    armed.stays_off()


@steady
def test_sigstop_lets_k1_go_and_sigcont_lands_safe(armed: Guarded) -> None:
    for _ in range(5):
        armed.run()
        began = time.monotonic()
        armed.send(signal.SIGSTOP)
        stopped = time.monotonic()
        assert armed.off_after(began, "K1") - stopped <= STALLED_S
        closed = len(armed.moves("K1", closed=True))
        armed.send(signal.SIGCONT)
        armed.wait("tripped", lambda words: words["first_cause"] == "scan-stalled")
        assert len(armed.moves("K1", closed=True)) == closed
        armed.arm_again()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
@steady
def test_asked_to_end_it_switches_off_and_says_so(armed: Guarded, signum: signal.Signals) -> None:
    began = time.monotonic()
    armed.send(signum)
    asked = time.monotonic()
    assert armed.process is not None
    assert armed.process.wait(PATIENCE_S) == 0
    assert armed.off_after(began, "K2") - asked <= REACTION_S
    assert not armed.powered()
    status = armed.cabinet.status()
    assert not status["lines"]["k2"]
    assert armed.record()[-1]["event"] == "ended"
    assert not armed.profile.socket.exists()


@steady
def test_all_cores_busy(armed: Guarded) -> None:
    count = 2 * (os.cpu_count() or 1)
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        for _ in range(5):
            time.sleep(0.3)
            in_rounds(partial(opened_and_armed_again, armed), partial(armed.begin_anew, armed=True))
    finally:
        for one in busy:
            one.kill()
            one.wait()


def opened_and_armed_again(it: Guarded) -> None:
    """Open the lid, and go on."""
    off_within(it, it.act("open-lid"))
    it.cabinet.ask("close-lid")
    it.arm_again()


# -- permits -------------------------------------------------------------------------------------


@steady
def test_a_permit_ends_in_ready(laser: Guarded) -> None:
    laser.ready(seconds=1.0)
    state = laser.wait_for("locked")
    assert state["permit"] is None
    laser.press()
    laser.stays_off(1.0)


@steady
def test_a_permit_ends_while_it_is_armed(laser: Guarded) -> None:
    laser.arm()
    laser.permit(seconds=0.5)
    laser.wait_for("locked")
    until(lambda: not laser.powered(), "off")


@steady
def test_the_steward_is_dead_the_job_drains_and_nothing_new_is_armed(laser: Guarded) -> None:
    """Nobody renews the permit: what runs may finish, then it is over."""
    laser.arm()
    laser.run()
    laser.permit(seconds=0.5)
    state = laser.wait_for("drain")
    assert (state["outputs_on"], state["permit"], laser.powered()) == (True, None, True)
    laser.cabinet.ask("idle")
    laser.wait_for("locked")
    until(lambda: not laser.powered(), "off")
    laser.press()
    laser.stays_off(1.0)


@steady
def test_a_permit_ends_at_the_instant_of_reset(laser: Guarded) -> None:
    """Whichever of the two comes first: never are the outputs on without a permit for long."""
    for offset in range(6):
        laser.ready(seconds=1.0)
        began = time.monotonic()
        time.sleep(0.55 + 0.01 * offset)
        laser.press(0.35)
        laser.wait_for("locked")
        until(lambda: not laser.powered(), "off")
        laser.stays_off(0.3)
        on = [at for at in laser.moves("K1", closed=True) if at > began]
        assert all(at < began + 1.1 for at in on)


@steady
def test_permits_that_are_refused(laser: Guarded) -> None:
    before: Counter[str] = Counter(laser.state()["permits_refused"])
    good = laser.sealed()
    refused = {
        "wrong-signature": laser.sealed(own_key()),
        "other-machine": laser.sealed(machine="mill"),
        "other-boot": laser.sealed(boot="0123456789abcdef"),
        "malformed": good.replace("laser", "\\ud800"),
    }
    for code, text in refused.items():
        answer = laser.say({"permit": text})["permit_answer"]
        assert answer["accepted"] is False
        assert answer["code"] in {code, "wrong-signature", "malformed"}
    assert laser.state()["state"] == "locked"
    assert laser.say({"permit": good})["permit_answer"]["accepted"]
    again = laser.say({"permit": good})["permit_answer"]
    assert again == {"accepted": False, "code": "replayed"}
    counted = Counter[str](laser.state()["permits_refused"]) - before
    assert {"other-machine": 1, "other-boot": 1, "replayed": 1}.items() <= counted.items()
    assert counted.total() == 5


@steady
def test_a_permission_is_taken_away(armed: Guarded) -> None:
    began = time.monotonic()
    assert armed.drop("the use was ended") == {"drop_answer": {"accepted": True}}
    answered = time.monotonic()
    assert armed.off_after(began, "K2") - answered <= REACTION_S
    assert not armed.powered()
    armed.wait_for("locked")
