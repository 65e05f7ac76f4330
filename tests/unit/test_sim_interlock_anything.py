"""The simulated cabinet under acts, faults, line changes and pauses in any order."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fabctl_sim.interlock_box.layout import Level
from fabctl_sim.interlock_box.wiring import Role
from tests.cabinet_in_hand import K1, K2, Bench

ROLES = st.sampled_from(list(Role))
DETAILS = st.fixed_dictionaries(
    {},
    optional={
        "role": st.one_of(ROLES.map(str), st.sampled_from(["k1", "k2", "", "lid"])),
        "seconds": st.one_of(st.floats(-1, 2), st.just("x")),
        "edges": st.integers(-3, 60),
        "hz": st.floats(-10, 500),
        "what": st.sampled_from(["glitch", "k1", "wire", "", "nothing"]),
    },
)
ACTS = (
    *("open-lid", "close-lid", "reset-press", "reset-hold", "reset-release", "run", "idle"),
    *("estop", "estop-release", "key-off", "key-on", "exhaust-off", "exhaust-on"),
    *("flow-start", "flow-stop", "flow-fast", "flow-noise", "flow-frozen-high"),
    *("channel-a-stuck", "channel-b-stuck", "lid-late", "wire-broken", "pin-fails", "glitch"),
    *("chatter", "run-stuck", "k1-welded", "k1-stuck", "k2-welded", "k2-stuck", "write-fails"),
    *("pins-hang", "chip-vanish", "chip-return", "repair", "log", "status", "nonsense"),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from(ACTS), DETAILS),
        st.tuples(st.just("wait"), st.integers(1, 60), st.sampled_from([0.0, 0.01, 0.1])),
        st.tuples(st.just("drive"), st.sampled_from([K1, K2]), st.sampled_from([0, 1, 255])),
    ),
    min_size=1,
    max_size=40,
)


def hold(bench: Bench) -> None:
    """What is always so in a cabinet."""
    status = bench.ask("status")
    contacts = status["contacts"]
    for relay in ("K1", "K2"):
        assert not (contacts[relay] and contacts[f"{relay}_feedback"])
    assert status["powered"] == (contacts["K1"] and contacts["K2"])
    assert status["powered"] or not status["active"]
    for role in bench.cabinet.wiring.inputs:
        assert bench.arrives(role) is Level[status["inputs"][role].upper()]


def do(bench: Bench, step: tuple[str, Any, Any]) -> None:
    kind, what, how = step
    if kind == "wait":
        bench.wait(what / 1000, pulse_s=how)
    elif kind == "drive":
        bench.drive(what, how)
    else:
        try:
            bench.ask(what, **how)
        except ValueError:
            return  # refused: nothing more is promised than that all still holds


def begun(folder: str, *, running: bool) -> Bench:
    """A cabinet at rest, or with both relays on and the machine at work."""
    bench = Bench(Path(folder) / "cabinet")
    if running:
        bench.drive(K2, 1)
        bench.wait(0.05, pulse_s=0.01)
        assert bench.ask("run")["active"]
    return bench


@settings(max_examples=500, deadline=None)  # the first example maps its file: no time is promised
@given(STEPS, st.booleans())
def test_whatever_happens_contacts_and_pins_stay_true(
    steps: list[tuple[str, Any, Any]], running: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = begun(folder, running=running)
        for step in steps:
            do(bench, step)
            hold(bench)
        stamps = [event["n"] for event in bench.cabinet.journal.since(1)]
        assert stamps == list(range(1, len(stamps) + 1))


@settings(max_examples=200, deadline=None)  # the same
@given(STEPS, st.booleans())
def test_repaired_and_left_alone_it_comes_to_rest(
    steps: list[tuple[str, Any, Any]], running: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = begun(folder, running=running)
        for step in steps:
            do(bench, step)
        for act in ("repair", "close-lid", "reset-release", "estop-release", "key-on", "idle"):
            bench.ask(act)
        for act in ("exhaust-on", "flow-start"):
            bench.ask(act)
        bench.drive(K1, 0)
        bench.drive(K2, 0)
        bench.wait(0.5)
        status = bench.ask("status")
        assert status["faults"] == []
        assert not status["powered"]
        assert {role for role, level in status["inputs"].items() if level != "high"} <= {
            "reset",
            "flow",
        }
        assert status["inputs"]["reset"] == "low"
