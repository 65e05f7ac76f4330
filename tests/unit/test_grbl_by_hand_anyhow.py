"""Whatever a person does in whatever order: no mistake of ours, and the machine is usable after."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabctl.errors import FabError
from fabctl.ports import Outcome, Override, Phase
from fabctl.units import MmPerMin
from fabctl_sim.grbl.board import FLAVOURS, Board
from tests.grbl_host import GrblHost

ASKING = ("$G", "$$", "$#", "$N", "?")
MOVING = ("G0X1", "g1 x9 f600", "$J=G91X5F600", "$H", "G38.2 Z-5 F100")
STANDING = ("!", "~", "$C", "$SLP", "$X", "M0", "G4 P0.2")
WRITING = ("G10 L20 P1 X0", "$22=1", "$RST=$", "M3 S200", "G5")
LINES = (*ASKING, *MOVING, *STANDING, *WRITING)
ACTIONS = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(LINES)),
    st.tuples(st.just("jog"), st.sampled_from([1.0, -3.0, 60.0])),
    st.tuples(st.just("cancel"), st.none()),
    st.tuples(st.just("override"), st.sampled_from([10, 77, 200])),
    st.tuples(st.just("home"), st.none()),
    st.tuples(st.just("door"), st.booleans()),
    st.tuples(st.just("pull"), st.none()),
    st.tuples(st.just("pass"), st.floats(0.0, 3.0)),
)
BOARDS = st.sampled_from(sorted(FLAVOURS)).map(FLAVOURS.__getitem__)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(BOARDS, st.lists(ACTIONS, max_size=12))
def test_a_job_runs_after_it(board: Board, actions: list[tuple[str, object]]) -> None:
    host = GrblHost(board)
    for action, word in actions:
        try:
            act(host, action, word)
        except FabError as error:
            must_be_a_refusal(error)
        host.until(lambda: False, 0.01)
    make_ready(host)
    host.start([b"G1 X1 F600", b"G1 X2"])
    assert host.until(lambda: host.ended is not None, 120.0)
    assert host.ended is not None
    assert host.ended.outcome is Outcome.FINISHED
    assert host.lost == 0


def act(host: GrblHost, action: str, word: object) -> None:
    if action == "say":
        host.session.say(str(word))
    elif action == "jog":
        host.session.jog({"X": float(str(word))}, MmPerMin(900.0))
    elif action == "cancel":
        host.session.cancel_jog()
    elif action == "override":
        host.session.override(Override.FEED, int(str(word)), host.now)
    elif action == "home":
        host.session.home()
    elif action == "door":
        host.firmware.door(host.now, is_open=bool(word))
    elif action == "pull":
        host.firmware.reset(host.now)
    else:
        host.until(lambda: False, float(str(word)))


def make_ready(host: GrblHost) -> None:
    """A person closes the door, stops, clears what is broken, and waits."""
    host.firmware.door(host.now, is_open=False)
    host.until(lambda: False, 12.0)
    host.session.stop(host.now)
    for _ in range(4):
        host.until(lambda: host.session.phase in {Phase.IDLE, Phase.BROKEN}, 200.0)
        host.until(lambda: not host.session.is_settling, 30.0)
        if host.session.phase is Phase.BROKEN:
            clear(host)
    host.until(lambda: False, 3.0)
    assert host.session.phase is Phase.IDLE, host.events[-5:]


def clear(host: GrblHost) -> None:
    try:
        host.session.begin_clear(host.now)
        host.until(lambda: host.session.go_on_clearing(host.now), 20.0)
        host.session.clear(host.now)
    except FabError as error:
        must_be_a_refusal(error)


def must_be_a_refusal(error: FabError) -> None:
    """The tables of states say this of what we should not have tried."""
    assert "has no place in" not in str(error), "a mistake of ours"
