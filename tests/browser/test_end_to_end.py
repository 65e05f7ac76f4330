"""A maker prints a real file: the whole path, in chromium, beside an independent MQTT client."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Browser, Page, expect

from tests.lab import RunningLab, running_lab, wait_for
from tests.lab_work import TAG, commands_of, record

MACHINE = "printer-b"
NAME = "Imprimante 3D B"
SPEED = 60.0

pytestmark = pytest.mark.browser


class Listener:
    """An independent client with the dashboard's rights; keeps all that it hears, in order."""

    def __init__(self, lab: RunningLab) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._subscribed = threading.Event()
        broker = lab.data / "broker"
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="listener", protocol=mqtt.MQTTv5
        )
        self.client.username_pw_set(
            "dashboard", (broker / "dashboard.password").read_text().strip()
        )
        self.client.on_message = self._hear
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.connect("127.0.0.1", int((broker / "port").read_text()))
        self.client.subscribe("fab/v1/demo/#", qos=1)
        self.client.loop_start()
        assert self._subscribed.wait(30)

    def _hear(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        if message.payload:
            topic = message.topic.removeprefix("fab/v1/demo/")
            self.heard.append((topic, json.loads(message.payload)))

    def payloads(self, topic: str) -> list[dict[str, Any]]:
        """Return what was said on a topic, in order."""
        return [payload for heard, payload in list(self.heard) if heard == topic]

    def events(self) -> list[str]:
        """Return the machine's events, in order; one that was said again is the same event."""
        prefix = f"m/{MACHINE}/event/"
        told = {
            (said["boot"], said["seq"]): topic.removeprefix(prefix)
            for topic, said in list(self.heard)
            if topic.startswith(prefix)
        }
        return list(told.values())

    def end(self) -> None:
        """Hang up."""
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    with running_lab(tmp_path_factory.mktemp("maker"), "--speed", str(SPEED)) as running:
        yield running


@pytest.fixture
def listener(lab: RunningLab) -> Iterator[Listener]:
    heard = Listener(lab)
    yield heard
    heard.end()


@pytest.fixture
def page(lab: RunningLab, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        base_url=lab.url,
        viewport={"width": 800, "height": 480},
        locale="fr-FR",
        has_touch=True,
    )
    opened = context.new_page()
    yield opened
    context.close()


def sign_in(page: Page, pin: str) -> None:
    page.goto("/")
    page.get_by_role("link", name="Se connecter").tap()
    page.wait_for_url("**/in?next=/")  # its keys work
    for digit in pin:
        page.locator(f"[data-key='{digit}']").tap()
    page.get_by_role("button", name="OK").tap()


def test_a_maker_prints_a_real_file(lab: RunningLab, page: Page, listener: Listener) -> None:
    with lab.sim(MACHINE) as sim:
        sim.clear_received()
    sign_in(page, lab.account("lea")["pin"])
    page.get_by_role("link", name=NAME).tap()
    page.get_by_role("button", name="1 h maintenant").first.tap()
    expect(page.locator(".notice.good")).to_contain_text("Réservé")  # not the page before
    page.wait_for_load_state("load")
    page.set_input_files("#file", TAG)
    page.get_by_role("button", name="Envoyer").tap()
    page.get_by_role("button", name="Démarrer keyring_tag.gcode").tap()
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "running")

    expect(page.locator("#percent").first).to_have_text("100\u202f%", timeout=120_000)
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "idle", timeout=60_000)
    page.goto("/me/files")
    expect(page.locator("[data-job]").first).to_contain_text("keyring_tag.gcode")

    _the_printer_did_what_the_file_says(lab)
    _the_use_is_on_record(lab)
    _mqtt_told_the_same_story(lab, listener)


def _the_printer_did_what_the_file_says(lab: RunningLab) -> None:
    with lab.sim(MACHINE) as sim:
        ran = [entry for entry in sim.received() if entry["n"] is not None]
    numbers = [entry["n"] for entry in ran]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "a number twice or none"
    wanted = commands_of(TAG)
    texts = [entry["text"] for entry in ran if entry["text"] != "M105"]
    begin = texts.index(wanted[0])
    assert texts[begin : begin + len(wanted)] == wanted


def _the_use_is_on_record(lab: RunningLab) -> None:
    rows = record(
        lab,
        "SELECT use.outcome, use.closed_at IS NOT NULL, job.state, job.line, job.lines"
        " FROM use JOIN job ON job.id = use.job_id WHERE job.resource_id = ?",
        MACHINE,
    )
    lines = len(TAG.read_text().splitlines())
    last = max(
        number
        for number, line in enumerate(TAG.read_text().splitlines(), start=1)
        if line.split(";")[0].strip()
    )
    assert rows == [("finished", 1, "finished", last, lines)]


def _mqtt_told_the_same_story(lab: RunningLab, listener: Listener) -> None:
    wait_for("the last event", lambda: "job-finished" in listener.events())
    assert listener.events() == ["job-started", "job-finished"]
    states = [payload["state"] for payload in listener.payloads(f"m/{MACHINE}/state")]
    changes = [state for at, state in enumerate(states) if at == 0 or states[at - 1] != state]
    assert changes in (["idle", "preparing", "running", "idle"], ["idle", "running", "idle"])
    shares = [
        payload["progress"]
        for payload in listener.payloads(f"m/{MACHINE}/job")
        if payload.get("progress") is not None
    ]
    assert shares == sorted(shares)
    assert len(shares) > 3
    everything = json.dumps(listener.heard, ensure_ascii=False)
    assert not [
        person["display_name"]
        for person in lab.ready["accounts"]
        if person["display_name"] in everything
    ], "names of people are never on MQTT"
