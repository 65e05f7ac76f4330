"""Home Assistant shows the lab by itself: one retained description per machine, sensors only.

Form: "Device discovery payload" in Home Assistant's MQTT integration documentation (from 2024.11):
``device``, ``origin`` and ``components``, each component with ``platform`` and ``unique_id``;
topic ``homeassistant/device/<object id>/config``. Pure.
"""

from __future__ import annotations

import json
from typing import Any

from fabctl.messaging.payloads import STATE_MAX_AGE_S, MachineState
from fabctl.messaging.topics import LabTopics
from fabctl.ports import MachineKind, MachineProfile


def describe(topics: LabTopics, profile: MachineProfile, version: str) -> bytes:
    """Return the description of one machine: its state, its job's progress, its temperatures.

    No component has a command topic: Home Assistant can look, and ask for nothing.
    """
    unique = f"fabctl_{topics.lab}_{profile.id}"
    sensors = _sensors(topics, profile)
    whole = {
        "device": {"identifiers": [unique], "name": profile.name, "model": profile.kind.value},
        "origin": {"name": "fabctl", "sw_version": version},
        "components": {
            name: {"platform": "sensor", "unique_id": f"{unique}_{name}"} | sensor
            for name, sensor in sensors.items()
        },
    }
    return json.dumps(whole, ensure_ascii=False).encode()


def _sensors(topics: LabTopics, profile: MachineProfile) -> dict[str, dict[str, Any]]:
    states = [state.value for state in MachineState if state is not MachineState.UNKNOWN]
    job = topics.job(profile.id)
    sensors: dict[str, dict[str, Any]] = {
        "state": {
            "name": "State",
            "state_topic": topics.state(profile.id),
            "value_template": "{{ value_json.state }}",
            "device_class": "enum",
            "options": states,
            "expire_after": STATE_MAX_AGE_S,
        },
        "progress": {
            "name": "Progress",
            "state_topic": job,
            "value_template": "{{ (value_json.progress | default(0) * 100) | round(1) }}",
            "unit_of_measurement": "%",
        },
        "time_left": {
            "name": "Time left",
            "state_topic": job,
            "value_template": "{{ value_json.eta_s | default(none) }}",
            "device_class": "duration",
            "unit_of_measurement": "s",
        },
    }
    if profile.kind is MachineKind.PRINTER:
        sensors |= {
            part: _temperature(topics.telemetry(profile.id, "temperatures"), part)
            for part in ("nozzle", "bed")
        }
    return sensors


def _temperature(topic: str, part: str) -> dict[str, Any]:
    return {
        "name": part.capitalize(),
        "state_topic": topic,
        "value_template": f"{{{{ value_json.{part}_c }}}}",
        "device_class": "temperature",
        "unit_of_measurement": "°C",
        "expire_after": 60,
    }
