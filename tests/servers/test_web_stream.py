"""Streams: what changed reaches every open page at once, and silence is never mistaken for life."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fabctl.clock import SystemClock
from fabctl_web.lab import Lab
from fabctl_web.live.fragments import Sheet
from fabctl_web.live.hub import MOST_OF_ONE_ADDRESS, MOST_STREAMS, Hub, TooManyStreamsError
from tests.brokers import wait_until
from tests.promises import kept
from tests.web_lab import OUTSIDE, WebLab, web_lab

Event = tuple[str, str]
PATIENCE_S = 30.0


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[WebLab]:
    with web_lab(tmp_path, SystemClock()) as found:
        yield found


@dataclass
class Page:
    """An open stream, read in a thread of its own."""

    events: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue)

    def next(self, name: str) -> str:
        """Return the data of the next event of this name; others on the way are dropped."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found, data = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            if found == name:
                return data

    def seen_until(self, name: str) -> list[str]:
        """Return the names of all events up to the next one of this name, without the beats."""
        names: list[str] = []
        while name not in names:
            names.append(self.events.get(timeout=PATIENCE_S)[0])
        return [one for one in names if one != "beat"]


@contextmanager
def page_open(lab: WebLab, path: str = "/events", language: str = "fr") -> Iterator[Page]:
    """Open a stream; at the end let it go the way a closed tab does."""
    answer = lab.browser(language=language).get(path)
    assert answer.status_code == 200
    assert answer.mimetype == "text/event-stream"
    page, ended = Page(), threading.Event()

    def read() -> None:
        for chunk in answer.iter_encoded():
            for part in chunk.decode().split("\n\n"):
                if found := parse(part):
                    page.events.put(found)
            if ended.is_set():
                break
        answer.close()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        page.next("beat")
        yield page
    finally:
        ended.set()
        hub(lab).close()  # wakes the reader
        reader.join(PATIENCE_S)
    assert not reader.is_alive()


def parse(part: str) -> Event | None:
    lines = [line.partition(": ") for line in part.split("\n") if line]
    names = [value for key, _, value in lines if key == "event"]
    data = [value for key, _, value in lines if key == "data"]
    return (names[0], "\n".join(data)) if names else None


def hub(lab: WebLab) -> Hub:
    found = lab.app.extensions["fabctl"]
    assert isinstance(found, Lab)
    return found.hub


def test_a_change_is_an_event_with_the_fragment(lab: WebLab) -> None:
    with page_open(lab) as page:
        lab.workshop.say("printer-b", "broken", trouble="cable-lost")
        assert "En panne" in page.next("face-printer-b")


def test_a_machines_page_hears_of_its_own_machine_only(lab: WebLab) -> None:
    with page_open(lab, "/events?machine=printer-a") as page:
        lab.workshop.say("printer-b", "broken", trouble="cable-lost")
        lab.workshop.say("printer-a", "running", job="j")
        names = page.seen_until("live-printer-a")
        assert not [name for name in names if "printer-b" in name]


def test_the_panel_is_asked_for_only_when_it_may_have_changed(lab: WebLab) -> None:
    with page_open(lab, "/events?machine=printer-a") as page:
        lab.workshop.temperatures("printer-a", nozzle_c=30.0)
        assert "turn-printer-a" not in page.seen_until("live-printer-a")
        lab.workshop.say("printer-a", "running", job="j")
        assert page.next("turn-printer-a") == ""
        lab.workshop.progress("printer-a", "j", 0.5)
        assert "50" in page.next("live-printer-a")


def test_what_changed_between_page_and_stream_is_not_lost(lab: WebLab) -> None:
    since = hub(lab).mark
    lab.workshop.say("printer-a", "broken")
    with page_open(lab, f"/events?since={since}") as page:
        lab.workshop.say("printer-b", "offline")
        assert page.seen_until("face-printer-b") in (
            ["face-printer-a", "face-printer-b"],
            ["face-printer-b"],
        ) or pytest.fail("printer-a came neither before nor with printer-b")


@pytest.mark.parametrize(("path", "kind"), [("?", "face"), ("?machine=printer-a&", "live")])
def test_what_fell_silent_between_page_and_stream_is_shown(
    lab: WebLab, path: str, kind: str
) -> None:
    """Nobody says anything then: the page would show the last word for ever."""
    lab.workshop.say("printer-a", "idle", max_age_s=1)
    since = hub(lab).mark
    view = lab.app.extensions["fabctl"].view
    wait_until(lambda: view.machine("printer-a").state == "unknown", "its word is too old")
    with page_open(lab, f"/events{path}since={since}") as page:
        assert "inconnu" in page.next(f"{kind}-printer-a")


@pytest.mark.parametrize("since", ["0123abcd-0", "7", "-", "x-y"])
def test_a_page_of_another_process_is_told_everything(lab: WebLab, since: str) -> None:
    with page_open(lab, f"/events?since={since}") as page:
        assert page.seen_until("face-printer-b") == ["face-printer-a", "face-printer-b"]


def test_nothing_is_sent_twice_and_nothing_that_the_page_has(lab: WebLab) -> None:
    with page_open(lab) as page:
        for _ in range(5):
            lab.workshop.say("printer-a", "idle")
        lab.workshop.say("printer-a", "offline")
        assert page.seen_until("face-printer-a") == ["face-printer-a"]


def test_streams_speak_their_pages_language(lab: WebLab) -> None:
    with page_open(lab, language="en") as page:
        lab.workshop.say("printer-a", "paused", job="j")
        assert "Paused" in page.next("face-printer-a")


def test_the_heart_beats_every_three_seconds(lab: WebLab) -> None:
    """Between two of ten: one that comes late, since the computer stood still, moves two."""
    with page_open(lab) as page:
        gaps: list[float] = []
        while not any(2.5 < gap < 4.0 for gap in gaps):
            assert len(gaps) < 10, gaps
            began = time.monotonic()
            page.next("beat")
            gaps.append(time.monotonic() - began)


def test_a_machine_that_falls_silent_is_shown_before_the_next_beat(lab: WebLab) -> None:
    def fell_silent() -> float:
        began = time.monotonic()
        lab.workshop.say("printer-a", "running", job="j", max_age_s=1)
        while "État inconnu" not in page.next("face-printer-a"):
            assert time.monotonic() - began < PATIENCE_S
        taken = time.monotonic() - began
        assert taken > 1.0
        return taken

    with page_open(lab) as page:
        page.next("beat")
        kept(2.6, fell_silent)


def test_a_booking_reaches_the_board(lab: WebLab) -> None:
    camille = lab.certified("camille")
    with page_open(lab) as page:
        lab.book(camille, "printer-a")
        lab.app.extensions["fabctl"].booked_anew("printer-a")
        assert "Réservée" in page.next("face-printer-a")


def test_from_message_to_event_in_a_moment(lab: WebLab) -> None:
    """Goal of the whole way: 250 ms. This is its last part, and it has no timer in it.

    Of most messages: a computer that does something else meanwhile delays some.
    """
    with page_open(lab) as page:
        delays = []
        for turn in range(40):
            began = time.monotonic()
            lab.workshop.say("printer-a", "idle" if turn % 2 else "offline")
            page.next("face-printer-a")
            delays.append(time.monotonic() - began)
    assert sorted(delays)[20] < 0.1, sorted(delays)


def test_so_many_streams_and_no_more(lab: WebLab) -> None:
    for _ in range(MOST_STREAMS):
        hub(lab).enter()
    answer = lab.browser().get("/events")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    hub(lab).leave()
    with page_open(lab):
        assert hub(lab).streams == MOST_STREAMS


def test_no_single_address_takes_every_place(lab: WebLab) -> None:
    for _ in range(MOST_OF_ONE_ADDRESS):
        hub(lab).enter("2001:db8::/64")
    assert lab.browser("2001:db8::1").get("/events").status_code == 503
    for address in (OUTSIDE, "127.0.0.1", "2001:db8:0:1::1"):
        answer = lab.browser(address).get("/events")
        assert answer.status_code == 200, address
        answer.close()
    hub(lab).leave("2001:db8::/64")
    lab.browser("2001:db8::1").get("/events").close()
    answer = lab.browser("2001:db8::2").get("/events")
    assert answer.status_code == 200
    answer.close()
    assert hub(lab).streams == MOST_OF_ONE_ADDRESS - 1


def test_a_closed_page_gives_its_place_back(lab: WebLab) -> None:
    with page_open(lab):
        assert hub(lab).streams == 1
    assert hub(lab).streams == 0


def test_a_stream_that_was_never_read_gives_its_place_back(lab: WebLab) -> None:
    lab.browser().get("/events").close()
    assert hub(lab).streams == 0


def test_the_end_of_the_server_ends_the_streams(lab: WebLab) -> None:
    answer = lab.browser().get("/events")
    hub(lab).close()
    assert b"".join(answer.iter_encoded()).count(b"event: beat") == 1  # it waited for no other
    answer.close()
    assert lab.browser().get("/events").status_code == 503


def test_an_unknown_machine_has_no_stream(lab: WebLab) -> None:
    assert lab.browser().get("/events?machine=nope").status_code == 404
    assert hub(lab).streams == 0


def test_the_hub_counts_and_remembers() -> None:
    found = Hub(most_streams=1)
    found.note("a")
    found.note("b")
    assert found.version == 2
    assert found.changed_since(0) == {"a", "b"}
    assert found.changed_since(1) == {"b"}
    assert found.version_of("a") == 1
    assert found.version_of("never") == 0
    assert found.wait(after=1, timeout=60) == 2
    found.enter()
    with pytest.raises(TooManyStreamsError):
        found.enter()


def test_what_is_calm_wakes_nobody_and_is_counted() -> None:
    found = Hub()
    found.note("a", calm=True)
    assert found.wait(after=0, timeout=0.0) == 1
    assert found.changed_since(0) == {"a"}
    assert found.pressing_since(0) == frozenset()
    found.note("b")
    assert found.wait(after=1, timeout=60) == 2
    assert found.pressing_since(0) == {"b"}
    assert (found.pressing("a"), found.pressing("b")) == (0, 2)


def test_figures_wake_no_stream_and_are_shown_within_a_second(lab: WebLab) -> None:
    lab.workshop.say("printer-a", "running", job="j")
    inner = hub(lab)
    before = inner.version
    lab.workshop.progress("printer-a", "j", 0.25)
    lab.workshop.say("printer-a", "running", job="j")
    assert inner.version == before + 2
    assert inner.pressing_since(before) == frozenset()
    with page_open(lab) as page:
        lab.workshop.progress("printer-a", "j", 0.5)
        assert "50" in page.next("face-printer-a")


def test_a_hundred_boards_render_a_card_once(lab: WebLab) -> None:
    inner = lab.app.extensions["fabctl"]
    made: list[str] = []

    def make(machine: str) -> bytes:
        made.append(machine)
        return str(inner.machine(machine).state).encode()

    sheet = Sheet(inner, make)
    number, everything = sheet.of({"printer-a", "printer-b"})
    assert everything.count(b"event: face-") == len(inner.config.machines) == len(made)
    lab.workshop.say("printer-a", "broken")
    began = time.monotonic()
    found = [sheet.since(number) for _ in range(100)]
    took_s = time.monotonic() - began
    assert found == [(number + 1, b"event: face-printer-a\ndata: broken\n\n")] * 100
    assert sheet.since(number + 1) == (number + 1, b"")
    assert made.count("printer-a") <= 3 + took_s  # and once more for each second that it took


def test_a_waiting_stream_is_woken_from_another_thread() -> None:
    found, versions = Hub(), queue.SimpleQueue[int]()
    waiting = threading.Thread(target=lambda: versions.put(found.wait(after=0, timeout=60)))
    waiting.start()
    found.note("a")
    assert versions.get(timeout=PATIENCE_S) == 1
    waiting.join()
