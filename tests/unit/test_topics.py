"""Topics: what is built, what is read back, what never becomes a part of one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabctl.errors import InputError
from fabctl.messaging.topics import LabTopics, Place, client_id, discovery, is_id

LAB = LabTopics("casemate")


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        (LAB.state("printer-a"), "fab/v1/casemate/m/printer-a/state"),
        (LAB.command("printer-a", "start"), "fab/v1/casemate/m/printer-a/cmd/start"),
        (LAB.event("mill", "job-started"), "fab/v1/casemate/m/mill/event/job-started"),
        (LAB.telemetry("mill", "position"), "fab/v1/casemate/m/mill/telemetry/position"),
        (LAB.host_status("pi1"), "fab/v1/casemate/host/pi1/status"),
        (LAB.answer("web-1"), "fab/v1/casemate/answer/web-1"),
        (LAB.commands("mill"), "fab/v1/casemate/m/mill/cmd/+"),
        (LAB.every("state"), "fab/v1/casemate/m/+/state"),
        (LAB.every("event"), "fab/v1/casemate/m/+/event/+"),
        (LAB.every("host"), "fab/v1/casemate/host/+/status"),
        (discovery("mill"), "homeassistant/device/mill/config"),
    ],
)
def test_topics_are_those_of_the_design(topic: str, expected: str) -> None:
    assert topic == expected


@pytest.mark.parametrize(
    ("topic", "place"),
    [
        (LAB.state("mill"), Place("state", "mill")),
        (LAB.booking("mill"), Place("booking", "mill")),
        (LAB.event("mill", "job-failed"), Place("event", "mill", "job-failed")),
        (LAB.command("mill", "stop"), Place("cmd", "mill", "stop")),
        (LAB.host_status("pi1"), Place("host", "pi1")),
        (LAB.steward_status, Place("steward", "")),
        (LAB.answer("web"), Place("answer", "web")),
        ("fab/v1/other/m/mill/state", None),
        ("fab/v1/casemate/m/mill/cmd", None),
        ("fab/v1/casemate/m/mill/state/more", None),
        ("fab/v1/casemate/m/Mill/state", None),
        ("fab/v1/casemate/", None),
    ],
)
def test_a_topic_is_read_back(topic: str, place: Place | None) -> None:
    assert LAB.place(topic) == place


@given(st.text(alphabet="ab9-+#/ \0é", max_size=6))
def test_only_ids_become_parts_of_topics(name: str) -> None:
    if is_id(name):
        assert LAB.place(LAB.state(name)) == Place("state", name)
    else:
        with pytest.raises(InputError):
            LAB.state(name)
        with pytest.raises(InputError):
            client_id("web", name)


@given(st.text(max_size=40))
def test_any_topic_can_be_read(tail: str) -> None:
    LAB.place(f"{LAB.root}/{tail}")
    LAB.place(tail)
