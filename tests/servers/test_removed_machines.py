"""A machine that left lab.toml leaves the broker too: a real broker, a real steward."""

from __future__ import annotations

from pathlib import Path

from fabctl.messaging.keys import make_keys
from fabctl.messaging.topics import LabTopics
from tests.brokers import WITHIN_S, lab_config, wait_until
from tests.machine_lab import ONE_MACHINE, machine_lab


def test_the_steward_clears_what_the_broker_kept(tmp_path: Path) -> None:
    config = lab_config(tmp_path, ONE_MACHINE)
    make_keys(config.paths, ["lathe"])  # it was in lab.toml once
    topics = LabTopics(config.id)
    with machine_lab(tmp_path, ONE_MACHINE) as lab:
        desk = lab.broker.link("desk", "one-that-writes")
        kept = {*topics.kept("lathe"), topics.booking("printer-a")}
        for topic in kept:
            desk.publish(topic, b'{"v":1}', retain=True)
        assert desk.flush(WITHIN_S)
        assert desk.failures == 0
        heard: dict[str, bytes] = {}
        reader = lab.broker.link("desk", "one-that-reads", connect=False)
        for pattern in (f"{topics.root}/m/+/+", "homeassistant/device/+/config"):
            reader.subscribe(
                pattern, lambda message: heard.update({message.topic: message.payload})
            )
        reader.start()
        seen = {topic for topic in kept if not topic.startswith("homeassistant")}
        wait_until(lambda: seen <= set(heard), "what the broker keeps is heard")
        lab.start_steward()
        cleared = seen - {topics.booking("printer-a")}
        wait_until(lambda: all(heard[topic] == b"" for topic in cleared), "it is cleared")
        assert heard[topics.booking("printer-a")] != b""
